"""What the benchmark of encoding encodes, and with which models: all made up, so that nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from irisrec.data.catalog import Catalog

WORDS = 5000


def draw(folder: Path, n: int, size: tuple[int, int], kind: str = "jpg") -> Catalog:
    """Write pictures with shapes and noise, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (size[1] + 64, size[0] + 64, 3), dtype=np.uint8)
    for row in range(n):
        left, top = rng.integers(0, 64, 2)
        pixels = noise[top : top + size[1], left : left + size[0]] + rng.integers(0, 190, 3, dtype=np.uint8)
        pixels[: size[1] // 2, : int(rng.integers(1, size[0]))] = rng.integers(0, 255, 3)
        Image.fromarray(pixels).save(folder / f"{row}.{kind}")
    return pictures_in(folder, n)


def pictures_in(folder: Path, n: int) -> Catalog:
    """Return a catalog of the first n files of a folder."""
    paths = [str(path) for path in sorted(folder.iterdir()) if path.is_file()][:n]
    return Catalog.of(pl.DataFrame({"item_id": range(len(paths)), "picture": paths}))


def write(n: int) -> Catalog:
    """Return a catalog of texts of very different lengths."""
    rng = np.random.default_rng(0)
    weights = 1 / np.arange(1, WORDS + 1)
    lengths = rng.lognormal(4.0, 0.8, n).astype(int).clip(5, 400)
    texts = [
        " ".join(f"word{row}" for row in rng.choice(WORDS, length, p=weights / weights.sum()))
        for length in lengths
    ]
    return Catalog.of(pl.DataFrame({"item_id": range(n), "text": texts}))


def resnet(folder: Path, *, large: bool) -> Path:
    """Save a ResNet with random weights: the small one, or ResNet-50 as in the paper."""
    import transformers

    small = {"embedding_size": 32, "hidden_sizes": [32, 64, 128, 256], "depths": [1, 1, 1, 1]}
    transformers.ResNetModel(transformers.ResNetConfig(**({} if large else small))).save_pretrained(folder)
    transformers.ConvNextImageProcessor(size={"shortest_edge": 224}).save_pretrained(folder)
    return folder


def bert(folder: Path, *, large: bool) -> Path:
    """Save a BERT with random weights: the small one, or BERT-base as in the paper."""
    import transformers

    small = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 512}
    config = transformers.BertConfig(vocab_size=6000, **({} if large else small))
    transformers.BertModel(config).save_pretrained(folder)
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{row}" for row in range(WORDS))]
    vocabulary = {name: row for row, name in enumerate(names)}
    transformers.BertTokenizer(vocab=vocabulary, model_max_length=512).save_pretrained(folder)
    return folder
