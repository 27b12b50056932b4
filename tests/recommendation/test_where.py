from datetime import date

import polars as pl
import pytest

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError
from irisrec.recommendation.where import Condition

CATALOG = Catalog.of(
    pl.DataFrame(
        {
            "item_id": [1, 2, 3, 4],
            "title": ["Heat", "Cold, Cold", "Star Wars", "Ärger"],
            "genres": ["Action|Crime", "Drama", None, " Crime | Comedy"],
            "tags": [["a", "b"], [], None, ["b"]],
            "year": [1995, 1990, None, 2003],
            "price": ["9.5", "12", "free", ""],
            "new": [True, False, None, True],
            "since": [date(2020, 1, 5), date(2021, 1, 1), None, date(1999, 1, 1)],
        }
    )
)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("genres=Crime", [1, 4]),
        ("genres = Drama, Comedy", [2, 4]),
        ("genres!=Crime", [2, 3]),
        ("genres!=Crime,Drama", [3]),
        ("genres~crim", [1, 4]),
        ("tags=b", [1, 4]),
        ("tags!=a", [2, 3, 4]),
        ('title="Cold, Cold"', [2]),
        ("title~ä", [4]),
        ("year=1995", [1]),
        ("year>=1995", [1, 4]),
        ("year<1995", [2]),
        ("price<10", [1]),
        ("price>9", [1, 2]),
        ("price=12", [2]),
        ("new=true", [1, 4]),
        ("since>=2020-06-01", [2]),
        ("since=2020-01-05", [1]),
        ("item_id>2", [3, 4]),
    ],
)
def test_conditions_choose_these_items(text, items):
    mask = Condition.parse(text).fits(CATALOG)
    assert CATALOG.frame["item_id"].filter(pl.Series(mask)).to_list() == items


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("genres", "a condition is COLUMN OP VALUE, where OP is one of = != ~ < <= > >=, got 'genres'"),
        ("=Comedy", "a condition is COLUMN OP VALUE"),
        ("genres=", "which names no value"),
        ("year>1990,2000", "> compares with one value"),
        ("genre=Crime", "the catalog has no column 'genre'; did you mean 'genres'"),
        (
            "genres=crime",
            "no item of the catalog has genres=crime; values of genres are such as 'Action', 'Crime', 'Drama'",
        ),
        ("year=old", "no item of the catalog has year=old; values of year are such as 1995, 1990, 2003"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_one_sentence(text, sentence):
    with pytest.raises(DataError) as error:
        Condition.parse(text).fits(CATALOG)
    assert sentence in str(error.value)
