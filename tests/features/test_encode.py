from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irisrec.errors import ConfigError, FeatureError
from irisrec.features.encode import encode_catalog, encode_with
from irisrec.features.encoders.base import CatalogEncoder, EncodedColumns, EncoderSettings
from irisrec.features.encoders.colour_hog import ColourHog
from irisrec.features.saved import load_encoder, load_encoders
from irisrec.notes import counted
from irisrec.sums import seal
from tests.features.content import as_bytes, catalog_of, picture, write_pictures
from tests.features.slow import Slow
from tests.features.test_pictures import bomb

TEXTS = [f"a {colour} {thing} of {stuff}" for colour in ("red", "green") for thing in ("dress", "shirt", "coat")
         for stuff in ("wool", "silk", "cotton")]  # fmt: skip


def awful_pictures(folder: Path) -> tuple[list[str | None], list[bool]]:
    """Write every kind of odd file; return the paths and which of them are pictures after all."""
    exif = Image.Exif()
    exif[0x0112] = 8
    jpeg = as_bytes(picture(1, (200, 200)), "JPEG")
    files = {
        "good.png": (as_bytes(picture(0)), True),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], False),
        "empty.jpg": (b"", False),
        "cmyk.jpg": (as_bytes(picture(2).convert("CMYK"), "JPEG"), True),
        "palette.gif": (as_bytes(picture(3).convert("P"), "GIF", transparency=0), True),
        "deep.png": (as_bytes(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16)), True),
        "moving.gif": (as_bytes(picture(4), "GIF", save_all=True, append_images=[picture(5)]), True),
        "rotated.jpg": (as_bytes(picture(6), "JPEG", exif=exif), True),
        "dot.png": (as_bytes(Image.new("RGB", (1, 1), "red")), True),
        "wide.png": (as_bytes(Image.new("RGB", (30_000, 40), "blue")), True),
        "bomb.png": (bomb(50_000, 50_000), False),
        "text.jpg": (b"I am not a picture", False),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    paths = [*(str(folder / name) for name in files), str(folder / "missing.png"), None]
    return paths, [*(good for _, good in files.values()), False, False]


