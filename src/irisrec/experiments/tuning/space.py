"""What is tuned of each model, and between which bounds: the one place that says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irisrec.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Numbers:
    """Numbers from ``low`` to ``high``, both included; ``log`` draws their logarithms evenly."""

    low: float
    high: float
    log: bool = False

    @property
    def distribution(self) -> BaseDistribution:
        """The range as Optuna knows it; whole numbers stay whole."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def nearest(self, value: Any) -> Any:
        """Return what of the range is nearest to a value."""
        return min(max(value, self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}" + (", log" if self.log else "")


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Any, ...]

    @property
    def distribution(self) -> BaseDistribution:
        """The choice as Optuna knows it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.options)

    def nearest(self, value: Any) -> Any:
        """Return the value where it is a choice, else the first choice."""
        return value if value in self.options else self.options[0]

    def __str__(self) -> str:
        return " or ".join(str(option) for option in self.options).lower()


Space = dict[str, Numbers | Choice]

_DIM: Space = {"model.dim": Numbers(16, 256, log=True)}
_BY_EPOCHS: Space = {
    "training.epochs": Numbers(5, 40, log=True),
    "training.learning_rate": Numbers(0.001, 0.03, log=True),
    "training.weight_decay": Numbers(0.001, 1.0, log=True),
}
_FACTORS: Space = {**_DIM, "model.init_std": Numbers(0.01, 0.3, log=True), **_BY_EPOCHS}
_FISM: Space = {
    **_FACTORS,
    "model.alpha": Numbers(0.0, 1.0),
    "model.ridge": Numbers(1.0, 10_000.0, log=True),
    "training.history_dropout": Numbers(0.0, 0.7),
}
_NAIS: Space = {**_FISM, "model.beta": Numbers(0.3, 1.0)}
_IRIS: Space = {
    **_NAIS,
    "model.hidden": Numbers(64, 768, log=True),
    "model.dropout": Numbers(0.0, 0.5),
    "model.content_factors": Choice((False, True)),
}

# Bounds are wide enough that the best value known for any of our data sets lies well inside. What is not named keeps
# the value of the config: options without a better and a worse (attention_dim follows dim), and those that were
# measured to change nothing (docs/experiments.md). What is off in the config (ridge, content_factors) stays off.
SPACES: dict[str, Space] = {
    "popularity": {},
    "random": {},
    "item-knn": {
        "model.n_neighbors": Numbers(5, 1000, log=True),
        "model.shrinkage": Numbers(0.1, 1000.0, log=True),
    },
    "content-knn": {
        "model.n_neighbors": Numbers(5, 1000, log=True),
        "model.feature_scaling": Choice(("standard", "l2", "none")),
    },
    "ease": {"model.regularization": Numbers(1.0, 10_000.0, log=True)},
    "slim": {
        "model.regularization": Numbers(1.0, 10_000.0, log=True),
        "model.sparsity": Numbers(0.01, 50.0, log=True),
    },
    "ials": {
        **_DIM,
        "model.regularization": Numbers(0.1, 300.0, log=True),
        "model.confidence": Numbers(1.0, 100.0, log=True),
        "model.iterations": Numbers(5, 30),
    },
    "bpr-mf": {
        **_DIM,
        "model.regularization": Numbers(0.0001, 0.1, log=True),
        "model.step_size": Numbers(0.005, 0.2, log=True),
        "model.iterations": Numbers(20, 200, log=True),
    },
    "vbpr": _FACTORS,
    "gmf": _FACTORS,
    "mlp": _FACTORS,
    "neumf": _FACTORS,
    "lightgcn": {**_FACTORS, "model.n_layers": Numbers(1, 4)},
    "freedom": {
        **_FACTORS,
        "model.n_layers": Numbers(1, 4),
        "model.item_layers": Numbers(1, 2),
        "model.n_neighbors": Numbers(5, 40, log=True),
        "model.edge_dropout": Numbers(0.0, 0.95),
        "model.content_loss": Numbers(0.000_01, 1.0, log=True),
    },
    "fism": _FISM,
    "nais": {**_NAIS, "model.attention": Choice(("concat", "product"))},
    "iris": _IRIS,
    "image-iris": _IRIS,
    "text-iris": _IRIS,
    "add-iris": _IRIS,
    "image-add-text-iris": _IRIS,
    "multimodal-iris": _IRIS,
}


def space_of(model: str, fixed: Collection[str] = ()) -> Space:
    """Return what of a model is tuned: its whole space but the options that are fixed.

    Args:
        model: its name.
        fixed: options such as ``model.dim`` that keep the value of the config.
    """
    if model not in SPACES:
        raise ConfigError(f"model {model} has no search space; train it with values of your own")
    return {option: range_ for option, range_ in SPACES[model].items() if option not in fixed}
