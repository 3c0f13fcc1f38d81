"""One member from the store: the same bits as the batch, and nothing that could change afterwards."""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from benne.errors import EventSchemaError, EventValueError, ObservationError, StoreError
from benne.features import CATEGORIES, ConsentMask, SubjectKey, build_features, load_events, registry
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures

Row = dict[str, Any]
CLOCK = datetime(2027, 1, 1, tzinfo=UTC)


def _mask(world: dict[str, list[Row]], key: Any, days: Any) -> ConsentMask:
    """Some categories withheld by some members, some for a time."""
    rng = np.random.default_rng(4)
    grants = [
        (key.subject_ids([m])[0], c, days(int(rng.integers(0, 300))), days(int(rng.integers(500, 900))))
        for m in sorted({r["member_id"] for r in world["members"]}) for c in CATEGORIES if rng.random() < 0.8
    ]  # fmt: skip
    frame = pd.DataFrame(grants, columns=["subject_id", "category", "granted_from", "granted_until"])
    for name in ("granted_from", "granted_until"):
        frame[name] = pd.to_datetime(frame[name], unit="us", utc=True)
    return ConsentMask(frame, reason="test")


def _pairs(world: dict[str, list[Row]], days: Any) -> list[tuple[str, int]]:
    joined: dict[str, int] = {}
    for row in world["members"]:
        joined[row["member_id"]] = max(joined.get(row["member_id"], 0), row["known_at"])
    return [(m, days(at)) for m in sorted(joined) for at in (250.0, 410.5, 700.0) if joined[m] < days(at)]


@pytest.mark.parametrize("everybody", [True, False], ids=["everything granted", "some withheld"])
def test_online_equals_the_batch_bit_for_bit(
    everybody: bool, world: Any, store: EventStore, load: Any, observe: Any, days: Any, key: Any
) -> None:
    consents = ConsentMask.all_granted(reason="test") if everybody else _mask(world, key, days)
    asked = observe(_pairs(world, days))
    batch = build_features(load(world), asked, consents=consents)
    online = OnlineFeatures(store)
    rows = [online.compute(s, t.to_pydatetime(), consents=consents).to_frame() for s, t in asked.to_numpy()]
    alone = pd.concat(rows)
    pd.testing.assert_frame_equal(alone, batch, check_exact=True)
    assert alone.to_numpy(dtype=float).tobytes() == batch.to_numpy(dtype=float).tobytes()


def test_a_store_that_grew_row_by_row_equals_one_load_of_everything(
    world: Any, load: Any, frames: Any, observe: Any, days: Any, key: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    world = copy.deepcopy(world)
    del world["adverse_items"]  # whose steps become known in any order here, and would not pass the door
    for due in world["dues"]:  # a repayment of a due that is not known yet would not pass the door
        paid = [r["known_at"] for r in world["repayments"] if r["due_id"] == due["due_id"]]
        if due["supersedes"] is None:
            due["known_at"] = min([due["known_at"], *paid])
    cuts = [days(at) for at in (300, 500, 640)]
    known = {name: [r for r in rows if r["known_at"] <= cuts[0]] for name, rows in world.items()}
    first = datetime.fromtimestamp(cuts[0] / 1e6, UTC)
    kept = {name: rows for name, rows in known.items() if rows}
    store = EventStore.create(
        tmp_path / "grown.db", load_events(frames(kept), key=key, ingested_at=first), watermark=first
    )
    added = 0
    for low, high in zip(cuts, [*cuts[1:], days(1000)], strict=True):
        new = {n: [r for r in rows if low < r["known_at"] <= high] for n, rows in world.items()}
        raw = frames({name: rows for name, rows in new.items() if rows})
        added += store.append(raw, key=key, ingested_at=datetime.fromtimestamp(high / 1e6, UTC))
    assert added == sum(len(rows) for rows in world.values()) - sum(len(rows) for rows in known.values())
    asked = observe(_pairs(world, days))
    batch = build_features(load(world), asked, consents=everything)
    online = OnlineFeatures(store)
    alone = [online.compute(s, t.to_pydatetime(), consents=everything).values for s, t in asked.to_numpy()]
    assert np.array(alone).tobytes() == batch.iloc[:, :-5].to_numpy().tobytes()
    store.close()


def test_the_store_opens_again_with_what_was_committed(store: EventStore, key: Any, tmp_path: Any) -> None:
    before = store.member(key.subject_ids(["person-91-0"])[0])
    again = EventStore.open(tmp_path / "events.db")
    after = again.member(key.subject_ids(["person-91-0"])[0])
    assert before.loaded is not None
    assert after.loaded is not None
    np.testing.assert_array_equal(before.loaded.partition.rows.cells, after.loaded.partition.rows.cells)
    assert (before.watermark, before.known_since) == (after.watermark, after.known_since)
    again.close()


def days_of(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _payment(frames: Any, row: Any, day: float, known: float | None = None, **columns: Any) -> Any:
    made = row("person-91-0", day, day if known is None else known, direction="out", amount=5, **columns)
    return frames({"payments": [made]})


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"record_id": "record-1"}, None, ""),
    ({"supersedes": "no such row"}, EventValueError, "payments.supersedes must name an earlier record"),
    ({"member_id": "a stranger"}, EventValueError, "payments.member_id must be in members"),
    ({"known": 300.0}, EventValueError, "payments.known_at must not be before the store's watermark, got 1 row"),
])  # fmt: skip
def test_an_append_is_held_against_what_is_stored(
    change: dict[str, Any], error: type[Exception] | None, message: str, store: EventStore, frames: Any, row: Any,
    key: Any,
) -> None:  # fmt: skip
    later = CLOCK + timedelta(days=1)
    known = change.pop("known", 1096.5)
    raw = _payment(frames, row, 300.0, known)
    raw["payments"] = raw["payments"].assign(**change)
    before = store.watermark
    if error is None:
        assert store.append(raw, key=key, ingested_at=later) == 1
        assert store.watermark > days_of(later), "what was added can be asked for at once"
        return
    with pytest.raises(error, match=message):
        store.append(raw, key=key, ingested_at=later)
    assert store.watermark == before, "nothing of a refused append stays"


