"""The weight-free encoders on real pictures and texts: they must see what a person sees."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from irisrec.data.catalog import Catalog
from irisrec.features.encode import encode_catalog
from irisrec.features.table import FeatureTable
from tests.real import real_data

pytestmark = pytest.mark.real


def agreement(table: FeatureTable, labels: list, k: int = 5) -> float:
    """Share of the k nearest neighbours with the label of the query."""
    unit = table.values / np.linalg.norm(table.values, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    names = np.array(labels, dtype=object)
    return float((names[np.argsort(-cosines, axis=1)[:, :k]] == names[:, None]).mean())


def fashion() -> tuple[Catalog, list, list]:
    root = real_data("hm-fashion")
    frame = pl.read_csv(root / "items.csv").head(1500)
    picture = pl.format("{}/images/{}.jpg", pl.lit(str(root)), pl.col("item_id"))
    frame = frame.with_columns(
        picture=picture, kind=pl.col("product_type_name"), colour=pl.col("colour_group_name")
    )
    return Catalog.of(frame), frame["kind"].to_list(), frame["colour"].to_list()


def test_photos_of_products_find_their_kind_and_colour():
    catalog, kinds, colours = fashion()
    table = encode_catalog(catalog, {"image": {"encoder": "colour-hog"}}).tables["image"]
    assert table.coverage == 1.0
    assert agreement(table, kinds) > 0.4
    assert agreement(table, colours) > 0.5
    both = [f"{kind} {colour}" for kind, colour in zip(kinds, colours, strict=True)]
    assert agreement(table, both) > 0.2


def test_texts_of_products_find_their_kind():
    catalog, kinds, _ = fashion()
    table = encode_catalog(catalog, {"text": {"encoder": "doc2vec"}}).tables["text"]
    assert agreement(table, kinds) > 0.7


def test_every_poster_is_decoded():
    root = real_data("movielens-1m")
    posters = sorted((root / "posters").iterdir())[:800]
    catalog = Catalog.of(
        pl.DataFrame({"item_id": [p.stem for p in posters], "picture": [str(p) for p in posters]})
    )
    encoded = encode_catalog(catalog, {"image": {"encoder": "colour-hog"}})
    assert encoded.tables["image"].coverage == 1.0
    assert not encoded.failures
