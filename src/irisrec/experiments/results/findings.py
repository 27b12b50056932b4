"""What the numbers say, in plain words: who leads, who stays ahead of the IRIS models, who does not pay."""

from __future__ import annotations

from collections.abc import Sequence

from irisrec.errors import listed
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.standing import Standing, is_marked


def findings(methods: Sequence[Method], standings: Sequence[Standing]) -> list[str]:
    """Return sentences on who leads under each protocol, and on what cannot be said."""
    of = {method.name: method for method in methods}
    sentences = [
        sentence
        for standing in standings
        if len(standing.order) > 1
        for sentence in (*_leader(standing), *_families(standing, of))
    ]
    return [*sentences, *_protocols(standings), *_seeds(methods)]


def details(methods: Sequence[Method], standing: Standing) -> list[str]:
    """Return what else is to be said under one protocol: the other measures, our additions, who does not pay."""
    of = {method.name: method for method in methods}
    if len(standing.order) < 2:
        return []
    return [
        *_leaders(standing, of),
        *_measures(standing, of),
        *_additions(standing, of),
        *_floor(standing, of),
    ]


def _leader(standing: Standing) -> list[str]:
    first, second = standing.order[:2]
    metric, among = standing.main.upper(), candidates_in_words(standing.protocol)
    words = (
        f"Ranked among {among}, {first} has the highest {metric}, {standing.value(first):.4f}; {second} follows with "
        f"{standing.value(second):.4f}, a difference {_chance(standing, second)}."
    )
    sentences = [words]
    alike = [name for name in standing.order[1:] if not standing.is_told_apart(name)]
    if len(alike) > 1:
        sentences.append(f"Not told apart from {first} among {among}: {listed(alike)}.")
    return sentences


def _leaders(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Name the first in every other metric where it is not the first in the main one, nor named by `_measures`."""
    first, sentences = standing.order[0], []
    for other in standing.metrics:
        at = {name: standing.estimate(name, other)["mean"] or 0.0 for name in standing.order}
        best = max(at, key=lambda name: at[name])
        if at[best] > at[first] and (of[best].is_iris or standing.iris != first):
            sentences.append(
                f"First in {other.upper()} is {best} ({at[best]:.4f}; {first} has {at[first]:.4f})."
            )
    return sentences


def _chance(standing: Standing, name: str) -> str:
    return "that is more than chance" if standing.is_told_apart(name) else "that may be chance"


def _families(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Hold the best IRIS model against the best other method."""
    best, others = standing.iris, [name for name in standing.order if not of[name].is_iris]
    if best is None or not others:
        return []
    metric, among = standing.main.upper(), candidates_in_words(standing.protocol)
    ahead = [name for name in others if standing.value(name) > standing.value(best)]
    if not ahead:
        other = others[0]
        return [
            f"Among {among} the best method that is no IRIS model is {other}: {metric} {standing.value(other):.4f} "
            f"against {standing.value(best):.4f} of {best}, {_chance(standing, other)}."
        ]
    named = listed([_against_iris(standing, name, standing.main) for name in ahead])
    return [
        f"Among {among} no IRIS model leads: {named} {'stays' if len(ahead) == 1 else 'stay'} ahead of {best} "
        f"({standing.value(best):.4f}), the best of them, by {standing.value(ahead[0]) - standing.value(best):.4f} "
        f"in {metric} at most."
    ]


def _against_iris(standing: Standing, name: str, metric: str) -> str:
    """Name a method with its value, and whether its difference to the best IRIS model is more than chance."""
    told = _told(standing, name, metric).removeprefix("is ")
    return f"{name} ({standing.estimate(name, metric)['mean']:.4f}, {told})"


def _told(standing: Standing, name: str, metric: str | None = None) -> str:
    row = standing.estimate(name, metric or standing.main)
    marked = is_marked(row, "iris_" if standing.has_two_references else "")
    return "is more than chance" if marked else "may be chance"


def _measures(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Name, for every metric beside the main one, the methods ahead of the best IRIS model."""
    best, others = standing.iris, [name for name in standing.order if not of[name].is_iris]
    metrics = [metric for metric in standing.metrics if metric != standing.main]
    if best is None or not others or not metrics:
        return []
    parts, none = [], []
    for metric in metrics:
        own = standing.estimate(best, metric)["mean"]
        at = {name: standing.estimate(name, metric)["mean"] for name in others}
        ahead = sorted((n for n in others if at[n] is not None and at[n] > own), key=lambda n: -at[n])
        named = listed([_against_iris(standing, name, metric) for name in ahead])
        if ahead:
            parts.append(f"Ahead of {best} in {metric.upper()} ({own:.4f}): {named}.")
        else:
            none.append(metric.upper())
    if none:
        parts.append(f"In {listed(none)} no other method is ahead of {best}.")
    return parts


def _additions(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Hold each model with our additions against the same model as its paper has it."""
    sentences = []
    for name in standing.order:
        alike = [other for other in standing.order if of[other].model == of[name].model]
        plain = [other for other in alike if not of[other].has_additions]
        if of[name].has_additions and plain:
            change = f"{standing.value(name) - standing.value(plain[0]):+.4f}".replace("-", "−")
            chance = f", a difference that {_told(standing, plain[0])}" if name == standing.iris else ""
            sentences.append(f"{name} stands {change} from {plain[0]} in {standing.main.upper()}{chance}.")
    return sentences


def _floor(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Name what is below popularity, but for what scores by chance."""
    floor = next((name for name in standing.order if of[name].model == "popularity"), None)
    if floor is None:
        return []
    behind = standing.order[standing.order.index(floor) + 1 :]
    below = [name for name in behind if of[name].model != "random"]
    return [f"Below popularity ({standing.value(floor):.4f}): {listed(below)}."] if below else []


def _protocols(standings: Sequence[Standing]) -> list[str]:
    firsts = {standing.order[0] for standing in standings}
    if len(firsts) < 2:
        return []
    named = [f"{s.order[0]} among {candidates_in_words(s.protocol)}" for s in standings]
    return [f"Who is first depends on what the held-out item is ranked among: {listed(named)}."]


def _seeds(methods: Sequence[Method]) -> list[str]:
    """Name trained methods with one seed, for their chance of training is unknown."""
    single = [method.name for method in methods if len(method.runs) == 1 and method.runs[0].epochs]
    return [f"Trained with one seed alone, so without ±: {listed(single)}."] if single else []
