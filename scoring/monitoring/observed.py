"""What is monitored: feature rows in periods, their consents, and the scores that they were told or are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import MonitoringError
from benne.features.consent_mask import split_mask
from benne.models import CreditScoreModel
from benne.models.consent_patterns import consented_by
from benne.models.figures import figures_of

__all__ = ["Observed", "Period", "observed", "period_labels"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Period = Literal["day", "week", "month", "quarter"]

_FORMATS: Final[dict[str, str]] = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
_RECKONED: Final = 500  # rows of a period whose told scores are reckoned again


@dataclass(frozen=True, eq=False)
class Observed:
    """Rows in the order of their periods.

    Parameters
    ----------
    features : DataFrame, shape (n, features)
        In the model's order, without consent columns.
    consented : ndarray of bool, shape (n, categories)
    empty : ndarray of bool, shape (n,)
        Rows with too little on record for a score; as in the reference, their features are not counted.
    category : ndarray of int, shape (features,)
        Of each column.
    members : ndarray of int, shape (n,)
        Who it is, as a number that means nothing outside.
    periods : tuple of str
    starts : ndarray of int, shape (periods + 1,)
        Rows ``starts[k]`` to ``starts[k + 1]`` are of period k.
    moments : DatetimeIndex, length n
    score, pd : ndarray of float64, shape (n,)
        NaN where there is no score.
    thin, rare : ndarray of float64, shape (n,), or None
        0 or 1, NaN where there is no score; None where nothing says it.
    differs : ndarray of float64, shape (n,), or None
        Whether the model gives another score than was told: 0 or 1, NaN where it was not looked at; None where no
        scores were told.
    """

    features: pd.DataFrame = field(repr=False)
    consented: Bools
    empty: Bools
    category: Indices
    members: Indices
    periods: tuple[str, ...]
    starts: Indices
    moments: pd.DatetimeIndex
    score: Floats
    pd: Floats
    thin: Floats | None
    rare: Floats | None
    differs: Floats | None

    def rows_of(self, period: int) -> slice:
        """The rows of a period."""
        return slice(int(self.starts[period]), int(self.starts[period + 1]))

    @property
    def period_of_row(self) -> Indices:
        """Position of each row's period, shape (n,)."""
        return np.repeat(np.arange(len(self.periods)), np.diff(self.starts))

    def repeats_of(self, period: int) -> float:
        """How many rows of one member a row of a period stands among, on average; 1 where each has one."""
        counts = np.bincount(np.unique(self.members[self.rows_of(period)], return_inverse=True)[1].ravel())
        return float(np.sum(counts.astype(np.float64) ** 2) / max(counts.sum(), 1))

    def entered(self, column: int) -> Bools | None:
        """Which rows are counted for a column: they consent to its category, and are not empty; None where all are."""
        inside = self.consented[:, self.category[column]] & ~self.empty
        return None if inside.all() else inside


def period_labels(moments: pd.DatetimeIndex, period: Period) -> npt.NDArray[np.object_]:
    """The period of each moment, as text that sorts as time does.

    Raises
    ------
    MonitoringError
        If there is no such period.

    Examples
    --------
    >>> moments = pd.DatetimeIndex(["2026-01-31", "2026-12-31"], tz="UTC")
    >>> [period_labels(moments, p).tolist()[1] for p in ("day", "week", "month", "quarter")]
    ['2026-12-31', '2026-W53', '2026-12', '2026-Q4']
    """
    if period != "quarter" and period not in _FORMATS:
        raise MonitoringError(f"period must be day, week, month or quarter, got {period!r}. Name one of them.")
    days, place = np.unique(moments.normalize().asi8, return_inverse=True)
    found = pd.DatetimeIndex(days.view(f"M8[{moments.unit}]"))
    if period == "quarter":
        texts = [f"{day.year}-Q{day.quarter}" for day in found]
    else:
        texts = found.strftime(_FORMATS[period]).tolist()
    return np.array(texts, dtype=object)[place]


