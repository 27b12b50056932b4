"""A run that has to be there: found finished, gone on with, or made."""

from __future__ import annotations

from pathlib import Path

from irisrec.errors import RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.run import resume, train
from irisrec.progress import say


def finished_run(config: ExperimentConfig, path: Path) -> RunFolder:
    """Return the folder of a finished run of a config, trained now as far as it is not yet.

    Raises:
        RunError: a folder that holds a run of another config.
    """
    folder = RunFolder(path)
    if not folder.config.exists():
        say(f"training {path}")
        train(config, path)
        return folder
    if changed := config.differences(ExperimentConfig.load(folder.config)):
        raise RunError(
            f"{path} holds a run with {', '.join(changed)}; repeat it as it was begun, or give a new --out"
        )
    if folder.state == "finished":
        say(f"found finished {path}")
    else:
        say(f"going on with {path}")
        resume(path)
    return folder
