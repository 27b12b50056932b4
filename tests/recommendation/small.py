"""A recommender on a few items with random weights: nothing is trained, so that tests are quick."""

import numpy as np
import polars as pl
import torch
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.ids import IdMap
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.options import unused
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender

N_ITEMS, N_USERS = 20, 12
WIDTHS = {"image": 6, "text": 5}
MODELS = {
    "fism": {"name": "fism", "alpha": 0.5},
    "nais": {"name": "nais", "beta": 0.7},
    "multimodal-iris": {"name": "multimodal-iris"},
    "content-factors": {"name": "multimodal-iris", "content_factors": True, "alpha": 0.3},
    "ridge": {"name": "multimodal-iris", "content_factors": True, "ridge": 5.0},
    "content-map": {"name": "multimodal-iris", "content_factors": True, "id_dropout": 0.3},
    "ease": {"name": "ease"},
    "ials": {"name": "ials"},
}


def content(widths: dict[str, int]) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    present = {m: torch.from_numpy(rng.random(N_ITEMS) < 0.8) for m in widths}
    values = {m: rng.normal(size=(N_ITEMS, w)).astype(np.float32) for m, w in widths.items()}
    return {m: torch.from_numpy(x) * present[m][:, None] for m, x in values.items()}, present


def random_model(options: dict, widths: dict[str, int] = WIDTHS) -> Scorer:
    options = {"dim": 4, "hidden": 5, **options}
    config = ModelConfig(**{o: v for o, v in options.items() if o not in unused(options["name"], options)})
    model = build_model(config, N_ITEMS, *content(widths), n_users=N_USERS)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for values in model.state_dict().values():
            if values.is_floating_point() and values.ndim:
                values.copy_(torch.randn(values.shape, generator=generator) * 0.7)
        if options["name"] == "ease":
            model.weights.fill_diagonal_(0)
    return model.eval()


def recommender(options: dict, widths: dict[str, int] = WIDTHS, **arguments) -> Recommender:
    ids = [f"i{item:02}" for item in range(N_ITEMS)]
    catalog = Catalog.of(pl.DataFrame({"item_id": ids, "title": [f"Item {id[1:]}" for id in ids]}))
    rng = np.random.default_rng(3)
    histories = csr_matrix((rng.random((N_USERS, N_ITEMS)) < 0.3).astype(np.float32))
    users = IdMap([f"u{user}" for user in range(N_USERS)], "user")
    return Recommender(
        random_model(options, widths), catalog, KnownUsers.of_matrix(users, histories), **arguments
    )
