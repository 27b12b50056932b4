from __future__ import annotations

import numpy as np
import pytest

from irisrec.errors import ConfigError
from irisrec.features.encode import encode_catalog, encode_with
from irisrec.notes import counted
from tests.features.content import catalog_of

CATALOG = catalog_of(
    genres=["Comedy|Drama", "Drama", "Comedy", None, "Western|Drama"],
    year=[1990, 1992, 1994, None, None],
    price=["9.5", "abc", "", None, "10.5"],
)


def encode(**options):
    return encode_catalog(CATALOG, {"facts": {"encoder": "columns", "min_count": 2, **options}})


def test_several_values_share_a_length_of_one_and_rare_ones_a_place():
    encoded = encode(columns=["genres"], separators={"genres": "|"})
    assert encoded.encoders["facts"].labels() == {"genres": ["Drama", "Comedy", "other 0"]}
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        encoded.tables["facts"].values,
        [[half, half, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [half, 0, half]],
        atol=1e-6,
    )
    assert encoded.tables["facts"].present.tolist() == [True, True, True, False, True]
    assert encoded.failures == [("facts", "i3", "no value in genres")]


def test_numbers_are_standardised_and_missing_ones_marked():
    values = encode(columns=["year"]).tables["facts"].values
    np.testing.assert_allclose(values[:3, 0], [-1.2247449, 0, 1.2247449], atol=1e-6)
    assert values[:3, 1].tolist() == [0, 0, 0]
    both = encode(columns=["year", "genres"]).tables["facts"]
    assert both.values[4, :2].tolist() == [0, 1]
    assert both.present.tolist() == [True, True, True, False, True]


def test_text_that_is_no_number_is_missing_and_counted():
    encoded = encode(columns=["price"], numbers=["price"])
    assert encoded.tables["facts"].present.tolist() == [True, False, False, False, True]
    assert counted(encoded.notes)["column_not_number"] == 1


def test_numbers_can_be_categories():
    encoded = encode(columns=["year"], categories=["year"], min_count=1, hashed=0)
    assert encoded.tables["facts"].dim == 3


def test_hashed_places_are_stable_for_new_values():
    encoded = encode(columns=["genres"], separators={"genres": "|"}, hashed=4)
    new = catalog_of(genres=["Musical|Drama", "Musical"])
    values = encode_with(new, encoded.encoders).tables["facts"].values
    assert values[1, 2:].sum() == 1.0
    assert (values[0, 2:] > 0).tolist() == (values[1, 2:] > 0).tolist()


def test_options_for_columns_that_are_not_used_are_refused():
    with pytest.raises(ConfigError, match="numbers names 'yeer'; did you mean 'year'"):
        encode(columns=["year"], numbers=["yeer"])


def test_list_columns_need_no_separator():
    catalog = catalog_of(tags=[["a", "b"], ["a"], [], None])
    encoded = encode_catalog(catalog, {"facts": {"encoder": "columns", "columns": ["tags"], "min_count": 1}})
    assert encoded.tables["facts"].present.tolist() == [True, True, False, False]
    assert encoded.tables["facts"].dim == 3
