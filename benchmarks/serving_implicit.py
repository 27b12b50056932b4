"""What a person would write around implicit: ALS of the run's interactions, ten items, three reasons for each."""

from __future__ import annotations

import sys
from pathlib import Path

import implicit.als
import numpy as np
import polars as pl
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from scipy.sparse import csr_matrix


class Asked(BaseModel):
    history: list[int | str]
    k: int = 10
    reasons: int = 3


def service_of(run: Path) -> FastAPI:
    items = pl.read_parquet(run / "items.parquet")
    pairs = pl.read_parquet(run / "interactions.parquet")
    ids, titles = items["item_id"].to_list(), items["title"].to_list()
    rows = {id: row for row, id in enumerate(ids)}
    users = {id: row for row, id in enumerate(pairs["user_id"].unique(maintain_order=True).to_list())}
    matrix = csr_matrix(
        (
            np.ones(len(pairs)),
            ([users[user] for user in pairs["user_id"]], [rows[item] for item in pairs["item_id"]]),
        ),
        shape=(len(users), len(ids)),
        dtype=np.float32,
    )
    model = implicit.als.AlternatingLeastSquares(factors=64, iterations=5, random_state=0, num_threads=1)
    model.fit(matrix, show_progress=False)
    app = FastAPI()

    @app.post("/recommend")
    def recommend(asked: Asked) -> dict:
        mine = [rows[id] for id in asked.history]
        had = csr_matrix((np.ones(len(mine), np.float32), ([0] * len(mine), mine)), shape=(1, len(ids)))
        found, scores = model.recommend(0, had, N=asked.k, recalculate_user=True)
        answer = []
        for item, score in zip(found.tolist(), scores.tolist(), strict=True):
            because = []
            if asked.reasons:
                _, top, _ = model.explain(0, had, item, N=asked.reasons)
                because = [
                    {"item_id": ids[row], "title": titles[row], "contribution": float(share)}
                    for row, share in top
                ]
            answer.append({"item_id": ids[item], "title": titles[item], "score": score, "because": because})
        return {"items": answer}

    return app


if __name__ == "__main__":
    uvicorn.run(service_of(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), access_log=False)
