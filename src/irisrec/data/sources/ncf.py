"""Source "ncf": the leave-one-out files published with NCF and NAIS, which number users and items from 0."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from irisrec.data.config import Columns, DataConfig, TableFile
from irisrec.data.sources.encoding import as_utf8, read_bytes
from irisrec.data.sources.reading import Table, find_file, read_table
from irisrec.data.sources.tables import Loaded, assemble
from irisrec.data.sources.values import read_ids, read_times
from irisrec.errors import DataError, count_of, some

USUAL = Columns(user="user_id", item="item_id", time="time", item_id="item_id")
_COLUMNS = ["user_id", "item_id", "rating", "time"]
_LINE = r"^\((?<user_id>\d+),\s*(?<target_id>\d+)\)\t(?<negatives>[\d\t]+)$"


def load_ncf(config: DataConfig) -> Loaded:
    """Read the training pairs and, where they are named, the test pairs, as one list of interactions.

    Numbers lead back to the original ids by ``item_map`` and ``user_offset``, so that a catalog fits.
    """
    assert config.interactions is not None
    parts = [read_pairs(config.root, config.interactions, "data.interactions")]
    if config.test is not None:
        parts.append(read_pairs(config.root, config.test, "data.test"))
    shared = [name for name in _COLUMNS if all(name in part.columns for part in parts)]
    frame = original_ids(
        pl.concat(part.select(shared) for part in parts),
        config.root,
        config.item_map,
        config.user_offset,
        "data",
    )
    path = find_file(config.root, config.interactions.path, "data.interactions")
    interactions = Table(frame, path, typed=True, option="data.interactions")
    items = read_table(config.root, config.items, "data.items") if config.items else None
    usual = USUAL if "time" in frame.columns else USUAL.model_copy(update={"time": None})
    return assemble(interactions, items, config.columns.over(usual), config.id_type)


def read_pairs(root: Path, file: TableFile, option: str) -> pl.DataFrame:
    """Read ``user, item[, rating, time]`` by line, without a header; ids are integers."""
    path = find_file(root, file.path, option)
    if file.header is True:
        data = as_utf8(read_bytes(path), file.encoding, path, option)
        if not data.strip():
            raise DataError(f"{path} is empty: at least one row is needed")
        n_columns = data.lstrip().partition(b"\n")[0].count((file.separator or "\t").encode()) + 1
        if not 2 <= n_columns <= 4:
            raise DataError(
                f"{path}: 2 to 4 fields expected in each line (user, item, rating, time), got {n_columns}; set {option}"
            )
        file = file.model_copy(update={"header": _COLUMNS[:n_columns]})
    given = {"separator": file.separator or "\t"}
    table = read_table(root, file.model_copy(update=given), option)
    columns = []
    for name, noun in (("user_id", "user"), ("item_id", "item")):
        (ids,), _ = read_ids([(table, table.column(name, option))], "integer", noun)
        columns.append(ids)
    if "time" in table.columns:
        columns.append(read_times(table, table.frame["time"], option))
    return pl.DataFrame(columns)


def read_negatives(root: Path, file: TableFile, option: str) -> pl.DataFrame:
    """Read lines ``(user,target)<tab>item<tab>item…``; return one row ``user_id, target_id, item_id`` per negative."""
    path = find_file(root, file.path, option)
    text = as_utf8(read_bytes(path), file.encoding, path, option).decode()
    lines = pl.Series("line", text.splitlines(), pl.String).str.strip_chars()
    lines = lines.filter(lines != "")
    if not len(lines):
        raise DataError(f"{path} is empty: at least one row is needed")
    fields = lines.str.extract_groups(_LINE).struct.unnest()
    if (bad := fields["user_id"].is_null()).any():
        line = bad.arg_true()[0]
        raise DataError(
            f"{path}: line {line + 1:,} must be (user,item) and items, separated by tabs, got {lines[line][:40]!r}"
        )
    split = fields.with_columns(pl.col("negatives").str.split("\t").alias("item_id")).drop("negatives")
    return split.explode("item_id").filter(pl.col("item_id") != "").cast(pl.Int64)


def original_ids(
    frame: pl.DataFrame, root: Path, item_map: TableFile | None, user_offset: int, section: str
) -> pl.DataFrame:
    """Lead the numbers in ``user_id``, ``item_id`` (and ``target_id``) back to the ids they stand for."""
    frame = frame.with_columns(pl.col("user_id") + user_offset)
    if item_map is None:
        return frame
    option = f"{section}.item_map"
    table = read_table(root, item_map, option)
    pair = [table.column(name, option) for name in ("ncf_item", "movieId")]
    (numbers,), _ = read_ids([(table, pair[0])], "integer", "item")
    (originals,), _ = read_ids([(table, pair[1])], "integer", "item")
    for column in ("item_id", "target_id"):
        if column not in frame.columns:
            continue
        if len(unknown := frame[column].filter(~frame[column].is_in(numbers.implode())).unique()):
            raise DataError(
                f"{table.path} leads {count_of(len(unknown), 'item number')} nowhere: {some(unknown.sort().head(4))}"
            )
        frame = frame.with_columns(pl.col(column).replace_strict(numbers, originals))
    return frame
