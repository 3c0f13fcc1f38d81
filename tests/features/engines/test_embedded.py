"""Partitions, batches and order change no bit; nothing is loaded that nobody may read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features import ConsentMask, build_features, load_events
from benne.features.engines import embedded
from benne.features.engines.embedded import UNREAD, PartitionReader
from benne.features.kernel import primitives, visibility
from benne.features.kernel.windows import DAY

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


@pytest.mark.parametrize(("subjects", "rows"), [(1, 10**6), (3, 10**6), (4096, 1), (5, 40)])
def test_members_may_be_cut_into_partitions_and_copies_of_any_size(
    subjects: int, rows: int, world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any,
    everything: ConsentMask, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(embedded, "MAXIMUM_SUBJECTS", subjects)
    monkeypatch.setattr(embedded, "_MAXIMUM_ROWS", rows)
    monkeypatch.setattr(visibility, "MAXIMUM_SUBJECTS", subjects)
    monkeypatch.setattr(visibility, "_MAXIMUM_ROWS", rows)
    monkeypatch.setattr(primitives, "_GATHERED", rows)
    assert _same_bits(build_features(load(world), observe(pairs), consents=everything), whole)


def test_events_on_disk_give_the_same_bits(
    world: Any, pairs: Any, whole: pd.DataFrame, load: Any, observe: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    from benne.features import Events

    saved = Events.open(load(world).save(tmp_path / "it's [odd] *"))
    assert _same_bits(build_features(saved, observe(pairs), consents=everything), whole)


def test_a_subjects_rows_are_loaded_until_its_moment_and_not_at_all_where_unread(
    row: Any, load: Any, key: Any, days: Any
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
    subjects = pd.DataFrame({
        "subject_id": key.subject_ids(["anna", "ben"]),
        "until_payments": [days(10), UNREAD],
        "until_dues": [days(10), UNREAD],
    })  # fmt: skip
    with PartitionReader(events, subjects, ("payments", "dues")) as reader:
        (loaded,) = reader.partitions()
    payments = loaded.streams["payments"]
    assert payments.subject.tolist() == [0, 0]
    assert payments.time.tolist() == [days(1), days(9)]
    assert loaded.streams["dues"].time.tolist() == [days(5), days(375)], "a schedule is seen a year ahead"
    assert "members" not in loaded.streams
    assert days(10) - days(1) == DAY * 9
