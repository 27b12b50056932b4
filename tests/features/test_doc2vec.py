from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from irisrec.errors import FeatureError
from irisrec.features.encode import encode_catalog, encode_with
from irisrec.features.encoders.doc2vec import Doc2Vec, Doc2VecSettings
from irisrec.features.encoders.paragraph import infer
from irisrec.features.texts import words
from tests.features.content import catalog_of

SEA = ["boat", "sail", "wave", "harbour", "captain", "storm", "island", "fish", "net", "anchor"]
SPACE = ["rocket", "star", "planet", "orbit", "alien", "laser", "moon", "comet", "robot", "galaxy"]


def story(seed: int) -> str:
    rng = np.random.default_rng(seed)
    theme = SEA if seed % 2 else SPACE
    return " ".join([*rng.choice(theme, 12), *rng.choice(["the", "a", "and", "with", "of"], 12)])


TEXTS = [story(seed) for seed in range(120)]
SETTINGS = {"encoder": "doc2vec", "dim": 16}


def vectors(texts: list[str], **options) -> np.ndarray:
    return encode_catalog(catalog_of(text=texts), {"text": SETTINGS | options}).tables["text"].values


def test_texts_with_one_theme_are_neighbours():
    unit = vectors(TEXTS)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    nearest = cosines.argmax(axis=1)
    assert (nearest % 2 == np.arange(len(TEXTS)) % 2).mean() == 1.0


def test_a_text_has_one_vector_whatever_its_place_in_the_catalog():
    np.testing.assert_allclose(vectors(TEXTS[::-1])[::-1], vectors(TEXTS), atol=1e-6)


def test_another_process_with_another_hash_seed_gives_the_same_vectors():
    code = "import tests.features.test_doc2vec as t; v = t.vectors(t.TEXTS); print(v.tobytes().hex())"
    root = Path(__file__).parents[2]
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": "", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        )
        other = np.frombuffer(bytes.fromhex(found.stdout.decode()), np.float32).reshape(len(TEXTS), -1)
        np.testing.assert_allclose(other, vectors(TEXTS), atol=1e-5)


def test_other_seeds_give_other_vectors():
    assert np.abs(vectors(TEXTS) - vectors(TEXTS, seed=1)).max() > 0.01


def test_inference_finds_the_maximum_of_its_objective():
    encoder = Doc2Vec(Doc2VecSettings(dim=16))
    encoder.fit(TEXTS)
    arrays, _ = encoder.state()
    rows, often = encoder.prepare(TEXTS[0]).value
    found = infer([(rows, often)], arrays)[0].astype(np.float64)
    weights = arrays["weights"].astype(np.float64)
    noise, kept = weights[arrays["noise"]], often * arrays["kept"][rows]

    def objective(vector: np.ndarray) -> float:
        own = -(kept * np.logaddexp(0, -(weights[rows] @ vector))).sum()
        other = -np.logaddexp(0, noise @ vector).mean() * 5
        return own + kept.sum() * (other - vector @ vector / 2)

    best = objective(found)
    for direction in np.random.default_rng(0).normal(size=(40, 16)):
        assert objective(found + 0.05 * direction) < best


def test_the_store_is_used_for_the_same_corpus_only(tmp_path):
    def run(texts: list[str]) -> str:
        return str(encode_catalog(catalog_of(text=texts), {"text": SETTINGS}, store=tmp_path).notes[0])

    assert "120 encoded" in run(TEXTS)
    assert "0 encoded, 120 from the store" in run(TEXTS[::-1])
    assert "121 encoded" in run([*TEXTS, "a boat to the moon"])


def test_a_fitted_encoder_meets_new_texts_without_learning_again(tmp_path):
    encoded = encode_catalog(catalog_of(text=TEXTS), {"text": SETTINGS}, store=tmp_path)
    new = encode_with(
        catalog_of(text=["the boat and the anchor", "qwertz"]), encoded.encoders, store=tmp_path
    )
    assert new.tables["text"].present.tolist() == [True, False]
    assert new.failures[0][2] == "no word of the text is known to the fitted vocabulary"


def test_a_corpus_without_repeated_words_says_what_to_do():
    with pytest.raises(FeatureError, match="lower min_count"):
        vectors(["one", "two", "three"])
    with pytest.raises(FeatureError, match="no item of the catalog has one"):
        vectors([None, ""])  # type: ignore[list-item]


def test_words_keep_every_language():
    assert words("Çok güzel! Привет, мир") == ["çok", "güzel", "привет", "мир"]
    assert words("東京の夏") == list("東京の夏")
    assert words("don't 🤖🤖") == ["don", "t", "🤖", "🤖"]


def test_a_catalog_of_a_few_words_still_tells_its_texts_apart():
    few = ["a red dress", "a blue dress", "a red shirt", "a blue shirt"] * 2
    found = vectors(few, dim=8, epochs=2)
    assert len(np.unique(found.round(5), axis=0)) == 4
    assert np.linalg.norm(found, axis=1).min() > 0.1
