"""How near encoding comes to the limits of decoding and of the model, side by side in one run.

    python benchmarks/encoding.py                    pictures and texts per second
    python benchmarks/encoding.py --memory 100000    peak memory of that many pictures

Each way of working is measured in turn, several times over; the table shows medians. Models have random weights.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from irisrec.data.catalog import Catalog
from irisrec.features.encode import encode_with
from irisrec.features.encoders.base import ContentEncoder
from irisrec.features.pictures import decode
from irisrec.features.registry import make_encoder

Ways = dict[str, Callable[[], object]]


def measure(title: str, n: int, ways: Ways, rounds: int) -> dict[str, float]:
    """Run every way in turn and print contents per second."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    rates = {name: n / statistics.median(times) for name, times in seconds.items()}
    print(f"\n{title} ({n:,} contents, median of {rounds})")
    for name, rate in rates.items():
        spread = max(seconds[name]) / min(seconds[name])
        print(
            f"  {name:<34}{rate:>9,.0f} /s   {rate / rates['irisrec']:>5.2f} x irisrec   slowest/fastest {spread:.2f}"
        )
    if "prepare only (threads)" in rates and "model only" in rates:
        shared = 1 / (1 / rates["prepare only (threads)"] + 1 / rates["model only"])
        print(f"  share of what one set of cores can do for both: {rates['irisrec'] / shared:.2f}")
    return rates


def plain_loop(encoder: ContentEncoder, contents: list, batch: int) -> None:
    """Prepare and encode by turns, as a notebook would."""
    for start in range(0, len(contents), batch):
        encoder.encode([encoder.prepare(content).value for content in contents[start : start + batch]])


def in_threads(work: Callable[[object], object], contents: list) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, contents):
            pass


def picture_ways(encoder: ContentEncoder, catalog: Catalog, folder: Path) -> Ways:
    data = [Path(path).read_bytes() for path in catalog.pictures]
    prepared = [encoder.prepare(one).value for one in data[:128]]
    encoder.encode(prepared[: encoder.batch_size])  # loads the model
    batches = [prepared[i : i + encoder.batch_size] for i in range(0, len(prepared), encoder.batch_size)]

    def model_only() -> None:
        for _ in range(len(data) // len(prepared)):
            for batch in batches:
                encoder.encode(batch)

    def stored() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as store:
            encode_with(catalog, {"image": encoder}, store=Path(store))

    return {
        "irisrec": lambda: encode_with(catalog, {"image": encoder}),
        "irisrec, writing its store": stored,
        "plain loop": lambda: plain_loop(encoder, data, encoder.batch_size),
        "decode only (threads)": lambda: in_threads(decode, data),
        "prepare only (threads)": lambda: in_threads(encoder.prepare, data),
        "model only": model_only,
    }


def text_ways(encoder: ContentEncoder, texts: list[str]) -> Ways:
    catalog = Catalog.of(pl.DataFrame({"item_id": range(len(texts)), "text": texts}))
    if encoder.fitted:
        encoder.fit(texts)
        encoder.is_fitted = True
    encoder.encode([encoder.prepare(texts[0]).value])
    return {
        "irisrec": lambda: encode_with(catalog, {"text": encoder}),
        "plain loop": lambda: plain_loop(encoder, texts, getattr(encoder.settings, "batch_size", 32)),
        "prepare only (threads)": lambda: in_threads(encoder.prepare, texts),
    }


def draw(folder: Path, n: int, size: tuple[int, int], kind: str = "jpg") -> Catalog:
    """Write pictures with shapes and noise, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (size[1] + 64, size[0] + 64, 3), dtype=np.uint8)
    for row in range(n):
        left, top = rng.integers(0, 64, 2)
        pixels = noise[top : top + size[1], left : left + size[0]] + rng.integers(0, 190, 3, dtype=np.uint8)
        pixels[: size[1] // 2, : int(rng.integers(1, size[0]))] = rng.integers(0, 255, 3)
        Image.fromarray(pixels).save(folder / f"{row}.{kind}")
    return Catalog.of(
        pl.DataFrame({"item_id": range(n), "picture": [str(folder / f"{r}.{kind}") for r in range(n)]})
    )


def write(rng: np.random.Generator, n: int) -> list[str]:
    """Write texts of very different lengths."""
    words = [f"word{i}" for i in range(5000)]
    weights = 1 / np.arange(1, 5001)
    lengths = rng.lognormal(4.0, 0.8, n).astype(int).clip(5, 400)
    return [" ".join(rng.choice(words, length, p=weights / weights.sum())) for length in lengths]


def small_models(folder: Path) -> tuple[Path, Path]:
    import transformers

    transformers.logging.set_verbosity_error()
    resnet = transformers.ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1]
    )
    transformers.ResNetModel(resnet).save_pretrained(folder / "resnet")
    transformers.ConvNextImageProcessor(size={"shortest_edge": 224}).save_pretrained(folder / "resnet")
    bert = transformers.BertConfig(hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512,
                                   vocab_size=6000)  # fmt: skip
    transformers.BertModel(bert).save_pretrained(folder / "bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(5000))]
    tokenizer = transformers.BertTokenizer(
        vocab={word: i for i, word in enumerate(vocabulary)}, model_max_length=512
    )
    tokenizer.save_pretrained(folder / "bert")
    return folder / "resnet", folder / "bert"


def speed(folder: Path, n: int, rounds: int) -> None:
    catalog = draw(folder / "pictures", n, (224, 336))
    resnet, bert = small_models(folder)
    colour = make_encoder("image", {"encoder": "colour-hog"})
    network = make_encoder("image", {"encoder": "huggingface-picture", "model": str(resnet)})
    measure("pictures, colour-hog", n, picture_ways(colour, catalog, folder), rounds)
    some = n - n % 128 if n < 512 else 512
    few = Catalog(catalog.frame.head(some))
    measure("pictures, small ResNet", some, picture_ways(network, few, folder), rounds)
    texts = write(np.random.default_rng(0), n)
    measure("texts, doc2vec (inference)", n, text_ways(make_encoder("text", {"epochs": 2}), texts), rounds)
    reader = make_encoder("text", {"encoder": "huggingface-text", "model": str(bert)})
    measure("texts, small BERT", n, text_ways(reader, texts), rounds)


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
    parser.add_argument("--n", type=int, default=1024, help="pictures and texts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, help="measure peak memory for so many pictures instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            memory(Path(folder), options.memory)
        else:
            print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
            speed(Path(folder), options.n, options.rounds)


if __name__ == "__main__":
    main()
