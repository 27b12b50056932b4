"""What a command does, and what it leaves out, so that it begins soon."""

import gc
import os
import subprocess
import sys
import threading

import pytest

from irisrec import startup, sums
from irisrec.errors import RunError
from irisrec.recommendation.recommender import Recommender
from irisrec.sums import begin_checks, check_seal, seal
from tests.serving.small import write_run

# of what is installed, what answering one request has no use for
NEEDLESS = {
    "fastapi", "gensim", "httpx", "implicit", "jinja2", "matplotlib", "optuna", "pandas", "PIL", "pyarrow", "ray",
    "rich", "scipy", "sklearn", "sqlalchemy", "sympy", "torch._dynamo", "torch._inductor", "transformers", "uvicorn",
    "irisrec.experiments", "irisrec.features", "irisrec.models.lightgcn", "irisrec.recommendation.adding",
    "irisrec.recommendation.storage", "irisrec.serving", "irisrec.training",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("small") / "run")


@pytest.mark.parametrize(
    "arguments",
    [
        ["recommend", "--user", "u3"],
        ["recommend", "--history", "i00,i01"],
        ["explain", "--user", "u3", "--item", "i05"],
        ["similar", "--item", "i05"],
    ],
)
def test_one_request_imports_nothing_needless(run, arguments):
    command, *options = arguments
    code = (
        "import sys; from irisrec.cli.main import app; "
        f"app({[command, str(run), *options]}, standalone_mode=False); "
        f"print(sorted({NEEDLESS} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "status"), [(["similar", "--item", "i05"], 0), (["similar", "--item", "?"], 1)]
)
def test_a_command_ends_soon_with_everything_written_and_its_status(run, arguments, status):
    name, *options = arguments
    code = (
        "import atexit, sys; from irisrec.cli.main import command; atexit.register(print, 'the end'); "
        f"sys.argv = {['irisrec', name, str(run), *options]}; command(); print('taken apart', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == "the end"
    assert ("by learned" in done.stdout) == (status == 0)
    assert ("'?'" in done.stderr) == (status == 1)
    assert "taken apart" not in done.stderr


def test_a_command_that_imported_nothing_heavy_ends_as_programs_do():
    code = (
        "import sys; from irisrec.cli.main import command; sys.argv = ['irisrec', '--version']; command(); "
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "went on"


def test_imports_are_not_searched_for_garbage_and_the_setting_comes_back():
    was_on = gc.isenabled()
    with startup.quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled() == was_on


def test_a_checksum_that_was_begun_is_taken_and_not_computed_again(tmp_path, monkeypatch):
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc" * 1000)
    seal(file)
    by = []
    computed = sums._computed
    monkeypatch.setattr(
        sums, "_computed", lambda path: by.append(threading.current_thread()) or computed(path)
    )
    begin_checks(tmp_path)
    check_seal(file)
    assert len(by) == 1
    assert by[0] is not threading.main_thread()


def test_a_file_that_changed_after_its_checksum_was_begun_is_found(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    seal(file)
    begin_checks(tmp_path)
    for thread in threading.enumerate():
        if isinstance(thread, sums._Begun):
            thread.join()
    file.write_bytes(b"abd")
    os.utime(file, ns=(1, 1))
    with pytest.raises(RunError, match="is not what was written"):
        check_seal(file)


def test_a_damaged_file_is_found_by_another_thread_too(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    seal(tmp_path / "a.bin")
    (tmp_path / "a.bin").write_bytes(b"xyz")
    begin_checks(tmp_path)
    with pytest.raises(RunError, match="is not what was written"):
        check_seal(tmp_path / "a.bin")


def test_checks_of_a_folder_without_checksums_are_left_to_who_reads_it(tmp_path):
    begin_checks(tmp_path / "nowhere")
    (tmp_path / sums.SUMS).write_text("not a list\n")
    begin_checks(tmp_path)
    with pytest.raises(RunError, match="is damaged"):
        check_seal(tmp_path / sums.SUMS)


def test_a_recommender_for_one_request_answers_as_one_for_many(run):
    one, many = Recommender.load(run, prepare=False), Recommender.load(run)
    lists = [recommender.recommend("u3") for recommender in (one, many)]
    ids, scores = ([[getattr(x, name) for x in found] for found in lists] for name in ("item_id", "score"))
    assert ids[0] == ids[1]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    assert [one.history_of(u) for u in ("u3", "u1", "u3")] == [many.history_of(u) for u in ("u3", "u1", "u3")]
    assert one.known.counts.tolist() == many.known.counts.tolist()


def test_one_request_for_a_user_does_not_read_what_all_users_had(run):
    recommender = Recommender.load(run, prepare=False)
    recommender.recommend("u3")
    assert "table" not in vars(recommender.known)
    recommender.recommend("u1")
    assert "table" in vars(recommender.known)
