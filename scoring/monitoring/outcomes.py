"""Outcomes as they mature: which may be looked at, which contradict each other, and what they say of each vintage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import MonitoringError
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed

__all__ = ["Matured", "check_labels", "matured"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_INDEX: Final = ["subject_id", "as_of"]


@dataclass(frozen=True, eq=False)
class Matured:
    """What is known of what became of the rows.

    Parameters
    ----------
    bad : ndarray of float64, shape (n,)
        0 or 1 for rows with a score whose outcome is known and whose window and lag are past; else NaN.
    offered, repeated, conflicting, unmatched, censored, early : int
        Labels that came; those said again; rows with both outcomes, of which neither counts; labels of no monitored
        row; without an outcome; and before their window and lag were past.
    by_period : DataFrame
        The same of each period, and ``matured`` ones.
    contradicted : ndarray of bool, shape (n,)
        Rows with both outcomes.
    bad_at : DatetimeIndex of length n, or None
        When each row turned bad, the first time that is said; NaT where it did not, or it is not known. None where
        outcomes do not say it.
    """

    bad: Floats
    offered: int
    repeated: int
    conflicting: int
    unmatched: int
    censored: int
    early: int
    by_period: pd.DataFrame
    contradicted: Bools
    bad_at: pd.DatetimeIndex | None

    @property
    def enough(self) -> bool:
        """Whether anything can be said: both outcomes occur."""
        known = self.bad[np.isfinite(self.bad)]
        return bool(len(known) and 0.0 < known.mean() < 1.0)


def matured(outcomes: pd.DataFrame, seen: Observed, now: datetime, judge: Judge) -> Matured:
    """Join outcomes to the rows that are monitored.

    Parameters
    ----------
    outcomes : DataFrame
        ``subject_id``, ``as_of`` and ``bad`` (0, 1, true, false; null where censored), as columns or as index; perhaps
        ``bad_at``, the moment at which who turned bad did, null for all others.
    seen : Observed
    now : datetime
        With a time zone.
    judge : Judge

    Raises
    ------
    MonitoringError
        If columns are missing, ``bad`` is neither 0 nor 1, or ``bad_at`` cannot be so.
    """
    labels = _labels(outcomes, now)
    same = labels.groupby(_INDEX, sort=False)["bad"].agg(["size", "min", "max", "count"])
    conflict = (same["min"] != same["max"]) & (same["count"] > 0)
    known = same["max"].where(~conflict)
    rows = pd.MultiIndex.from_frame(seen.features.index.to_frame(index=False), names=_INDEX)
    place = rows.get_indexer(same.index)
    bad = np.full(len(rows), np.nan)
    bad[place[place >= 0]] = known.to_numpy(dtype=np.float64)[place >= 0]
    rules = judge.thresholds.rules
    past = seen.moments + timedelta(days=rules.outcome_days + rules.lag_days) <= pd.Timestamp(now)
    early = np.isfinite(bad) & ~past
    bad[~past | ~np.isfinite(seen.score)] = np.nan
    contradicted = _per_row(place, conflict.to_numpy(), len(rows)) > 0
    counted = pd.DataFrame({
        "repeated": _per_row(place, (same["size"] - 1).to_numpy(), len(rows)),
        "conflicting": contradicted.astype(np.float64),
        "labels": _per_row(place, same["size"].to_numpy(), len(rows)),
        "matured": np.isfinite(bad),
    }).groupby(seen.period_of_row).sum()  # fmt: skip
    return Matured(
        bad=bad, offered=len(labels), repeated=int((same["size"] - 1).sum()), conflicting=int(conflict.sum()),
        unmatched=int((place < 0).sum()), censored=int((same["count"] == 0).sum()), early=int(early.sum()),
        by_period=counted, contradicted=contradicted, bad_at=_first_bad(labels, rows),
    )  # fmt: skip


def check_labels(found: Matured, periods: Sequence[str], judge: Judge) -> None:
    """Whether labels contradict or repeat each other."""
    whole = found.by_period["labels"].to_numpy(dtype=np.float64)
    for k, period in enumerate(periods):
        if whole[k] < judge.fewest:
            continue
        for kind, said in (
            ("conflicting", "contradict another of the same row"), ("repeated", "were said more than once"),
        ):  # fmt: skip
            part = found.by_period[kind].to_numpy(dtype=np.float64)
            share = float(part[k] / whole[k])
            judge.tell(f"labels_{kind}", "", share, period, f"{100 * share:.2f} % of labels of {period} {said}.")


def _labels(outcomes: pd.DataFrame, now: datetime) -> pd.DataFrame:
    table = outcomes.reset_index() if list(outcomes.index.names) == _INDEX else outcomes
    missing = [name for name in (*_INDEX, "bad") if name not in table]
    if missing or getattr(table["as_of"].dtype, "tz", None) is None:
        raise MonitoringError(
            f"Outcomes must have subject_id, as_of with a time zone, and bad; got "
            f"{f'no {missing[0]}' if missing else 'as_of without one'}. See docs/monitoring.md."
        )
    bad = pd.to_numeric(table["bad"].astype("Float64"), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isin(bad[np.isfinite(bad)], (0.0, 1.0)).all():
        raise MonitoringError("bad of outcomes must be 0, 1 or null, got another number. Correct it.")
    found = pd.DataFrame({"subject_id": table["subject_id"], "as_of": table["as_of"], "bad": bad})
    return found if "bad_at" not in table else found.assign(bad_at=_dated(table["bad_at"], found, now))


def _dated(bad_at: pd.Series, labels: pd.DataFrame, now: datetime) -> pd.Series:
    """When somebody turned bad, if it can be so."""
    if bad_at.isna().all() and getattr(bad_at.dtype, "tz", None) is None:
        bad_at = pd.Series(pd.NaT, index=bad_at.index, dtype="datetime64[us, UTC]")
    if getattr(bad_at.dtype, "tz", None) is None:
        raise MonitoringError("bad_at of outcomes must be moments with a time zone, got others. Use UTC.")
    known, bad = bad_at.notna(), labels["bad"] == 1.0
    for wrong, must, got in (
        (known & ~bad, "null where bad is not 1", "a moment"),
        (bad & ~known, "known for all who turned bad", "null"),
        (bad_at < labels["as_of"], "at or after as_of", "one before"),
        (bad_at > pd.Timestamp(now), "in the past", "one that is not"),
    ):
        if wrong.any():
            raise MonitoringError(
                f"bad_at of outcomes must be {must}, got {got} in {int(wrong.sum()):,} of {len(labels):,} rows. "
                "Correct it, or leave the column out."
            )
    return bad_at


def _first_bad(labels: pd.DataFrame, rows: pd.MultiIndex) -> pd.DatetimeIndex | None:
    if "bad_at" not in labels:
        return None
    first = labels.groupby(_INDEX, sort=False)["bad_at"].min()
    return pd.DatetimeIndex(first.reindex(rows))


def _per_row(place: npt.NDArray[Any], values: npt.NDArray[Any], rows: int) -> Floats:
    found = np.zeros(rows)
    found[place[place >= 0]] = values[place >= 0]
    return found
