"""The measured jobs of ``bench_monitoring.py``, each in a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import answer, measure

from benne.models import BoosterOptions, CreditScoreModel
from benne.models.reference_histograms import ReferenceHistograms
from benne.scoring.monitoring.feature_periods import features_by_period
from benne.scoring.monitoring.monitor import Evidence, monitor
from benne.scoring.monitoring.observed import observed

_MONTHS = 12
_LEARNED = 20_000
_CATEGORIES = ("credit_history", "behaviour", "ability", "personal_information", "social")


def world(folder: str, rows: int, columns: int) -> dict[str, Any]:
    """A model, and a year of rows with what they were told and what became of them, as Parquet."""
    names = [f"feature_{k:02d}" for k in range(columns)]
    categories = {category: names[k :: len(_CATEGORIES)] for k, category in enumerate(_CATEGORIES)}
    X, bad = _drawn(_LEARNED, names, 0)
    quick = BoosterOptions(max_trees=100, learning_rate=0.2, patience=10, folds=3)
    model = CreditScoreModel(categories, booster=quick, own_booster_gap=None, unconstrained_price=False).fit(X, bad)
    model.save(Path(folder) / "model")
    X, bad = _drawn(rows, names, 1)
    members = rows // _MONTHS + 1
    moments = [pd.Timestamp("2024-01-01", tz="UTC") + pd.DateOffset(months=k) for k in range(_MONTHS)]
    ids = np.array([f"{k:032x}" for k in range(members)], dtype=object)
    index = [np.tile(ids, _MONTHS)[:rows], pd.DatetimeIndex(np.repeat(np.array(moments), members)[:rows])]
    X = X.set_axis(pd.MultiIndex.from_arrays(index, names=["subject_id", "as_of"]))
    told = model.explain(X).table()[["score", "pd", "thin_file", "rare"]]
    X.reset_index().to_parquet(Path(folder) / "features.parquet")
    told.reset_index().to_parquet(Path(folder) / "scores.parquet")
    X.index.to_frame(index=False).assign(bad=bad).to_parquet(Path(folder) / "outcomes.parquet")
    return {"rows": rows, "columns": columns}


def _drawn(rows: int, names: list[str], seed: int) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Skewed, counted and half empty columns in turn."""
    rng = np.random.default_rng(seed)
    values = {}
    for k, name in enumerate(names):
        column = rng.normal(size=rows) if k % 3 == 0 else rng.gamma(1.5, 2.0, rows)
        column = np.rint(column) if k % 3 == 2 else column
        values[name] = np.where(rng.random(rows) < 0.1 * (k % 4), np.nan, column)
    X = pd.DataFrame(values)
    risk = -2.0 + sum(0.3 * X[name].fillna(0.0) for name in names[:10])
    return X, (rng.random(rows) < 1.0 / (1.0 + np.exp(-risk))).astype(np.int64).to_numpy()


def whole(folder: str) -> dict[str, Any]:
    """Everything that is looked at, from frames in memory: told scores and outcomes too."""
    model, X, scores, outcomes = _read(folder)
    clock = lambda: datetime(2027, 1, 1, tzinfo=UTC)  # noqa: E731 - a clock that stands still
    found, report = measure(lambda: monitor(model, X, Evidence(scores=scores, outcomes=outcomes), clock=clock))
    return {**found.as_dict(), "alarms": len(report.alarms), "warnings": len(report.warnings)}


def ours(folder: str) -> dict[str, Any]:
    """The index of every feature and month alone, with nulls, ranges, places and what stood still."""
    model, X, scores, _ = _read(folder)
    seen = observed(model, X, scores, "month")
    found, counted = measure(lambda: features_by_period(seen, model.histograms_))
    np.save(Path(folder) / "ours.npy", np.array([one.psi for one in counted]))
    return found.as_dict()


def peer(folder: str) -> dict[str, Any]:
    """The index of every feature and month in pandas: ``cut`` into the same bins, ``crosstab`` by month."""
    model, X, _, _ = _read(folder)
    kept = model.histograms_
    month = X.index.get_level_values("as_of").strftime("%Y-%m")
    found, psi = measure(lambda: np.array([_by_pandas(X[name], month, kept, name) for name in X.columns]))
    ours_found = np.load(Path(folder) / "ours.npy")
    return {**found.as_dict(), "differs": float(np.abs(psi - ours_found).max())}


def _by_pandas(values: pd.Series, month: Any, kept: ReferenceHistograms, name: str) -> np.ndarray[Any, Any]:
    bins = kept.features[name]
    ends = [-np.inf, *bins.edges, np.inf]
    cells = pd.cut(values, ends, labels=False, right=True).fillna(len(bins.counts)).astype(int)
    counts = pd.crosstab(month, cells.to_numpy()).reindex(columns=range(len(bins.counts) + 1), fill_value=0)
    before = np.array([*bins.counts, bins.nulls]) + 0.5
    now = counts.to_numpy() + 0.5
    p, q = now / now.sum(axis=1, keepdims=True), before / before.sum()
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=1))


def _read(folder: str) -> tuple[CreditScoreModel, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    place = Path(folder)
    keys = ["subject_id", "as_of"]
    X = pd.read_parquet(place / "features.parquet").set_index(keys)
    scores = pd.read_parquet(place / "scores.parquet").set_index(keys)
    outcomes = pd.read_parquet(place / "outcomes.parquet")
    return CreditScoreModel.load(place / "model"), X, scores, outcomes


if __name__ == "__main__":
    raise SystemExit(answer({"world": world, "whole": whole, "ours": ours, "peer": peer}))
