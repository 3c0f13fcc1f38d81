"""The store: made, migrated, closed to everything but INSERT, and refused when it is not ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from benne.errors import StoreError
from benne.scoring import open_store
from benne.scoring.store.schema import APPEND_ONLY_TABLES, METADATA, VERSION_TABLE
from benne.scoring.store.upgrade import migration_config

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of statements that no other database has."""


def test_a_new_store_has_every_table_and_opens_again(tmp_path: Path):
    open_store(tmp_path / "benne.db").close()
    store = open_store(f"sqlite:///{tmp_path / 'benne.db'}")
    with store.read() as connection:
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, VERSION_TABLE}
    store.close()


def test_sqlite_runs_in_wal_with_foreign_keys_and_full_sync(tmp_path: Path):
    store = open_store(tmp_path / "benne.db")
    with store.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "recursive_triggers")
        ]
    assert pragmas == ["wal", 1, 2, 1]
    store.close()


def test_the_migrated_schema_is_the_declared_one(tmp_path: Path):
    store = open_store(tmp_path / "benne.db")
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []
    store.close()


def test_the_migrated_checks_are_the_declared_ones(tmp_path: Path):
    # Alembic does not compare CHECK constraints, and the capture rule is one.
    store, declared = open_store(tmp_path / "benne.db"), create_engine("sqlite://")
    METADATA.create_all(declared)
    for table in APPEND_ONLY_TABLES:
        checks = [
            sorted((c["name"], c["sqltext"]) for c in inspect(engine).get_check_constraints(table))
            for engine in (store.engine, declared)
        ]
        assert checks[0] == checks[1]
        assert checks[0]
    store.close()
    declared.dispose()


def test_migrations_run_down_and_up_again(tmp_path: Path):
    store = open_store(tmp_path / "benne.db")
    with store.write() as connection:
        command.downgrade(migration_config(connection), "base")
        assert inspect(connection).get_table_names() == [VERSION_TABLE]
    with store.write() as connection:
        command.upgrade(migration_config(connection), "head")
        assert set(APPEND_ONLY_TABLES) < set(inspect(connection).get_table_names())
    store.close()


def test_the_postgresql_migration_closes_its_tables_too(capsys: pytest.CaptureFixture[str]):
    with create_engine("sqlite://").connect() as connection:
        script = ScriptDirectory.from_config(migration_config(connection))
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    with Operations.context(context):
        for revision in reversed(list(script.walk_revisions())):
            revision.module.upgrade()
    sql = capsys.readouterr().out
    for table in APPEND_ONLY_TABLES:
        assert f"BEFORE UPDATE OR DELETE ON {table}" in sql
        assert f"BEFORE TRUNCATE ON {table}" in sql


@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
def test_no_row_of_any_table_can_be_changed_or_deleted(platform, table):
    platform.fill()
    assert platform.rows(table)
    column = next(iter(platform.rows(table)[0]))
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match=f"{table} is append-only"):
            platform.behind_our_back(statement)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_table_of_postgresql_can_be_emptied(platform):
    for table in APPEND_ONLY_TABLES:
        with pytest.raises(DBAPIError, match="is append-only"):
            platform.behind_our_back(f"TRUNCATE {table} CASCADE")


@ON_SQLITE
@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
def test_no_row_can_be_replaced_from_a_connection_without_our_pragmas(platform, table):
    platform.fill()
    before = platform.rows(table)
    raw = sqlite3.connect(platform.store.engine.url.database)
    for statement in ("INSERT OR REPLACE INTO", "REPLACE INTO"):
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
            raw.execute(f"{statement} {table} SELECT * FROM {table}")
    raw.close()
    assert platform.rows(table) == before


@ON_SQLITE
@pytest.mark.parametrize(("table", "key"), [("decisions", "seq"), ("consent_records", "seq")])
def test_a_row_with_one_key_changed_replaces_nothing_either(platform, table, key):
    platform.grant(1)
    platform.decide(1)
    raw = sqlite3.connect(platform.store.engine.url.database)
    columns = ", ".join(f"{name} + 1000" if name == key else name for name in platform.rows(table)[0])
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        raw.execute(f"REPLACE INTO {table} SELECT {columns} FROM {table}")
    raw.close()


@ON_SQLITE
def test_replacing_a_row_is_deleting_it(platform):
    platform.decide(1)
    with pytest.raises(StoreError, match="got IntegrityError"), platform.store.write() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO decisions SELECT * FROM decisions")


def test_a_foreign_database_is_refused(tmp_path: Path):
    raw = sqlite3.connect(tmp_path / "other.db")
    raw.execute("CREATE TABLE customers (id INTEGER)")
    raw.close()
    with pytest.raises(StoreError, match="empty or Benne's own"):
        open_store(tmp_path / "other.db")


def test_a_newer_store_is_refused(tmp_path: Path):
    store = open_store(tmp_path / "benne.db")
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match="got a newer one"):
        open_store(tmp_path / "benne.db")


def test_an_empty_database_is_not_migrated_unasked(tmp_path: Path):
    with pytest.raises(StoreError, match="migrate=True"):
        open_store(tmp_path / "benne.db", migrate=False)


def test_what_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "notes.db").write_text("not a database, whatever its name says" * 50)
    with pytest.raises(StoreError, match="got DatabaseError"):
        open_store(tmp_path / "notes.db")
    with pytest.raises(StoreError, match="got OperationalError"):
        open_store(tmp_path / "no" / "such" / "folder.db")
    with pytest.raises(StoreError, match="SQLAlchemy URL or a file path"):
        open_store("://nothing")


def test_a_failed_transaction_leaves_nothing(platform):
    platform.decide(1)
    with pytest.raises(ZeroDivisionError, match="zero"):
        _copy_a_decision_and_fail(platform.store)
    assert len(platform.rows("decisions")) == 1


def _copy_a_decision_and_fail(store):
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE copied AS SELECT * FROM decisions; ")
        connection.exec_driver_sql("UPDATE copied SET seq = 2, decision_id = 'another'")
        connection.exec_driver_sql("INSERT INTO decisions SELECT * FROM copied")
        assert connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar() == 2
        1 / 0  # noqa: B018 - the power cut
