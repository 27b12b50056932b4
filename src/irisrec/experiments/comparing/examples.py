"""The section of examples: what the same few users are recommended by every run, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from irisrec.experiments.comparing.side_by_side import SideBySide
from irisrec.experiments.reporting.choice import Choice, best_ranks, choose_users
from irisrec.experiments.reporting.examples import Example, Showcase
from irisrec.experiments.reporting.finished import FinishedRun


@dataclass(frozen=True)
class User:
    """A user, and what each run recommends: {name of the run: example}."""

    examples: dict[str, Example]

    @property
    def first(self) -> Example:
        """What the reference recommends; id, history and held-out items are the same in all."""
        return next(iter(self.examples.values()))


@dataclass(frozen=True)
class Examples:
    """The section.

    Attributes:
        users: chosen by their outcome with the reference.
        choice: the rule.
        reference: whose outcomes these are.
        n_unreadable: pictures that the catalog names but that could not be shown.
    """

    users: tuple[User, ...]
    choice: Choice
    reference: str
    n_unreadable: int


def examples(runs: SideBySide) -> Examples | None:
    """Let every run recommend to the same users; None where nothing was held out."""
    choice = choose_users(runs.reference)
    if not choice.users:
        return None
    found: dict[str, tuple[Example, ...]] = {}
    unreadable: set[str] = set()
    for name, run in runs.runs.items():
        found[name], pictures = _of_run(run, choice)
        unreadable |= pictures
    users = tuple(
        User({name: shown[place] for name, shown in found.items()}) for place in range(len(choice.users))
    )
    return Examples(users, choice, runs.comparison.reference, len(unreadable))


def _of_run(run: FinishedRun, choice: Choice) -> tuple[tuple[Example, ...], set[str]]:
    """Return the examples of one run and the pictures that cannot be read; the model is let go of at the end."""
    showcase = Showcase(FinishedRun.load(run.folder))
    ranks = best_ranks(showcase.run, np.array([chosen.row for chosen in choice.users]))
    shown = tuple(
        showcase.example(replace(chosen, rank=int(rank)))
        for chosen, rank in zip(choice.users, ranks, strict=True)
    )
    return shown, set(showcase.thumbnails.unreadable)
