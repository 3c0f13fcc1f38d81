"""What a benchmark's process does: make data, or measure one thing; started by :func:`measuring.run_job`.

A measured job first does the same on a tiny world, so that neither compiling nor importing is
measured; then only reading the stored Parquet file, computing and handing over the result are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feature_world import (
    INGESTED_AT,
    KEY,
    observations,
    write_late,
    write_observations,
    write_raw,
    write_stored,
    write_unclustered,
)
from measuring import TreeMemory, answer, measure

from benne.features import ConsentMask, Events, build_features, ingest

Answer = dict[str, Any]

_TINY: Final = "tiny"
_TOLERANCE: Final = 1e-9


def _data(folder: str, events: int, members: int, form: str) -> Answer:
    """A world, stored or raw."""
    begin = time.perf_counter()
    {"stored": write_stored, "raw": write_raw}[form](Path(folder), events, members)
    return {"seconds": time.perf_counter() - begin, "bytes": sum(f.stat().st_size for f in Path(folder).iterdir())}


def _ingest(raw: str, folder: str, tiny: str) -> Answer:
    """The door, from raw Parquet to stored Parquet; it can be done once only, as the folder must not exist."""
    ingest(tiny, f"{folder}-warm", key=KEY, ingested_at=INGESTED_AT)
    measured, _ = measure(lambda: ingest(raw, folder, key=KEY, ingested_at=INGESTED_AT), most=1)
    write_observations(Path(folder))
    return measured.as_dict()


def _late(source: str, folder: str, share: float, days: int) -> Answer:
    """A copy in which a share of payments is known late."""
    write_late(Path(source), Path(folder), share, days)
    return {}


def _unclustered(source: str, folder: str) -> Answer:
    """A copy in no order."""
    write_unclustered(Path(source), Path(folder))
    return {}


def _first_build(folder: str) -> Answer:
    """The first build of a fresh process, importing excluded: what compiling or loading machine code takes."""
    work = _build(Path(folder), 1)
    begin = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - begin}


def _ours(folder: str, moments: int, out: str) -> Answer:
    """The embedded engine, as anybody calls it."""
    _build(Path(folder).parent / _TINY, moments)()
    work, late = _build(Path(folder), moments), _late_counter()
    measured, frame = measure(work)
    _save(Path(out), {str(name): frame[name].to_numpy() for name in frame.columns if not name.startswith("consented_")})
    return measured.as_dict() | {"late": late[-1], "observations": len(frame)}


def _build(folder: Path, moments: int, **options: Any) -> Callable[[], pd.DataFrame]:
    from feature_peers import registry

    events, own = Events.open(folder), registry()
    observed = observations(folder, moments).to_pandas()
    observed["as_of"] = pd.to_datetime(observed["as_of"], unit="us", utc=True)
    consents = ConsentMask.all_granted(reason="benchmark")
    return lambda: build_features(events, observed, consents=consents, registry=own, **options)


def _late_counter() -> list[int]:
    """Filled with the number of observations that took the copy path, which the engine logs."""
    counted: list[int] = []

    class Counter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if isinstance(record.args, tuple) and record.levelno == logging.INFO:
                counted.append(int(str(record.args[2])))

    logger = logging.getLogger("benne.features.build")
    logger.setLevel(logging.INFO)
    logger.addHandler(Counter())
    return counted


def _peer(peer: str, folder: str, moments: int, out: str) -> Answer:
    """One of the others on the same stored file."""
    from feature_peers import PEERS

    def work(place: Path) -> Callable[[], Mapping[str, Any]]:
        observed = observations(place, moments)
        return lambda: PEERS[peer](place / "payments.parquet", observed)

    work(Path(folder).parent / _TINY)()
    measured, values = measure(work(Path(folder)))
    _save(Path(out), values)
    return measured.as_dict()


def _spark(folder: str, out: str, memory: str) -> Answer:
    """The Spark engine on this machine; the session is there before the clock runs."""
    from benne.features.engines.spark import local_session

    with TreeMemory() as tree:
        session = local_session(memory=memory)
        session.sparkContext.setLogLevel("ERROR")
        _build(Path(folder).parent / _TINY, 1, engine="spark", session=session)()
        measured, frame = measure(_build(Path(folder), 1, engine="spark", session=session))
        session.stop()
    _save(Path(out), {str(name): frame[name].to_numpy() for name in frame.columns if not name.startswith("consented_")})
    return measured.as_dict() | {"peak_mb": tree.peak_mb}


def _save(path: Path, values: Mapping[str, Any]) -> None:
    from feature_peers import NAMES

    pq.write_table(pa.table({name: pa.array(np.asarray(values[name], dtype=np.float64)) for name in NAMES}), path)


def _compare(ours: str, theirs: str, exactly: bool = False) -> Answer:
    """Whether two results are the same; whole numbers exactly, others to 1e-9 of their size or of one day."""
    from feature_peers import NAMES, WHOLE

    wrong, largest = [], 0.0
    for name in NAMES:
        left, right = (pq.read_table(path, columns=[name]).column(0).to_numpy() for path in (ours, theirs))
        gap = np.abs(left - right) / np.maximum(1.0, np.abs(left))
        null = np.isnan(left)
        allowed = 0.0 if exactly or name in WHOLE else _TOLERANCE
        if (null != np.isnan(right)).any() or (gap[~null] > allowed).any():
            wrong.append(name)
        largest = max(largest, float(gap[~null].max(initial=0.0)))
    return {"wrong": wrong, "largest": largest}


def _online(folder: str, members: int) -> Answer:
    """All registered features on a simulated platform, whole and one member at a time."""
    from feature_online import simulated

    return simulated(Path(folder), members)


JOBS: Final[dict[str, Callable[..., Answer]]] = {
    "data": _data, "ingest": _ingest, "late": _late, "unclustered": _unclustered, "first_build": _first_build,
    "ours": _ours, "peer": _peer, "spark": _spark, "compare": _compare, "online": _online,
}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(answer(JOBS))
