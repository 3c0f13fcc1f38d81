from __future__ import annotations

import pytest

from benne.scoring import open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.wiring import system_clock


@pytest.fixture
def store(database):
    opened = open_store(database())
    yield opened
    opened.close()


@pytest.fixture
def group(store):
    with GroupCommit(store, clock=system_clock) as opened:
        yield opened


@pytest.fixture
def tampered(store):
    """Runs a statement as somebody does who may do anything to the database."""

    def run(table: str, statement: str) -> None:
        with store.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_rows_stay ON {table}")
            else:
                for kind in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{kind}")
            connection.exec_driver_sql(statement)

    return run
