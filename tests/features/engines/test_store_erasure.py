"""An erased member: nothing of them is left, and nobody else's features change."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.errors import EventValueError
from benne.features import CATEGORIES, ConsentMask
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures

Row = dict[str, Any]
GONE = "person-91-3"
CANARY = 2**40 - 987_654_321


def _links(store: EventStore) -> set[tuple[str, str]]:
    with store._database.reading() as connection:
        return {tuple(one) for one in connection.exec_driver_sql("select other_id, subject_id from member_links")}


def _named_in_rows(store: EventStore, subjects: Iterable[str]) -> set[tuple[str, str]]:
    tables = ((subject, store.rows(subject).get("interactions")) for subject in subjects)
    return {(o, s) for s, rows in tables if rows is not None for o in rows.column("other_id").to_pylist()}


def _others(store: EventStore, subject: str) -> tuple[list[str], list[str]]:
    """Whom a member names in the stored rows, and in the packed ones."""
    loaded = store.member(subject).loaded
    assert loaded is not None
    return store.rows(subject)["interactions"].column("other_id").to_pylist(), sorted(loaded.member_ids)


@pytest.fixture
def subjects(world: Any, key: Any) -> dict[str, str]:
    """Everybody's subject id."""
    names = sorted({row["member_id"] for row in world["members"]})
    return dict(zip(names, key.subject_ids(names), strict=True))


def test_who_names_whom_is_known_after_every_change(
    store: EventStore, subjects: Any, row: Any, frames: Any, key: Any, clock: datetime
) -> None:
    assert _links(store) == _named_in_rows(store, subjects.values())
    made = [
        row(member, 1096.5, other_id=other, direction="given", kind="endorsement", value=None)
        for member, other in (("person-91-9", "person-91-24"), ("person-91-9", GONE), ("person-91-9", "new to all"))
    ]
    store.append(frames({"interactions": made}), key=key, ingested_at=clock + timedelta(days=1))
    assert _links(store) == _named_in_rows(store, subjects.values())
    assert (subjects["person-91-24"], subjects["person-91-9"]) in _links(store)
    store.erase(subjects[GONE])
    assert _links(store) == _named_in_rows(store, subjects.values())


def test_others_name_one_random_id_in_place_of_the_erased_one(
    store: EventStore, world: Any, make_store: Any, subjects: Any
) -> None:
    def erased_from(which: EventStore) -> str:
        gone = subjects[GONE]
        before = {s: _others(which, s) for other, s in _links(which) if other == gone}
        known = {other for other, _ in _links(which)}
        assert which.erase(gone)
        (tombstone,) = {other for other, _ in _links(which)} - known
        for s, named in before.items():
            rows, packed = ([tombstone if one == gone else one for one in some] for some in named)
            assert _others(which, s) == (rows, sorted(packed))
        assert len(before) > 3
        return tombstone

    tombstones = erased_from(store), erased_from(make_store(world, "again.db"))
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in tombstones)
    assert tombstones[0] != tombstones[1], "nothing leads from the member to it"


def _mask(subjects: Iterable[str], withheld_by: str | None, days: Any) -> ConsentMask:
    grants = [(s, c) for s in subjects for c in CATEGORIES if (s, c) != (withheld_by, "social")]
    frame = pd.DataFrame(grants, columns=["subject_id", "category"])
    moments = pd.to_datetime([days(-9), days(9999)], unit="us", utc=True)
    return ConsentMask(frame.assign(granted_from=moments[0], granted_until=moments[1]), reason="test")


def test_features_of_others_change_only_where_they_rest_on_the_erased_ones_consent(
    store: EventStore, subjects: Any, days: Any, everything: ConsentMask, clock: datetime, row: Any, frames: Any,
    key: Any,
) -> None:  # fmt: skip
    everybody, gone = subjects.values(), subjects[GONE]
    withheld, granted = _mask(everybody, gone, days), _mask(everybody, None, days)

    def features(consents: ConsentMask) -> pd.DataFrame:
        online = OnlineFeatures(store)
        rows = (online.compute(s, clock, consents=consents).to_frame() for s in everybody if s != gone)
        return pd.concat(rows)

    before = [features(consents) for consents in (everything, withheld, granted)]
    store.erase(gone)
    renamed = [features(consents) for consents in (everything, withheld, granted)]
    raw = frames({"payments": [row(m, 1096.5, direction="out", amount=5) for m in subjects if m != GONE]})
    store.append(raw, key=key, ingested_at=clock + timedelta(days=1))
    packed_anew = [features(consents) for consents in (everything, withheld, granted)]
    for after in (renamed, packed_anew):
        pd.testing.assert_frame_equal(after[0], before[0], check_exact=True)
        pd.testing.assert_frame_equal(after[1], before[1], check_exact=True)
        pd.testing.assert_frame_equal(after[2], before[1], check_exact=True)
    assert not before[1].equals(before[2]), "some social features did rest on that consent"


