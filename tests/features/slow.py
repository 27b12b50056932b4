"""A small encoder that writes down every batch it begins, and a command that runs it in a process of its own."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisrec.features.encode import encode_with
from irisrec.features.encoders.base import ContentEncoder, EncoderSettings, Prepared
from irisrec.features.pictures import decode
from tests.features.content import write_pictures


class Slow(ContentEncoder):
    name = "slow"
    input = "picture"
    batch_size = 4
    dim = 3
    pause = 0.03

    def __init__(self, log: Path | None = None) -> None:
        super().__init__(EncoderSettings(workers=2))
        self.log = log

    def prepare(self, content: Any) -> Prepared:
        return Prepared(np.asarray(decode(content), np.float32).mean(axis=(0, 1)))

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{len(prepared)}\n")
        time.sleep(self.pause)
        return np.stack(prepared)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have switched off
    pictures, store, log, n = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    encode_with(write_pictures(pictures, n), {"image": Slow(log)}, store=store)
