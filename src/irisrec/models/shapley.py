"""Shapley values of a game between a few players, exact, for any number of games at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb

from torch import Tensor

from irisrec.errors import ModelError

MOST_PLAYERS = 8  # 256 coalitions, each evaluated once


def coalitions(players: Sequence[str]) -> list[frozenset[str]]:
    """Return all 2^M subsets of the players, the empty one first and all of them last.

    Raises:
        ModelError: more players than `MOST_PLAYERS`.
    """
    if len(players) > MOST_PLAYERS:
        raise ModelError(
            f"exact Shapley values are computed for at most {MOST_PLAYERS} modalities, the model reads "
            f"{len(players)} ({2 ** len(players):,} subsets); choose fewer with model.modalities"
        )
    return [frozenset(some) for n in range(len(players) + 1) for some in combinations(players, n)]


def shapley(values: Mapping[frozenset[str], Tensor]) -> dict[str, Tensor]:
    r"""Return each player's mean marginal gain over all orders in which the players can join.

    ``φ_m = Σ_{S ∌ m} |S|! (M - |S| - 1)! / M! · (v(S ∪ m) - v(S))``; Shapley, A Value for n-Person Games (1953).
    ``v(∅) + Σ_m φ_m`` is v(all), and a player who never changes anything has exactly 0.

    Args:
        values: {coalition: v}, as of `coalitions`; tensors of one shape, an entry for each game.

    >>> import torch
    >>> none, a, b, both = frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")
    >>> shapley({none: torch.tensor(0.0), a: torch.tensor(2.0), b: torch.tensor(1.0), both: torch.tensor(5.0)})
    {'a': tensor(3.), 'b': tensor(2.)}
    """
    players = sorted(frozenset().union(*values))
    return {player: _value(values, player, len(players)) for player in players}


def _value(values: Mapping[frozenset[str], Tensor], player: str, n_players: int) -> Tensor:
    gains = [
        (values[others | {player}] - values[others]) / (n_players * comb(n_players - 1, len(others)))
        for others in values
        if player not in others
    ]
    total = gains[0]
    for gain in gains[1:]:
        total = total + gain
    return total
