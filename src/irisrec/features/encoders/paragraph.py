"""Paragraph vectors: word weights learned by gensim, and our own exact inference on top of them.

gensim saves its models as pickles and infers with random numbers. Here the word weights alone are kept. The vector d
of a text is the maximum of the PV-DBOW objective with the noise words v taken in expectation, a strictly concave
function:

    sum over the words w of the text of  k_w log s(d·u_w)  +  K (negative · E_v log s(-d·u_v)  -  |d|² / 2)

where k_w is the chance that training keeps w (frequent words count less), K = sum of k_w, and s the sigmoid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.errors import FeatureError

NOISE_WORDS = 256
RARE = 20  # times: words that stand less often are always read, however small the catalog
FEW_WORDS, MOST_EPOCHS = 100_000, 100  # a catalog of few words is read again until so many were read
STEPS = 20  # of an accelerated gradient method; 60 steps change a vector by less than training's own noise

Bag = tuple[NDArray[np.int64], NDArray[np.int64]]


def learn(texts: Sequence[list[str]], settings: Any) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Learn word weights; the same texts in the same order and the same seed give the same weights.

    Returns:
        The vocabulary, and the arrays ``weights`` (words, D), ``kept`` (words,) chance that training keeps a word,
        ``noise`` rows of typical noise words, ``negative`` (1,).
    """
    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    counted = Counter(word for text in texts for word in text)
    total = sum(count for count in counted.values() if count >= settings.min_count)
    if not total:
        raise FeatureError(
            f"doc2vec: no word stands at least {settings.min_count} times in the {len(texts):,} texts "
            "(lower min_count)"
        )
    frequent = max(settings.sample * total, RARE)  # times from which training skips a word now and then
    epochs = max(settings.epochs, min(MOST_EPOCHS, FEW_WORDS // total))
    model = Doc2Vec(
        vector_size=settings.dim,
        dm=0,
        min_count=settings.min_count,
        negative=settings.negative,
        sample=min(frequent / total, 0.999),
        epochs=epochs,
        alpha=settings.learning_rate,
        seed=settings.seed,
        workers=1,
        hashfxn=_stable_hash,
    )
    documents = [TaggedDocument(text, [row]) for row, text in enumerate(texts)]
    model.build_vocab(documents)
    model.train(documents, total_examples=len(documents), epochs=epochs)
    vocabulary = list(model.wv.index_to_key)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in vocabulary], np.float64)
    rarity = frequent / counts
    return vocabulary, {
        "weights": np.ascontiguousarray(model.syn1neg, np.float32),
        "kept": np.minimum(np.sqrt(rarity) + rarity, 1.0).astype(np.float32),
        "noise": _typical_noise(counts),
        "negative": np.array([settings.negative], np.float32),
    }


def infer(texts: Sequence[Bag], arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the vector of each text, given as (rows of the vocabulary, how often); (n, D)."""
    weights = arrays["weights"]
    noise, negative = weights[arrays["noise"]], float(arrays["negative"][0])
    words = _matrix(texts, arrays["kept"])
    owner = np.repeat(np.arange(len(texts)), np.diff(words.indptr))
    size = np.asarray(words.sum(axis=1), np.float32)  # (n, 1)
    spread = float(np.linalg.norm(noise.T @ noise, 2)) / len(noise)
    lengths = np.square(weights).sum(axis=1)
    curvature = 0.25 * (words @ lengths)[:, None] + size * (0.25 * negative * spread + 1.0)
    vectors = np.zeros((len(texts), weights.shape[1]), np.float32)
    ahead, momentum = vectors, 1.0
    for _ in range(STEPS):
        fit = np.einsum("ij,ij->i", ahead[owner], weights[words.indices])
        pull = csr_matrix((words.data * _sigmoid(-fit), words.indices, words.indptr), shape=words.shape)
        push = size * (negative / len(noise)) * _sigmoid(ahead @ noise.T)  # (n, noise words)
        gradient = pull @ weights - push @ noise - size * ahead
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        new = ahead + gradient / curvature
        ahead = new + np.float32((momentum - 1.0) / following) * (new - vectors)
        vectors, momentum = new, following
    return np.ascontiguousarray(vectors, np.float32)


def _matrix(texts: Sequence[Bag], kept: NDArray[np.float32]) -> csr_matrix:
    """Words of the texts as (n, words), each counted by its chance of being kept in training."""
    rows = np.concatenate([bag[0] for bag in texts])
    often = np.concatenate([bag[1] for bag in texts]).astype(np.float32)
    ends = np.cumsum([0, *(len(bag[0]) for bag in texts)])
    return csr_matrix((often * kept[rows], rows, ends), shape=(len(texts), len(kept)))


def _typical_noise(counts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pick words at even steps through the noise distribution: its expectation without chance."""
    share = np.cumsum(counts**0.75)
    places = (np.arange(NOISE_WORDS) + 0.5) / NOISE_WORDS * share[-1]
    return np.asarray(np.searchsorted(share, places).clip(max=len(counts) - 1), np.int64)


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values), np.float32)


def _stable_hash(text: str) -> int:
    return crc32(text.encode())
