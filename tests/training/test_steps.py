"""A step in pieces, or over shared candidates, is the step over all of them: exactly, or on average."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ConfigError, TrainingError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.graphs import SparseMatrix, normalized
from irisrec.models.histories import Histories
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit
from irisrec.training.negatives import draw_chances, draw_shared, expected_counts, expected_counts_of_some
from irisrec.training.steps import Step, expected_rows

N_USERS, N_ITEMS = 6, 40
TRAIN = csr_matrix(np.random.default_rng(1).random((N_USERS, N_ITEMS)) < 0.1, dtype=np.float32)
HAD = Histories.from_matrix(TRAIN)
MODELS = ("fism", "nais", "multimodal-iris")


def make(name: str, **options):
    generator = torch.Generator().manual_seed(2)
    features = {
        m: torch.randn(N_ITEMS, 5, generator=generator, dtype=torch.float64) for m in ("image", "text")
    }
    present = {m: torch.rand(N_ITEMS, generator=generator) < 0.8 for m in features}
    features = {m: values * present[m][:, None] for m, values in features.items()}
    more = {"hidden": 6, "content_factors": True} if "iris" in name else {}
    model = build_model(
        ModelConfig(name=name, dim=4, alpha=0.5, **more, **options), N_ITEMS, features, present, seed=3
    ).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.3)
    return model


def loss_and_gradients(
    model, columns_at_once: int = 0, seed: int = 0, by: str = "uniform", users_at_once: int = 0, **options
):
    config = TrainingConfig(batch_users=N_USERS, negatives_by=by, **options)
    step = Step(model, TRAIN, config, draw_chances(TRAIN, by).double())
    step.columns_at_once = columns_at_once
    step.users_at_once = users_at_once or N_USERS
    model.zero_grad()
    loss, _ = step.backward(HAD, HAD, torch.Generator().manual_seed(seed))
    flat = [torch.zeros_like(p) if p.grad is None else p.grad.to_dense() for p in model.parameters()]
    return torch.cat([torch.tensor([loss], dtype=torch.float64), *(g.flatten() for g in flat)])


@pytest.mark.parametrize("name", [*MODELS, "vbpr", "gmf"])
@pytest.mark.parametrize("loss", ["log", "squared"])
@pytest.mark.parametrize("negatives", ["all", "shared"])
def test_candidates_in_pieces_give_the_same_loss_and_gradients(name, loss, negatives):
    if name in ("vbpr", "gmf"):
        features = {"image": torch.randn(N_ITEMS, 5)}
        config = ModelConfig(name=name, dim=4)
        present = {"image": torch.ones(N_ITEMS, dtype=torch.bool)}
        model = build_model(config, N_ITEMS, features, present, n_users=N_USERS).double()
    else:
        model = make(name)
    options = {"loss": loss, "negatives": negatives, "n_shared": 9}
    whole = loss_and_gradients(model, **options)
    for columns_at_once in (1, 7, 16):
        pieces = loss_and_gradients(model, columns_at_once, **options)
        torch.testing.assert_close(pieces, whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [*MODELS, "freedom"])
@pytest.mark.parametrize("loss", ["log", "squared", "bpr"])
def test_a_step_with_drawn_negatives_computes_only_what_was_had_or_drawn(name, loss, monkeypatch):
    if name == "freedom":
        features, present = {"image": torch.randn(N_ITEMS, 5)}, {"image": torch.arange(N_ITEMS) % 3 > 0}
        config = ModelConfig(name=name, dim=4, edge_dropout=0)
        model = build_model(config, N_ITEMS, features, present, n_users=N_USERS).double()
        model.begin_training(TRAIN)
        model.edges = SparseMatrix.of(normalized(TRAIN).astype(np.float64), torch.device("cpu"))
    else:
        model = make(name)
    computed, scores = [], model.training_scores
    monkeypatch.setattr(
        model, "training_scores", lambda *given: (computed.append(given[2]), scores(*given))[1]
    )
    options = {"loss": loss, "negatives": "sampled", "n_negatives": 1}
    few = loss_and_gradients(model, **options)
    monkeypatch.setattr("irisrec.training.steps._MOST_DRAWN", 0.0)
    torch.testing.assert_close(few, loss_and_gradients(model, **options), rtol=1e-9, atol=1e-12)
    assert set(HAD.items.tolist()) < set(computed[0].tolist())
    assert len(computed[0]) < N_ITEMS
    assert computed[1] is None


@pytest.mark.parametrize("loss", ["log", "squared", "bpr"])
@pytest.mark.parametrize(("by", "users_at_once"), [("uniform", 2), ("popularity", 0)])
def test_shared_candidates_give_the_loss_and_gradients_of_all_on_average(loss, by, users_at_once):
    model, n_draws = make("nais"), 300
    whole = loss_and_gradients(model, loss=loss, by=by, negatives="all")
    draws = torch.stack(
        [
            loss_and_gradients(model, 0, seed, by, users_at_once, loss=loss, negatives="shared", n_shared=6)
            for seed in range(n_draws)
        ]
    )
    error = draws.std(0) / n_draws**0.5
    off = (draws.mean(0) - whole).abs()
    assert (off[error > 1e-9] < 4.5 * error[error > 1e-9]).all()
    assert off[0] < 4 * error[0]
    assert (off[error <= 1e-9] < 1e-7).all()
    assert error[0] > 1e-6, "the draws differ"


def test_shared_candidates_are_all_that_anybody_had_and_a_weighted_sample_of_the_rest():
    chances, n_draws = draw_chances(TRAIN, "popularity"), 500
    total = torch.zeros(N_ITEMS)
    for seed in range(n_draws):
        shared = draw_shared(5, chances, torch.Generator().manual_seed(seed)).joined(HAD)
        assert torch.equal(shared.columns, shared.columns.unique())
        had = torch.isin(shared.columns, HAD.items)
        assert had.sum() == len(HAD.items.unique())
        assert (shared.stands_for[had] == 1).all()
        total[shared.columns] += shared.stands_for
    likely = chances / chances.sum()
    assert ((total / n_draws - 1).abs() <= 4 * ((1 / likely - 1) / 5 / n_draws) ** 0.5).all()


def test_where_everything_was_had_nothing_is_added():
    everything = Histories.of([range(4), [1]])
    shared = draw_shared(5, torch.ones(4), torch.Generator()).joined(everything)
    assert shared.columns.tolist() == [0, 1, 2, 3]
    counts = expected_counts_of_some(everything, shared.columns, 3, torch.ones(4))
    assert counts.tolist() == [[0, 0, 0, 0], [1, 0, 1, 1]]


def test_counts_of_some_candidates_are_those_among_all():
    chances = torch.arange(1.0, N_ITEMS + 1)
    some = torch.tensor([0, 3, 17, 39])
    whole = expected_counts(HAD.membership(None, N_ITEMS), 4, chances)
    torch.testing.assert_close(expected_counts_of_some(HAD, some, 4, chances), whole[:, some])


def test_sparse_gradients_are_the_dense_ones():
    model = make("multimodal-iris")
    dense = loss_and_gradients(model, negatives="shared", n_shared=9)
    model.sparse_gradients = True
    sparse = loss_and_gradients(model, negatives="shared", n_shared=9)
    model.sparse_gradients = False
    torch.testing.assert_close(loss_and_gradients(model, 3, negatives="shared", n_shared=9), dense)
    model.sparse_gradients = True
    sparse = loss_and_gradients(model, 3, negatives="shared", n_shared=9)
    assert model.history_factors.grad.is_sparse
    torch.testing.assert_close(sparse, dense)


def test_a_small_data_set_takes_all_candidates_and_a_large_one_shares_them(capsys):
    small = Step(make("nais"), TRAIN, TrainingConfig(), torch.ones(N_ITEMS))
    assert small.negatives == "all"
    rng, n = np.random.default_rng(0), 30_000
    large = csr_matrix((np.ones(90_000), (np.arange(90_000) // 3, rng.integers(0, n, 90_000))), (n, n))
    model = build_model(ModelConfig(name="nais", dim=64), n)
    step = Step(model, large, TrainingConfig(), torch.ones(n))
    assert step.negatives == "shared"
    assert "1,024 items are drawn" in capsys.readouterr().err
    assert Step(model, large, TrainingConfig(negatives="all"), torch.ones(n)).negatives == "all"


def test_expected_rows_are_as_many_as_batches_have():
    rng = np.random.default_rng(0)
    wide = csr_matrix(rng.random((500, 300)) < rng.random(300) * 0.05, dtype=np.float32)
    found = [len(np.unique(wide[rng.choice(500, 20, False)].indices)) for _ in range(50)]
    assert max(found) <= expected_rows(wide, 20) < 1.6 * np.mean(found)


def test_training_with_lazy_rows_learns_and_resumes_to_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    taste = rng.integers(0, 2, 60)
    items = np.stack([rng.choice(100, 4, False) + 100 * t for t in taste])
    train = csr_matrix((np.ones(240), (np.repeat(np.arange(60), 4), items.ravel())), (60, 200))
    config = TrainingConfig(
        learning_rate=0.05, negatives="shared", n_shared=20, batch_users=4, epochs=12, weight_decay=0.01
    )

    def fresh():
        return build_model(ModelConfig(name="fism", dim=8, init_std=0.1), 200)

    class Killed(BaseException):
        pass

    def die(progress):
        if progress.epoch == 5:
            raise Killed

    model, resumed = fresh(), fresh()
    fit(model, train, config)
    assert model.sparse_gradients
    scores = (model.score(Histories.from_matrix(train)) - model.bias).detach().numpy()
    both = np.stack([scores[:, :100].mean(1), scores[:, 100:].mean(1)])
    assert (both.argmax(0) == taste).mean() > 0.9
    with pytest.raises(Killed):
        fit(fresh(), train, config, checkpoint=tmp_path / "c", after_epoch=die)
    fit(resumed, train, config, checkpoint=tmp_path / "c")
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, resumed.state_dict()[name]), name


def test_what_cannot_be_taken_apart_is_refused_with_the_way_out():
    for options in ({"loss": "bpr"}, {"negatives": "sampled"}, {}):
        config = TrainingConfig(epochs=1, memory_budget="1kB", **options)
        with pytest.raises(TrainingError, match=r"lower training.batch_users, raise training.memory_budget"):
            fit(make("nais"), TRAIN, config)
    with pytest.raises(ConfigError, match=r"training.memory_budget: a memory budget is"):
        TrainingConfig.read({"memory_budget": "much"}, "training")


def test_training_and_ranking_stay_below_the_budget():
    """In a process of its own: 3,000 items x 3,000 items are 36 MB a table, and a step would hold a dozen."""
    code = textwrap.dedent(
        """
        import numpy as np, torch
        from scipy.sparse import csr_matrix
        from irisrec.budget import memory_budget
        from irisrec.memory import forget_peak, peak_memory
        from irisrec.models.config import ModelConfig
        from irisrec.models.factory import build_model
        from irisrec.models.histories import Histories
        from irisrec.training.config import TrainingConfig
        from irisrec.training.loop import fit
        rng, n = np.random.default_rng(0), 3000
        train = csr_matrix((np.ones(20000), (np.arange(20000) // 40, rng.integers(0, n, 20000))), (500, n))
        model = build_model(ModelConfig(name="nais", dim=4), n)
        config = TrainingConfig(epochs=1, batch_users=500, negatives="all", fuse="off")
        fit(build_model(ModelConfig(name="nais", dim=4), 50), train[:60, :50], config)  # libraries take theirs
        limit, peaks = peak_memory() + 120_000_000, []
        for budget in (limit, None):  # the free one after the bounded one, for freed memory may stay with the process
            forget_peak()
            with memory_budget(budget):
                fit(model, train, config)
                sum(float(scores.sum()) for scores in model.rank_scores(Histories.from_matrix(train)))
            peaks.append(peak_memory())
        print(limit, *peaks)
        """
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    limit, bounded, free = map(int, out.stdout.split())
    assert bounded < limit < free
    assert "candidates are computed at a time" in out.stderr
