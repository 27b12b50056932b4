"""How near encoding comes to the limits of decoding and of the model, side by side in one run.

    python benchmarks/encoding.py                       contents per second, every encoder
    python benchmarks/encoding.py --only resnet-50      one of them
    python benchmarks/encoding.py --pictures FOLDER     your pictures instead of made-up ones
    python benchmarks/encoding.py --memory 100000       peak memory of that many pictures

Every way of working takes its turn in every round; the tables show medians over the rounds, and so do the ratios,
which are taken within a round. Models have random weights.

    plain loop      the library's or our own functions by turns, batch by batch, as a notebook would
    decode only     read and decode every picture at its full size, one thread per core
    prepare only    read, decode and resize as the encoder does, or cut texts into tokens, one thread per core
    model only      the encoder's model on prepared batches

Without a GPU, preparing and the model need the same cores. Then nothing can be as fast as the slower of the two; the
limit is what both need one after the other, each on all cores. Processor time, user and system, counts work whether or
not other programs make the clock run slow: what irisrec spends beyond the two parts is what it wastes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from contents import bert, draw, pictures_in, resnet, write
from plain import batches, own_loop, picture_loop, text_loop

from irisrec.data.catalog import Catalog
from irisrec.features.encode import encode_with
from irisrec.features.encoders.base import ContentEncoder
from irisrec.features.pictures import decode, read_bytes
from irisrec.features.registry import make_encoder

PREPARE, MODEL, OURS = "prepare only", "model only", "irisrec"
Ways = dict[str, Callable[[], object]]


class Spent(NamedTuple):
    """Seconds on the clock, and of the processor."""

    wall: float
    cpu: float


def measure(title: str, n: int, ways: Ways, rounds: int, *, on_gpu: bool) -> None:
    """Run every way in turn and print contents per second."""
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            spent[name].append(timed(run))
    print(f"\n{title} ({n:,} contents, medians of {rounds} rounds)")
    print(f"  {'':<26}{'per second':>11}{'irisrec is':>12}{'CPU ms each':>13}")
    for name, times in spent.items():
        rate = n / statistics.median(each.wall for each in times)
        faster = median_ratio([each.wall for each in times], [each.wall for each in spent[OURS]])
        cpu = statistics.median(each.cpu for each in times) / n * 1000
        print(f"  {name:<26}{rate:>11,.{0 if rate > 100 else 1}f}{faster:>10.2f} x{cpu:>13.2f}")
    summary(spent, on_gpu=on_gpu)


def timed(run: Callable[[], object]) -> Spent:
    before, start = processor_seconds(), time.perf_counter()
    run()
    return Spent(time.perf_counter() - start, processor_seconds() - before)


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def summary(spent: dict[str, list[Spent]], *, on_gpu: bool) -> None:
    """Print how much of each limit is reached."""
    parts = list(zip(spent[PREPARE], spent[MODEL], strict=True))
    ours = spent[OURS]
    slower = median_ratio([max(p.wall, m.wall) for p, m in parts], [each.wall for each in ours])
    print(f"  of the slower of preparing and the model: {slower:.2f}")
    if not on_gpu:
        both = median_ratio([p.wall + m.wall for p, m in parts], [each.wall for each in ours])
        waste = median_ratio([each.cpu for each in ours], [p.cpu + m.cpu for p, m in parts])
        print(f"  of the limit that both set on the same cores, 1 / (1 / prepare + 1 / model): {both:.2f}")
        print(f"  processor time of irisrec / of both parts: {waste:.2f}")


def in_threads(work: Callable[[Any], object], contents: Sequence[Any]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, contents):
            pass


def ways_of(encoder: ContentEncoder, catalog: Catalog, folder: Path, loop: Callable[[], object]) -> Ways:
    """Return every way to encode the catalog; the first call of each model is made here."""
    pictures = encoder.input == "picture"
    contents = catalog.pictures if pictures else sorted(catalog.texts, key=len, reverse=True)
    get: Callable[[str], Any] = read_bytes if pictures else str

    def prepare(content: str) -> Any:
        return encoder.prepare(get(content)).value

    def model_only() -> None:
        for batch in batches(prepared, encoder.batch_size):
            encoder.encode(batch)

    def stored() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as store:
            encode_with(catalog, {encoder.input: encoder}, store=Path(store))

    prepared = [prepare(content) for content in contents]
    encoder.encode(prepared[: encoder.batch_size])
    decoding = {"decode only": lambda: in_threads(lambda path: decode(read_bytes(path)), contents)}
    return {
        OURS: lambda: encode_with(catalog, {encoder.input: encoder}),
        "irisrec, with its store": stored,
        "plain loop": loop,
        **(decoding if pictures else {}),
        PREPARE: lambda: in_threads(prepare, contents),
        MODEL: model_only,
    }


def weight_free(name: str, catalog: Catalog, folder: Path, rounds: int) -> None:
    if name == "colour-hog":
        encoder, contents = make_encoder("image", {}), [read_bytes(path) for path in catalog.pictures]
    else:
        encoder, contents = make_encoder("text", {"epochs": 2}), catalog.texts
        encoder.fit(contents)
        encoder.is_fitted = True
    ways = ways_of(encoder, catalog, folder, own_loop(encoder, contents))
    measure(name, len(catalog), ways, rounds, on_gpu=False)


def hugging_face(name: str, catalog: Catalog, folder: Path, rounds: int) -> None:
    """Measure one model; where there is a GPU, also on it, in whole and half precision, and compiled."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    save, encoder_name, loop = MODELS[name.split("-")[0]]
    model = save(folder / name, large=name in LARGE)
    on_gpu: list[dict[str, Any]] = [{"precision": "float32"}, {"precision": "float16"}, {"compile": True}]
    for options in [{"device": "cpu"}, *(on_gpu if torch.cuda.is_available() else [])]:
        encoder = make_encoder("any", {"encoder": encoder_name, "model": str(model), **options})
        contents = catalog.pictures if encoder.input == "picture" else catalog.texts
        plain = loop(model, encoder.device, contents, encoder.batch_size)
        ways = ways_of(encoder, catalog, folder, plain)
        measure(f"{name} {options}", len(catalog), ways, rounds, on_gpu=encoder.device.type != "cpu")


