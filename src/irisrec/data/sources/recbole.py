"""Source "recbole": atomic files, tab-separated, with the type of each column in the header."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from irisrec.data.config import Columns, DataConfig, TableFile
from irisrec.data.sources.reading import Table, read_table
from irisrec.data.sources.tables import Loaded, assemble
from irisrec.data.sources.values import read_numbers
from irisrec.errors import DataError, some

USUAL = Columns(user="user_id", item="item_id", item_id="item_id")
TYPES = ("token", "token_seq", "float", "float_seq")


def load_recbole(config: DataConfig) -> Loaded:
    """Read the ``.inter`` file of a folder and, where there is one, its ``.item`` file.

    The title is the column called so, or the first whose name ends in ``title`` or ``name``. Sequences stay text.
    """
    root = config.root.expanduser()
    inter_file = config.interactions or _only(root, "inter", "data.interactions")
    if inter_file is None:
        raise DataError(
            f"{root} is no RecBole folder: it has no file *.inter; set data.interactions or data.root"
        )
    interactions = _read_atomic(root, inter_file, "data.interactions")
    item_file = config.items or _only(root, "item", "data.items")
    items = _read_atomic(root, item_file, "data.items") if item_file else None
    columns = config.columns.over(USUAL)
    if items is not None and columns.title is None:
        title = next((name for name in items.columns if name.endswith(("title", "name"))), None)
        columns = Columns(title=title).over(columns)
    return assemble(interactions, items, columns, config.id_type)


def _only(root: Path, suffix: str, option: str) -> TableFile | None:
    found = sorted(path.name for path in root.glob(f"*.{suffix}")) if root.is_dir() else []
    if len(found) > 1:
        raise DataError(f"{root} has {len(found)} files *.{suffix}: {some(found)}; choose one with {option}")
    return TableFile(path=found[0] if found else f"*.{suffix}") if found or not root.is_dir() else None


def _read_atomic(root: Path, file: TableFile, option: str) -> Table:
    given = {"separator": file.separator or "\t", "quote": ""}
    table = read_table(root, file.model_copy(update=given), option)
    frame = table.frame
    pairs = [name.partition(":") for name in frame.columns]
    if wrong := [name for name, _, kind in pairs if kind not in TYPES]:
        raise DataError(
            f"{table.path}: each column of an atomic file is called name:type with a type of {', '.join(TYPES)}; "
            f"wrong are {some(wrong)}"
        )
    table = replace(table, frame=frame.rename({f"{name}:{kind}": name for name, _, kind in pairs}))
    floats = [read_numbers(table, table.frame[name], option) for name, _, kind in pairs if kind == "float"]
    ids = (table.frame[name] for name in ("user_id", "item_id") if name in table.columns)
    return replace(table, frame=table.frame.with_columns(floats).with_columns(ids))
