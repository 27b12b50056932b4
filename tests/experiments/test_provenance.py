import shutil
import subprocess

import pytest

from irisrec.experiments.provenance import commit, versions

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    source = tmp_path / "src" / "package"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return source


def test_a_checkout_tells_its_commit_and_whether_files_differ_from_it(checkout):
    clean = commit(checkout)
    assert len(clean["id"]) == 40
    assert not clean["dirty"]
    (checkout / "new.py").write_text("")
    assert commit(checkout) == clean | {"dirty": True}


def test_a_package_that_only_lies_inside_a_checkout_has_no_commit(checkout, tmp_path):
    installed = checkout.parent / "site-packages" / "package"
    shutil.copytree(checkout, installed)
    assert commit(installed) is None
    assert commit(tmp_path / "nowhere") is None


def test_versions_are_those_of_the_packages_in_use_without_the_tools_of_development():
    found = versions()
    assert {"irisrec", "python", "torch", "polars"} <= found.keys()
    assert not {"pytest", "ruff", "mypy"} & found.keys()
