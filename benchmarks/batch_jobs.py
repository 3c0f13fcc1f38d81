"""What a process of the batch benchmark does; started by :func:`measuring.run_job`."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from batch_world import make_features, make_ledger, make_model
from measuring import answer, measure, peak_mb

from benne.features.consent_mask import MASK_COLUMNS
from benne.models import withheld_of
from benne.scoring import open_store
from benne.scoring.batch import Asked
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.live import Live
from benne.scoring.batch.parquet_source import ParquetSource, open_parquet
from benne.scoring.batch.run import Batch, score_batch
from benne.scoring.policy import default_policies
from benne.scoring.wiring import random_id, system_clock

Answer = dict[str, Any]

_CHUNK: Final = 50_000
_FEW: Final = 5_000
"""Rows of the peer's points: they take as long as a hundred times as many of ours."""


def world(folder: str, members: int, trees: int) -> Answer:
    """A model, features and a ledger."""
    root, seconds = Path(folder), {}
    for name, make in (
        ("model", lambda: make_model(root / "model", trees, 30_000)),
        ("features", lambda: make_features(root / "features.parquet", members)),
        ("ledger", lambda: make_ledger(root / "ledger.db", members)),
    ):
        begin = time.perf_counter()
        make()
        seconds[name] = time.perf_counter() - begin
    sizes = {name: (root / name).stat().st_size / 1e6 for name in ("features.parquet", "ledger.db")}
    return {"seconds": seconds, "megabytes": sizes}


def kernel(folder: str, rows: int) -> Answer:
    """Points of everybody from Parquet, and LightGBM's on the same rows of the same file; one thread each."""
    root = Path(folder)
    model = BatchModel.load(root / "model")
    source = open_parquet(root / "features.parquet")
    booster = model.model.booster_  # type: ignore[attr-defined]
    columns = model.model.feature_names_in_  # type: ignore[attr-defined]

    def ours() -> int:
        done = 0
        for chunk in _some(source, rows):
            whole = chunk.features[chunk.computed[:, 0] & chunk.computed[:, 2]]
            done += len(model.model.explain(whole, withheld=withheld_of(whole)).score)
        return done

    def theirs(contrib: bool, most: int) -> Callable[[], int]:
        def run() -> int:
            done = 0
            for chunk in _some(source, most):
                X = chunk.features.drop(columns=list(MASK_COLUMNS.values()))[columns].to_numpy()[: most - done]
                done += len(booster.predict(X, pred_contrib=contrib, num_threads=1))
            return done

        return run

    for _ in range(2):  # once for the machine code
        measured, scored = measure(ours)
    found: Answer = {"points": scored / measured.cpu_seconds, "trees": booster.num_trees()}
    for name, contrib, most in (("predict", False, rows), ("pred_contrib", True, _FEW)):
        taken, done = measure(theirs(contrib, most))
        found[name] = done / taken.cpu_seconds
    return found


def _some(source: ParquetSource, rows: int) -> Any:
    done = 0
    for chunk in source.chunks(min(_CHUNK, rows)):
        yield chunk
        done += len(chunk)
        if done >= rows:
            return


def whole(folder: str) -> Answer:
    """A batch from end to end: consents, scores, audit, output, proofs."""
    root = Path(folder)
    before = peak_mb()
    model, store = BatchModel.load(root / "model"), open_store(root / "ledger.db")
    batch = Batch(
        features=lambda _: open_parquet(root / "features.parquet"), out=root / "scores.parquet",
        asked=Asked("lending", "platform", "benchmark"), refused=root / "refused.parquet", chunk_rows=_CHUNK,
    )  # fmt: skip
    live = Live(store, system_clock, secrets.token_bytes, random_id)
    measured, summary = measure(lambda: score_batch(batch, model, live, default_policies()), most=2)
    store.close()
    sizes = {path.name: path.stat().st_size / 1e6 for path in root.glob("scores*.parquet")}
    return measured.as_dict() | {
        "rows": summary.rows, "scored": summary.scored, "refused": summary.refused, "records": summary.records,
        "before_mb": before, "megabytes": sizes,
    }  # fmt: skip


def proof(folder: str, proofs: int) -> Answer:
    """How long one member's proof takes to make and to check."""
    import pyarrow.parquet as pq

    from benne.scoring.batch.proofs import check_proof, prove

    root, rng = Path(folder), np.random.default_rng(0)
    with pq.ParquetFile(root / "scores.parquet") as file:
        subjects = file.read_row_group(int(rng.integers(file.num_row_groups)), ["subject_id"]).column(0).to_pylist()
    made, checked = [], []
    store = open_store(root / "ledger.db")
    with store.read() as connection:
        for subject in rng.choice(subjects, proofs):
            begin = time.perf_counter()
            held = prove(root / "scores.parquet", str(subject))
            between = time.perf_counter()
            check_proof(held, connection)
            made.append(between - begin)
            checked.append(time.perf_counter() - between)
    store.close()
    return {"made": min(made), "checked": min(checked), "path": len(held["path"])}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(answer({"world": world, "kernel": kernel, "whole": whole, "proof": proof}))
