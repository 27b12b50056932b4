"""Which part of every relevance and contribution comes from which modality, by masking the one scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from irisrec.models.contract import ModalityShares, Shares
from irisrec.models.pair_block import PairBlock
from irisrec.models.shapley import shapley


def shares_of(
    blocks: Mapping[frozenset[str], PairBlock],
    weights: Tensor | None = None,
) -> ModalityShares:
    r"""Split relevance and contributions by the Shapley values of the modalities.

    The game of a pair (i, j): v(S) is its relevance or contribution where every item, of the history and candidate
    alike, has only the modalities S, and the history's total relevance for the candidate stays what it is:

        v(S) = A_j w_ij(S)              w_ij(S) = E_ij(S) / Σ_{i' ∈ H\j} E_i'j(S),   A_j = Σ_{i ∈ H\j} a_ij
        v(S) = A_j w_ij(S) p_i(S)·q_j(S) |H\j|^-α

    With everything present these are a_ij and c_ij. The total is held because it says nothing of a pair: with β < 1 a
    mask moves it for all history items alike, by a factor that the model never saw in training, and a modality would
    be charged with that. With β = 1 it is 1 under every mask.

    What a ridge regression adds to trained pairs is the same under every mask: its weights belong to the pair of ids,
    whatever they were found from. Those of an item without interactions come from its content, and move with the mask.

    Masks are of all items at once, so the games of a candidate add up: the sum of a modality's shares over the
    history is its Shapley value for the score itself. And relevance is relative: a modality that neither item of a
    pair has can still move the pair's relevance, by what the other history items gain or lose with it.

    Args:
        blocks: {modalities that items keep: the pairs}, a block for each of `coalitions`.
        weights: (R,) how often each history item counts; as in a `gathered` block, all may have the users first.
    """
    whole = blocks[frozenset().union(*blocks)]
    total = whole.relevance(weights).sum(-2, keepdim=True)  # (1, C)
    normalized = {kept: replace(block, beta=1.0) for kept, block in blocks.items()}
    weighed = {kept: block.relevance(weights) for kept, block in normalized.items()}
    relevance = _split({kept: total * table for kept, table in weighed.items()})
    contribution = _split(
        {
            kept: total * block.attended_contributions(weights, weighed[kept])
            for kept, block in normalized.items()
        }
    )
    if whole.added is not None:
        split = _split({kept: block.added_contributions(weights) for kept, block in blocks.items()})
        contribution = Shares(
            contribution.ids + split.ids,
            {name: x + split.modalities[name] for name, x in contribution.modalities.items()},
        )
    return ModalityShares(relevance, contribution)


def _split(values: Mapping[frozenset[str], Tensor]) -> Shares:
    return Shares(values[frozenset()], shapley(values))