def observed(model: CreditScoreModel, features: pd.DataFrame, scores: pd.DataFrame | None, period: Period) -> Observed:
    """Read what is to be monitored.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, indexed by (subject_id, as_of)
        With consent columns or without.
    scores : DataFrame or None
        As ``benne score`` writes them, or indexed by (subject_id, as_of): ``score`` and ``pd``, perhaps ``thin_file``,
        ``rare``, ``withheld``. None has the model score the features.
    period : {"day", "week", "month", "quarter"}

    Raises
    ------
    ReferenceMismatch
        If the features are not the model's.
    ReferenceUnknown
        If the model was saved before histograms were kept.
    MonitoringError
        If rows are not indexed as they must be, or a row stands there twice.
    """
    features = _indexed(features, "Features")
    table, mask = split_mask(features)
    model.histograms_.check_columns([str(name) for name in table.columns])
    labels = period_labels(pd.DatetimeIndex(features.index.get_level_values("as_of")), period)
    periods, code = np.unique(labels.astype(str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    if (order[:-1] > order[1:]).any():
        features = features.iloc[order]
        table, mask = split_mask(features)
    layout = model.layout
    consented = consented_by(mask, len(table), layout)
    withheld = _withheld(model, consented)
    refused = model.refusals(features, withheld)
    if scores is None:
        told = _scored(model, features, withheld, refused[0] | refused[1])
    else:
        told = _aligned(features, _indexed(scores, "Scores"))
    subjects = features.index.get_level_values("subject_id")
    return Observed(
        features=table,
        consented=consented,
        empty=refused[0],
        category=np.array(layout.column_category, dtype=np.intp),
        members=np.asarray(pd.factorize(subjects)[0], dtype=np.intp),
        periods=tuple(periods.tolist()),
        starts=np.concatenate([[0], np.cumsum(np.bincount(code))]),
        moments=pd.DatetimeIndex(features.index.get_level_values("as_of")),
        **told | {"differs": _differing(model, features, told, scores, np.sort(code))},
    )


def _indexed(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    names = ["subject_id", "as_of"]
    if list(frame.index.names) != names and set(names) <= set(frame.columns):
        frame = frame.set_index(names)
    if list(frame.index.names) != names or getattr(frame.index.get_level_values("as_of").dtype, "tz", None) is None:
        raise MonitoringError(
            f"{what} must be indexed by subject_id and as_of, with a time zone. Use build_features()."
        )
    if not len(frame):
        raise MonitoringError(f"{what} must have rows, got none. Monitor a period in which there are some.")
    if frame.index.has_duplicates:
        raise MonitoringError(
            f"{what} must have one row for each member and moment, got some twice. Leave one of them."
        )
    return frame


def _withheld(model: CreditScoreModel, consented: Bools) -> list[frozenset[str]]:
    names = model.layout.names
    unique, place = np.unique(consented, axis=0, return_inverse=True)
    sets = [frozenset(name for name, inside in zip(names, row, strict=True) if not inside) for row in unique.tolist()]
    return [sets[k] for k in place.ravel().tolist()]


def _scored(
    model: CreditScoreModel, features: pd.DataFrame, withheld: list[frozenset[str]], refused: Bools
) -> dict[str, Any]:
    found = {name: np.full(len(features), np.nan) for name in ("score", "pd", "thin", "rare")}
    kept = np.flatnonzero(~refused)
    if not len(kept):
        return found
    part = features if len(kept) == len(features) else features.iloc[kept]
    figures = figures_of(model, part, [withheld[row] for row in kept.tolist()])
    for name in found:
        values = getattr(figures, name)
        if values is not None:
            found[name][kept] = values
    return found if figures.rare is not None else found | {"rare": None}


def _aligned(features: pd.DataFrame, scores: pd.DataFrame) -> dict[str, Any]:
    missing = [name for name in ("score", "pd") if name not in scores]
    if missing:
        raise MonitoringError(
            f"Scores must have the columns score and pd, got no {missing[0]}. Take those of benne score."
        )
    same = scores if scores.index.equals(features.index) else scores.reindex(features.index)
    found: dict[str, Any] = {name: same[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("score", "pd")}
    for name, column in (("thin", "thin_file"), ("rare", "rare")):
        known = column in same and not same[column].isna().all()
        found[name] = same[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan) if known else None
    return found


def _differing(
    model: CreditScoreModel, features: pd.DataFrame, told: dict[str, Any], scores: pd.DataFrame | None, code: Indices
) -> Floats | None:
    """Reckon some told scores of each period again, evenly spread over its rows."""
    if scores is None:
        return None
    has = np.flatnonzero(np.isfinite(told["score"]))
    starts = np.searchsorted(code[has], np.arange(code.max() + 2))
    chosen = np.concatenate([
        has[np.unique(np.linspace(first, last - 1, min(_RECKONED, last - first)).astype(np.intp))]
        for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True) if last > first
    ] or [np.empty(0, dtype=np.intp)])  # fmt: skip
    found = np.full(len(features), np.nan)
    if len(chosen):
        part = features.iloc[chosen]
        withheld = _withheld(model, _consents_told(model, part, scores))
        again = _scored(model, part, withheld, np.logical_or(*model.refusals(part, withheld)))["score"]
        found[chosen] = ~(np.abs(again - told["score"][chosen]) < 1e-6)
    return found


def _consents_told(model: CreditScoreModel, part: pd.DataFrame, scores: pd.DataFrame) -> Bools:
    """What entered each told score: what its row of scores says was withheld, where it says so."""
    layout = model.layout
    consented = consented_by(split_mask(part)[1], len(part), layout)
    if "withheld" in scores:
        said = _indexed(scores, "Scores")["withheld"].reindex(part.index).fillna("").astype(str).tolist()
        consented &= np.array([[name not in one.split(",") for name in layout.names] for one in said])
    return consented
