"""Texts through any text model of Hugging Face, with the model's own tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from irisrec.errors import ConfigError
from irisrec.features.encoders.base import Prepared, refuse
from irisrec.features.encoders.huggingface import (
    HuggingFaceEncoder,
    HuggingFaceSettings,
    library,
    speaking_plainly,
)
from irisrec.files import read_json

OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer")


class HuggingFaceTextSettings(HuggingFaceSettings):
    """Options of the text encoder.

    Attributes:
        pooling: ``cls`` (first token), ``mean`` (over all tokens), or ``pooler`` (the model's trained pooler); None
            means what a sentence-transformers folder says, and ``mean`` for any other model.
        max_length: tokens per call of the model; None means what the model was made for.
        long: a longer text is cut (``truncate``), or its pieces are averaged by their length (``chunk``).
        max_chunks: pieces of one text that are read; what stands behind is cut.
    """

    pooling: Literal["cls", "mean", "pooler"] | None = None
    max_length: int | None = Field(default=None, ge=8)
    long: Literal["truncate", "chunk"] = "truncate"
    max_chunks: int = Field(default=16, ge=1)


class HuggingFaceText(HuggingFaceEncoder):
    """Pooled token vectors of a text model."""

    name = "huggingface-text"
    input = "text"
    Settings = HuggingFaceTextSettings
    shortened = "with a text longer than the model reads: its end was cut"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._one_at_a_time = Lock()

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self.encode([self.prepare("a").value]).shape[1])

    def size(self, content: Any) -> int:
        """Length of the text: texts of like length share a batch, which spares padding."""
        return len(content or "")

    def identity(self) -> dict[str, Any]:
        """Return what decides the vectors, the pooling and length of this model included."""
        return {**super().identity(), "pooling": self.pooling, "max_length": self.max_length}

    def prepare(self, content: str) -> Prepared:
        """Cut the text into tokens, and the tokens into pieces that the model can read."""
        with self._one_at_a_time:  # a tokenizer keeps settings of the last call and is not safe in threads
            found = self._tokenizer(
                content,
                truncation=True,
                max_length=self.max_length,
                return_overflowing_tokens=True,
                return_special_tokens_mask=True,
            )
        pieces = [list(piece) for piece in found["input_ids"]]
        allowed = self.settings.max_chunks if self.settings.long == "chunk" else 1
        if all(found["special_tokens_mask"][0]):
            raise refuse("the tokenizer of the model finds nothing in the text")
        return Prepared(pieces[:allowed], shortened=len(pieces) > allowed)

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Run the model on all pieces, and average those of one text by their length."""
        pieces = [piece for text in prepared for piece in text]
        owner = np.repeat(np.arange(len(prepared)), [len(text) for text in prepared])
        order = sorted(
            range(len(pieces)), key=lambda i: -len(pieces[i])
        )  # like lengths together: less padding
        found = self.on_model([pieces[row] for row in order])
        vectors = np.empty_like(found)
        vectors[order] = found
        weights = np.array([len(piece) for piece in pieces], np.float64)
        total = np.bincount(owner, weights)
        summed = np.zeros((len(prepared), vectors.shape[1]))
        np.add.at(summed, owner, vectors * weights[:, None])
        averaged = summed / total[:, None]
        if self._normalised:
            averaged /= np.maximum(np.linalg.norm(averaged, axis=1, keepdims=True), 1e-12)
        return averaged.astype(np.float32)

    @cached_property
    def pooling(self) -> str:
        """How token vectors become one vector."""
        if self.settings.pooling:
            return str(self.settings.pooling)
        said = _read(Path(self.place) / "1_Pooling" / "config.json")
        return "cls" if said.get("pooling_mode_cls_token") else "mean"

    @cached_property
    def max_length(self) -> int:
        """Tokens per call of the model, its special tokens included."""
        own = getattr(self.config, "max_position_embeddings", None) or 512
        own -= 2 if self.config.model_type in OFFSET_POSITIONS else 0
        said = _read(Path(self.place) / "sentence_bert_config.json").get("max_seq_length") or own
        asked = self.settings.max_length or min(said, self._tokenizer.model_max_length)
        return int(min(own, asked)) if own > 0 else int(asked)

    @property
    def _normalised(self) -> bool:
        return (Path(self.place) / "2_Normalize").is_dir() and self.settings.pooling is None

    def _run(self, contents: Sequence[Any]) -> NDArray[np.float32]:
        import torch

        batch = self._tokenizer.pad({"input_ids": list(contents)}, return_tensors="pt").to(self.device)
        mask = batch["attention_mask"]
        with torch.inference_mode():
            out = self._model(input_ids=batch["input_ids"], attention_mask=mask)
            if self.pooling == "pooler":
                vectors = out.pooler_output
            elif self.pooling == "cls":
                vectors = out.last_hidden_state[:, 0]
            else:
                weights = mask[..., None].to(torch.float32)
                vectors = (out.last_hidden_state.float() * weights).sum(dim=1) / weights.sum(dim=1)
            return np.asarray(vectors.float().cpu().numpy(), np.float32)

    @cached_property
    def _tokenizer(self) -> Any:
        with speaking_plainly(self.settings.model):
            return library().AutoTokenizer.from_pretrained(self.place, revision=self.settings.revision)

    @cached_property
    def _model(self) -> Any:
        import torch

        model, missing = self.load_model()
        if self.pooling == "pooler" and (any("pooler" in name for name in missing) or not _has_pooler(model)):
            raise ConfigError(
                f"pooling 'pooler' needs a trained pooler, the model {self.settings.model!r} has none; "
                "use pooling = 'mean' or 'cls'"
            )
        return torch.compile(model) if self.settings.compile else model


def _has_pooler(model: Any) -> bool:
    return getattr(model, "pooler", None) is not None


def _read(path: Path) -> dict[str, Any]:
    found = read_json(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}
