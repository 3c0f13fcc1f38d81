"""What is known live of the model that serves: figures, tables and alerts, as one document for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd

from benne.features.categories import CATEGORIES
from benne.features.quality.drift import Bins
from benne.scoring.monitoring.filed import FiledMonitoring
from benne.scoring.monitoring.live_alerts import RaisedAlert
from benne.scoring.monitoring.live_watch import FEATURE, RARE, SCORE, THIN, Reference
from benne.scoring.monitoring.live_window import FEWEST, LiveWindow, Shift, shares
from benne.scoring.reviews.statistics import FEWEST as FEWEST_REVIEWS
from benne.scoring.reviews.statistics import OverturnRate

__all__ = ["HISTORY_WEEKS", "WINDOWS", "LiveFigures", "LiveReport", "day_in_words", "weeks_of"]

WINDOWS: Final = (7, 30)
"""Days that figures are told of, the shortest first."""
HISTORY_WEEKS: Final = 12
_DIGITS: Final = 6
_WEEK: Final = 7
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class LiveFigures:
    """What a report is made of.

    Parameters
    ----------
    model_id, config_hash : str
    made_at : datetime
    reference : Reference or None
        None for a model that was saved by an older Benne.
    windows : sequence of LiveWindow
        The shortest first; all end on the same day.
    weeks : sequence of LiveWindow
        Of seven days each, the oldest first.
    overturned : mapping of int to (OverturnRate or None)
        By days of the window.
    alerts : sequence of RaisedAlert
        Open ones.
    filed : FiledMonitoring or None
        What was filed last of the model's monitoring on data at hand.
    """

    model_id: str
    config_hash: str
    made_at: datetime
    reference: Reference | None
    windows: Sequence[LiveWindow]
    weeks: Sequence[LiveWindow]
    overturned: Mapping[int, OverturnRate | None]
    alerts: Sequence[RaisedAlert]
    filed: FiledMonitoring | None = None

    @property
    def newest(self) -> LiveWindow:
        """The shortest window."""
        return self.windows[0]


@dataclass(frozen=True)
class LiveReport:
    """Figures as a document of the form that all documents about a model share.

    Parameters
    ----------
    figures : LiveFigures
    """

    figures: LiveFigures

    def as_dict(self) -> dict[str, Any]:
        """For JSON; no count of fewer than ten, and nothing of a window of fewer than fifty."""
        found = self.figures
        return {
            "format": 1,
            "kind": "live_monitoring",
            "model": {"model_id": found.model_id, "config_hash": found.config_hash},
            "made_at": found.made_at.astimezone(UTC).isoformat(timespec="seconds"),
            "by": "service",
            "measures": self.measures(),
            "filed": None if found.filed is None else found.filed.as_dict(),
            "tables": {
                "windows": [_window_row(window, found.overturned.get(window.days)) for window in found.windows],
                "features": self.features(),
                "score": self.score_bins(),
                "bands": self.bands(),
                "patterns": self.patterns(),
                "refusals": self.refusals(),
                "weeks": [self._week_row(week) for week in found.weeks],
                "alerts": [one.as_dict() for one in found.alerts],
            },
            "notes": self.notes(),
        }

    def measures(self) -> dict[str, dict[str, Any]]:
        """The figures of the shortest window, by name."""
        window, reference = self.figures.newest, self.figures.reference
        score = None if reference is None else window.score_shift(reference.score)
        worst = max(self._shifts(window).items(), key=lambda item: item[1].index, default=None)
        name, moved = worst or ("", None)
        reviews = self.figures.overturned.get(window.days)
        return {
            "live.score_psi": _measure(_index(score), window.scored),
            "live.worst_feature_psi": _measure(_index(moved), 0 if moved is None else moved.n, name),
            "live.refused_share": _measure(_of_many(window.refused_share, window.asked), window.asked),
            "live.thin_share": _measure(_of_many(window.flagged_share(THIN), window.scored), window.scored),
            "live.rare_share": _measure(_of_many(window.flagged_share(RARE), window.scored), window.scored),
            "live.mean_pd": _measure(window.mean_pd, window.scored),
            "live.overturned_share": _measure(
                None if reviews is None else reviews.rate, 0 if reviews is None else reviews.decided, "", FEWEST_REVIEWS
            ),
            "live.alerts_open": _measure(float(len(self.figures.alerts)), len(self.figures.alerts), fewest=0),
        }

    def features(self) -> list[dict[str, Any]]:
        """Each feature's shift in every window, the largest of the shortest window first."""
        reference = self.figures.reference
        if reference is None:
            return []
        rows = []
        for name, bins in reference.features.items():
            row: dict[str, Any] = {"feature": name}
            for window in self.figures.windows:
                row |= _shift_cells(window, window.feature_shift(name, bins), name, bins)
            row["nulls_reference"] = _rounded(bins.nulls / bins.total) if bins.total else None
            rows.append(row)
        key = f"psi_{self.figures.newest.days}"
        return sorted(rows, key=lambda row: (row[key] is None, -(row[key] or 0.0), row["feature"]))

    def score_bins(self) -> list[dict[str, Any]]:
        """Shares of scores in the reference's bins."""
        reference = self.figures.reference
        if reference is None:
            return []
        bins, rows = reference.score, []
        before = shares(dict(enumerate(bins.counts)))
        live = [shares(dict(enumerate(window.bins(SCORE, bins).counts))) for window in self.figures.windows]
        for k in range(len(bins.counts)):
            row: dict[str, Any] = {"up_to": bins.edges[k] if k < len(bins.edges) else None}
            row["share_reference"] = _rounded(before[k])
            for window, found in zip(self.figures.windows, live, strict=True):
                row[f"share_{window.days}"] = _rounded(found[k])
            rows.append(row)
        return rows

    def bands(self) -> list[dict[str, Any]]:
        """Shares of scores in each band, from the lowest where the reference knows their order."""
        reference = self.figures.reference
        counted = [window.bands() for window in self.figures.windows]
        known = {} if reference is None else reference.bands
        names = list(known) or sorted(set().union(*counted))
        live = [shares({name: found.get(name, 0) for name in names}) for found in counted]
        rows = []
        for name in names:
            before = known.get(name)
            row: dict[str, Any] = {"band": name}
            row["share_reference"] = _rounded(before / reference.rows) if reference and before is not None else None
            for window, found in zip(self.figures.windows, live, strict=True):
                row[f"share_{window.days}"] = _rounded(found[name])
            rows.append(row)
        return rows

    def patterns(self) -> list[dict[str, Any]]:
        """Shares of scores by which categories members withheld."""
        counted = [window.patterns() for window in self.figures.windows]
        found = [shares(some) for some in counted]
        rows = []
        for pattern in sorted(set().union(*counted)):
            withheld = [category for place, category in enumerate(CATEGORIES) if pattern >> place & 1]
            row: dict[str, Any] = {"withheld": withheld}
            for window, some in zip(self.figures.windows, found, strict=True):
                row[f"share_{window.days}"] = _rounded(some.get(pattern, 0.0)) if window.tells else None
            rows.append(row)
        return rows

    def refusals(self) -> list[dict[str, Any]]:
        """Shares of what was asked that was refused, by reason; none of benefits."""
        counted = [window.refusals() for window in self.figures.windows]
        found = [
            shares({"": window.asked - sum(some.values()), **some})
            for window, some in zip(self.figures.windows, counted, strict=True)
        ]
        rows = []
        for reason in sorted(set().union(*counted)):
            row: dict[str, Any] = {"reason": reason}
            for window, told in zip(self.figures.windows, found, strict=True):
                row[f"share_{window.days}"] = _rounded(told.get(reason, 0.0)) if window.asked >= FEWEST else None
            rows.append(row)
        return rows

    def notes(self) -> list[str]:
        """What a reader must know."""
        told = [
            f"A window of fewer than {FEWEST} observations tells nothing, and no share of fewer than ten is told.",
            "A member who is asked about often counts each time.",
        ]
        if self.figures.reference is None:
            told.append("The model was saved without histograms of its training data: shifts cannot be told.")
        return told

    def _shifts(self, window: LiveWindow) -> dict[str, Shift]:
        reference = self.figures.reference
        if reference is None:
            return {}
        found = {name: window.feature_shift(name, bins) for name, bins in reference.features.items()}
        return {name: shift for name, shift in found.items() if shift is not None}

    def _week_row(self, week: LiveWindow) -> dict[str, Any]:
        reference = self.figures.reference
        shift = None if reference is None else week.score_shift(reference.score)
        return {
            "until": day_in_words(week.last_day),
            "score_psi": _rounded(_index(shift)),
            "mean_pd": _rounded(week.mean_pd),
            "refused_share": _rounded(_of_many(week.refused_share, week.asked)),
            "scored": _of_enough(week.scored),
        }


