"""NCF against its equations, one user, one item and one layer at a time."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.models import blocks
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

N_USERS, N_ITEMS = 11, 9


def make(name: str, seed: int = 0, **options):
    config = ModelConfig(name=name, dim=4, init_std=1.0, **options)
    model = build_model(config, N_ITEMS, seed=seed, n_users=N_USERS)
    torch.manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim == 1:  # biases that are zero would hide
            torch.nn.init.normal_(parameter)
    return model


def users(*rows: int) -> Histories:
    return Histories(torch.empty(0).long(), torch.zeros(len(rows) + 1).long(), torch.tensor(rows))


def interactions() -> csr_matrix:
    return csr_matrix((np.random.default_rng(0).random((N_USERS, N_ITEMS)) < 0.4).astype(np.float32))


def literal_gmf(part, u: int, j: int) -> torch.Tensor:  # equations 9 and 11
    return part.output @ (part.user_factors[u] * part.item_factors[j])


def literal_mlp(part, u: int, j: int) -> torch.Tensor:  # equation 10
    z = torch.cat([part.user_factors[u], part.item_factors[j]])
    for layer in (part.first, *part.upper):
        z = torch.relu(layer.weight @ z + layer.bias)
    return part.output @ z


LITERAL = {"gmf": literal_gmf, "mlp": literal_mlp}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gmf", {}),
        ("gmf", {"item_bias": False}),
        ("mlp", {"n_layers": 1}),
        ("mlp", {"n_layers": 3}),
        ("neumf", {"n_layers": 2}),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 22])
def test_scores_and_gradients_equal_the_equations(name, options, block, monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", block)
    rows, candidates = (3, 0, 10), torch.tensor([1, 4, 8])
    ours, literally = make(name, **options).double(), make(name, **options).double()
    scores = ours.score(users(*rows), candidates)
    expected = torch.zeros(3, 3, dtype=torch.float64)
    for place in np.ndindex(3, 3):
        u, j = rows[place[0]], int(candidates[place[1]])
        for part, module in literally.parts.items():
            expected[place] += LITERAL[part](module, u, j)
        if literally.bias is not None:
            expected[place] += literally.bias[j]
    torch.testing.assert_close(scores, expected)
    torch.testing.assert_close(ours.score(users(*rows))[:, candidates], expected)
    scores.square().sum().backward()
    expected.square().sum().backward()
    for (label, weight), reference in zip(ours.named_parameters(), literally.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, reference.grad, msg=label)


def test_hidden_layers_halve_down_to_the_predictive_factors():
    part = make("mlp", n_layers=3).parts["mlp"]
    shapes = [tuple(layer.weight.shape) for layer in (part.first, *part.upper)]
    assert shapes == [(16, 32), (8, 16), (4, 8)]
    assert part.user_factors.shape == (N_USERS, 16)


def test_neumf_begins_as_the_mean_of_its_fitted_parts():
    model = make("neumf", n_layers=2)
    parts = model.pretraining()
    with torch.no_grad():
        for part in parts.values():
            torch.nn.init.normal_(part.bias)
        expected = torch.stack([part.score(users(0, 5)) for part in parts.values()]).mean(0)
        model.after_pretraining(parts)
        torch.testing.assert_close(model.score(users(0, 5)), expected)


def test_pretraining_fits_the_very_parts_that_neumf_holds():
    model = make("neumf", n_layers=2)
    parts = model.pretraining()
    assert list(parts) == ["gmf", "mlp"]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    fit(parts["mlp"], interactions(), TrainingConfig(epochs=1))
    changed = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == {name for name in before if name.startswith("parts.mlp.")}


def test_pretraining_is_left_out_on_request_and_where_there_is_nothing_to_add():
    assert not make("neumf", pretrain=False).pretraining()
    assert not make("gmf").pretraining()
