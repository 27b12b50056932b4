"""Small models with random weights, saved to disk, stand for the large ones: nothing is downloaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from irisrec.errors import ConfigError, FeatureError
from irisrec.features.encode import encode_catalog, encode_with
from irisrec.features.saved import load_encoders
from irisrec.features.table import FeatureTable
from irisrec.files import write_json
from irisrec.notes import counted
from tests.features.content import catalog_of, picture, write_pictures
from tests.features.test_encode import awful_pictures

os.environ["HF_HUB_OFFLINE"] = "1"
transformers = pytest.importorskip("transformers")

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a the robot love story of in space with film shop red dress , . 東 🤖"
TEXTS = ["a robot love story", "the film .", "red dress in the shop , with love", "東 🤖"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    seeing = small | {"image_size": 32, "patch_size": 8}
    resnet = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 32, 64], depths=[1, 1, 1, 1])
    vit, clip = transformers.ViTConfig(**seeing), transformers.CLIPVisionConfig(**seeing, projection_dim=16)
    reader = transformers.BertConfig(**small, vocab_size=40, max_position_embeddings=16)
    for name, model in {
        "resnet": transformers.ResNetModel(resnet),
        "vit": transformers.ViTModel(vit),
        "vit-classifier": transformers.ViTForImageClassification(vit),
        "clip": transformers.CLIPVisionModelWithProjection(clip),
        "clip-tower": transformers.CLIPVisionModel(clip),
        "bert": transformers.BertModel(reader),
        "bert-without-pooler": transformers.BertForMaskedLM(reader),
    }.items():
        if name != "resnet":  # fresh weights of attention are so small that all contents look alike
            for parameter in model.parameters():
                torch.nn.init.normal_(parameter, std=0.2)
        model.save_pretrained(folder / name)
    transformers.ConvNextImageProcessor(size={"shortest_edge": 64}).save_pretrained(folder / "resnet")
    for name in ("vit", "vit-classifier"):
        transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder / name)
    for name in ("clip", "clip-tower"):
        processor = transformers.CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        )
        processor.save_pretrained(folder / name)
    for name in ("bert", "bert-without-pooler"):
        vocabulary = {word: row for row, word in enumerate(WORDS.split())}
        tokenizer = transformers.BertTokenizer(vocab=vocabulary, model_max_length=16)
        tokenizer.save_pretrained(folder / name)
    return folder


def seen(catalog, model: Path, **options) -> FeatureTable:
    features = {"image": {"encoder": "huggingface-picture", "model": str(model), **options}}
    return encode_catalog(catalog, features).tables["image"]


def read(texts: list, model: Path, **options):
    features = {"text": {"encoder": "huggingface-text", "model": str(model), **options}}
    return encode_catalog(catalog_of(text=texts), features)


def test_vectors_of_another_processor_are_not_taken_from_the_store(models, tmp_path, monkeypatch):
    catalog = write_pictures(tmp_path, 3)
    features = {"image": {"encoder": "huggingface-picture", "model": str(models / "vit")}}
    store = tmp_path / "store"
    encode_catalog(catalog, features, store=store)
    first = set(store.rglob("*.parquet")) | set(store.rglob("*.safetensors"))

    def inverted(self, *args, **kwargs):
        return transformers.BatchFeature(
            {"pixel_values": [-1.0 - own(self, *args, **kwargs)["pixel_values"][0]]}
        )

    own = transformers.ViTImageProcessor.__call__
    monkeypatch.setattr(transformers.ViTImageProcessor, "__call__", inverted)
    encode_catalog(catalog, features, store=store)
    assert first < set(store.rglob("*.parquet")) | set(store.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("name", "output", "dim"),
    [("resnet", "pooler_output", 64), ("vit", "pooler_output", 32), ("clip", "image_embeds", 16),
     ("clip-tower", "pooler_output", 32)],
)  # fmt: skip
def test_pictures_are_what_their_own_processor_and_model_give(models, tmp_path, name, output, dim):
    catalog = write_pictures(tmp_path, 5)
    kind = transformers.CLIPVisionModelWithProjection if name == "clip" else transformers.AutoModel
    model = kind.from_pretrained(models / name).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(models / name)
    inputs = processor([Image.open(path) for path in catalog.pictures], return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs)[output].flatten(1).numpy()
    table = seen(catalog, models / name, batch_size=2)
    assert table.values.shape == (5, dim)
    np.testing.assert_allclose(table.values, expected, rtol=1e-4, atol=1e-5)
    assert np.std(table.values, axis=0).max() > 1e-2


def test_a_model_without_a_trained_pooler_gives_its_class_token_not_random_numbers(models, tmp_path):
    catalog = write_pictures(tmp_path, 3)
    first, second = (seen(catalog, models / "vit-classifier").values for _ in range(2))
    np.testing.assert_array_equal(first, second)
    model = transformers.ViTForImageClassification.from_pretrained(models / "vit-classifier").eval()
    processor = transformers.AutoImageProcessor.from_pretrained(models / "vit-classifier")
    inputs = processor([Image.open(path) for path in catalog.pictures], return_tensors="pt")
    with torch.inference_mode():
        expected = model.vit(**inputs).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5)


def test_a_dot_and_a_very_long_strip_are_encoded_and_the_strip_counted(models, tmp_path):
    Image.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    picture(0, (30_000, 20)).save(tmp_path / "strip.png")
    catalog = catalog_of(picture=[str(tmp_path / "dot.png"), str(tmp_path / "strip.png")])
    features = {"image": {"encoder": "huggingface-picture", "model": str(models / "resnet")}}
    encoded = encode_catalog(catalog, features, store=tmp_path / "store")
    assert encoded.tables["image"].present.all()
    assert counted(encoded.notes)["features_shortened"] == 1
    again = encode_catalog(catalog, features, store=tmp_path / "store")
    assert counted(again.notes)["features_shortened"] == 1


def test_awful_pictures_end_as_present_or_as_a_reason(models, tmp_path):
    paths, good = awful_pictures(tmp_path)
    assert seen(catalog_of(picture=paths), models / "vit").present.tolist() == good


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_texts_are_what_their_own_tokenizer_and_model_give(models, pooling):
    model = transformers.AutoModel.from_pretrained(models / "bert").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(models / "bert")
    for text, found in zip(TEXTS, read(TEXTS, models / "bert", pooling=pooling, batch_size=3).tables["text"].values,
                           strict=True):  # fmt: skip
        with torch.inference_mode():
            out = model(**tokenizer(text, return_tensors="pt"))
        hidden = out.last_hidden_state[0]
        expected = {"cls": hidden[0], "mean": hidden.mean(dim=0), "pooler": out.pooler_output[0]}[pooling]
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_long_texts_are_cut_and_counted_or_averaged_by_pieces(models):
    long = " ".join(["red dress"] * 14 + ["robot"] * 7)  # 35 tokens: pieces of 14, 14 and 7
    cut = read([long, "robot"], models / "bert")
    assert counted(cut.notes)["features_shortened"] == 1
    start = read([" ".join(["red dress"] * 7)], models / "bert").tables["text"].values[0]
    np.testing.assert_allclose(cut.tables["text"].values[0], start, atol=1e-5)

    chunked = read([long], models / "bert", long="chunk")
    assert "features_shortened" not in counted(chunked.notes)
    end = read([" ".join(["robot"] * 7)], models / "bert").tables["text"].values[0]
    expected = (16 * start + 16 * start + 9 * end) / 41
    np.testing.assert_allclose(chunked.tables["text"].values[0], expected, atol=1e-5)
    assert counted(read([long], models / "bert", long="chunk", max_chunks=2).notes)["features_shortened"] == 1


def test_awful_texts_end_as_present_or_as_a_reason(models):
    texts = [None, " ", "\0", "robot\0film", "東 🤖 unknownword", "film " * 200_000]
    encoded = read(texts, models / "bert", long="chunk")
    assert encoded.tables["text"].present.tolist() == [False, False, False, True, True, True]


def test_batches_do_not_change_a_vector(models):
    alone = [read([text], models / "bert").tables["text"].values[0] for text in TEXTS]
    np.testing.assert_allclose(
        read(TEXTS, models / "bert").tables["text"].values, alone, rtol=1e-4, atol=1e-5
    )


def test_a_folder_of_sentence_transformers_says_its_own_pooling(models, tmp_path):
    folder = tmp_path / "sentences"
    folder.mkdir()
    for path in (models / "bert").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "1_Pooling").mkdir()
    write_json(
        folder / "1_Pooling" / "config.json",
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    )
    (folder / "2_Normalize").mkdir()
    expected = read(TEXTS, models / "bert", pooling="cls").tables["text"].values
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(read(TEXTS, folder).tables["text"].values, expected, atol=1e-5)


def test_a_pooler_that_was_never_trained_is_refused(models):
    with pytest.raises(ConfigError, match="use pooling = 'mean' or 'cls'"):
        read(TEXTS, models / "bert-without-pooler", pooling="pooler")
    assert read(TEXTS, models / "bert-without-pooler").tables["text"].present.all()


def test_other_weights_in_the_same_folder_are_other_vectors_in_the_store(models, tmp_path):
    folder, store = tmp_path / "model", tmp_path / "store"
    folder.mkdir()
    for path in (models / "bert").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    features = {"text": {"encoder": "huggingface-text", "model": "model"}}
    encoded = encode_catalog(catalog_of(text=TEXTS), features, tmp_path, store)
    encoded.save_encoders(tmp_path / "saved")
    again = encode_with(catalog_of(text=TEXTS), load_encoders(tmp_path / "saved", tmp_path), store=store)
    assert "0 encoded, 4 from the store" in str(again.notes[0])
    (folder / "model.safetensors").write_bytes(
        (models / "bert-without-pooler" / "model.safetensors").read_bytes()
    )
    assert "4 encoded, 0 from the store" in str(
        encode_catalog(catalog_of(text=TEXTS), features, tmp_path, store).notes[0]
    )
    with pytest.raises(FeatureError, match="its vectors would not fit"):
        load_encoders(tmp_path / "saved", tmp_path)


def test_a_model_that_is_nowhere_is_one_sentence(models, tmp_path):
    with pytest.raises(FeatureError, match="'nobody/nothing' is no folder here"):
        read(TEXTS, Path("nobody/nothing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FeatureError, match="cannot be loaded"):
        read(TEXTS, tmp_path / "empty")


def test_a_missing_extra_is_reported_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match=r"pip install 'irisrec\[encoders\]'"):
        read(TEXTS, Path("any"))
