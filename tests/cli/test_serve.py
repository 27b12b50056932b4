"""``irisrec serve`` and ``irisrec serve-key`` from the outside."""

import re
import tomllib

import pytest
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import ConfigError, RunError
from irisrec.serving.config import ServeSettings
from irisrec.serving.keys import find_key


def test_a_made_key_is_known_by_what_the_settings_keep_and_shown_once(tmp_path):
    printed = CliRunner().invoke(app, ["serve-key", "importer", "--scope", "write"]).stdout
    key = re.search(r"iris_\S+", printed)[0]
    kept = printed[printed.index("[[keys]]") :]
    assert key not in kept
    file = tmp_path / "serve.toml"
    file.write_text(f'run = "runs/shop"\n{kept}')
    settings = ServeSettings.gather(file, {})
    found = find_key(settings.keys, key)
    assert (found.name, found.scope) == ("importer", "write")
    assert find_key(settings.keys, key[:-1]) is None
    assert tomllib.loads(kept)["keys"][0]["sha256"] == found.sha256


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        (["serve"], ConfigError, "option serve.run is required"),
        (
            ["serve", "nowhere", "--host", "0.0.0.0"],
            ConfigError,
            "lets other machines in, and there are no keys",
        ),
        (["serve", "nowhere"], RunError, "there is no run folder"),
        (["serve-key", "x", "--scope", "all"], ConfigError, "input should be 'read' or 'write', got 'all'"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_is_loaded(arguments, kind, sentence):
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, kind)
    assert sentence in str(result.exception)
