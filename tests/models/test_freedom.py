"""FREEDOM against a dense, literal computation of its graphs, its scores and its loss."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ConfigError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.features import replaced
from irisrec.models.graphs import content_graph, thinned
from irisrec.models.histories import Histories
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

N_USERS, N_ITEMS, K = 10, 8, 3
RNG = np.random.default_rng(1)
VALUES = {
    m: torch.from_numpy(RNG.normal(size=(N_ITEMS, f)).astype(np.float32))
    for m, f in (("image", 5), ("text", 4))
}
PRESENT = {m: torch.ones(N_ITEMS, dtype=torch.bool) for m in VALUES}
PRESENT["image"][[2, 6]] = False
PRESENT["text"][6] = False  # item 6 has neither
VALUES = {m: x * PRESENT[m][:, None] for m, x in VALUES.items()}
WEIGHTS = {"image": 0.5, "text": 1.5}
TRAIN = csr_matrix((RNG.random((N_USERS, N_ITEMS)) < 0.45).astype(np.float32))


def literal_graph() -> np.ndarray:
    """Equations 1 to 4, one pair at a time; an item's weights go to the modalities that it has."""
    graph = np.zeros((N_ITEMS, N_ITEMS))
    for a in range(N_ITEMS):
        own = [m for m in VALUES if PRESENT[m][a]]
        for m in own:
            alpha = WEIGHTS[m] / sum(WEIGHTS[other] for other in own)
            x = VALUES[m].double().numpy()
            others = [b for b in range(N_ITEMS) if PRESENT[m][b]]
            cosine = {b: x[a] @ x[b] / (np.linalg.norm(x[a]) * np.linalg.norm(x[b])) for b in others}
            for b in sorted(others, key=lambda b: -cosine[b])[:K]:
                graph[a, b] += alpha / K
    return graph


def make(**options):
    settings = {"dim": 4, "n_neighbors": K, "graph_weights": WEIGHTS, "feature_scaling": "none"} | options
    return build_model(ModelConfig(name="freedom", **settings), N_ITEMS, VALUES, PRESENT, n_users=N_USERS)


def literal(model, kept: np.ndarray, item_layers: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return dense users and items along the (n_users, N) interactions that are kept."""
    n = N_USERS + N_ITEMS
    adjacency = np.zeros((n, n))
    adjacency[:N_USERS, N_USERS:], adjacency[N_USERS:, :N_USERS] = kept, kept.T
    degree = adjacency.sum(1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    travel = torch.from_numpy(scale[:, None] * adjacency * scale).float()
    layers = [torch.cat([model.user_embeddings, model.item_embeddings])]
    for _ in range(2):
        layers.append(travel @ layers[-1])
    mean = torch.stack(layers).mean(0)
    of_content = model.item_embeddings
    for _ in range(item_layers):
        of_content = torch.from_numpy(literal_graph()).float() @ of_content
    return mean[:N_USERS], mean[N_USERS:] + of_content


def test_the_item_graph_is_that_of_the_equations():
    graph = content_graph(VALUES, PRESENT, WEIGHTS, K)
    np.testing.assert_allclose(graph.toarray(), literal_graph(), atol=1e-6)
    assert graph[6].nnz == graph[:, [6]].nnz == 0
    assert graph[2].sum() == pytest.approx(1)


@pytest.mark.parametrize("item_layers", [1, 2])
def test_scores_are_those_of_the_equations(item_layers):
    model = make(item_layers=item_layers)
    fit(model, TRAIN, TrainingConfig(epochs=2, batch_users=4, loss="bpr"))
    users, items = literal(model, TRAIN.toarray(), item_layers)
    scores = model.score(Histories.from_matrix(TRAIN))
    torch.testing.assert_close(scores, users @ items.T)
    some = torch.tensor([1, 6])
    torch.testing.assert_close(model.score(Histories.from_matrix(TRAIN), some), scores[:, some])


def test_loss_and_gradients_are_those_of_the_equations():
    """BPR of the scores, and of each modality's over pairs of items that have it, along the thinned graph."""
    ours, theirs = make(content_loss=0.3), make(content_loss=0.3)
    ours.begin_training(TRAIN)
    torch.manual_seed(5)
    ours.begin_epoch(1)
    kept = (ours.edges @ torch.eye(N_ITEMS)).numpy() > 0
    assert kept.sum() == int(TRAIN.nnz * (1 - 0.8)) > 1
    everybody = Histories.from_matrix(TRAIN)
    ours.train()
    total, expected = torch.zeros(()), torch.zeros(())
    for part in ours.training_scores(everybody, everybody):
        for u, i in np.argwhere(TRAIN.toarray() > 0):
            for x in np.flatnonzero(TRAIN.toarray()[u] == 0):
                if part.items is None or (part.items[i] and part.items[x]):
                    lead = part.scores[u, i] - part.scores[u, x]
                    total = total - part.weight * torch.nn.functional.logsigmoid(lead)
    users, items = literal(theirs, kept, 1)
    for u, i in np.argwhere(TRAIN.toarray() > 0):
        for x in np.flatnonzero(TRAIN.toarray()[u] == 0):
            expected = expected - torch.nn.functional.logsigmoid(users[u] @ items[i] - users[u] @ items[x])
            for m in VALUES:
                if PRESENT[m][i] and PRESENT[m][x]:
                    at = [theirs.maps[m].weight @ VALUES[m][item] for item in (i, x)]
                    expected = expected - 0.3 * torch.nn.functional.logsigmoid(
                        users[u] @ at[0] - users[u] @ at[1]
                    )
    torch.testing.assert_close(total, expected)
    total.backward()
    expected.backward()
    named = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, named[name].grad)


