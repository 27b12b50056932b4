"""The loops that a person would write in a notebook: batch by batch, everything by turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from irisrec.features.encoders.base import ContentEncoder


def batches(contents: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(contents), size):
        yield contents[start : start + size]


def own_loop(encoder: ContentEncoder, contents: Sequence[Any]) -> Callable[[], None]:
    """Prepare and encode with an encoder that has no other library behind it."""

    def run() -> None:
        for batch in batches(contents, encoder.batch_size):
            encoder.encode([encoder.prepare(content).value for content in batch])

    return run


def picture_loop(folder: Path, device: Any, paths: Sequence[str], size: int) -> Callable[[], None]:
    """Pictures through a model and its processor, by the functions of Pillow and transformers alone."""
    import torch
    import transformers
    from PIL import Image

    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval().to(device)

    def run() -> None:
        for batch in batches(paths, size):
            inputs = processor([Image.open(path).convert("RGB") for path in batch], return_tensors="pt")
            with torch.inference_mode():
                model(**inputs.to(device)).pooler_output.flatten(1).cpu().numpy()

    return run


def text_loop(folder: Path, device: Any, texts: Sequence[str], size: int) -> Callable[[], None]:
    """Texts through a model and its tokenizer, in the order of the catalog, averaged over the tokens."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval().to(device)

    def run() -> None:
        for batch in batches(texts, size):
            inputs = tokenizer(list(batch), padding=True, truncation=True, return_tensors="pt").to(device)
            with torch.inference_mode():
                hidden, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
                ((hidden * mask).sum(dim=1) / mask.sum(dim=1)).cpu().numpy()

    return run
