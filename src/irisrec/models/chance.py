"""Chance: every ranking equally likely, the level below which a measure means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_GOLDEN = -7046029254386353131  # 2^64 / golden ratio as a signed number, odd: multiples of it never meet
_STEPS = ((30, -4658895280553007687), (27, -7723592293110705685), (31, 1))  # splitmix64


class Chance(Scorer):
    """Score by a hash of seed, history and candidate, uniform on [0, 1).

    The same history has the same scores, alone or in a batch and in every process; another one has others.
    """

    seed: Tensor

    def __init__(self, n_items: int, seed: int = 0) -> None:
        super().__init__(n_items)
        self.register_buffer("seed", torch.tensor(seed, dtype=torch.int64))

    def _fit(self, train: csr_matrix) -> None:
        """Learn nothing."""

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) scores."""
        columns = torch.arange(self.n_items, device=self.seed.device) if candidates is None else candidates
        table = _mix(torch.arange(self.n_items, device=self.seed.device) + 1)
        users = torch.zeros(len(histories), dtype=torch.int64, device=self.seed.device)
        users.index_add_(0, histories.owners, table[histories.items])  # a sum: the order does not matter
        keys = _mix(users + self.seed * _GOLDEN)[:, None] + _mix(columns + self.n_items + 1)
        return _shifted(_mix(keys), 40).float() / 2**24  # as many bits as float32 keeps


def _mix(values: Tensor) -> Tensor:
    """Spread int64 values over all 64 bits; sums and products wrap around."""
    values = values * _GOLDEN
    for bits, factor in _STEPS:
        values = (values ^ _shifted(values, bits)) * factor
    return values


def _shifted(values: Tensor, bits: int) -> Tensor:
    """Shift right, filling with zeros whatever the sign."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)
