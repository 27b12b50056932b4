"""Overrides of a config: what another model does not read is left out, and said."""

from pathlib import Path

import pytest

from irisrec.errors import ConfigError
from irisrec.experiments.config import ExperimentConfig

FILE = '[data]\nsource = "shop"\nroot = "shop"\n\n[model]\nname = "iris"\ndim = 16\nhidden = 32\n'


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_another_model_takes_only_its_own_options_from_the_file(path, capsys):
    model = ExperimentConfig.load(path, ["model.name=ials", "model.confidence=3"]).model
    assert (model.dim, model.confidence) == (16, 3.0)
    assert capsys.readouterr().err == "model ials has no option hidden: left out of the config\n"


def test_an_option_given_beside_the_other_model_is_refused(path):
    with pytest.raises(ConfigError, match="model: ease has no option dim; its options are regularization"):
        ExperimentConfig.load(path, ["model.name=ease", "model.dim=8"])


def test_unknown_options_of_the_file_are_still_refused(path):
    path.write_text(FILE + "hiden = 3\n")
    with pytest.raises(ConfigError, match=r"unknown option model\.hiden; did you mean 'hidden'"):
        ExperimentConfig.load(path, ["model.name=ease"])


@pytest.mark.parametrize("name", ["iris", "ease", "random"])
def test_a_saved_config_loads_as_the_same(path, name):
    config = ExperimentConfig.load(path, [f"model.name={name}"])
    config.save(path)
    assert ExperimentConfig.load(path) == config


def test_an_override_without_a_value_leaves_the_option_to_its_default(path):
    path.write_text(FILE + "ridge = 100\n")
    assert ExperimentConfig.load(path).model.ridge == 100
    changed = ExperimentConfig.load(path, ["model.ridge=", "model.dim=", "training.epochs = "])
    assert changed.model.ridge is None
    assert (changed.model.dim, changed.training.epochs) == (64, 30)  # the defaults of both
