"""Training curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irisrec.files import atomic_path


def draw_curves(epochs: Sequence[dict[str, Any]], best_epoch: int, path: Path) -> None:
    """Draw loss and validation NDCG@10 by epoch to a PNG; the kept epoch is marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers = [record["epoch"] for record in epochs]
    left.plot(numbers, [record["loss"] for record in epochs], color="#355e8d", marker=".")
    left.set(title="training loss", xlabel="epoch")
    judged = [record for record in epochs if "validation" in record]
    if judged:
        values = [record["validation"]["ndcg@10"] for record in judged]
        right.plot([record["epoch"] for record in judged], values, color="#8d5a35", marker=".")
        right.axvline(
            best_epoch, color="#999999", linewidth=1, linestyle="--", label=f"kept: epoch {best_epoch}"
        )
        right.legend(frameon=False)
    right.set(title="validation NDCG@10, all items ranked", xlabel="epoch")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
