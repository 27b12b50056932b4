"""One modality of a catalog: from its contents, through the store, to rows of vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.errors import ConfigError, FeatureError, count_of
from irisrec.features.encoders.base import ABSENT, NO_PICTURE, CatalogEncoder, ContentEncoder, Encoder
from irisrec.features.pictures import quiet_pillow, read_bytes
from irisrec.features.pipeline import Pipeline
from irisrec.features.store import FeatureStore, Key, load_state, save_state
from irisrec.features.texts import clean
from irisrec.files import sha256
from irisrec.ids import IdMap
from irisrec.notes import Note
from irisrec.progress import progress


@dataclass
class ModalityResult:
    """Vectors of one modality and what happened on the way.

    Attributes:
        values, present: (N, F) and (N,).
        reasons: why a row is not present.
        encoded, stored, shared, shortened: contents encoded now, contents found in the store, items with the same
            content as an earlier item, items whose content was shortened.
        state: folder of the fitted state, where there is one.
    """

    values: NDArray[np.float32]
    present: NDArray[np.bool_]
    reasons: dict[int, str]
    encoded: int = 0
    stored: int = 0
    shared: int = 0
    shortened: int = 0
    state: Path | None = None
    notes: list[Note] = field(default_factory=list)

    def told(self, modality: str, encoder: Encoder, items: IdMap) -> list[Note]:
        """Say in counted notes what happened."""
        n, here = len(items), int(self.present.sum())
        work = (
            f"; {self.encoded:,} encoded, {self.stored:,} from the store"
            if self.encoded + self.stored
            else ""
        )
        sentence = (
            f"{modality}: {here:,} of {count_of(n, 'item')} have a vector of {self.values.shape[1]:,} numbers "
            f"({encoder.name}{work})"
        )
        notes = [Note.of("features_encoded", here, sentence), *self.notes]
        absent = [row for row, why in self.reasons.items() if why in ABSENT]
        refused = [row for row in sorted(self.reasons) if self.reasons[row] not in ABSENT]
        if absent:
            sentence = f"{modality}: {count_of(len(absent), 'item')} without content kept, as not present"
            notes.append(Note.of("features_absent", len(absent), sentence, items.ids(sorted(absent)[:3])))
        if refused:
            why = "; ".join(f"{items.ids([row])[0]}: {self.reasons[row]}" for row in refused[:3])
            sentence = f"{modality}: {count_of(len(refused), 'item')} could not be encoded, kept as not present: {why}"
            notes.append(
                Note.of("features_refused", len(refused), sentence, items.ids(refused[:3]), warning=True)
            )
        if self.shared:
            sentence = f"{modality}: {count_of(self.shared, 'item')} with the same content as an earlier item"
            notes.append(Note.of("features_shared", self.shared, sentence))
        if self.shortened and isinstance(encoder, ContentEncoder):
            sentence = f"{modality}: {count_of(self.shortened, 'item')} {encoder.shortened}"
            notes.append(Note.of("features_shortened", self.shortened, sentence, warning=True))
        return notes


def encode_contents(
    catalog: Catalog, modality: str, encoder: ContentEncoder, root: Path, store: Path | None
) -> ModalityResult:
    """Encode pictures or texts, each distinct content once, taking from the store what it has."""
    contents = _column(catalog, modality, encoder)
    identity = encoder.identity()
    if encoder.fitted:
        identity["fitted_on"] = _prepare_fit(encoder, contents, modality, store)
    kept = FeatureStore(store, modality, identity) if store else None
    with kept or nullcontext(), quiet_pillow():
        if encoder.fitted and not encoder.is_fitted:
            _fit(encoder, contents, modality, kept)
        return _run(encoder, modality, _reader(encoder, contents, root), contents, kept)


def encode_given(
    encoder: ContentEncoder, modality: str, contents: Sequence[Any], root: Path
) -> ModalityResult:
    """Encode contents that no catalog holds, pictures as paths or bytes, with an encoder that was fitted before."""
    with quiet_pillow():
        return _run(encoder, modality, _reader(encoder, contents, root), contents, None)


def encode_columns(catalog: Catalog, modality: str, encoder: CatalogEncoder) -> ModalityResult:
    """Encode columns or read ready vectors."""
    if encoder.fitted and not encoder.is_fitted:
        encoder.fit(catalog)
        encoder.is_fitted = True
    values, present, reasons = encoder.encode_catalog(catalog, modality)
    return ModalityResult(values, present, reasons, notes=list(encoder.notes))


def _run(
    encoder: ContentEncoder,
    modality: str,
    read: Callable[[int], tuple[Key, Any]],
    contents: Sequence[Any],
    kept: FeatureStore | None,
) -> ModalityResult:
    fresh: dict[Key, int] = {}
    vectors: list[NDArray[np.float32]] = []
    shortened: set[Key] = set()
    pipeline = Pipeline(
        encoder,
        read,
        (lambda key: key in kept.known) if kept else (lambda key: False),
        encoder.settings.workers,
    )
    rows = sorted(range(len(contents)), key=lambda row: -encoder.size(contents[row]))
    with progress(f"encode {modality}", len(rows)) as task:
        shown = 0
        for batch in pipeline.run(rows):
            if kept is not None:
                kept.append(batch.keys, batch.values, batch.shortened)
            else:
                vectors.append(batch.values)
            fresh.update({key: len(fresh) + i for i, key in enumerate(batch.keys)})
            shortened |= {key for key, flag in zip(batch.keys, batch.shortened, strict=True) if flag}
            task.advance(pipeline.seen.done - shown)
            shown = pipeline.seen.done
    seen = pipeline.seen
    good = {row: key for row, key in sorted(seen.keys.items()) if key not in seen.failed}
    values = _gather(encoder, len(contents), good, fresh, vectors, kept)
    present = np.zeros(len(contents), bool)
    present[list(good)] = True
    distinct = set(good.values())
    shortened |= kept.shortened if kept else set()
    return ModalityResult(
        values,
        present,
        seen.reasons,
        encoded=len(fresh),
        stored=len(distinct) - len(fresh),
        shared=len(good) - len(distinct),
        shortened=sum(key in shortened for key in good.values()),
        state=kept.folder if kept and encoder.fitted else None,
        notes=kept.notes if kept else [],
    )


def _gather(
    encoder: ContentEncoder,
    n_items: int,
    good: dict[int, Key],
    fresh: dict[Key, int],
    vectors: list[NDArray[np.float32]],
    kept: FeatureStore | None,
) -> NDArray[np.float32]:
    """Put each row's vector in its place; rows with one content share one vector."""
    if not good:
        return np.zeros((n_items, encoder.dim), np.float32)
    first: dict[Key, int] = {}
    for row, key in good.items():
        first.setdefault(key, row)
    if kept is not None:
        dim = kept.stored_dim() or encoder.dim
        values = np.zeros((n_items, dim), np.float32)
        kept.read(first, values)
    else:
        stacked = np.concatenate(vectors)
        values = np.zeros((n_items, stacked.shape[1]), np.float32)
        values[list(first.values())] = stacked[[fresh[key] for key in first]]
    rows = list(good)
    values[rows] = values[[first[good[row]] for row in rows]]
    return values


