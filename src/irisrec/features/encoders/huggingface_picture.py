"""Pictures through any vision model of Hugging Face, with the model's own processor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisrec.features.encoders.base import Prepared
from irisrec.features.encoders.huggingface import (
    HuggingFaceEncoder,
    HuggingFaceSettings,
    library,
    speaking_plainly,
)
from irisrec.features.encoders.processor import PictureProcessor
from irisrec.features.pictures import decode

LONGEST = 20  # times the shorter side; beyond, the middle is used, as resizing would fill the memory


class HuggingFacePicture(HuggingFaceEncoder):
    """Projected or pooled output of a vision model.

    The vector is, in this order, the first that the model has: the projection trained for comparison (CLIP), the output
    of a trained pooler (ResNet: 2,048 numbers for ResNet-50), the class token.
    """

    name = "huggingface-picture"
    input = "picture"
    Settings = HuggingFaceSettings
    shortened = f"with a picture more than {LONGEST} times as long as wide: the middle was used"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loading = Lock()

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self.encode([self._processor.pixels(Image.new("RGB", (32, 32), "white"))]).shape[1])

    def identity(self) -> dict[str, Any]:
        """Return what decides the vectors; another processor gives other ones from the same weights."""
        return {**super().identity(), "processor": self._processor.identity}

    def prepare(self, content: Any) -> Prepared:
        """Decode the picture and bring it to the size of the model, as the model's processor does."""
        with self._loading:
            processor = self._processor
        picture = decode(content)
        middle = _middle(picture)
        return Prepared(processor.pixels(middle), shortened=middle is not picture)

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Run the model on prepared pictures."""
        return self.on_model(prepared)

    def _run(self, contents: Sequence[Any]) -> NDArray[np.float32]:
        import torch

        pixels = self._processor.batch(contents, self.device).to(getattr(torch, self.precision))
        kept = torch.channels_last if self._convolutional else torch.contiguous_format
        with torch.inference_mode():
            vectors = self._vectors(pixels.contiguous(memory_format=kept))
            return np.asarray(vectors.float().cpu().numpy(), np.float32)

    def _vectors(self, pixels: Any) -> Any:
        model, has_pooler = self._model
        if hasattr(model, "get_image_features"):
            out = model.get_image_features(pixel_values=pixels)
            return out if not hasattr(out, "pooler_output") else out.pooler_output
        out = model(pixel_values=pixels)
        if (projected := getattr(out, "image_embeds", None)) is not None:
            return projected
        if has_pooler and (pooled := getattr(out, "pooler_output", None)) is not None:
            return pooled.flatten(1)
        hidden = out.last_hidden_state
        return hidden.mean(dim=(2, 3)) if hidden.ndim == 4 else hidden[:, 0]

    @cached_property
    def _processor(self) -> PictureProcessor:
        load = library().AutoImageProcessor.from_pretrained
        with speaking_plainly(self.settings.model):
            return PictureProcessor(load(self.place, revision=self.settings.revision))

    @cached_property
    def _model(self) -> tuple[Any, bool]:
        import torch

        model, missing = self.load_model()
        if self._convolutional:
            model = model.to(memory_format=torch.channels_last)
        compiled = torch.compile(model) if self.settings.compile else model
        return compiled, not any("pooler" in name for name in missing)

    @cached_property
    def _convolutional(self) -> bool:
        return hasattr(self.config, "embedding_size") or "conv" in self.config.model_type

    def _loader(self, transformers: Any) -> Any:
        """Prefer the class with a projection, where the weights were saved from one."""
        name = (getattr(self.config, "architectures", None) or [""])[0]
        found = getattr(transformers, name, None) if name.endswith("WithProjection") else None
        return found or transformers.AutoModel


def _middle(picture: Image.Image) -> Image.Image:
    short, long = sorted(picture.size)
    if long <= LONGEST * short:
        return picture
    width, height = (min(side, LONGEST * short) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
