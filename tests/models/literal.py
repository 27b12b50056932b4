"""A literal, slow transcription of equations (2) to (8), one user, one candidate, one history item at a time.

Reads the weights of a model and nothing else of it. Written to be compared with, not to be used.
"""

from __future__ import annotations

import torch
from torch import Tensor

from irisrec.models.item_similarity import ItemSimilarity

F = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def literal_scores(model: ItemSimilarity, histories: list[list[int]], candidates: list[int]) -> Tensor:
    return torch.stack([torch.stack([literal_score(model, h, j) for j in candidates]) for h in histories])


def literal_score(model: ItemSimilarity, history: list[int], j: int) -> Tensor:
    """An item that stands n times in the history counts n times."""
    c = model.config
    p = {i: literal_factor(model, i, "history") for i in (*history, j)}
    q = {j: literal_factor(model, j, "candidate")}
    others = sorted(i for i in history if i != j)  # the candidate is never part of its own history
    bias = literal_bias(model, j)
    if not others:
        return bias + 0 * model.history_factors.sum()
    length = float(len(others)) ** -c.alpha
    similarity = torch.stack([p[i] @ q[j] for i in others])
    if c.name == "fism":  # (2)
        return bias + length * similarity.sum()
    g = torch.stack([literal_logit(model, i, j) for i in others])
    top = g.detach().max()  # exp(g) / (Σ exp g)^β, written so that a large g does not overflow
    e = torch.exp(g - top)
    a = e / e.sum() ** c.beta * torch.exp((1 - c.beta) * top)
    return bias + length * (a * similarity).sum()  # (3), (5)


def literal_bias(model: ItemSimilarity, j: int) -> Tensor:
    """B_j, plus what content adds where the model maps it; of an untrained item only that."""
    if model.bias is None:
        return torch.zeros((), dtype=model.history_factors.dtype)
    if model.content is None or model.content.bias is None:
        return model.bias[j]
    bias = model.content.base + model.bias[j] * float(model.trained[j])
    for name in model.modalities:
        if model.present[name][j]:
            bias = bias + model.content.bias[name][0] @ literal_mapped(model, name, j)
    return bias


def literal_mapped(model: ItemSimilarity, name: str, i: int) -> Tensor:
    """A vector as the map reads it: of mean length one where the map has to stand alone."""
    x = model.features[name][i]
    return x / len(x) ** 0.5 if model.maps_content else x


def literal_factor(model: ItemSimilarity, i: int, side: str) -> Tensor:
    """P_i or Q_i, plus what content adds where the model has content factors."""
    factor = getattr(model, f"{side}_factors")[i]
    if model.maps_content:
        factor = factor * float(model.trained[i])
    if model.content is not None:
        for name in model.modalities:
            if model.present[name][i]:
                factor = factor + getattr(model.content, side)[name] @ literal_mapped(model, name, i)
    return factor


def literal_logit(model: ItemSimilarity, i: int, j: int) -> Tensor:
    c, net = model.config, model.attention
    f = F[c.activation]
    if c.name == "nais":
        p, q = model.history_factors[i], model.candidate_factors[j]
        if c.attention == "product":
            return net.output @ f(net.weight @ (p * q) + net.bias)
        w1, w2 = net.history["latent"].weight, net.candidate["latent"].weight
        return net.output @ f(w1 @ p + w2 @ q + net.bias)
    inner = net.bias  # (4), (6): W1 v_i + W2 v_j + W3 t_i + W4 t_j + b
    x_i, x_j = literal_towers(model, i), literal_towers(model, j)
    for name in model.modalities:
        inner = inner + net.history[name].weight @ x_i[name] + net.candidate[name].weight @ x_j[name]
    return net.output @ f(inner)


def literal_towers(model: ItemSimilarity, i: int) -> dict[str, Tensor]:
    f, towers = F[model.config.activation], model.towers
    hidden = {}
    for name in model.modalities:
        x = model.features[name][i]
        if not model.present[name][i]:
            hidden[name] = torch.zeros(model.config.hidden, dtype=x.dtype)
        elif name in towers.projections:
            layer = towers.projections[name]
            hidden[name] = f(layer.weight @ x + layer.bias)
        else:
            hidden[name] = x
    outputs = {}
    for name in model.modalities:
        inner = towers.outputs[name].weight @ hidden[name] + towers.outputs[name].bias
        if towers.share is not None:  # (7), (8)
            for other in model.modalities:
                if other != name:
                    inner = inner + towers.share.weight @ hidden[other]
        outputs[name] = (
            f(inner) if model.present[name][i] else torch.zeros(model.config.dim, dtype=inner.dtype)
        )
    return outputs