MODELS = {
    "resnet": (resnet, "huggingface-picture", picture_loop),
    "bert": (bert, "huggingface-text", text_loop),
}
LARGE = ("resnet-50", "bert-base")
ENCODERS = {  # and how many contents of --n
    "colour-hog": 1.0,
    "doc2vec": 2.0,
    "resnet-small": 0.5,
    "bert-small": 1.0,
    "resnet-50": 1 / 16,
    "bert-base": 1 / 16,
}


def speed(folder: Path, names: Sequence[str], n: int, rounds: int, pictures: Path | None) -> None:
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    shown = pictures_in(pictures, n) if pictures else draw(folder / "pictures", n, (224, 336))
    texts = write(2 * n)
    for name in names:
        catalog = shown if name.startswith(("colour", "resnet")) else texts
        part = Catalog(catalog.frame.head(int(n * ENCODERS[name])))
        measured = weight_free if name in ("colour-hog", "doc2vec") else hugging_face
        measured(name, part, folder, rounds)


def memory(folder: Path, n: int) -> None:
    catalog = draw(folder / "pictures", n, (64, 96), "png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    encoded = encode_with(catalog, {"image": make_encoder("image", {})}, store=folder / "store")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = encoded.tables["image"].values.nbytes
    print(f"{n:,} pictures in {seconds:.0f} s ({n / seconds:,.0f} /s): peak {peak / 1024:,.0f} MiB, before "
          f"{before / 1024:,.0f} MiB, of which the table itself {table / 2**20:,.0f} MiB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--n", type=int, default=1024, help="contents; fewer for large models, more for doc2vec"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=ENCODERS, default=list(ENCODERS), help="encoders")
    parser.add_argument("--pictures", type=Path, help="folder with pictures of your own")
    parser.add_argument("--memory", type=int, help="measure peak memory for so many pictures instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            memory(Path(folder), options.memory)
        else:
            speed(Path(folder), options.only, options.n, options.rounds, options.pictures)


if __name__ == "__main__":
    main()
