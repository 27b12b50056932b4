from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from irisrec.cli.main import main
from tests.features.content import write_pictures

CONFIG = """
[data]
source = "tables"
interactions = "interactions.csv"
items = "items.csv"
pictures = "picture"

[features.image]
encoder = "colour-hog"

[features.text]
encoder = "doc2vec"
epochs = 2
dim = 8
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "cache"))
    catalog = write_pictures(tmp_path / "pictures", 8).frame.with_columns(
        text=pl.Series(["a red dress", "a blue dress"] * 3 + [None, "a red shirt"])
    )
    (tmp_path / "pictures" / "3.png").write_bytes(b"broken")
    catalog.write_csv(tmp_path / "items.csv")
    pairs = [{"user_id": f"u{user}", "item_id": f"i{item}"} for user in range(3) for item in range(8)]
    pl.DataFrame(pairs).write_csv(tmp_path / "interactions.csv")
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["irisrec", *map(str, words)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_encode_writes_vectors_and_reasons_and_does_nothing_twice(config, monkeypatch, capsys):
    out, root = config.parent / "out", f"data.root={config.parent}"
    assert command(monkeypatch, "encode", config, "--set", root, "--out", out) == 0
    said = capsys.readouterr()
    assert "image: 7 of 8 items" in said.out
    assert "i3: the file is not a picture" in said.err.replace("\n", " ")
    assert pl.read_parquet(out / "image.parquet").shape == (7, 2)
    reasons = [json.loads(line)["reason"] for line in (out / "failures.jsonl").read_text().splitlines()]
    assert len(reasons) == 2

    assert command(monkeypatch, "encode", config, "--set", root, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["modalities"]["image"] == {"present": 7, "dim": 576}
    assert all("encoded" not in n["sentence"] or "; 0 encoded" in n["sentence"] for n in printed["notes"][:1])


def test_features_looks_at_a_file(config, monkeypatch, capsys):
    out = config.parent / "out"
    command(monkeypatch, "encode", config, "--set", f"data.root={config.parent}", "--out", out)
    capsys.readouterr()
    assert command(monkeypatch, "features", out / "text.parquet", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["modality"], found["dim"], found["present"]) == ("text", 8, 7)
    assert [len(group) for group in found["duplicate_groups"]] == [3, 3]
    assert command(monkeypatch, "features", out / "text.parquet", "--sheet", out) == 2


def test_mistakes_are_one_line(config, monkeypatch, capsys):
    code = command(
        monkeypatch, "encode", config, "--set", f"data.root={config.parent}", "--set", "features.image.x=1"
    )
    assert code == 1
    assert (
        capsys.readouterr()
        .err.strip()
        .endswith("irisrec: unknown option features.image.x; known: source, workers")
    )
