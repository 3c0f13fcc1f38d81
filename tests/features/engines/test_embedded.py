"""Partitions, batches and order change no bit; nothing is loaded that nobody may read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import EventValueError
from benne.features import ConsentMask, build_features, load_events
from benne.features.compute import UNREAD
from benne.features.engines import embedded, packing
from benne.features.engines.embedded import Layout, RangeReader
from benne.features.engines.task import Members
from benne.features.kernel.layout import STREAMS

Row = dict[str, Any]


@pytest.fixture(scope="module")
def world(random_world: Any) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = random_world(77, members=14)
    return tables


@pytest.fixture(scope="module")
def pairs(days: Any) -> list[tuple[str, int]]:
    return [(f"person-77-{i}", days(200 + 97 * j)) for i in range(14) for j in range(5)]


@pytest.fixture(scope="module")
def whole(world: Any, pairs: Any, load: Any, observe: Any, everything: ConsentMask) -> pd.DataFrame:
    return build_features(load(world), observe(pairs), consents=everything)


def _same_bits(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    return one.to_numpy(dtype=float).tobytes() == two.to_numpy(dtype=float).tobytes()


def test_a_member_alone_equals_the_member_in_the_batch(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask
) -> None:
    events = load(world)
    for place in (0, 23, 69):
        alone = build_features(events, observe([pairs[place]]), consents=everything)
        assert _same_bits(alone, whole.iloc[[place]])


def test_observations_may_come_in_any_order(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask
) -> None:
    order = np.random.default_rng(1).permutation(len(pairs))
    shuffled = build_features(load(world), observe([pairs[i] for i in order]), consents=everything)
    assert _same_bits(shuffled, whole.iloc[order])


def test_rows_may_come_in_any_order(
    world: Any,
    pairs: Any,
    whole: pd.DataFrame,
    frames: Any,
    key: Any,
    clock: Any,
    observe: Any,
    everything: ConsentMask,
) -> None:
    shuffled = {name: frame.sample(frac=1, random_state=5) for name, frame in frames(world).items()}
    events = load_events(shuffled, key=key, ingested_at=clock)
    assert _same_bits(build_features(events, observe(pairs), consents=everything), whole)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("members", "rows"), [(1, 10**6), (3, 10**6), (4096, 1), (5, 40)])
def test_members_may_be_cut_into_ranges_of_any_size_for_any_number_of_workers(
    members: int, rows: int, workers: int, world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any,
    everything: ConsentMask, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(embedded, "_MEMBERS_AT_ONCE", members)
    monkeypatch.setattr(embedded, "_ROWS_AT_ONCE", rows)
    told: list[tuple[int, int]] = []
    frame = build_features(
        load(world), observe(pairs), consents=everything, workers=workers, progress=lambda *it: told.append(it)
    )
    assert _same_bits(frame, whole)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (14, 14)


def test_an_error_in_one_range_stops_the_build(
    world: Any, pairs: Any, load: Any, observe: Any, everything: ConsentMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, first: int, last: int) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(RangeReader, "read", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        build_features(load(world), observe(pairs), consents=everything)


def test_tables_that_are_not_sorted_by_member_are_sorted_first(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask
) -> None:
    events = load(world)
    rng = np.random.default_rng(2)
    mixed = {name: table.take(rng.permutation(table.num_rows)) for name, table in events.sources.items()}
    unsorted = type(events)(mixed, events.known_since, events.key_fingerprint, events.fingerprint)
    assert _same_bits(build_features(unsorted, observe(pairs), consents=everything), whole)


def test_row_groups_that_end_within_a_member_change_no_bit(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    events = load(world)
    for name, table in events.sources.items():
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=7)
    files = {name: tmp_path / f"{name}.parquet" for name in events.sources}
    cut = type(events)(files, events.known_since, events.key_fingerprint, events.fingerprint)
    assert _same_bits(build_features(cut, observe(pairs), consents=everything), whole)


def test_events_on_disk_give_the_same_bits(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    from benne.features import Events

    saved = Events.open(load(world).save(tmp_path / "it's [odd] *"))
    assert _same_bits(build_features(saved, observe(pairs), consents=everything), whole)


def test_a_subjects_rows_are_loaded_until_its_moment_and_not_at_all_where_unread(
    row: Any, load: Any, key: Any, days: Any, tmp_path: Any
) -> None:
    def pay(member: str, day: float) -> Row:
        return row(member, day, direction="out", amount=1)

    def due(day: float) -> Row:
        return row("anna", day, 0, due_id=f"d{day}", obligation_id="o", amount_due=1)

    events = load({
        "members": [row(m, 0, adult=True) for m in ("anna", "ben", "cleo")],
        "payments": [pay("anna", 1), pay("anna", 9), pay("anna", 10), pay("ben", 1), pay("cleo", 1)],
        "dues": [due(5), due(10 + 365), due(10 + 367)],
    })  # fmt: skip
    who = np.sort(key.subject_ids(["anna", "ben"]))
    anna = who.tolist().index(key.subject_ids(["anna"])[0])
    payments = np.where(np.arange(2) == anna, days(10), UNREAD)
    members = Members(who, {"payments": payments, "dues": np.full(2, days(10))})
    layout = Layout(events, members, tmp_path)
    assert layout.ranges() == [(0, 2)]
    reader = RangeReader(layout)
    loaded = reader.read(0, 2)
    reader.close()
    times = _times(loaded, anna)
    assert times["payments"] == [days(1), days(9)]
    assert times["dues"] == [days(5), days(375)], "a schedule is seen a year ahead"
    assert _times(loaded, 1 - anna) == {"members": [], "payments": [], "dues": []}


def _times(loaded: Any, subject: int) -> dict[str, list[int]]:
    part = loaded.partition
    return {
        name: part.rows.time[part.first[STREAMS[name], subject] : part.last[STREAMS[name], subject]].tolist()
        for name in ("members", "payments", "dues")
    }


def test_a_member_with_more_rows_than_sums_are_exact_for_is_refused(
    world: Any, pairs: Any, load: Any, observe: Any, everything: ConsentMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MAXIMUM_EVENTS", 2)
    with pytest.raises(EventValueError, match="A member must have at most 2 rows in account_status, got"):
        build_features(load(world), observe(pairs), consents=everything)


def test_one_member_with_very_many_events_equals_the_plain_sums(
    key: Any, clock: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    m = 200_000
    when = pd.to_datetime(days(1) + np.arange(m) * 1_000_000, unit="us", utc=True)
    amount = np.arange(m) % 1000
    payments = pd.DataFrame({"record_id": np.arange(m), "member_id": "anna", "event_time": when, "known_at": when,
                             "direction": "in", "amount": amount})  # fmt: skip
    joined = pd.to_datetime([days(0)] * 2, unit="us", utc=True)
    members = pd.DataFrame({"record_id": [0, 1], "member_id": ["anna", "ben"], "event_time": joined,
                            "known_at": joined, "adult": True})  # fmt: skip
    events = load_events({"members": members, "payments": payments}, key=key, ingested_at=clock)
    moment = days(1) + 150_000 * 1_000_000
    frame = build_features(events, observe([("anna", moment), ("ben", moment)]), consents=everything)
    assert frame["inflow_monthly_180d"].tolist() == [amount[:150_000].sum() / 6, 0.0]
