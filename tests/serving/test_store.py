"""The history store keeps, returns and forgets events, in SQLite and in PostgreSQL alike."""

import threading

import pytest
from sqlalchemy import inspect

from irisrec.errors import ConfigError, RunError
from irisrec.serving.errors import ConflictError, StoreFullError, UnavailableError
from irisrec.serving.store.engine import engine_of
from irisrec.serving.store.history import Event, HistoryStore
from irisrec.serving.store.items import AddedItem, ItemStore
from irisrec.serving.store.migrations import STEPS
from irisrec.serving.store.tables import METADATA


@pytest.fixture
def store(database):
    store = HistoryStore(database, "string", "integer")
    yield store
    store.close()


def test_events_come_back_newest_first_with_ids_of_their_kind(store):
    events = [Event(f"e{n}", "ann", n, n / 2 if n else None) for n in range(5)]
    assert store.append(events) == 5
    assert store.past("ann", 10).events == tuple(reversed(events))
    few = store.past("ann", 2)
    assert few.events == (events[4], events[3])
    assert few.n_events == 5
    assert store.past("bob", 10).events == ()


def test_an_event_that_is_sent_again_counts_once(store):
    event = Event("e1", "ann", 3, 1.0)
    assert store.append([event, event]) == 1
    assert store.append([event, Event("e2", "ann", 3)]) == 1
    assert store.past("ann", 10).n_events == 2


def test_an_event_id_of_another_event_is_refused_and_nothing_is_kept(store):
    store.append([Event("e1", "ann", 3)])
    with pytest.raises(
        ConflictError, match="1 event id of this request stands for another event already: 'e1'"
    ):
        store.append([Event("e2", "ann", 4), Event("e1", "bob", 3)])
    with pytest.raises(ConflictError, match="'e3' stands for two different events"):
        store.append([Event("e3", "ann", 4), Event("e3", "ann", 5)])
    assert [event.event_id for event in store.past("ann", 10).events] == ["e1"]


def test_a_forgotten_user_leaves_no_id_behind(store, database):
    store.append([Event("e1", "ann", 3), Event("e2", "bob", 4)])
    assert store.forget("ann") == 1
    past = store.past("ann", 10)
    assert past.is_forgotten
    assert past.events == ()
    assert not store.past("bob", 10).is_forgotten
    with store.database.engine.connect() as connection:
        for table in METADATA.tables.values():
            for row in connection.execute(table.select()):
                assert "ann" not in map(str, row)
    assert store.forget("ann") == 0


def test_deleted_events_are_wiped_from_the_file(tmp_path):
    file = tmp_path / "store.sqlite3"
    store = HistoryStore(f"sqlite:///{file}", "string", "integer")
    store.append([Event("e1", "somebody-unmistakable", 3)])
    store.forget("somebody-unmistakable")
    for path in tmp_path.iterdir():
        assert b"somebody-unmistakable" not in path.read_bytes()


def test_a_store_that_is_opened_again_has_everything(database):
    first = HistoryStore(database, "string", "integer")
    first.append([Event("e1", "ann", 3)])
    first.forget("bob")
    first.close()
    again = HistoryStore(database, "string", "integer")
    assert again.past("ann", 1).n_events == 1
    assert again.past("bob", 1).is_forgotten
    again.close()


def test_the_migrations_end_at_the_tables_that_are_used(store):
    found = inspect(store.database.engine)
    assert set(found.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        assert {tuple(index["column_names"]) for index in found.get_indexes(name)} >= {
            tuple(column.name for column in index.columns) for index in table.indexes
        }


def test_a_store_of_a_newer_version_or_another_kind_of_ids_is_refused(database):
    store = HistoryStore(database, "string", "integer")
    with pytest.raises(RunError, match="item ids that are integers, those of this run are strings"):
        HistoryStore(database, "string", "string")
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE facts SET value = '{len(STEPS) + 1}' WHERE name = 'version'")
    with pytest.raises(
        RunError, match=f"has version {len(STEPS) + 1}, this version of irisrec knows {len(STEPS)}"
    ):
        HistoryStore(database, "string", "integer")
    store.close()


def test_a_store_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_has(database):
    engine = engine_of(database)
    with engine.execution_options(irisrec_writes=True).begin() as connection:
        STEPS[0](connection)
        connection.exec_driver_sql("INSERT INTO facts VALUES ('version', '1')")
        connection.exec_driver_sql(
            "INSERT INTO events (event_id, user_id, item_id, received) VALUES ('e1', 'ann', '3', 0)"
        )
    engine.dispose()
    store = HistoryStore(database, "string", "integer")
    assert store.past("ann", 10).events == (Event("e1", "ann", 3),)
    assert ItemStore(store.database, "integer").others(set()) == {}
    store.close()


def test_added_items_come_back_as_they_were_given_in_their_order(store):
    items = ItemStore(store.database, "integer")
    given = [
        AddedItem(7, "Vase", "A round vase.", b"\x00\xff", {"audio": [0.5, -1.0]}, {"price": 3.5}),
        AddedItem(5),
    ]
    assert [items.add(item) for item in given] == [True, True]
    found = items.others(set())
    assert list(found.values()) == given
    assert items.others(set(found)) == {}
    first, second = found
    assert items.others({second}) == {first: given[0]}
    assert not items.add(given[0])
    with pytest.raises(ConflictError, match="another item 7 was added before"):
        items.add(AddedItem(7, "Vase", "A square vase."))
    assert items.others(set()) == found


def test_services_that_open_a_new_store_at_once_migrate_it_once(database):
    stores, failures = [], []

    def open_one():
        try:
            stores.append(HistoryStore(database, "string", "integer"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len({store.database.salt for store in stores}) == 1
    for store in stores:
        store.close()


def test_many_writers_lose_nothing(store):
    def write(writer):
        for n in range(10):
            store.append([Event(f"e{writer}-{n}", "ann", n), Event(f"shared-{n}", "ann", n)])

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.past("ann", 1).n_events == 50


def test_a_full_disk_keeps_nothing_of_the_request_and_reading_goes_on(tmp_path):
    store = HistoryStore(f"sqlite:///{tmp_path / 'store.sqlite3'}", "string", "integer")
    store.append([Event("e1", "ann", 3)])
    with store.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFullError, match="no room left; nothing of this request was kept"):
        store.append([Event(f"f{n}", "ann" * 20, n) for n in range(1000)])
    assert store.past("ann", 10).n_events == 1
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert store.append([Event(f"f{n}", "bob", n) for n in range(1000)]) == 1000
    store.close()


def test_a_server_that_restarts_is_found_again(postgres):
    store = HistoryStore(postgres.url("restarted"), "string", "integer")
    store.append([Event("e1", "ann", 3)])
    postgres.stop()
    with pytest.raises(UnavailableError, match="the history store does not answer"):
        store.append([Event("e2", "ann", 4)])
    postgres.start()
    assert store.append([Event("e2", "ann", 4)]) == 1
    assert store.past("ann", 10).n_events == 2
    store.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root@localhost/x", "can be SQLite or PostgreSQL, got mysql"),
        ("history.db", "needs a URL such as"),
    ],
)
def test_other_databases_are_refused(url, sentence):
    with pytest.raises(ConfigError, match=sentence):
        engine_of(url)
