"""A run folder on a few items with random weights and real pictures, and a service of it."""

from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image

from irisrec.features.registry import make_encoder
from irisrec.features.saved import save_encoder
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.storage import save_features, save_model
from irisrec.recommendation.loading import INTERACTIONS, ITEMS, USERS
from irisrec.serving.config import ServeSettings
from irisrec.sums import seal

N_ITEMS, N_USERS = 30, 12
MODEL = {"name": "multimodal-iris", "dim": 4, "hidden": 5}
GROWING = {**MODEL, "content_factors": True}  # takes new items


def write_run(folder: Path, *, seed: int = 2, integer_users: bool = False, model: dict = MODEL) -> Path:
    """Write what serving reads of a run; item ``i00`` has a picture, ``i01`` one that is gone."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    Image.new("RGB", (640, 480), "teal").save(folder.parent / "teal.png")
    pictures = [str(folder.parent / "teal.png"), str(folder.parent / "gone.png")] + [None] * (N_ITEMS - 2)
    items = pl.DataFrame(
        {
            "item_id": [f"i{item:02}" for item in range(N_ITEMS)],
            "title": [f"Item {item}" for item in range(N_ITEMS)],
            "text": pl.Series([None] * N_ITEMS, dtype=pl.String),
            "picture": pl.Series(pictures, dtype=pl.String),
            "colour": [["red", "green", "blue"][item % 3] for item in range(N_ITEMS)],
        }
    )
    ids = list(range(N_USERS)) if integer_users else [f"u{user}" for user in range(N_USERS)]
    rows, columns = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.3)
    pairs = pl.DataFrame(
        {
            "user_id": [ids[row] for row in rows],
            "item_id": [f"i{column:02}" for column in columns],
            "part": ["train"] * len(rows),
            "time": rng.integers(0, 100, len(rows)),
        }
    )
    for name, frame in ((ITEMS, items), (USERS, pl.DataFrame({"user_id": ids})), (INTERACTIONS, pairs)):
        frame.write_parquet(folder / name)
    seal(folder / ITEMS, folder / USERS, folder / INTERACTIONS)
    widths = {"image": 6, "text": 5} if "iris" in model["name"] else {}
    if model is GROWING:
        encoder = make_encoder("image", {})
        widths["image"] = encoder.dim
        save_encoder(encoder, folder / "encoders" / "image", encoder.dim)
    present = {name: torch.from_numpy(rng.random(N_ITEMS) < 0.8) for name in widths}
    features = {
        name: torch.from_numpy(rng.normal(size=(N_ITEMS, width)).astype(np.float32)) * present[name][:, None]
        for name, width in widths.items()
    }
    save_features(folder, features, present)
    config = ModelConfig(**model)
    net = build_model(config, N_ITEMS, features, present, n_users=N_USERS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in net.state_dict().values():
            if values.is_floating_point() and values.ndim:
                values.copy_(torch.randn(values.shape, generator=generator) * 0.7)
    save_model(folder, net, config)
    return folder


def settings_of(run: Path, **options) -> ServeSettings:
    return ServeSettings.gather(environment={}, run=run, workers=1, **options)
