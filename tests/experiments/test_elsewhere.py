"""A trained run, copied to another place where nothing of its data is: it recommends, and every damage is refused."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import IrisrecError
from irisrec.recommendation.recommender import Recommender
from irisrec.sums import SUMS
from tests.experiments.pages import run_in, write_world

READ = {
    "model.json",
    "model.safetensors",
    "features.safetensors",
    "items.parquet",
    "users.parquet",
    "interactions.parquet",
    SUMS,
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> tuple[Path, list]:
    """A run far from its data, which are gone, and what it recommended where it was made."""
    here = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(here / "cache"))
        write_world(here / "world")
        run_in(here / "world", here / "run")
    before = asked(here / "run")
    there = Path(shutil.copytree(here / "run", tmp_path_factory.mktemp("there") / "run"))
    shutil.rmtree(here)
    return there, before


def asked(run: Path) -> list:
    recommender = Recommender.load(run)
    return [
        recommender.recommend("u01", k=5, n_reasons=3),
        recommender.recommend(history=["i03", "i20"], k=30),
        recommender.explain("i20", user="u01"),
        recommender.similar_items("i03"),
    ]


def test_a_run_without_its_data_set_recommends_the_same(moved, monkeypatch, tmp_path):
    run, before = moved
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "nothing"))
    assert asked(run) == before
    for options in (["recommend", "--user", "u01"], ["similar", "--item", "i03"], ["evaluate"]):
        result = CliRunner().invoke(app, [options[0], str(run), *options[1:]])
        assert result.exit_code == 0, result.output
    assert not (tmp_path / "nothing").exists()


def flipped(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 0b100
    return bytes(changed)


@pytest.mark.parametrize("damage", [flipped, lambda c: c[: len(c) // 2], lambda c: c[:-2], lambda c: b""])
def test_damage_to_any_file_is_refused_in_a_sentence_or_changes_nothing(moved, damage, tmp_path):
    run, before = moved
    copy, refused = Path(shutil.copytree(run, tmp_path / "run")), {}
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        if damage(whole) == whole:
            continue
        path.write_bytes(damage(whole))
        try:
            assert asked(copy) == before, path
        except IrisrecError as error:
            refused[str(path.relative_to(copy))] = str(error)
        path.write_bytes(whole)
    assert set(refused) == READ
    assert all(len(said.splitlines()) == 1 and str(copy) in said for said in refused.values())
    assert asked(copy) == before


def test_a_file_that_is_gone_is_refused(moved, tmp_path):
    run, _ = moved
    for name in sorted(READ):
        copy = Path(shutil.copytree(run, tmp_path / name))
        (copy / name).unlink()
        with pytest.raises(IrisrecError, match=r"is missing|has no checksum"):
            asked(copy)
