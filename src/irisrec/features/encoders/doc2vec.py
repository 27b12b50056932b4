"""Doc2Vec (PV-DBOW by gensim): texts by the words they use, learned from the catalog alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from irisrec.errors import FeatureError
from irisrec.features.encoders.base import Arrays, ContentEncoder, EncoderSettings, Prepared, refuse
from irisrec.features.encoders.paragraph import infer
from irisrec.features.texts import words
from irisrec.files import sha256


class Doc2VecSettings(EncoderSettings):
    """Options of doc2vec.

    Attributes:
        dim: width of the vectors.
        epochs: passes over the texts; a catalog of few words gets up to a hundred.
        min_count: words that stand less often in the catalog are left out.
        negative: noise words drawn per word.
        sample: frequency above which a word counts less; smaller values look past frequent words, which pays for long
            texts and costs for short ones.
        learning_rate: of the first pass; it falls to nearly zero.
        seed: equal seeds give equal vectors, also in another process.
    """

    dim: int = Field(default=100, ge=2, le=4096)
    epochs: int = Field(default=20, ge=1)
    min_count: int = Field(default=2, ge=1)
    negative: int = Field(default=5, ge=1)
    sample: float = Field(default=1e-3, gt=0)
    learning_rate: float = Field(default=0.05, gt=0)
    seed: int = Field(default=0, ge=0)


class Doc2Vec(ContentEncoder):
    """Paragraph vectors: gensim learns the words, then each text's vector is the one that best predicts its words.

    The second step is a convex problem with one solution, so a text has the same vector in the catalog, in another
    catalog order, and as a new item later.
    """

    name = "doc2vec"
    version = 2
    input = "text"
    fitted = True
    Settings = Doc2VecSettings
    batch_size = 512

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rows: dict[str, int] = {}
        self._arrays: Arrays = {}

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self.settings.dim)

    def fit(self, contents: Sequence[str]) -> None:
        """Learn word weights from the texts; their order does not matter."""
        from irisrec.features.encoders.paragraph import learn

        texts = [words(text) for text in sorted(set(contents), key=sha256)]
        vocabulary, self._arrays = learn(texts, self.settings)
        self._rows = {word: row for row, word in enumerate(vocabulary)}

    def prepare(self, content: str) -> Prepared:
        """Cut the text into known words, as rows of the vocabulary."""
        rows = [row for word in words(content) if (row := self._rows.get(word)) is not None]
        if not rows:
            raise refuse("no word of the text is known to the fitted vocabulary")
        return Prepared(np.unique(rows, return_counts=True))

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Solve for the vectors of the texts, each for itself."""
        return infer(prepared, self._arrays)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the word weights and the vocabulary."""
        return self._arrays, {"vocabulary": list(self._rows)}

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back word weights and vocabulary."""
        if len(values["vocabulary"]) != len(arrays["weights"]):
            raise FeatureError(
                f"doc2vec state: one row of weights per word expected, got {len(values['vocabulary']):,} words "
                f"and weights of shape {arrays['weights'].shape}"
            )
        self._arrays = dict(arrays)
        self._rows = {word: row for row, word in enumerate(values["vocabulary"])}
