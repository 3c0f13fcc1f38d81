"""Spark in local mode: the same bits as the embedded engine, however members fall into partitions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.errors import EngineUnavailable
from benne.features import CATEGORIES, ConsentMask, build_features
from benne.features.engines import spark as engine

Row = dict[str, Any]

needs_java = pytest.mark.skipif(
    shutil.which("java") is None, reason="needs Java 17 or newer: apt-get install openjdk-17-jre-headless"
)


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """A real Spark session on two cores."""
    made = engine.local_session(cores=2, memory="1g")
    yield made
    made.stop()


def _mask(members: list[str], key: Any, days: Any) -> ConsentMask:
    rng = np.random.default_rng(6)
    subjects = key.subject_ids(members)
    grants = [
        (subject, category, days(int(rng.integers(0, 300))), days(int(rng.integers(500, 900))))
        for subject in subjects for category in CATEGORIES if rng.random() < 0.8
    ]  # fmt: skip
    frame = pd.DataFrame(grants, columns=["subject_id", "category", "granted_from", "granted_until"])
    for name in ("granted_from", "granted_until"):
        frame[name] = pd.to_datetime(frame[name], unit="us", utc=True)
    return ConsentMask(frame, reason="test")


def _told_by(told: list[int]) -> Any:
    return lambda done, _: told.append(done)


@needs_java
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark")
def test_spark_gives_the_same_bits_with_and_without_consents(
    session: Any,
    random_world: Any,
    load: Any,
    observe: Any,
    days: Any,
    key: Any,
    everything: ConsentMask,
    tmp_path: Any,
) -> None:
    events = load(random_world(61, members=30))
    members = [f"person-61-{i}" for i in range(30)]
    asked = observe([(m, days(at)) for m in members for at in (130.0, 410.5, 700.0)])
    for consents in (everything, _mask(members, key, days)):
        embedded = build_features(events, asked, consents=consents)
        told: list[int] = []
        on_spark = build_features(
            events, asked, consents=consents, engine="spark", session=session, progress=_told_by(told)
        )
        pd.testing.assert_frame_equal(on_spark, embedded, check_exact=True)
        assert on_spark.to_numpy(dtype=float).tobytes() == embedded.to_numpy(dtype=float).tobytes()
        assert told == [30]


@needs_java
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_a_corrected_build_on_spark_equals_the_embedded_one(
    session: Any, random_world: Any, load: Any, observe: Any, days: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    events = load(random_world(62, members=12))
    on_disk = type(events).open(events.save(tmp_path / "events"))
    asked = observe([(f"person-62-{i}", days(300)) for i in range(12)])
    by = pd.Timestamp(days(600), unit="us", tz="UTC").to_pydatetime()
    embedded = build_features(events, asked, consents=everything, known_by=by)
    on_spark = build_features(on_disk, asked, consents=everything, known_by=by, engine="spark", session=session)
    pd.testing.assert_frame_equal(on_spark, embedded, check_exact=True)
    assert not embedded.equals(build_features(events, asked, consents=everything))


@pytest.mark.parametrize("at_once", [1, 4, 7, 1000])
def test_batches_are_cut_between_members(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ROWS_AT_ONCE", at_once)
    subjects = ["a"] * 5 + ["b"] + ["c"] * 9 + ["d"] * 2
    table = pa.table({"subject_id": subjects, "place": range(len(subjects))})
    pieces = list(engine._whole_members(iter(table.to_batches(max_chunksize=3))))
    assert [p for piece in pieces for p in piece.column("place").to_pylist()] == list(range(len(subjects)))
    owners = [set(piece.column("subject_id").to_pylist()) for piece in pieces]
    assert sum(len(o) for o in owners) == 4, "no member lies in two pieces"
    if at_once == 1:
        assert len(pieces) == 4


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(EngineUnavailable, match="Spark needs Java 17 or newer, got none"):
        engine.local_session()
