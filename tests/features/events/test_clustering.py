"""Stored tables lie sorted by member and time, and readers of some members read few row groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benne.features import Events, SubjectKey, ingest, load_events
from benne.features.events.clustering import CLUSTERED_BY
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema

Frames = dict[str, pd.DataFrame]


@pytest.fixture
def crowd(frames: Any, row: Any) -> Callable[[int], Frames]:
    """Fifty members and one with far more payments than all of them."""

    def made(heavy: int) -> Frames:
        members = [f"m{n}" for n in range(50)]
        base: Frames = frames({"members": [row(m, 0, adult=True) for m in members]})
        rng, n = np.random.default_rng(4), heavy + 500
        moment = pd.Timestamp("2024-02-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 10**6, n), unit="s")
        who = np.where(np.arange(n) < heavy, "m7", rng.choice(members, n))
        shuffled = rng.permutation(n)
        payments = pd.DataFrame({"record_id": [f"p{i}" for i in range(n)], "member_id": who, "event_time": moment,
                                 "known_at": moment, "direction": "out", "amount": 5})  # fmt: skip
        return {**base, "payments": payments.iloc[shuffled].reset_index(drop=True)}

    return made


def test_every_table_is_stored_sorted_in_its_one_schema(
    random_world: Any, frames: Any, as_files: Any, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    world = frames(random_world(5))
    stored = ingest(as_files(world), tmp_path / "out", key=key, ingested_at=clock)
    loaded = load_events(world, key=key, ingested_at=clock)
    assert stored.fingerprint == loaded.fingerprint
    for name in stored.tables:
        path = tmp_path / "out" / f"{name}.parquet"
        assert pq.read_schema(path) == stored_schema(TABLES[name])
        keys = [stored.read(name).column(c).to_pylist() for c in CLUSTERED_BY]
        rows = list(zip(*keys, strict=True))
        assert rows == sorted(rows)
        assert stored.read(name).equals(loaded.read(name))
    assert Events.open(tmp_path / "out").fingerprint == stored.fingerprint


def test_nothing_of_the_work_stays_in_the_folder(
    crowd: Any, as_files: Any, key: SubjectKey, clock: datetime, tmp_path: Path
) -> None:
    ingest(as_files(crowd(20)), tmp_path / "out", key=key, ingested_at=clock)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "events.json",
        "members.parquet",
        "payments.parquet",
    ]


def test_a_member_with_most_events_of_a_table_lies_together_and_others_read_few_groups(
    crowd: Any, as_files: Any, key: SubjectKey, clock: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benne.features.events.clustering.ROW_GROUP_ROWS", 4_096)
    stored = ingest(as_files(crowd(30_000)), tmp_path / "out", key=key, ingested_at=clock)
    assert stored.rows("payments") == 30_500
    footer = pq.read_metadata(tmp_path / "out/payments.parquet")
    column = footer.schema.to_arrow_schema().names.index("subject_id")
    ranges = [footer.row_group(g).column(column).statistics for g in range(footer.num_row_groups)]
    members = sorted(set(stored.read("members").column("subject_id").to_pylist()))
    heavy = key.subject_ids(["m7"])[0]
    groups = {m: sum(r.min <= m <= r.max for r in ranges) for m in members}
    assert footer.num_row_groups >= 7
    assert groups[heavy] >= 7
    assert max(groups[m] for m in members if m != heavy) <= 2


def test_the_random_worlds_load_the_same_in_any_order(
    random_world: Any, frames: Any, key: SubjectKey, clock: datetime
) -> None:
    world = frames(random_world(8))
    turned = {name: frame.iloc[::-1] for name, frame in world.items()}
    one, two = (load_events(w, key=key, ingested_at=clock) for w in (world, turned))
    assert one.fingerprint == two.fingerprint
    assert all(isinstance(one.sources[name], pa.Table) for name in one.tables)
