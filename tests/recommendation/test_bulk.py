"""Recommendations in files: the same as one by one, whole or not there, and gone on with after a kill."""

import csv
import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from irisrec.errors import DataError, RunError
from irisrec.lock import only_one
from irisrec.recommendation import bulk
from irisrec.recommendation.audience import HistoriesAudience, KnownUsersAudience
from irisrec.recommendation.bulk import Order, recommend_to_file
from irisrec.recommendation.history import History
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from tests.recommendation.test_contract import trained

ORDER = Order(k=4, n_reasons=2, rules=Rules(at_most={"title": 1}))


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    found, _ = trained("multimodal-iris")
    found.fingerprint = "one"
    return found


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(bulk, "PEOPLE_PER_PART", 4)
    monkeypatch.setattr("irisrec.recommendation.recommender._SCORES_AT_ONCE", 3 * 24)


def everybody(recommender: Recommender) -> KnownUsersAudience:
    return KnownUsersAudience(recommender.users.series.to_list()[:10])


def one_by_one(recommender: Recommender, users: list) -> list[dict]:
    rows = []
    for user in users:
        for rank, found in enumerate(recommender.recommend(user, k=4, n_reasons=2, rules=ORDER.rules), 1):
            reasons = [
                {"item_id": r.item_id, "title": r.title, "relevance": np.float32(r.relevance).item(),
                 "contribution": np.float32(r.contribution).item()}
                for r in found.because
            ]  # fmt: skip
            numbers = {name: np.float32(getattr(found, name)).item() for name in ("score", "probability")}
            row = {"user_id": user, "rank": rank, "item_id": found.item_id, "title": found.title}
            rows.append(row | numbers | {"reasons": reasons})
    return rows


def test_a_parquet_file_holds_what_each_user_gets_alone(recommender, tmp_path):
    audience = everybody(recommender)
    written = recommend_to_file(recommender, audience, tmp_path / "recs.parquet", ORDER)
    rows = pl.read_parquet(tmp_path / "recs.parquet").to_dicts()
    assert rows == one_by_one(recommender, audience.users)
    assert (written.n_people, written.n_rows) == (10, len(rows))
    assert [path.name for path in tmp_path.iterdir()] == ["recs.parquet"]


def test_json_lines_and_csv_hold_the_same(recommender, tmp_path):
    audience = everybody(recommender)
    for suffix in ("jsonl", "csv", "parquet"):
        recommend_to_file(recommender, audience, tmp_path / f"recs.{suffix}", ORDER)
    frame = pl.read_parquet(tmp_path / "recs.parquet")
    assert pl.read_ndjson(tmp_path / "recs.jsonl", schema=frame.schema).equals(frame)
    with (tmp_path / "recs.csv").open() as file:
        table = list(csv.DictReader(file))
    for flat, row in zip(table, frame.to_dicts(), strict=True):
        assert (int(flat["user_id"]), flat["item_id"]) == (row["user_id"], row["item_id"])
        for place, reason in enumerate(row["reasons"], 1):
            assert flat[f"reason_{place}_title"] == reason["title"]
            assert float(flat[f"reason_{place}_contribution"]) == pytest.approx(reason["contribution"])


def kill_in_part(recommender: Recommender, monkeypatch, audience, out, part: int) -> None:
    """End like a kill would, while a part is being made: nothing after it runs."""
    rank, calls = Recommender.rank, []

    def killed(self, *arguments):
        calls.append(1)
        if len(calls) > 2 * part:  # two batches to a part
            raise KeyboardInterrupt
        return rank(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Recommender, "rank", killed)
        with pytest.raises(KeyboardInterrupt):
            recommend_to_file(recommender, audience, out, ORDER)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_a_killed_call_goes_on_and_ends_with_the_same_bytes(
    recommender, tmp_path, monkeypatch, suffix, capsys
):
    audience, out = everybody(recommender), tmp_path / f"recs.{suffix}"
    recommend_to_file(recommender, audience, tmp_path / f"whole.{suffix}", ORDER)
    kill_in_part(recommender, monkeypatch, audience, out, 2)
    assert not out.exists()
    (tmp_path / f".recs.{suffix}.parts" / ".000002.16.part.1.partial").write_text("half")
    made = []
    monkeypatch.setattr(Recommender, "rank", _counting(made))
    recommend_to_file(recommender, audience, out, ORDER)
    assert len(made) == 1, "only the third part was left"
    assert "going on: 2 of 3 parts are there" in capsys.readouterr().err
    assert out.read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert not list(tmp_path.glob(".*"))


def _counting(made: list):
    rank = Recommender.rank

    def counted(self, *arguments):
        made.append(1)
        return rank(self, *arguments)

    return counted