def day_in_words(day: int) -> str:
    """A day since 1970-01-01 as ISO 8601.

    Examples
    --------
    >>> day_in_words(20513)
    '2026-03-01'
    """
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def weeks_of(counted: pd.DataFrame, last_day: int) -> list[LiveWindow]:
    """The last twelve weeks, the oldest first, each of seven days and none of them twice."""
    ends = range(last_day - _WEEK * (HISTORY_WEEKS - 1), last_day + 1, _WEEK)
    return [LiveWindow.of(counted, end, _WEEK) for end in ends]


def _window_row(window: LiveWindow, overturned: OverturnRate | None) -> dict[str, Any]:
    return {
        "days": window.days,
        "from": day_in_words(window.first_day),
        "until": day_in_words(window.last_day),
        "asked": _of_enough(window.asked),
        "scored": _of_enough(window.scored),
        "refused_share": _rounded(_of_many(window.refused_share, window.asked)),
        "thin_share": _rounded(_of_many(window.flagged_share(THIN), window.scored)),
        "rare_share": _rounded(_of_many(window.flagged_share(RARE), window.scored)),
        "mean_pd": _rounded(window.mean_pd),
        "overturned_share": _rounded(overturned.rate) if overturned is not None else None,
    }


def _shift_cells(window: LiveWindow, shift: Shift | None, name: str, bins: Bins) -> dict[str, Any]:
    live, days = window.bins(f"{FEATURE}{name}", bins), window.days
    nulls = shares({"null": live.nulls, "": live.total - live.nulls})["null"]
    return {
        f"psi_{days}": _rounded(_index(shift)),
        f"by_chance_{days}": _rounded(None if shift is None else shift.by_chance),
        f"nulls_{days}": _rounded(nulls),
        f"n_{days}": _of_enough(live.total),
    }


def _index(shift: Shift | None) -> float | None:
    return None if shift is None else shift.index


def _measure(value: float | None, n: int, note: str = "", fewest: int = FEWEST) -> dict[str, Any]:
    """As :meth:`benne.experiments.measure.Measure.as_dict` has it; ``n`` is null where it is small."""
    state = "INSUFFICIENT" if value is None else "measured"
    counted = _of_enough(n, fewest)
    return {"value": _rounded(value), "low": None, "high": None, "n": counted, "state": state, "note": note}


def _of_enough(n: int, fewest: int = FEWEST) -> int | None:
    return n if n >= fewest or n == 0 else None


def _of_many(share: float | None, n: int) -> float | None:
    """A share, unless it or what is left is of fewer than ten."""
    return None if share is None else shares({"part": round(share * n), "": n - round(share * n)})["part"]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
