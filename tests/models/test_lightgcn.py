"""LightGCN against its equations, one node and one neighbour at a time."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.graphs import SparseMatrix
from irisrec.models.histories import Histories
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

N_USERS, N_ITEMS = 12, 9


def interactions() -> csr_matrix:
    had = np.random.default_rng(0).random((N_USERS, N_ITEMS)) < 0.35
    had[4] = False  # a user without anything
    had[:, 7] = False  # and an item that nobody had
    return csr_matrix(had.astype(np.float32))


def make(n_layers: int):
    model = build_model(ModelConfig(name="lightgcn", dim=4, n_layers=n_layers), N_ITEMS, n_users=N_USERS)
    model.begin_training(interactions())
    return model


def literal_layers(model, n_layers: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Equation 3: the sum over neighbours of ``e / (√|N_u| √|N_i|)``, and equation 4: the mean over layers."""
    edges = [(int(u), int(i)) for u, i in zip(*interactions().nonzero(), strict=True)]
    degree_u = [sum(u == a for a, _ in edges) for u in range(N_USERS)]
    degree_i = [sum(i == b for _, b in edges) for i in range(N_ITEMS)]
    users, items = list(model.user_embeddings), list(model.item_embeddings)
    sum_users, sum_items = list(users), list(items)
    for _ in range(n_layers):
        next_users, next_items = [torch.zeros_like(e) for e in users], [torch.zeros_like(e) for e in items]
        for u, i in edges:
            weight = 1 / (degree_u[u] ** 0.5 * degree_i[i] ** 0.5)
            next_users[u] = next_users[u] + weight * items[i]
            next_items[i] = next_items[i] + weight * users[u]
        users, items = next_users, next_items
        sum_users = [a + b for a, b in zip(sum_users, users, strict=True)]
        sum_items = [a + b for a, b in zip(sum_items, items, strict=True)]
    return [e / (n_layers + 1) for e in sum_users], [e / (n_layers + 1) for e in sum_items]


@pytest.mark.parametrize("n_layers", [1, 3])
def test_scores_and_gradients_equal_the_equations(n_layers):
    ours, literally = make(n_layers), make(n_layers)
    ours.train()
    scores = ours.score(Histories.from_matrix(interactions()))
    users, items = literal_layers(literally, n_layers)
    expected = torch.stack([torch.stack([u @ i for i in items]) for u in users])
    torch.testing.assert_close(scores, expected)
    scores.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.user_embeddings.grad, literally.user_embeddings.grad)
    torch.testing.assert_close(ours.item_embeddings.grad, literally.item_embeddings.grad)


def test_what_an_epoch_leaves_scores_as_the_graph_does():
    model, everybody = make(2), Histories.from_matrix(interactions())
    fit(model, interactions(), TrainingConfig(epochs=2, loss="bpr"))
    assert not model.training
    from_buffers = model.score(everybody)
    model.train()
    assert from_buffers.any()
    torch.testing.assert_close(from_buffers, model.score(everybody))


def test_the_gradient_of_a_sparse_product_is_the_product_with_the_transposed():
    matrix = csr_matrix(np.array([[0, 2.0, 0], [1, 0, 3]], dtype=np.float64))
    table = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    dense = torch.from_numpy(matrix.toarray())
    sparse = SparseMatrix.of(matrix, torch.device("cpu"))
    torch.testing.assert_close(sparse @ table, dense @ table)
    assert torch.autograd.gradcheck(lambda x: sparse @ x, (table,))
    assert torch.autograd.gradcheck(lambda x: sparse.T @ x, (torch.randn_like(dense).requires_grad_(),))


def test_training_without_a_graph_is_refused():
    model = build_model(ModelConfig(name="lightgcn", dim=4), N_ITEMS, n_users=N_USERS)
    with pytest.raises(ModelError, match="begin_training first"):
        model.score(Histories.from_matrix(interactions()))
