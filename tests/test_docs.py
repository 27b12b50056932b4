"""Commands that the pages of docs/ show exist, with the options they are shown with."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from irisrec.cli.main import app

DOCS = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
COMMANDS = get_command(app).commands


def shown(page: Path) -> list[tuple[str, list[str]]]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```(?:sh)?\n(.*?)```", text, flags=re.DOTALL))
    lines = re.findall(r"^(?:\$ )?irisrec ([a-z-]+)(.*)$", blocks, flags=re.MULTILINE)
    return [(name, re.findall(r"(?<= )--[a-z-]+", rest.partition("#")[0])) for name, rest in lines]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_commands_and_options_that_a_page_shows_exist(page):
    for name, options in shown(page):
        assert name in COMMANDS, name
        if hasattr(COMMANDS[name], "commands"):
            continue
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(options) <= known | {"--help"}, (name, set(options) - known)


def test_there_are_pages_that_show_commands():
    assert sum(len(shown(page)) for page in DOCS) > 10
