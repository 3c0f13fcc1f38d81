"""All registered features on a simulated platform: the build, and one member at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from feature_world import KEY
from measuring import measure

from benne.experiments.simulator import simulate
from benne.features import ConsentMask, Events, available, build_features, ingest
from benne.features.compute import compute
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures
from benne.features.kernel.stream import Observations
from benne.features.observations import observe_everybody
from benne.features.plan import Plan

__all__ = ["simulated"]

_WARM, _MOST = 200, 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STORE_TABLES: Final = "events"


def simulated(folder: Path, members: int) -> dict[str, Any]:
    """Simulate, ingest, build, fill an event store, and ask it for members one by one.

    Parameters
    ----------
    folder : Path
        Must exist; a world, its events and an event store are written there.
    members : int

    Returns
    -------
    dict
        ``seconds`` and ``peak_mb`` of the build; ``rows`` and ``observations`` of it; ``features``;
        per way of asking, p50 and p99 in milliseconds.
    """
    world = simulate(folder / "world", members=members)
    events = ingest(world.raw, folder / _STORE_TABLES, key=KEY, ingested_at=world.extracted_at.to_pydatetime())
    everybody = ConsentMask.all_granted(reason="benchmark")
    observed = observe_everybody(events, world.observations()["as_of"].iloc[0].to_pydatetime())
    build_features(events, observed.head(50), consents=everybody)
    built, frame = measure(lambda: build_features(events, observed, consents=everybody))
    begin = time.perf_counter()
    watermark = world.extracted_at.to_pydatetime()
    store = EventStore.create(folder / "events.db", events, watermark=watermark)
    made = time.perf_counter() - begin
    asked = _sample(frame.index.get_level_values("subject_id"))
    grants = world.grants().assign(subject_id=lambda f: KEY.subject_ids(f["member_id"].tolist()))
    ledger = ConsentMask(grants.drop(columns="member_id"), reason="benchmark: the simulated members' choices")
    found = {
        "computing": _latencies(_computing(store, events, watermark, everybody), asked),
        "store": _latencies(_from_store(store, watermark, everybody), asked),
        "store_with_consents": _latencies(_from_store(store, watermark, ledger), asked),
    }
    return built.as_dict() | found | {
        "rows": sum(events.rows(name) for name in events.tables), "observations": len(observed),
        "features": len(available(events)[0]), "store_seconds": made, "asked": len(asked) - _WARM,
        "rows_per_member": _rows_per_member(store, asked[_WARM:]),
    }  # fmt: skip


def _sample(subjects: pd.Index) -> list[str]:
    """Members in no order; the first ones only warm up."""
    return [str(one) for one in np.random.default_rng(0).permutation(subjects.to_numpy(dtype=object))[: _MOST + _WARM]]


def _from_store(store: EventStore, watermark: datetime, consents: ConsentMask) -> Callable[[str], Callable[[], Any]]:
    """Fetch and compute, as a caller does."""
    online = OnlineFeatures(store)
    return lambda subject: lambda: online.compute(subject, watermark, consents=consents)


def _computing(
    store: EventStore, events: Events, watermark: datetime, consents: ConsentMask
) -> Callable[[str], Callable[[], Any]]:
    """Compute from rows that have been fetched already."""
    plan = Plan.of(events.known_since)
    at = np.array([(watermark - _EPOCH) // timedelta(microseconds=1)], dtype=np.int64)
    observation, mask = Observations(np.zeros(1, dtype=np.int64), at, at), np.ones((1, 5), dtype=bool)

    def prepared(subject: str) -> Callable[[], Any]:
        loaded = store.member(subject).loaded
        assert loaded is not None
        return lambda: compute(plan, loaded, observation, mask, consents)

    return prepared


def _latencies(prepared: Callable[[str], Callable[[], Any]], subjects: Sequence[str]) -> dict[str, float]:
    taken: npt.NDArray[np.float64] = np.empty(len(subjects))
    for k, subject in enumerate(subjects):
        work = prepared(subject)
        begin = time.perf_counter()
        work()
        taken[k] = time.perf_counter() - begin
    p50, p99 = np.percentile(taken[_WARM:] * 1000, [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def _rows_per_member(store: EventStore, subjects: Sequence[str]) -> float:
    found = (store.member(subject).loaded for subject in subjects)
    return float(np.mean([len(loaded.partition.rows.time) for loaded in found if loaded is not None]))
