"""How commands print: results on standard output, as text for people or as JSON alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from irisrec.errors import count_of

if TYPE_CHECKING:
    from irisrec.evaluation.evaluate import Evaluation
    from irisrec.recommendation.explanation import Explanation
    from irisrec.recommendation.results import Reason, Recommendation
    from irisrec.recommendation.similar import SimilarItem
    from irisrec.recommendation.words import Wording


def print_json(value: Any) -> None:
    """Print JSON, ids and titles in their own letters."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def print_evaluation(evaluation: Evaluation) -> None:
    """Print a table: one row per protocol, one column per metric, the interval of each mean below it."""
    names = list(next(iter(evaluation.metrics.values())))
    typer.echo(
        f"{evaluation.part}: {evaluation.n_users:,} users, ties count against the target; "
        "below each mean its 95% interval"
    )
    typer.echo(f"{'candidates':<16}" + "".join(f"{name:>15}" for name in names))
    labels = {"full": "all items"}
    if "every-item" in evaluation.metrics:
        labels = {"full": "held-out items", "every-item": "all items"}
    for protocol, values in evaluation.metrics.items():
        cells = (f"{values[name]:>15.4f}" if name in values else f"{'–':>15}" for name in names)
        typer.echo(f"{labels.get(protocol, protocol):<16}" + "".join(cells))
        bounds = evaluation.intervals[protocol]
        spans = ("{:.4f}–{:.4f}".format(*bounds[name]) if name in bounds else "" for name in names)
        typer.echo(f"{'':<16}" + "".join(f"{span:>15}" for span in spans))
    if evaluation.lists:
        typer.echo("\nthe lists themselves, all items ranked")
        cutoffs = dict.fromkeys(name.partition("@")[2] for name in evaluation.lists)
        typer.echo(f"{'':<24}" + "".join(f"{'@' + k:>12}" for k in cutoffs))
        for name in dict.fromkeys(name.partition("@")[0] for name in evaluation.lists):
            line = "".join(f"{evaluation.lists[f'{name}@{k}']:>12.4f}" for k in cutoffs)
            typer.echo(f"{name.replace('_', ' '):<24}{line}")
    for note in evaluation.notes:
        typer.echo(f"\n{'warning: ' if note.warning else ''}{note}")
    if evaluation.calibration is not None:
        typer.echo(
            f"\ncalibration error of the probabilities: {evaluation.calibration.ece:.4f}, where "
            f"{evaluation.calibration.weights}"
        )


def print_recommendations(recommendations: Sequence[Recommendation], k: int) -> None:
    """Print a numbered list of up to k, the reasons indented below each item."""
    if not recommendations:
        typer.echo("nothing to recommend: the history and the rules leave no item")
    for place, item in enumerate(recommendations, 1):
        likely = "" if item.probability is None else f"  (probability {item.probability:.3f})"
        typer.echo(f"{place:>2}. {item.title}  [{item.item_id}]{likely}  score {item.score:.3f}")
        for reason in item.because:
            typer.echo(
                f"      because of {reason.title}  [{reason.item_id}]"
                f"  relevance {reason.relevance:.3f}  contribution {reason.contribution:+.3f}{_split(reason)}"
            )
    if 0 < len(recommendations) < k:
        typer.echo(
            f"no more than {len(recommendations)} of {k}: the history and the rules leave no other item"
        )


def print_explanation(explanation: Explanation, wording: Wording) -> None:
    """Print sentences, then the numbers that they are made from."""
    for sentence in explanation.in_words(wording):
        typer.echo(sentence)
    if not explanation.has_reasons:
        return
    parts = {"bias": explanation.bias, "ids": explanation.ids or 0.0} | explanation.modalities
    total = "  ".join(f"{name} {value:+.3f}" for name, value in parts.items())
    typer.echo(f"\nscore {explanation.score:+.3f} = {total}")
    typer.echo(f"{'':<40}{'relevance':>10}{'contribution':>14}{'score without':>15}{'rank without':>14}")
    for reason in (*explanation.because, *explanation.against):
        name = f"{reason.title}  [{reason.item_id}]"
        typer.echo(
            f"{name[:39]:<40}{reason.relevance:>10.3f}{reason.contribution:>+14.3f}{reason.score_without:>15.3f}"
            f"{reason.rank_without:>14,}{_split(reason)}"
        )
    if explanation.n_others:
        others = count_of(explanation.n_others, "other history item")
        typer.echo(f"{others:<50}{explanation.others:>+14.3f}")


def print_similar(ways: Mapping[str, Sequence[SimilarItem]]) -> None:
    """Print a numbered list for each way of comparing."""
    for way, found in ways.items():
        typer.echo(f"by {way}")
        for place, item in enumerate(found, 1):
            typer.echo(f"{place:>4}. {item.title}  [{item.item_id}]  {item.similarity:.3f}")


def _split(reason: Reason) -> str:
    parts = ", ".join(f"{name} {share:+.3f}" for name, share in reason.modalities.items())
    return f"  ({parts})" if parts else ""
