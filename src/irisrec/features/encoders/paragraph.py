"""Paragraph vectors: word weights learned by gensim, and our own exact inference on top of them.

gensim saves its models as pickles and infers with random numbers. Here the word weights alone are kept; the vector of
a text is the maximum of the same PV-DBOW objective with the noise words taken in expectation, which is concave:

    sum over words w of the text  log s(d·u_w)  +  negative · (length) · E over noise v of log s(-d·u_v)  -  |d|² / 2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit

from irisrec.errors import FeatureError

NOISE_WORDS = 1024
STEPS = 60


def learn(texts: Sequence[list[str]], settings: Any) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Learn word weights; return the vocabulary, ``weights`` (words, D) and ``noise`` rows (n,)."""
    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    model = Doc2Vec(
        vector_size=settings.dim,
        dm=0,
        dbow_words=1,
        window=settings.window,
        min_count=settings.min_count,
        negative=settings.negative,
        sample=settings.sample,
        epochs=settings.epochs,
        seed=settings.seed,
        workers=1,
        hashfxn=_stable_hash,
    )
    documents = [TaggedDocument(text, [row]) for row, text in enumerate(texts)]
    model.build_vocab(documents)
    if not len(model.wv):
        raise FeatureError(
            f"doc2vec: no word stands at least {settings.min_count} times in the {len(texts):,} texts "
            "(lower min_count)"
        )
    model.train(documents, total_examples=len(documents), epochs=settings.epochs)
    vocabulary = list(model.wv.index_to_key)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in vocabulary], np.float64)
    share = counts**0.75 / (counts**0.75).sum()
    noise = np.searchsorted(share.cumsum(), (np.arange(NOISE_WORDS) + 0.5) / NOISE_WORDS)
    return vocabulary, {
        "weights": np.ascontiguousarray(model.syn1neg, np.float32),
        "noise": noise.clip(max=len(vocabulary) - 1).astype(np.int64),
        "negative": np.array([settings.negative], np.float32),
    }


def infer(texts: Sequence[NDArray[np.int64]], arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the vector of each text, given as rows of the vocabulary; (n, D)."""
    weights, noise = arrays["weights"], arrays["weights"][arrays["noise"]]
    negative = float(arrays["negative"][0])
    lengths = np.array([len(text) for text in texts])
    rows = np.repeat(np.arange(len(texts)), lengths)
    counts = csr_matrix(
        (np.ones(len(rows), np.float32), (rows, np.concatenate(texts))), shape=(len(texts), len(weights))
    )
    counts.sum_duplicates()
    counts.sort_indices()
    rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
    size = lengths[:, None].astype(np.float32)
    pull = size * negative / len(noise)
    # The gradient's Lipschitz constant gives a step that always descends, per text.
    norm = float(np.linalg.norm(noise.T @ noise, 2)) / len(noise)
    top = float((weights**2).sum(axis=1).max())
    step = 4.0 / (size * (negative * norm + top) + 4.0)
    vectors = np.zeros((len(texts), weights.shape[1]), np.float32)
    ahead, momentum = vectors, 1.0
    for _ in range(STEPS):
        own = np.einsum("ij,ij->i", ahead[rows], weights[counts.indices])
        miss = counts.copy()
        miss.data = counts.data * expit(-own)
        gradient = miss @ weights - (pull * expit(ahead @ noise.T)) @ noise - ahead
        new = (ahead + step * gradient).astype(np.float32)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + np.float32((momentum - 1) / following) * (new - vectors)
        vectors, momentum = new, following
    return vectors


def _stable_hash(text: str) -> int:
    return crc32(text.encode())
