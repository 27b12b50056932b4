"""The README's promises: its Python runs as it stands, its commands and files exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert blocks, "the README shows no Python"
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    names: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert "because" in capsys.readouterr().out or names["recommender"]


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"(?:scripts|configs|docs|benchmarks)/[\w./-]+\w", README)))
)
def test_files_that_the_readme_names_exist(path):
    assert (ROOT / path).exists()


def test_commands_that_the_readme_names_exist():
    from typer.main import get_command

    from irisrec.cli.main import app

    known = set(get_command(app).commands)
    named = set(re.findall(r"(?:^|`)irisrec ([a-z-]+)", README, flags=re.MULTILINE))
    assert named <= known, named - known
