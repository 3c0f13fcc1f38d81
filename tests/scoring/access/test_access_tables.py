"""The migrated tables of access are the declared ones, checks included, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from benne.scoring import open_store
from benne.scoring.store.schema import METADATA, VERSION_TABLE

TABLES = ("recipients", "api_keys")


def test_the_migrated_tables_are_the_declared_ones(database):
    store = open_store(database())
    with store.read() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True,
                   "include_name": lambda name, kind, _: kind != "table" or name in TABLES,
                   "include_object": lambda thing, name, kind, *_: kind != "table" or name in TABLES}  # fmt: skip
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    store.close()


@pytest.mark.parametrize("table", TABLES)
def test_the_migrated_checks_are_the_declared_ones(tmp_path, table):
    store, declared = open_store(tmp_path / "benne.db"), create_engine("sqlite://")
    METADATA.create_all(declared)
    migrated, meant = (
        sorted((check["name"], check["sqltext"]) for check in inspect(engine).get_check_constraints(table))
        for engine in (store.engine, declared)
    )
    assert migrated == meant
    assert len(migrated) >= 2
    store.close()
    declared.dispose()