def test_the_run_survives_every_awful_picture_and_says_what_was_wrong(tmp_path):
    paths, good = awful_pictures(tmp_path)
    encoded = encode_catalog(
        catalog_of(picture=paths), {"image": {"encoder": "colour-hog"}}, store=tmp_path / "store"
    )
    assert encoded.tables["image"].present.tolist() == good
    assert [item for _, item, _ in encoded.failures] == [
        f"i{row}" for row, fine in enumerate(good) if not fine
    ]
    assert counted(encoded.notes)["features_refused"] == 5
    note = next(note for note in encoded.notes if note.kind == "features_refused")
    assert note.warning
    assert note.examples == ("i1", "i2", "i10")
    assert "damaged" in note.sentence
    encoded.write_report(tmp_path / "failures.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text().splitlines()]
    assert lines[-1] == {"modality": "image", "item_id": "i13", "reason": "no picture"}
    assert len(lines) == good.count(False)


def test_the_run_survives_every_awful_text():
    texts = [
        *TEXTS,
        None,
        "",
        "  \n\t ",
        "\0\0",
        "red\0dress of wool",
        "🤖 dress",
        "dress " * 175_000,
        "?!",
        "東京 wool",
    ]
    encoded = encode_catalog(catalog_of(text=texts), {"text": {"encoder": "doc2vec", "dim": 8, "epochs": 2}})
    present = encoded.tables["text"].present[len(TEXTS) :]
    assert present.tolist() == [False, False, False, False, True, True, True, False, True]
    reasons = [reason for _, _, reason in encoded.failures]
    assert reasons[:4] == ["no text", "the text is blank", "the text is blank", "the text is blank"]


def test_a_catalog_without_any_picture_gives_a_table_of_nobody():
    encoded = encode_catalog(catalog_of(picture=[None, None]), {"image": {}})
    assert encoded.tables["image"].values.shape == (2, ColourHog(EncoderSettings()).dim)
    assert not encoded.tables["image"].present.any()


def test_identical_pictures_are_encoded_once_and_share_their_vector(tmp_path):
    catalog = write_pictures(tmp_path / "pictures", 3)
    paths = [*catalog.pictures, str(tmp_path / "copy.png")]
    Path(paths[3]).write_bytes(Path(paths[1]).read_bytes())
    encoded = encode_catalog(catalog_of(picture=paths), {"image": {}})
    values = encoded.tables["image"].values
    np.testing.assert_array_equal(values[3], values[1])
    assert counted(encoded.notes)["features_shared"] == 1
    assert "3 encoded" in str(encoded.notes[0])


def test_a_batch_with_one_poisonous_content_loses_that_one_alone(tmp_path):
    class Delicate(Slow):
        pause = 0.0

        def encode(self, prepared):
            if any(value[0] == poison[0] for value in prepared):
                raise RuntimeError("boom")
            return super().encode(prepared)

    catalog = write_pictures(tmp_path, 11)
    poison = Slow().prepare(Path(catalog.pictures[5]).read_bytes()).value
    encoded = encode_with(catalog, {"image": Delicate()})
    assert np.flatnonzero(~encoded.tables["image"].present).tolist() == [5]
    assert "boom" in encoded.failures[0][2]


def test_vectors_that_are_not_finite_are_refused(tmp_path):
    class Infinite(Slow):
        pause = 0.0

        def encode(self, prepared):
            values = super().encode(prepared)
            values[0] = np.inf
            return values

    encoded = encode_with(write_pictures(tmp_path, 4), {"image": Infinite()})
    assert encoded.tables["image"].present.sum() == 3
    assert "not finite" in encoded.failures[0][2]


def test_saved_encoders_give_new_items_the_vectors_of_old_ones(tmp_path):
    catalog = catalog_of(text=TEXTS, colour=["red", "green"] * 9)
    features = {
        "text": {"encoder": "doc2vec", "dim": 8, "epochs": 5},
        "facts": {"encoder": "columns", "columns": ["colour"]},
    }
    encoded = encode_catalog(catalog, features)
    encoded.save_encoders(tmp_path)
    fresh = encode_with(catalog_of(text=TEXTS[5:7], colour=["green", "red"]), load_encoders(tmp_path))
    for modality in features:
        np.testing.assert_allclose(
            fresh.tables[modality].values, encoded.tables[modality].values[5:7], atol=1e-6
        )
    assert not list(tmp_path.rglob("*.p*kl"))


def test_an_encoder_of_another_version_is_refused(tmp_path):
    encode_catalog(catalog_of(picture=[None]), {"image": {}}).save_encoders(tmp_path)
    path = tmp_path / "image" / "encoder.json"
    path.write_text(path.read_text().replace('"version": 3', '"version": 99'))
    seal(path)
    with pytest.raises(FeatureError, match="version 99"):
        load_encoder(tmp_path / "image")


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (
            {"image": {"encoder": "color-hog"}},
            "features.image: unknown encoder 'color-hog'; did you mean 'colour-hog'",
        ),
        (
            {"text": {"encoder": "doc2vec", "epoch": 3}},
            "unknown option features.text.epoch; did you mean 'epochs'",
        ),
        ({"audio": {}}, "option features.audio.encoder is required"),
        ({"text": {"source": "plot"}}, "features.text.source names column 'plot'"),
        ({"facts": {"encoder": "columns", "columns": ["colr"]}}, "columns names 'colr'"),
    ],
)
def test_config_mistakes_are_one_sentence(features, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("(", r"\(")):
        encode_catalog(catalog_of(text=TEXTS, colour=["red"] * 18), features)


def test_another_package_registers_an_encoder_by_entry_point(monkeypatch):
    class Length(CatalogEncoder):
        name = "length"
        input = "columns"
        Settings = EncoderSettings

        def encode_catalog(self, catalog, modality):
            values = np.array([[len(title)] for title in catalog.titles], np.float32)
            return EncodedColumns(values, np.ones(len(values), bool), {})

    class Point:
        name = "length"

        def load(self):
            return Length

    monkeypatch.setattr("irisrec.features.registry.entry_points", lambda group: [Point()])
    encoded = encode_catalog(catalog_of(title=["abc", "a"]), {"title": {"encoder": "length"}})
    assert encoded.tables["title"].values.tolist() == [[3.0], [1.0]]


def test_another_column_can_be_the_source():
    encoded = encode_catalog(
        catalog_of(plot=TEXTS), {"plot": {"encoder": "doc2vec", "source": "plot", "dim": 8, "epochs": 2}}
    )
    assert encoded.tables["plot"].present.all()
