"""What the Hugging Face encoders share: finding a model, loading it whole, running it in the right precision."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from irisrec.errors import ConfigError, FeatureError, some
from irisrec.features.encoders.base import ContentEncoder, EncoderSettings
from irisrec.features.encoders.slices import on_all_cores
from irisrec.files import sha256

SLICE = 8  # contents that a core takes at once
WEIGHTS = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")


class HuggingFaceSettings(EncoderSettings):
    """Options of both Hugging Face encoders.

    Attributes:
        model: name of a model on the hub, or a folder (absolute, or below the data root).
        revision: version of the model on the hub; None means the newest.
        batch_size: contents per call of the model.
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
        precision: numbers the model computes with; ``auto`` means float16 on a GPU and float32 elsewhere.
        compile: compile the model first, which pays from some ten thousand contents on.
    """

    model: str
    revision: str | None = None
    batch_size: int = Field(default=32, ge=1)
    device: str = "auto"
    precision: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    compile: bool = False


class HuggingFaceEncoder(ContentEncoder):
    """A model of `transformers`, loaded when the first content comes that is not in the store."""

    unkeyed = frozenset(
        {"source", "workers", "model", "revision", "batch_size", "device", "precision", "compile"}
    )
    purpose = "model"

    def __init__(self, settings: Any, root: Path = Path()) -> None:
        super().__init__(settings, root)
        library()
        self.batch_size = settings.batch_size

    @cached_property
    def place(self) -> str:
        """The folder of the model, or its name on the hub."""
        for folder in (self.root / self.settings.model, Path(self.settings.model).expanduser()):
            if folder.is_dir():
                return str(folder)
        return str(self.settings.model)

    @cached_property
    def config(self) -> Any:
        """The model's own configuration."""
        with speaking_plainly(self.settings.model):
            return library().AutoConfig.from_pretrained(self.place, revision=self.settings.revision)

    @cached_property
    def device(self) -> Any:
        """The torch device the model runs on."""
        import torch

        if self.settings.device != "auto":
            return torch.device(self.settings.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def precision(self) -> str:
        """The number type the model computes with."""
        if self.settings.precision != "auto":
            return str(self.settings.precision)
        return "float16" if self.device.type == "cuda" else "float32"

    def identity(self) -> dict[str, Any]:
        """Return what decides the vectors: the weights themselves, not the place they came from."""
        return {**super().identity(), "weights": self._fingerprint, "precision": self.precision}

    @cached_property
    def _fingerprint(self) -> str:
        """Hash of the files of a local folder, or the commit on the hub."""
        folder = Path(self.place)
        if not folder.is_dir():
            return str(getattr(self.config, "_commit_hash", None) or self.place)
        files = sorted({path for pattern in WEIGHTS for path in folder.rglob(pattern)})
        return sha256(*(part for path in files for part in (path.name, file_hash(path))))[:16]

    def on_model(self, contents: Sequence[Any]) -> NDArray[np.float32]:
        """Return the vectors of prepared contents, (n, F), batch by batch on a GPU and slice by slice on cores."""
        _ = self._model  # loaded here, before several threads ask for it
        whole = self.device.type != "cpu" or self.settings.compile
        step = self.batch_size if whole else SLICE
        slices = [contents[start : start + step] for start in range(0, len(contents), step)]
        return np.concatenate(
            [self._run(part) for part in slices] if whole else on_all_cores(self._run, slices)
        )

    @abstractmethod
    def _run(self, contents: Sequence[Any]) -> NDArray[np.float32]:
        """Return the vectors of so many prepared contents as the model takes at once, (n, F)."""

    @cached_property
    def _model(self) -> Any:
        raise NotImplementedError

    def load_model(self, **options: Any) -> tuple[Any, set[str]]:
        """Load the weights for reading only; return the model and the names of weights that the files lack."""
        import torch

        transformers = library()
        with speaking_plainly(self.settings.model):
            model, report = self._loader(transformers).from_pretrained(
                self.place,
                revision=self.settings.revision,
                dtype=getattr(torch, self.precision),
                output_loading_info=True,
                **options,
            )
        missing = {str(name) for name in report["missing_keys"]}
        if lost := sorted(name for name in missing if "pooler" not in name):
            raise FeatureError(
                f"the files of {self.settings.model!r} lack {len(lost)} of the model's weights: {some(lost)}"
            )
        model = model.to(self.device).eval().requires_grad_(False)
        return model, missing

    def _loader(self, transformers: Any) -> Any:
        return transformers.AutoModel


def library() -> Any:
    """Return the `transformers` module; where it is not installed, say how to install it."""
    try:
        import transformers
    except ImportError:
        raise ConfigError(
            "encoders by Hugging Face need the package transformers; install it with: pip install 'irisrec[encoders]'"
        ) from None
    return transformers


@contextmanager
def speaking_plainly(model: str) -> Iterator[None]:
    """Turn the library's own errors into one sentence, and keep its loading bars off the screen."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = " ".join(str(error).split())[:240]
        raise FeatureError(
            f"the model {model!r} is no folder here and cannot be loaded by name either: {first}"
            if not Path(model).is_dir()
            else f"the model in {model!r} cannot be loaded: {first}"
        ) from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def file_hash(path: Path) -> str:
    """Hash a file of any size in bounded memory."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