def _column(catalog: Catalog, modality: str, encoder: Encoder) -> list[Any]:
    column = encoder.settings.source or encoder.input
    if column not in catalog.frame.columns:
        raise ConfigError(
            f"features.{modality}.source names column {column!r}, the catalog has {', '.join(catalog.frame.columns)}"
        )
    return catalog.frame[column].to_list()


def _reader(encoder: ContentEncoder, contents: Sequence[Any], root: Path) -> Callable[[int], tuple[Key, Any]]:
    """Return the function that gives key and content of a row; it runs in worker threads."""

    def picture(row: int) -> tuple[Key, Any]:
        if contents[row] is None or contents[row] == "":
            raise FeatureError(NO_PICTURE)
        data = read_bytes(contents[row], root)
        return _key(data), data

    def text(row: int) -> tuple[Key, Any]:
        cleaned = clean(contents[row])
        return _key(cleaned.encode()), cleaned

    return picture if encoder.input == "picture" else text


def _key(data: bytes) -> Key:
    return bytes.fromhex(sha256(data))


def _cleaned(contents: Sequence[Any]) -> list[str]:
    """Return the distinct usable texts, in an order that does not depend on the catalog's."""
    texts = set()
    for content in contents:
        try:
            texts.add(clean(content))
        except FeatureError:
            continue
    return sorted(texts, key=sha256)


def _prepare_fit(encoder: ContentEncoder, contents: Sequence[Any], modality: str, store: Path | None) -> str:
    """Return the hash of what the encoder was, or will be, fitted on."""
    if not encoder.is_fitted:
        encoder.fitted_on = sha256(*_cleaned(contents))
    return encoder.fitted_on


def _fit(encoder: ContentEncoder, contents: Sequence[Any], modality: str, kept: FeatureStore | None) -> None:
    state = load_state(kept.folder) if kept else None
    if state is not None:
        encoder.restore(*state)
    else:
        texts = _cleaned(contents)
        if not texts:
            raise FeatureError(
                f"{modality}: {encoder.name} learns from texts, no item of the catalog has one"
            )
        encoder.fit(texts)
        if kept:
            save_state(kept.folder, *encoder.state())
    encoder.is_fitted = True