def test_thinning_leaves_out_the_edges_of_high_degree_first():
    """The first of n edges to be drawn is each with its share of the chances."""
    had = np.zeros((3, 3), dtype=np.float32)
    had[0], had[1, 0], had[2, 0] = 1, 1, 1  # degrees: users 3, 1, 1; items 3, 1, 1
    edges = csr_matrix(had)
    drawn = np.zeros((3, 3))
    torch.manual_seed(0)
    n = 4000
    for _ in range(n):
        one = thinned(edges, 0.2)
        assert one.nnz == 1
        drawn += one.toarray()
    chances = np.where(had > 0, 1 / np.sqrt(np.outer([3, 1, 1], [3, 1, 1])), 0)
    np.testing.assert_allclose(drawn / n, chances / chances.sum(), atol=0.03)
    assert thinned(edges, 0.6).nnz == 3


def test_every_epoch_goes_along_other_edges_and_the_item_graph_stays():
    model = make(edge_dropout=0.5)
    model.begin_training(TRAIN)
    model.train()
    graphs, edges = [], []
    for epoch in (1, 2):
        torch.manual_seed(epoch)
        model.begin_epoch(epoch)
        edges.append(model.edges @ torch.eye(N_ITEMS))
        model.score(Histories.from_matrix(TRAIN))
        graphs.append(model._item_graph())
        model.end_epoch()
    assert not torch.equal(edges[0], edges[1])
    assert graphs[0] is graphs[1]


def test_content_that_is_taken_away_leaves_the_graph_of_the_other_modality():
    model = make()
    fit(model, TRAIN, TrainingConfig(epochs=1))
    everybody = Histories.from_matrix(TRAIN)
    whole = model.score(everybody)
    nothing = torch.zeros_like(VALUES["text"]), torch.zeros_like(PRESENT["text"])
    with replaced(model, {"text": nothing}):
        without = model.score(everybody)
    alone = build_model(
        ModelConfig(name="freedom", dim=4, n_neighbors=K, feature_scaling="none", modalities=("image",)),
        N_ITEMS,
        VALUES,
        PRESENT,
        n_users=N_USERS,
    )
    alone.load_state_dict(
        {name: x for name, x in model.state_dict().items() if not name.startswith("maps.text")}
    )
    torch.testing.assert_close(without, alone.eval().score(everybody))
    assert not torch.equal(without, whole)
    torch.testing.assert_close(model.score(everybody), whole)


def test_weights_of_a_modality_that_is_not_read_are_refused():
    with pytest.raises(ConfigError, match=r"model\.graph_weights weighs audio, the model reads image, text"):
        make(graph_weights={"audio": 1.0})