def test_the_same_record_twice_is_refused(store: EventStore, frames: Any, row: Any, key: Any) -> None:
    raw = _payment(frames, row, 1096.5)
    store.append(raw, key=key, ingested_at=CLOCK + timedelta(days=1))
    again = raw | {"payments": raw["payments"].assign(known_at=pd.Timestamp(CLOCK + timedelta(days=2)))}
    with pytest.raises(EventValueError, match=r"payments.record_id must be unique in the table.*already"):
        store.append(again, key=key, ingested_at=CLOCK + timedelta(days=3))


def test_another_key_and_a_clock_that_runs_back_are_refused(store: EventStore, frames: Any, row: Any, key: Any) -> None:
    raw = _payment(frames, row, 1096.5)
    with pytest.raises(EventSchemaError, match="Rows must be keyed with the store's own key"):
        store.append(raw, key=SubjectKey(b"x" * 32), ingested_at=CLOCK + timedelta(days=1))
    with pytest.raises(EventValueError, match="The ingest clock must not run back"):
        store.append(raw, key=key, ingested_at=CLOCK - timedelta(days=1))
    with pytest.raises(EventValueError, match="The ingest clock must not run back"):
        store.advance(CLOCK - timedelta(seconds=1))


def test_what_is_not_in_the_store_yet_cannot_be_asked_for(
    store: EventStore, key: Any, everything: ConsentMask, days: Any
) -> None:
    online, subject = OnlineFeatures(store), key.subject_ids(["person-91-0"])[0]
    with pytest.raises(ObservationError, match="as_of must be at most the store's watermark"):
        online.compute(subject, CLOCK + timedelta(seconds=1), consents=everything)
    store.advance(CLOCK + timedelta(days=1))
    assert online.compute(subject, CLOCK + timedelta(seconds=1), consents=everything).values.shape == (len(registry),)
    with pytest.raises(ObservationError, match="A member must be in the event store, got one who is not"):
        online.compute("0" * 32, CLOCK, consents=everything)
    with pytest.raises(ObservationError, match="as_of must be after the member joined"):
        online.compute(subject, datetime(2023, 1, 1, tzinfo=UTC), consents=everything)


def test_a_minor_is_not_observed(
    row: Any, load: Any, days: Any, key: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    store = EventStore.create(tmp_path / "m.db", load({"members": [row("anna", 0, adult=False)]}), watermark=CLOCK)
    with pytest.raises(ObservationError, match="A member must be attested to be an adult"):
        OnlineFeatures(store).compute(key.subject_ids(["anna"])[0], CLOCK, consents=everything)
    store.close()


def test_an_erased_member_is_gone(store: EventStore, key: Any) -> None:
    subject = key.subject_ids(["person-91-3"])[0]
    assert store.rows(subject)["members"].num_rows >= 1
    assert store.erase(subject)
    assert store.rows(subject) == {}
    assert store.member(subject).loaded is None
    assert not store.erase(subject)


def test_a_store_is_made_once_and_must_be_there_to_be_opened(store: EventStore, world: Any, load: Any, tmp_path: Any
                                                             ) -> None:  # fmt: skip
    with pytest.raises(StoreError, match="A new event store must be made where none is"):
        EventStore.create(tmp_path / "events.db", load(world), watermark=CLOCK)
    with pytest.raises(StoreError, match=r"An event store must be at .*, got none"):
        EventStore.open(tmp_path / "nothing.db")
    (tmp_path / "text.db").write_text("this is no database, it is a text that is long enough to be none" * 20)
    with pytest.raises(StoreError, match="must be reachable and whole, got DatabaseError"):
        EventStore.open(tmp_path / "text.db")


def test_rows_known_after_the_watermark_do_not_enter_a_new_store(world: Any, load: Any, tmp_path: Any) -> None:
    with pytest.raises(EventValueError, match="No row may be known after the watermark"):
        EventStore.create(tmp_path / "early.db", load(world), watermark=datetime(2024, 6, 1, tzinfo=UTC))
    with pytest.raises(StoreError, match="got no store"):
        EventStore.open(tmp_path / "early.db")


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-9], lambda b: b[:60], lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:], lambda _: b""],
    ids=["shorter", "a stump", "one bit", "nothing"],
)
def test_packed_rows_that_are_not_as_written_never_reach_the_kernel(damage: Any, store: EventStore, key: Any) -> None:
    subject = key.subject_ids(["person-91-0"])[0]
    with store._database.writing() as connection:
        (packed,) = connection.execute(
            text("select packed from member_events where subject_id = :s"), {"s": subject}
        ).one()
        connection.execute(
            text("update member_events set packed = :p where subject_id = :s"), {"s": subject, "p": damage(packed)}
        )
    with pytest.raises(EventSchemaError, match="A member's packed rows must be"):
        store.member(subject)


def test_a_reader_waits_for_no_writer(store: EventStore, key: Any) -> None:
    subject = key.subject_ids(["person-91-0"])[0]
    with store._database.writing() as writing:
        writing.execute(text("update event_store set watermark = watermark + 1"))
        begin = time.perf_counter()
        assert store.member(subject).loaded is not None
        assert time.perf_counter() - begin < 5, "the lock would be waited for thirty seconds"
