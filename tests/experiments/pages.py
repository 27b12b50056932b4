"""Report pages read as HTML, and a small world to report on."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.run import train

N_USERS, N_ITEMS = 60, 30
HOSTILE = """<script>alert("1")</script> & 'x' {{ 7*7 }}"""
VOID = {"meta", "img", "br", "path", "use", "rect", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements of a page with their attributes, its text, and tags that were not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def write_world(root: Path) -> None:
    """Two groups of users, each with its half of the items; odd titles, some pictures missing or damaged."""
    rng = np.random.default_rng(0)
    pairs = [
        (f"u{user:02d}", f"i{item:02d}")
        for user in range(N_USERS)
        for item in rng.choice(N_ITEMS // 2, 9, replace=False) + (user % 2) * (N_ITEMS // 2)
    ]
    root.mkdir()
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    titles = [HOSTILE if item % 2 else f"Ünïcode кот {item}" for item in range(N_ITEMS)]
    texts = [
        "green tea leaf garden" if item < N_ITEMS // 2 else "steel bolt wrench" for item in range(N_ITEMS)
    ]
    pictures = [f"{item}.png" if item % 3 else None for item in range(N_ITEMS)]
    for item, name in enumerate(pictures):
        if name:
            Image.new("RGB", (300, 200), (item * 8, 90, 160)).save(root / name)
    (root / "1.png").write_bytes(b"no picture")
    catalog = {"item_id": [f"i{item:02d}" for item in range(N_ITEMS)], "title": titles, "text": texts}
    pl.DataFrame({**catalog, "file": pictures}).write_csv(root / "items.csv")


def run_in(root: Path, out: Path, **sections: Any) -> RunFolder:
    config = {
        "data": {"root": root, "interactions": "pairs.csv", "items": "items.csv", "pictures": "file"},
        "features": {"image": {"encoder": "colour-hog"}},
        "model": {"name": "image-iris", "dim": 8, "hidden": 8},
        "training": {"epochs": 2, "learning_rate": 0.05},
    }
    train(ExperimentConfig.read(config | sections), out)
    return RunFolder(out)
