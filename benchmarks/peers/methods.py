"""The methods that are compared: one here and at a peer, with the same hyper-parameters.

Batches are not the same thing: a peer takes interactions at random for each step, we take as many users, with all they
had, as have about that many. Where steps are few and small the two are not equally far after the same number of them;
hence the epochs and rates here let both come to where more training changes little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PAIRS = 1024


@dataclass(frozen=True)
class Method:
    """One method here and at a peer.

    Attributes:
        ours: options of the model.
        training: options of the training loop, where it fits the model.
        peer, model, theirs: the same at the peer.
        reads_content: whether it is given vectors of the items.
        pairs: interactions per step.
        cpu_seconds: after which a peer's training is stopped; 0 for never. Only of RecBole.
        seeds: at most so many: one where nothing depends on chance, or where a fit takes too long.
    """

    ours: dict[str, Any]
    peer: str
    model: str
    theirs: dict[str, Any]
    training: dict[str, Any] = field(default_factory=dict)
    reads_content: bool = False
    pairs: int = PAIRS
    cpu_seconds: float = 0
    seeds: int = 3


def _by_steps(epochs: int, learning_rate: float, loss: str, n_negatives: int) -> dict[str, Any]:
    return {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "loss": loss,
        "n_negatives": n_negatives,
        "negatives": "sampled",
        "schedule": "constant",
        "bias_start": "zero",
        "patience": 0,
    }


_SLOW = {
    "train_neg_sample_args": {"distribution": "uniform", "sample_num": 4},
    "train_batch_size": 2048,
    "learning_rate": 0.01,
    "epochs": 100,
}
METHODS = {
    "ease": Method(
        {"name": "ease", "regularization": 300.0},
        "cornac",
        "EASE",
        {"lamb": 300.0, "posB": False},
        seeds=1,
    ),
    # `implicit` draws negatives by popularity, which Cornac calls weighted BPR
    "bpr-mf": Method(
        {"name": "bpr-mf", "dim": 16, "step_size": 0.02, "regularization": 0.01, "iterations": 60},
        "cornac",
        "WBPR",
        {"k": 16, "learning_rate": 0.02, "lambda_reg": 0.01, "max_iter": 60},
    ),
    "vbpr": Method(
        {"name": "vbpr", "dim": 16, "init_std": 0.04, "feature_scaling": "none"},
        "cornac",
        "VBPR",
        {"k": 16, "k2": 16, "n_epochs": 15, "batch_size": PAIRS, "learning_rate": 0.005}
        | dict.fromkeys(("lambda_w", "lambda_b", "lambda_e"), 0.0),
        _by_steps(15, 0.005, "bpr", 1),
        reads_content=True,
    ),
    "neumf": Method(
        {"name": "neumf", "dim": 8, "n_layers": 3, "item_bias": False, "init_std": 0.01, "pretrain": False},
        "cornac",
        "NeuMF",
        {"num_factors": 8, "layers": [64, 32, 16, 8], "num_epochs": 10, "batch_size": PAIRS}
        | {"num_neg": 4, "lr": 0.002, "backend": "pytorch"},
        _by_steps(10, 0.002, "log", 4),
    ),
    "lightgcn": Method(
        {"name": "lightgcn", "dim": 64, "n_layers": 3, "init_std": 0.04},
        "recbole",
        "LightGCN",
        {"embedding_size": 64, "n_layers": 3, "reg_weight": 0.0, "epochs": 40, "learning_rate": 0.02}
        | {"train_batch_size": 4 * PAIRS},
        _by_steps(40, 0.02, "bpr", 1),
        pairs=4 * PAIRS,
    ),
    # what takes RecBole too long is stopped after a while, and stands beside what ours reaches in much less
    "fism": Method(
        {"name": "fism", "dim": 64, "alpha": 0.5},
        "recbole",
        "FISM",
        {"embedding_size": 64, "alpha": 0.5, "reg_weights": [0.0, 0.0], **_SLOW},
        _by_steps(15, 0.01, "log", 4),
        pairs=4 * PAIRS,
        cpu_seconds=150,
        seeds=1,
    ),
    "nais": Method(
        {"name": "nais", "dim": 64, "attention": "product", "beta": 0.5},
        "recbole",
        "NAIS",
        {"embedding_size": 64, "weight_size": 64, "reg_weights": [0.0, 0.0, 0.0], **_SLOW},
        _by_steps(15, 0.01, "log", 4),
        pairs=4 * PAIRS,
        cpu_seconds=150,
        seeds=1,
    ),
}
