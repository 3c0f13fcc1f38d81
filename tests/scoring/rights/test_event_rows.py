"""Rows that correct what is known of a member: through the store's own door, all or none, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.errors import RightsError
from benne.features import SubjectKey, load_events
from benne.features.engines.event_store import EventStore
from benne.scoring.disputes.dispute import Answer, Disputed
from benne.scoring.disputes.event_rows import EventRows
from tests.scoring.rights.conftest import MEMBER, OFFICER

KEY = SubjectKey(b"a test secret of thirty-two bytes" + b"!" * 8)
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)
ANNA = KEY.subject_id("anna")
REMOVED = {
    "adverse_items": [
        {"record_id": "r-9", "member_id": "anna", "event_time": "2026-02-01T00:00:00Z", "item_id": "item-1",
         "kind": "default", "event": "removed"}
    ]
}  # fmt: skip


def listed() -> dict[str, pd.DataFrame]:
    """Anna and bert, who joined; of anna a default was listed after she had been told."""

    def rows(*found: dict[str, Any]) -> pd.DataFrame:
        frame = pd.DataFrame(found)
        for name in ("event_time", "known_at"):
            frame[name] = pd.Series([JANUARY] * len(found), dtype="datetime64[us, UTC]")
        return frame

    members = rows({"record_id": "m-1", "member_id": "anna", "adult": True},
                   {"record_id": "m-2", "member_id": "bert", "adult": True})  # fmt: skip
    item = {"member_id": "anna", "item_id": "item-1", "kind": "default"}
    items = rows({**item, "record_id": "r-1", "event": "notified"}, {**item, "record_id": "r-2", "event": "reported"})
    return {"members": members.astype({"adult": "boolean"}), "adverse_items": items}


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    events = load_events(listed(), key=KEY, ingested_at=JANUARY + timedelta(days=1))
    store = EventStore.create(tmp_path / "events.db", events, watermark=JANUARY + timedelta(days=1))
    yield EventRows(store, KEY, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    store.close()


def stored(rows: EventRows) -> list[str]:
    return list(rows.events.rows(ANNA)["adverse_items"].column("event").to_pylist())


def test_rows_are_added_once_however_often_they_are_sent(rows):
    before = rows.events.watermark
    rows.check(ANNA, REMOVED)
    assert (rows.events.watermark, len(stored(rows))) == (before, 2), "checking adds nothing"
    assert rows.append(ANNA, REMOVED)
    assert not rows.append(ANNA, REMOVED)
    assert sorted(map(str, stored(rows))) == sorted(["notified", "reported", "removed"])


def test_two_corrections_at_the_same_moment_come_one_after_another(rows):
    rows.append(ANNA, REMOVED)
    ended = {"adverse_items": [{**REMOVED["adverse_items"][0], "record_id": "r-10", "event": "upheld"}]}
    assert rows.append(ANNA, ended)


@pytest.mark.parametrize(
    ("change", "must"),
    [
        ({"member_id": "bert"}, "must be about the member of the dispute"),
        ({"member_id": 7}, "must be text"),
        ({"event_time": "yesterday"}, "moments in ISO 8601"),
        ({"event": "forgotten"}, "must pass the event store's door"),
        ({"known_at": "2020-01-01T00:00:00Z"}, "must pass the event store's door"),
        ({"record_id": "r-1"}, "must pass the event store's door"),
        ({"unheard_of": 1}, "must pass the event store's door"),
        ({"event_time": 1_767_225_600_000_000_000}, "moments in ISO 8601"),
        ({"item_id": "\ud800"}, "something that cannot be written"),
        ({"\ud800": 1}, "something that cannot be written"),
        ({"event": float("inf")}, "something that cannot be written"),
    ],
)
def test_what_is_no_correction_is_refused_and_nothing_of_it_is_kept(rows, change, must):
    with pytest.raises(RightsError, match=must) as refused:
        rows.check(ANNA, {"adverse_items": [{**REMOVED["adverse_items"][0], **change}]})
    assert "forgotten" not in str(refused.value)
    assert len(stored(rows)) == 2


@pytest.mark.parametrize("amount", [10**30, -(2**63) - 1, 2**63])
def test_a_number_too_large_for_the_store_is_refused(rows, amount):
    due = {**REMOVED["adverse_items"][0], "amount_due": amount}
    with pytest.raises(RightsError, match="must hold whole numbers"):
        rows.check(ANNA, {"dues": [due]})


@pytest.mark.parametrize("wrong", [{}, {"adverse_items": []}, {"members": [{}]}, {"weather": [{}]}])
def test_a_correction_is_of_tables_that_there_are_and_of_rows(rows, wrong):
    with pytest.raises(RightsError, match=r"must be of (1 to 1000 rows|verifications)"):
        rows.check(ANNA, wrong)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_sustained_dispute_brings_its_rows_into_the_store(desk, rows):
    desk.rows = rows
    decision_id = desk.answered(ANNA)
    desk.turn(timedelta(minutes=1))
    case = desk.disputes.open(ANNA, Disputed(topic="adverse_item", text="I paid.", decision_id=decision_id), MEMBER)
    for_bert = {"adverse_items": [{**REMOVED["adverse_items"][0], "member_id": "bert"}]}
    with pytest.raises(RightsError, match="must be about the member of the dispute"):
        desk.disputes.answer(case.case_id, 1, Answer(outcome="corrected", text="Yes.", rows=for_bert), OFFICER)
    assert desk.case(case.case_id).state == "opened"
    desk.disputes.answer(case.case_id, 1, Answer(outcome="corrected", text="Yes.", rows=REMOVED), OFFICER)
    assert "removed" in map(str, stored(rows))
    assert [row["outcome"] for row in desk.recorded("correction_made")] == ["events", "rows_appended", "done"]
    assert len(desk.told("correction_notice")) == 1
    with desk.store.read() as connection:
        kept = [one.content for one in desk.vault.everything(connection, ANNA) if one.kind == "dispute"]
    assert not any(b"item-1" in content for content in kept), "raw ids are kept no longer than they must"
