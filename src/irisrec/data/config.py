"""The sections [data] and [split] of an experiment: what is read, and what is held out."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from irisrec.data.filters import Filters
from irisrec.settings import Settings

IdType = Literal["auto", "string", "integer"]
Source = Literal["tables", "movielens", "recbole", "ncf", "amazon-2014", "amazon-2023", "shop"]


class TableFile(Settings):
    """A table on disk; in TOML either its path alone or, for odd files, a table with the format.

    Attributes:
        path: relative to the folder of the data; the suffix (.csv, .tsv, .txt, .parquet, .jsonl, .ndjson) decides
            the format, a further .gz is unpacked.
        encoding: of a text file; UTF-8 where nothing is said.
        separator: of the fields of a text file, of any length; a comma for .csv, a tab otherwise.
        header: whether the first line names the columns, or the names of the columns of a file without such a line.
        quote: the character around fields that contain separators; empty where quotes mean nothing.
    """

    path: str
    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1)
    header: Literal[True] | list[str] = True
    quote: str = Field(default='"', max_length=1)

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": str(value)} if isinstance(value, str | Path) else value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError:
                raise ValueError(
                    f"unknown encoding {value!r}; try utf-8, latin-1, cp1252 or utf-16"
                ) from None
        return value


class Columns(Settings):
    """What the columns of the tables are called; a name that is not given is the usual one of the source.

    Attributes:
        user, item: of the interactions.
        time: when an interaction happened: a number, a date or a date with time.
        rating: only for ``filters.min_rating``.
        item_id: of the catalog.
        title: of the catalog, for people.
        text: one column of the catalog, or several that are joined line by line, for text encoders.
    """

    user: str | None = None
    item: str | None = None
    time: str | None = None
    rating: str | None = None
    item_id: str | None = None
    title: str | None = None
    text: str | list[str] | None = None

    def over(self, usual: Columns) -> Columns:
        """Complete what is not given here from the usual names."""
        return Columns(**(usual.model_dump(exclude_none=True) | self.model_dump(exclude_none=True)))


class DataConfig(Settings):
    """Section [data]: which files are read, and how.

    Attributes:
        root: the folder that all file names are relative to.
        source: the format of the files; ``shop`` is the built-in generated world.
        interactions: who had what. MovieLens and RecBole folders are searched for their usual names.
        items: the catalog; where there is none, items are known by id alone.
        plots: MovieLens only, a table of texts by movie that completes the catalog.
        test: NCF only, the held-out pairs; they are interactions like the others until the split.
        item_map: NCF only, a table with the columns ``ncf_item`` and ``movieId`` that leads back to the original ids.
        user_offset: NCF only, added to each user number (1 leads back to MovieLens).
        pictures: a path such as ``posters/{item_id}.jpg`` with catalog columns in braces, or the name of a catalog
            column that holds paths.
        columns: what the columns are called.
        filters: what is left out.
        id_type: how ids are read. ``auto`` reads a text file's ids as integers if every one is a plain integer.
        shop: options of the generated world.
    """

    root: Path = Field(default=Path(), validate_default=True)
    source: Source = "tables"
    interactions: TableFile | None = None
    items: TableFile | None = None
    plots: TableFile | None = None
    test: TableFile | None = None
    item_map: TableFile | None = None
    user_offset: int = 0
    pictures: str | None = None
    columns: Columns = Columns()
    filters: Filters = Filters()
    id_type: IdType = "auto"
    shop: dict[str, Any] = Field(default_factory=dict, validate_default=True)

    @field_validator("root")
    @classmethod
    def _absolute(cls, root: Path) -> Path:
        return root.expanduser().absolute()  # a run goes on from any folder

    @field_validator("shop")
    @classmethod
    def _complete_shop(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.data.get("source") != "shop":
            return options
        from irisrec.data.planted.options import ShopOptions  # draws pictures: not needed for other sources

        return ShopOptions.read(options, "data.shop").model_dump()

    @model_validator(mode="after")
    def _fits(self) -> DataConfig:
        if self.source == "tables" and self.interactions is None:
            raise ValueError("source = 'tables' needs the file of the interactions; set data.interactions")
        if self.source == "ncf" and self.interactions is None:
            raise ValueError("source = 'ncf' needs the file of the training pairs; set data.interactions")
        only = {"plots": "movielens", "test": "ncf", "item_map": "ncf", "user_offset": "ncf", "shop": "shop"}
        for name, source in only.items():
            if getattr(self, name) and self.source != source:
                raise ValueError(f"data.{name} belongs to source = '{source}', got source = '{self.source}'")
        if self.source == "shop" and (self.interactions or self.items):
            raise ValueError(
                "source = 'shop' generates its tables; leave out data.interactions and data.items"
            )
        if bool(self.item_map) and self.id_type == "string":
            raise ValueError("data.item_map leads to integer ids; leave out data.id_type = 'string'")
        return self


class SplitConfig(Settings):
    """Section [split]: which interactions are held out for validation and test.

    Attributes:
        strategy: ``random``, one interaction of each user; ``last``, the last one in time; ``ratio``, a share of each
            user's interactions; ``k-fold``, one of k parts of each user's interactions; ``time``, everything after a
            moment; ``cold-users``, whole users, known at test by a share of their interactions; ``cold-items``,
            whole items, ranked among themselves; ``files``, pairs that the user brings.
        seed: of the random choice.
        test_share, validation_share: of the interactions (ratio, time), users or items (cold) held out.
        order: for ``ratio``, which interactions of a user are held out: at random, or the last in time.
        folds, fold: k, and which part from 0 is the test.
        known_share: of the interactions of a cold user, what the user is known by.
        validation: whether one more interaction per user is held out for validation, and how (``true``: as for
            the test; at random where the test comes from files).
        test: file of the test pairs, relative to the folder of the data.
        validation_pairs: file of the validation pairs; takes the place of ``validation``.
        negatives: file of the candidates that each user's test target is ranked against.
        format: of these files: a table of pairs, or the published files of NCF and NAIS.
        user, item: names of the columns of a table of pairs.
        item_map, user_offset: lead from the numbers in NCF files back to the ids of the data, as in [data].
    """

    strategy: Literal["random", "last", "ratio", "k-fold", "time", "cold-users", "cold-items", "files"] = (
        "random"
    )
    seed: int = 0
    test_share: float = Field(default=0.2, gt=0, lt=1)
    validation_share: float = Field(default=0.1, gt=0, lt=1)
    order: Literal["random", "last"] = "random"
    folds: int = Field(default=5, ge=2)
    fold: int = Field(default=0, ge=0)
    known_share: float = Field(default=0.8, gt=0, lt=1)
    validation: bool | Literal["random", "last"] = True
    test: TableFile | None = None
    validation_pairs: TableFile | None = None
    negatives: TableFile | None = None
    format: Literal["pairs", "ncf"] = "pairs"
    user: str = "user_id"
    item: str = "item_id"
    item_map: TableFile | None = None
    user_offset: int = 0

    @model_validator(mode="after")
    def _fits(self) -> SplitConfig:
        files = [
            name for name in ("test", "validation_pairs", "negatives", "item_map") if getattr(self, name)
        ]
        if self.strategy != "files" and files:
            raise ValueError(f"split.{files[0]} needs strategy = 'files', got strategy = '{self.strategy}'")
        if self.fold >= self.folds:
            raise ValueError(
                f"split.fold counts from 0 and must be below split.folds = {self.folds}, got {self.fold}"
            )
        if self.test_share + self.validation_share >= 1:
            raise ValueError(
                f"split.test_share and split.validation_share must leave something for training, they sum to "
                f"{self.test_share + self.validation_share:g}"
            )
        if self.strategy == "files" and self.test is None:
            raise ValueError("strategy = 'files' needs the file of the test pairs; set split.test")
        if self.format != "ncf" and (self.item_map or self.user_offset):
            raise ValueError("split.item_map and split.user_offset belong to format = 'ncf'")
        return self

    @property
    def validation_strategy(self) -> Literal["random", "last"] | None:
        """How the one validation interaction of each user is chosen, None where validation is not of that kind."""
        if self.strategy in ("ratio", "time", "cold-users", "cold-items"):
            return None
        if self.validation_pairs is not None or self.validation is False:
            return None
        if self.validation is True:
            return "last" if self.strategy == "last" else "random"
        return self.validation
