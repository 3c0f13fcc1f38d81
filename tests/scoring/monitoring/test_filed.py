"""Since when a model is to be monitored: filed last, or promoted last, whichever is later; never another model."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import file_document
from benne.scoring.monitoring.filed import filed_monitoring, watched_since
from benne.scoring.monitoring.live_checks import check_filed
from benne.scoring.store.service_tables import model_promotions
from tests.scoring.monitoring.conftest import NOON, Watched

OWN, OTHER = "ab" * 32, "cd" * 32


def file(watched: Watched, config_hash: str, event_id: str, kind: str = "monitoring") -> None:
    content = {
        "format": 1, "kind": kind, "model": {"model_id": "benne/1", "config_hash": config_hash}, "by": "ada",
        "made_at": "2026-03-01", "measures": {"monitoring.auc": {"value": 0.7, "n": 100}}, "tables": {}, "notes": [],
    }  # fmt: skip
    work = file_document(content, actor=Actor("ada", "data_scientist"), event_id=event_id, policy_version="p")
    with GroupCommit(watched.store, clock=watched.clock, patience=timedelta(seconds=5)) as group:
        group.submit(work)


def promote(watched: Watched, config_hash: str, seq: int) -> None:
    row = {
        "seq": seq, "model_id": f"benne/{seq}", "config_hash": config_hash, "actor_id": "ops",
        "promoted_at_us": int(watched.clock().timestamp() * 1e6), "validation_id": None, "undoes": None,
    }  # fmt: skip
    with watched.store.write() as connection:
        connection.execute(insert(model_promotions), row)


def since(watched: Watched) -> float | None:
    """Days after noon."""
    with watched.store.read() as connection:
        found = watched_since(connection, OWN)
    return None if found is None else (found - NOON) / timedelta(days=1)


def test_it_counts_from_the_last_filing_or_the_last_promotion_of_this_model(on_sqlite: Watched) -> None:
    assert since(on_sqlite) is None
    file(on_sqlite, OTHER, "e-1")
    file(on_sqlite, OWN, "e-2", kind="fairness")
    assert since(on_sqlite) is None
    promote(on_sqlite, OWN, 1)
    assert since(on_sqlite) == 0.0
    on_sqlite.clock.turn(days=10)
    file(on_sqlite, OWN, "e-3")
    assert since(on_sqlite) == 10.0
    on_sqlite.clock.turn(days=10)
    promote(on_sqlite, OTHER, 2)
    assert since(on_sqlite) == 10.0
    on_sqlite.clock.turn(days=10)
    promote(on_sqlite, OWN, 3)
    assert since(on_sqlite) == 30.0
    with on_sqlite.store.read() as connection:
        filed = filed_monitoring(connection, OWN)
    assert filed is not None
    assert (filed.document_id, filed.values()) == ("e-3", {"auc": 0.7})


@pytest.mark.parametrize(("passed", "days", "warned"), [(45, 45, 0), (46, 45, 1), (8, 7, 1), (4000, 0, 0)])
def test_more_days_than_allowed_are_a_warning(passed: int, days: int, warned: int) -> None:
    found = check_filed(NOON, NOON + timedelta(days=passed), days)
    assert len(found) == warned
    assert {one.severity for one in found} <= {"warning"}
    assert check_filed(None, NOON, days) == []
