"""What the numbers say, in plain words: who leads, who stays ahead of the IRIS models, who does not pay."""

from __future__ import annotations

from collections.abc import Sequence

from irisrec.errors import listed
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.standing import Standing


def findings(methods: Sequence[Method], standings: Sequence[Standing]) -> list[str]:
    """Return sentences on every protocol, and on what cannot be said."""
    of = {method.name: method for method in methods}
    sentences = [sentence for standing in standings for sentence in _under(standing, of)]
    return [*sentences, *_protocols(standings), *_seeds(methods)]


def is_iris(method: Method) -> bool:
    """Whether a method is a model of the paper, or one with our additions."""
    return "iris" in method.model


def _under(standing: Standing, of: dict[str, Method]) -> list[str]:
    if len(standing.order) < 2:
        return []
    return [*_leader(standing), *_families(standing, of), *_additions(standing, of), *_floor(standing, of)]


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
    for other in standing.metrics:
        at = {name: standing.estimate(name, other)["mean"] or 0.0 for name in standing.order}
        best = max(at, key=lambda name: at[name])
        if other.partition("@")[2] == standing.main.partition("@")[2] and at[best] > at[first]:
            sentences.append(
                f"By {other.upper()} among {among} it is {best} ({at[best]:.4f}; {first} {at[first]:.4f})."
            )
    return sentences


def _chance(standing: Standing, name: str) -> str:
    return "that is more than chance" if standing.is_told_apart(name) else "that may be chance"


def _families(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Hold the best IRIS model against the best other method."""
    iris = [name for name in standing.order if is_iris(of[name])]
    others = [name for name in standing.order if not is_iris(of[name])]
    if not iris or not others:
        return []
    best, metric, among = iris[0], standing.main.upper(), candidates_in_words(standing.protocol)
    ahead = [name for name in others if standing.value(name) > standing.value(best)]
    if not ahead:
        other = others[0]
        return [
            f"Among {among} the best method that is no IRIS model is {other}: {metric} {standing.value(other):.4f} "
            f"against {standing.value(best):.4f} of {best}, {_chance(standing, other)}."
        ]
    named = listed([f"{name} ({standing.value(name):.4f})" for name in ahead])
    return [
        f"Among {among} no IRIS model leads: {named} {'stays' if len(ahead) == 1 else 'stay'} ahead of {best} "
        f"({standing.value(best):.4f}), the best of them, by {standing.value(ahead[0]) - standing.value(best):.4f} "
        f"in {metric} at most, {_chance(standing, best)}."
    ]


def _additions(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Hold each model with our additions against the same model as its paper has it."""
    sentences = []
    for name in standing.order:
        alike = [other for other in standing.order if of[other].model == of[name].model]
        plain = [other for other in alike if not of[other].has_additions]
        if of[name].has_additions and plain:
            change = f"{standing.value(name) - standing.value(plain[0]):+.4f}".replace("-", "−")
            sentences.append(
                f"Among {candidates_in_words(standing.protocol)} {name} stands {change} from {plain[0]} in "
                f"{standing.main.upper()}."
            )
    return sentences


def _floor(standing: Standing, of: dict[str, Method]) -> list[str]:
    """Name what is below popularity, but for what scores by chance."""
    floor = next((name for name in standing.order if of[name].model == "popularity"), None)
    if floor is None:
        return []
    behind = standing.order[standing.order.index(floor) + 1 :]
    below = [name for name in behind if of[name].model != "random"]
    value, among = standing.value(floor), candidates_in_words(standing.protocol)
    return [f"Below popularity ({value:.4f}) among {among}: {listed(below)}."] if below else []


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
