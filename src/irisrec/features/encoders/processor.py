"""A vision model's own image processor, in two parts: what one picture needs alone, and arithmetic on the batch.

The processors of `transformers` work in NumPy, picture by picture, and their arithmetic takes longer than decoding.
Most of them resize with Pillow, cut out the middle, and scale the values. Where a processor does just that, a picture
stays bytes until its batch lies on the model's device. Whether it does is tried out on a few pictures; a processor
that does anything else runs itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TRIALS = (
    (61, 97),
    (97, 61),
    (300, 40),
    (70, 70),
)  # width and height of the pictures on which both ways are compared
TOLERANCE = 1e-5
WARPED_FROM = 384  # side from which processors with a `crop_pct` warp a picture instead of cropping it

Side = tuple[int, int]  # width, height


class PictureProcessor:
    """Pixels for a vision model, equal to those of the model's own processor.

    Attributes:
        steps: what the processor does, None where it must run itself.
    """

    def __init__(self, own: Any) -> None:
        self._own = own
        self.steps = Steps.of(own.to_dict())
        if self.steps is not None and not self._agrees(self.steps):
            self.steps = None

    @property
    def identity(self) -> str:
        """Name whose arithmetic makes the pixels: the installed libraries decide which class a model's own one is."""
        return "pillow" if self.steps is not None else type(self._own).__name__

    def pixels(self, picture: Image.Image) -> NDArray[Any]:
        """Prepare one RGB picture: bytes (height, width, 3), or what the model's processor gives (3, height, width)."""
        return self._complete(picture) if self.steps is None else self.steps.cut(picture)

    def batch(self, pixels: Sequence[NDArray[Any]], device: Any) -> Any:
        """Finish prepared pictures on the device; float32 (n, 3, height, width)."""
        import torch

        stacked = torch.from_numpy(np.stack(pixels)).to(device)
        return stacked if self.steps is None else self.steps.scale(stacked)

    def _complete(self, picture: Image.Image) -> NDArray[np.float32]:
        out = self._own(np.asarray(picture), input_data_format="channels_last", return_tensors="np")
        return np.asarray(out["pixel_values"][0], np.float32)

    def _agrees(self, steps: Steps) -> bool:
        rng = np.random.default_rng(0)
        for width, height in TRIALS:
            picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
            ours, theirs = self.batch([steps.cut(picture)], "cpu")[0].numpy(), self._complete(picture)
            if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=0, atol=TOLERANCE):
                return False
        return True


@dataclass(frozen=True)
class Steps:
    """Resize, crop, scale: what most image processors do.

    Attributes:
        size: width and height after resizing, or the shorter side alone, which keeps the shape.
        crop: width and height of the middle that is cut out; None keeps all.
        filter: of Pillow.
        factor, offset: per channel, value of the model = factor * byte + offset.
    """

    size: Side | int
    crop: Side | None
    filter: Image.Resampling
    factor: tuple[float, ...]
    offset: tuple[float, ...]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Steps | None:
        """Read the steps from the settings of a processor; None where they say something else."""
        try:
            size, crop = _geometry(said)
            rescale = said["rescale_factor"] if said["do_rescale"] else 1.0
            mean, std = (said["image_mean"], said["image_std"]) if said["do_normalize"] else ((0.0,), (1.0,))
            factor, offset = rescale / np.array(std), -np.array(mean) / std
            return cls(size, crop, Image.Resampling(said["resample"]), tuple(factor), tuple(offset))
        except (KeyError, TypeError, ValueError):
            return None

    def cut(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Resize one picture and cut out its middle; (height, width, 3)."""
        resized = picture.resize(_fit(picture.size, self.size), self.filter)
        if self.crop is None:
            return np.asarray(resized)
        left, top = ((side - kept) // 2 for side, kept in zip(resized.size, self.crop, strict=True))
        return np.asarray(resized.crop((left, top, left + self.crop[0], top + self.crop[1])))

    def scale(self, pixels: Any) -> Any:
        """Turn bytes (n, height, width, 3) into the model's values (n, 3, height, width)."""
        import torch

        factor, offset = (torch.tensor(values, dtype=torch.float32, device=pixels.device).view(-1, 1, 1)
                          for values in (self.factor, self.offset))  # fmt: skip
        return pixels.permute(0, 3, 1, 2).to(torch.float32).mul_(factor).add_(offset)


def _geometry(said: Mapping[str, Any]) -> tuple[Side | int, Side | None]:
    """Return what `Steps` calls size and crop."""
    if not said["do_resize"]:
        raise ValueError("pictures keep their size")
    crop = _side(**said["crop_size"]) if said.get("do_center_crop") else None
    if "shortest_edge" not in said["size"]:
        return _within(crop, _side(**said["size"]))
    (shorter,) = said["size"].values()
    if "crop_pct" not in said:
        return _within(crop, shorter)
    if shorter >= WARPED_FROM:
        return (shorter, shorter), None
    return int(shorter / said["crop_pct"]), (shorter, shorter)


def _side(height: int, width: int) -> Side:
    return width, height


def _within(crop: Side | None, size: Side | int) -> tuple[Side | int, Side | None]:
    least = (size, size) if isinstance(size, int) else size
    if crop and (crop[0] > least[0] or crop[1] > least[1]):
        raise ValueError("the middle is larger than the picture")
    return size, crop


def _fit(picture: Side, size: Side | int) -> Side:
    """Return the size after resizing; a single number becomes the shorter side, and the longer one is rounded down."""
    if not isinstance(size, int):
        return size
    width, height = picture
    return (size, int(size * height / width)) if width <= height else (int(size * width / height), size)
