"""Lists with reasons: for all users of a run into a file, and for one user after the other.

    python benchmarks/recommending.py            random weights in MovieLens-1M's shape: 6,040 users, 3,685 items
    python benchmarks/recommending.py --run RUN

The first file is written twice and the second counts: what no request changes is computed at the first.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import polars as pl
import zipf

from irisrec.data.catalog import Catalog
from irisrec.ids import IdMap
from irisrec.memory import forget_peak, keep_freed_memory, peak_memory
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.recommendation.audience import KnownUsersAudience
from irisrec.recommendation.bulk import Order, recommend_to_file
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender


def of_shape(n_users: int, n_items: int, n: int, model: str) -> Recommender:
    """Return a recommender whose weights are random: its speed is that of trained ones."""
    train = zipf.interactions(n_users, n_items, n)
    built = build_model(ModelConfig(name=model, dim=64), n_items, *zipf.features(n_items))
    built.is_probabilistic = True
    titles = [f"Item {i}" for i in range(n_items)]
    catalog = Catalog.of(pl.DataFrame({"item_id": list(range(n_items)), "title": titles}))
    users = IdMap(list(range(n_users)), "user")
    return Recommender(built, catalog, KnownUsers.of_matrix(users, train))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path)
    parser.add_argument("--model", default="multimodal-iris")
    parser.add_argument("--users", type=int, default=6040)
    parser.add_argument("--items", type=int, default=3685)
    parser.add_argument("--interactions", type=int, default=999_626)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    keep_freed_memory()
    started = time.perf_counter()
    if options.run:
        recommender = Recommender.load(options.run)
    else:
        recommender = of_shape(options.users, options.items, options.interactions, options.model)
    assert recommender.users is not None
    users = recommender.users.series.to_list()
    print(
        f"{len(users):,} users, {len(recommender.items):,} items, there after {time.perf_counter() - started:.1f} s"
    )
    forget_peak()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "second"):
            started, processor = time.perf_counter(), time.process_time()
            order = Order(k=10, n_reasons=3)
            written = recommend_to_file(
                recommender, KnownUsersAudience(users, None), Path(folder) / f"{name}.parquet", order
            )
            print(f"{name} file: {written.n_rows:,} recommendations with three reasons in "
                  f"{time.perf_counter() - started:.2f} s, processors {time.process_time() - processor:.2f} s, "
                  f"peak {peak_memory() / 1e6:,.0f} MB")  # fmt: skip
    step = max(1, len(users) // options.requests)
    for modalities in (False, True):
        seconds, processors = [], []
        for user in users[::step]:
            started, processor = time.perf_counter(), time.process_time()
            next(recommender.recommend_many(users=[user], k=10, n_reasons=3, modalities=modalities))
            seconds.append(time.perf_counter() - started)
            processors.append(time.process_time() - processor)
        ninety_five = sorted(seconds)[int(0.95 * len(seconds))]
        print(f"one request, reasons {'split among the modalities' if modalities else 'alone'}: median "
              f"{1e3 * statistics.median(seconds):.1f} ms, 95 % below {1e3 * ninety_five:.1f} ms, processors "
              f"{1e3 * statistics.median(processors):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
