"""Files are written anew; whoever reads an older state is waited for, and not for ever."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from benne.errors import StoreError
from benne.scoring import open_store
from benne.scoring.erasure import compaction
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.compaction import compact
from benne.scoring.erasure.parts import EventStorePart
from benne.scoring.store.payloads import NewPayload

ANNA, BERT = f"{1:032x}", f"{2:032x}"
TABLES = ("members", "member_payloads")


@contextmanager
def reading_an_older_state(platform) -> Iterator[None]:
    """A session that has looked at the members and not finished."""
    engine = create_engine(platform.store.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        begin = "BEGIN" if engine.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ"
        connection.exec_driver_sql(begin)
        connection.exec_driver_sql("SELECT count(*) FROM members").scalar()
        yield
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(compaction, "_TRIES", 3)
    monkeypatch.setattr(compaction, "_WIPING_TRIES", 100)


@pytest.mark.usefixtures("impatient")
def test_an_erasure_waits_while_somebody_reads_an_older_state(desk):
    desk.keep(ANNA)
    with reading_an_older_state(desk.platform):
        erasure_id = desk.erasure.request(ANNA, by=Actor("member")).erasure_id
        assert desk.erasure.run().waiting == (erasure_id,)
    assert desk.erasure.run().finished == (erasure_id,)


def test_what_is_left_is_as_it_was(desk):
    refs = [desk.keep(f"{n:032x}", str(n).encode()) for n in range(20)]
    with desk.store.write() as connection:
        desk.vault.drop(connection, [f"{n:032x}" for n in range(0, 20, 2)], "decision")
    assert compact(desk.store.engine, TABLES)
    with desk.store.read() as connection:
        assert [desk.vault.get(connection, ref).content for ref in refs[1::2]] == [
            str(n).encode() for n in range(1, 20, 2)
        ]


def test_a_service_goes_on_writing_while_files_are_written_anew(desk):
    stop, written, failures = threading.Event(), [], []

    def serve() -> None:
        try:
            while not stop.is_set():
                written.append(ref := f"s-{len(written)}")
                desk.audit.submit(lambda c, now_us, ref=ref: served(desk, c, now_us, ref))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    serving = threading.Thread(target=serve)
    serving.start()
    while len(written) < 100 and not failures:
        assert compact(desk.store.engine, TABLES)
    stop.set()
    serving.join()
    assert failures == []
    assert desk.verified().intact
    with desk.store.read() as connection:
        assert [desk.vault.get(connection, ref).content for ref in written] == [b"612"] * len(written)


def served(desk, connection, now_us, ref):
    desk.vault.put(connection, NewPayload(ref, BERT, "decision", b"612"), now_us)
    return desk.holds.place(connection, now_us, BERT, "legal_claim", ref, by=Actor("admin", "ops-1"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_overwrites_what_is_deleted_in_every_connection(platform):
    with platform.store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_locked_file_is_tried_again_later_and_patience_is_given_back(platform, monkeypatch):
    with platform.store.read() as connection:
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    locking = sqlite3.connect(platform.store.engine.url.database, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    assert not compact(platform.store.engine, TABLES)
    locking.close()
    assert compact(platform.store.engine, TABLES)
    assert patience == 30_000


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_lock_is_an_error(platform, tmp_path):
    (tmp_path / "folder.db").mkdir()
    engine = create_engine(f"sqlite:///{tmp_path / 'folder.db'}")
    with pytest.raises((SQLAlchemyError, sqlite3.OperationalError), match="unable to open database file"):
        compact(engine, TABLES)
    engine.dispose()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_role_that_may_not_leave_the_log_behind_is_told_so(platform, caplog):
    """VACUUM FULL needs no more than to own the tables; the log belongs to whoever runs the server."""
    platform.behind_our_back(
        "CREATE ROLE benne_service LOGIN",
        *(f"ALTER TABLE {table} OWNER TO benne_service" for table in TABLES),
    )
    try:
        engine = create_engine(platform.store.engine.url.set(username="benne_service"))
        with caplog.at_level(logging.WARNING):
            assert compact(engine, TABLES)
        assert "may stay in segments of PostgreSQL's write-ahead log" in caplog.text
        engine.dispose()
    finally:
        platform.store.close()
        platform.behind_our_back("REASSIGN OWNED BY benne_service TO CURRENT_USER", "DROP ROLE benne_service")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_table_that_somebody_holds_locked_is_tried_again_later(platform, monkeypatch):
    locking = create_engine(platform.store.engine.url)
    monkeypatch.setattr(compaction, "_LOCK_PATIENCE", "100ms")
    with locking.connect() as connection, connection.begin():
        monkeypatch.setattr(compaction, "_readers_are_gone", lambda _: True)
        connection.exec_driver_sql("LOCK TABLE members IN ACCESS SHARE MODE")
        assert not compact(platform.store.engine, TABLES)
    locking.dispose()
    assert compact(platform.store.engine, TABLES)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_keeps_no_samples_of_secrets_in_its_statistics(desk):
    for number in range(50):
        desk.keep(f"{number:032x}")
    desk.platform.behind_our_back("ANALYZE members", "ANALYZE member_payloads")
    with desk.store.read() as connection:
        told = connection.exec_driver_sql(
            "SELECT attname FROM pg_stats WHERE tablename IN ('members', 'member_payloads')"
        ).scalars()
        assert {"subject_id", "created_at_us"} <= set(told)
        assert not {"wrapped_key", "ciphertext"} & set(told)


def test_an_event_store_is_erased_and_written_anew(desk, make_event_store, subject_key, database):
    url = database()
    make_event_store(url, ["anna", "bert"])
    gone, stays = subject_key.subject_ids(["anna", "bert"])
    part = EventStorePart(url)
    desk.parts.append(part)
    desk.erasure.request(gone, by=Actor("member"))
    assert len(desk.erasure.run().finished) == 1
    from benne.features.engines.event_store import EventStore

    store = EventStore.open(url)
    assert (store.rows(gone), len(store.rows(stays)["payments"])) == ({}, 1)
    store.close()
    part.erase(gone)
    assert part.compact()


def test_an_event_store_that_is_not_there_is_an_error(tmp_path):
    part = EventStorePart(tmp_path / "nowhere.db")
    for act in (lambda: part.erase(ANNA), part.compact):
        with pytest.raises(StoreError, match="An event store must be at"):
            act()
    open_store(tmp_path / "another.db").close()
    with pytest.raises(StoreError, match="An event store must have format"):
        EventStorePart(tmp_path / "another.db").compact()