def test_one_who_never_joined_can_be_erased_and_what_is_no_subject_id_is_refused(
    store: EventStore, key: Any, subjects: Any
) -> None:
    stranger = key.subject_ids(["a stranger"])[0]
    assert stranger in {other for other, _ in _links(store)}
    assert store.erase(stranger)
    assert stranger not in {other for other, _ in _named_in_rows(store, subjects.values())}
    assert not store.erase(stranger)
    with pytest.raises(EventValueError, match="subject_id must be 32 hexadecimal digits, got something else"):
        store.erase(GONE)


def _found(folder: Path, wanted: Iterable[bytes]) -> list[str]:
    """In which of the database's files any of some bytes are."""
    return sorted(p.name for p in folder.glob("events.db*") if any(one in p.read_bytes() for one in wanted))


def _with_canary(world: dict[str, list[Row]], row: Any) -> dict[str, list[Row]]:
    others = ("person-91-0", "person-91-1", "person-91-2")
    dealt = [row("canary", 9, other_id=m, direction="given", kind="rating", value=5) for m in others]
    dealt += [row(m, 9, other_id="canary", direction="received", kind="rating", value=5) for m in others]
    paid = [row("canary", 9, direction="out", amount=CANARY)]
    added = {"members": [row("canary", 0, adult=True)], "payments": paid, "interactions": dealt}
    return {name: rows + added.get(name, []) for name, rows in world.items()}


@pytest.fixture
def canary(store: EventStore, world: Any, row: Any, frames: Any, key: Any, clock: datetime) -> list[bytes]:
    """A member who joins, is rated and pays an amount nobody else does; every trace they could leave."""
    added = {name: rows[len(world[name]) :] for name, rows in _with_canary(world, row).items()}
    late = {name: [one | {"known_at": None} for one in rows] for name, rows in added.items() if rows}
    store.append(frames(late), key=key, ingested_at=clock + timedelta(days=1))
    subject = key.subject_ids(["canary"])[0]
    records = [r for table in store.rows(subject).values() for r in table.column("record_id").to_pylist()]
    traces = [one for text in (subject, *records) for one in (text.encode(), bytes.fromhex(text))]
    return [*traces, CANARY.to_bytes(8, "little")]


def test_no_byte_of_an_erased_member_stays_in_the_files(
    store: EventStore, canary: list[bytes], key: Any, tmp_path: Path
) -> None:
    assert _found(tmp_path, canary) == ["events.db-wal"]
    store.wipe()
    assert _found(tmp_path, canary) == ["events.db"]
    assert store.erase(key.subject_ids(["canary"])[0])
    assert _found(tmp_path, canary) == []
    store.close()
    assert _found(tmp_path, canary) == []


def test_no_byte_stays_of_one_who_was_there_from_the_start(
    world: Any, row: Any, make_store: Any, key: Any, tmp_path: Path
) -> None:
    store, subject = make_store(_with_canary(world, row)), key.subject_ids(["canary"])[0]
    traces = [subject.encode(), bytes.fromhex(subject), CANARY.to_bytes(8, "little")]
    store.close()
    assert _found(tmp_path, traces) == ["events.db"]
    again = EventStore.open(tmp_path / "events.db")
    assert again.erase(subject)
    again.close()
    assert _found(tmp_path, traces) == []


def test_a_reader_of_an_older_state_keeps_the_log_and_the_store_says_so(
    store: EventStore, canary: list[bytes], key: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.wipe()
    with store._database.reading() as reader, caplog.at_level(logging.WARNING):
        reader.exec_driver_sql("select count(*) from member_events").scalar()
        assert store.erase(key.subject_ids(["canary"])[0]), "it is erased all the same"
        assert "What was erased from the event store stays in the log of its database" in caplog.text
        assert not store.wipe()
        assert _found(tmp_path, canary) == ["events.db"]
    caplog.clear()
    assert store.wipe()
    assert _found(tmp_path, canary) == []
    assert not store.erase("0" * 32)
    assert not caplog.records


def test_erased_rows_are_not_computed_from_memory(
    store: EventStore, subjects: Any, clock: datetime, everything: ConsentMask
) -> None:
    online, one = OnlineFeatures(store), subjects["person-91-0"]
    before = online.compute(one, clock, consents=everything).values
    store.erase(subjects[GONE])
    np.testing.assert_array_equal(online.compute(one, clock, consents=everything).values, before)
    assert store.member(subjects[GONE]).loaded is None
