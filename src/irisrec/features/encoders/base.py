"""What an encoder is: frozen, named, versioned, and a pure function of the content it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from irisrec.data.catalog import Catalog
from irisrec.errors import FeatureError
from irisrec.notes import Note
from irisrec.settings import Settings

Input = Literal["picture", "text", "columns", "vectors"]
NO_PICTURE, NO_TEXT, BLANK_TEXT, NO_VECTOR = "no picture", "no text", "the text is blank", "no vector"
ABSENT = (NO_PICTURE, NO_TEXT, BLANK_TEXT, NO_VECTOR)

Arrays = dict[str, NDArray[Any]]


class EncoderSettings(Settings):
    """Options that every encoder has.

    Attributes:
        source: catalog column with the content; None means ``picture`` or ``text``.
        workers: threads that read and prepare content while the model works; None means one per core.
    """

    source: str | None = None
    workers: int | None = Field(default=None, ge=1)


class Prepared(NamedTuple):
    """One content made ready for the model by a worker thread.

    Attributes:
        value: what ``encode`` takes.
        shortened: True where a part of the content was left out, for example the end of a long text.
    """

    value: Any
    shortened: bool = False


class Encoder(ABC):
    """Base of all encoders.

    A subclass sets the class attributes below. Its settings class extends `EncoderSettings`.

    Attributes:
        name: what a config calls it.
        version: raised whenever the same content gets other vectors; stored vectors of other versions are not used.
        input: which content it takes.
        fitted: True where it learns from the whole catalog first and therefore has a state to save.
        is_fitted: whether it has learned already.
        fitted_on: hash of what it has learned from.
        notes: what it has to say about the last catalog.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    input: ClassVar[Input]
    fitted: ClassVar[bool] = False
    Settings: ClassVar[type[EncoderSettings]] = EncoderSettings
    unkeyed: ClassVar[frozenset[str]] = frozenset({"source", "workers"})

    def __init__(self, settings: Any, root: Path = Path()) -> None:
        self.settings = settings
        self.root = root
        self.is_fitted = False
        self.fitted_on = ""
        self.notes: list[Note] = []

    @property
    def dim(self) -> int:
        """Width of the vectors; a fitted encoder knows it after fitting."""
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the vectors, as JSON; equal identities share stored vectors."""
        settings = self.settings.model_dump(mode="json", exclude=set(self.unkeyed))
        return {"encoder": self.name, "version": self.version, "settings": settings}

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return what was fitted, as arrays and JSON values."""
        return {}, {}

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:  # noqa: B027
        """Take back what `state` returned."""


class ContentEncoder(Encoder):
    """Encodes pictures or texts one by one, so that vectors can be kept on disk by content.

    Attributes:
        batch_size: contents per call of `encode`, and vectors per write to the store.
        shortened: what was done to the contents whose `Prepared.shortened` is set, for the note.
    """

    batch_size: int = 64
    shortened: ClassVar[str] = "shortened"

    def fit(self, contents: Sequence[Any]) -> None:
        """Learn from the distinct contents of the catalog; only called where ``fitted`` is set."""

    def prepare(self, content: Any) -> Prepared:
        """Make one content ready; runs in a worker thread and must not change the encoder.

        Raises:
            FeatureError: the content cannot be encoded; the message says why.
        """
        return Prepared(content)

    @abstractmethod
    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Return one vector per prepared value, (n, F); rows do not depend on each other."""

    def size(self, content: Any) -> int:
        """Return the length by which contents are sorted into batches; 0 keeps their order."""
        return 0


class EncodedColumns(NamedTuple):
    """Vectors of a whole catalog: values (N, F), present (N,), and why a row is not present, by row number."""

    values: NDArray[np.float32]
    present: NDArray[np.bool_]
    reasons: dict[int, str]


class CatalogEncoder(Encoder):
    """Turns catalog columns, or files that belong to the whole catalog, into vectors in one go."""

    def fit(self, catalog: Catalog) -> None:
        """Learn from the catalog; only called where ``fitted`` is set."""

    @abstractmethod
    def encode_catalog(self, catalog: Catalog, modality: str) -> EncodedColumns:
        """Return the vectors of every item of the catalog, in its order."""


def refuse(reason: str) -> FeatureError:
    """Build the error with which `ContentEncoder.prepare` leaves one content out."""
    return FeatureError(reason)
