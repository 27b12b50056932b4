from typer.testing import CliRunner

from irisrec import budget
from irisrec.cli.main import app


def test_the_budget_holds_for_the_command_alone(monkeypatch):
    seen = []
    monkeypatch.setattr("irisrec.startup.quick_imports", lambda run: seen.append(budget._limit) or 1 / 0)
    CliRunner().invoke(app, ["--memory-budget", "2GB", "recommend", "nowhere", "--user", "1"])
    assert seen == [2_000_000_000]
    assert budget._limit is None


def test_a_budget_that_is_none_is_one_sentence():
    result = CliRunner().invoke(app, ["--memory-budget", "much", "recommend", "nowhere", "--user", "1"])
    assert "a memory budget is a number of bytes" in str(result.exception)