@pytest.mark.parametrize("changed", ["order", "model", "audience"])
def test_parts_of_another_order_model_or_audience_are_not_gone_on_with(
    recommender, tmp_path, monkeypatch, changed
):
    audience, out, order = everybody(recommender), tmp_path / "recs.parquet", ORDER
    kill_in_part(recommender, monkeypatch, audience, out, 1)
    if changed == "order":
        order = Order(k=2, n_reasons=2)
    elif changed == "model":
        monkeypatch.setattr(recommender, "fingerprint", "two")
    else:
        audience = KnownUsersAudience(audience.users[1:9])
    recommend_to_file(recommender, audience, out, order)
    recommend_to_file(recommender, audience, tmp_path / "whole.parquet", order)
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_two_calls_do_not_write_one_file(recommender, tmp_path):
    with (
        only_one(tmp_path / ".recs.csv.parts", "recommending into"),
        pytest.raises(RunError, match="another run is"),
    ):
        recommend_to_file(recommender, everybody(recommender), tmp_path / "recs.csv")


def test_a_file_that_is_there_stays_until_the_new_one_is_whole(recommender, tmp_path, monkeypatch):
    out = tmp_path / "recs.parquet"
    out.write_text("old")
    kill_in_part(recommender, monkeypatch, everybody(recommender), out, 1)
    assert out.read_text() == "old"


def test_histories_from_a_file_get_what_they_get_alone(recommender, tmp_path):
    days = [date(2024, 1, 1) + timedelta(days=30 * i) for i in range(3)]
    people = [
        {"user_id": "new-1", "items": ["i00", "i03"]},
        {"user_id": "new-2", "items": ["i01", "i04", "i05"], "weights": [1, 2.5, 1]},
        {"user_id": "new-3", "items": ["i02", "i05", "i11"], "times": [day.isoformat() for day in days]},
        {"user_id": "new-4", "items": []},
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("\n\n".join(map(json.dumps, people)))
    recommend_to_file(recommender, HistoriesAudience(path), tmp_path / "recs.parquet", Order(k=3))
    rows = pl.read_parquet(tmp_path / "recs.parquet")
    for person in people:
        history = History(person["items"], person.get("weights"), person.get("times"))
        alone = recommender.recommend(history=history, k=3)
        found = rows.filter(user_id=person["user_id"])
        assert found["item_id"].to_list() == [r.item_id for r in alone]
        np.testing.assert_array_equal(found["score"], np.float32([r.score for r in alone]))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", 'line 2: a history is {"user_id"'),
        ('{"items": []}', "user_id: Field required"),
        ('{"user_id": 1.5, "items": []}', "line 2: a history is"),
        ('{"user_id": 5, "items": []}', "must be all strings or all integers, the first is a string, got 5"),
        ('{"user_id": "b", "items": ["i99"]}', "line 2: 1 of 1 item id is not among the 24 known: 'i99'"),
        (
            '{"user_id": "b", "items": ["i01"], "weights": [0]}',
            "line 2: weights of a history must be above 0",
        ),
        ('{"user_id": "b", "item": ["i01"]}', "line 2: a history is"),
    ],
)
def test_a_line_that_is_no_history_is_named(recommender, tmp_path, line, sentence):
    path = tmp_path / "people.jsonl"
    path.write_text('{"user_id": "a", "items": []}\n' + line)
    with pytest.raises(DataError) as error:
        recommend_to_file(recommender, HistoriesAudience(path), tmp_path / "recs.parquet")
    assert sentence in str(error.value)


def test_unknown_formats_and_nobody_are_one_sentence(recommender, tmp_path):
    with pytest.raises(DataError, match=r"are written as .parquet, .jsonl, .ndjson, .csv, got 'recs.xlsx'"):
        recommend_to_file(recommender, everybody(recommender), tmp_path / "recs.xlsx")
    with pytest.raises(DataError, match="there is nobody to recommend to"):
        recommend_to_file(recommender, KnownUsersAudience([]), tmp_path / "recs.csv")


def test_a_model_without_reasons_or_probabilities_writes_the_same_columns(tmp_path):
    recommender, _ = trained("popularity")
    for suffix in ("parquet", "csv"):
        recommend_to_file(
            recommender, everybody(recommender), tmp_path / f"recs.{suffix}", Order(k=2, n_reasons=1)
        )
    nested, flat = pl.read_parquet(tmp_path / "recs.parquet"), pl.read_csv(tmp_path / "recs.csv")
    assert nested["probability"].null_count() == len(nested) == 20
    assert nested["reasons"].list.len().max() == 0
    assert flat["reason_1_item_id"].null_count() == 20
