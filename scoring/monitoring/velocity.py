"""Cheap features that move faster than they do among honest members: for a person to look at, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import MonitoringError, ReferenceMismatch
from benne.features import MASK_COLUMNS, FeatureSpec, registry
from benne.features.quality.documents import as_bytes, write_whole
from benne.models.calibration import wilson_interval

__all__ = ["VelocityReference", "VelocityResult", "cheap_features"]

Floats = npt.NDArray[np.float64]

FORMAT: Final = 1

_KEYS: Final = ["subject_id", "as_of"]
_FEWEST: Final = 200
_GRID: Final = 100
_CELL: Final = 10
_DAY: Final = 86_400.0
_FARTHEST: Final = 20.0
_OTHER_TIME: Final = 0.25


def cheap_features(columns: Sequence[str], specs: Mapping[str, FeatureSpec] | None = None) -> list[str]:
    """Features that are moved without a change in how somebody pays: those of high ease of gaming."""
    specs = registry if specs is None else specs
    return [name for name in columns if name in specs and specs[name].gaming == "high"]


@dataclass(frozen=True, eq=False)
class VelocityResult:
    """Who moved faster than nearly everybody of the reference.

    Parameters
    ----------
    flags : DataFrame, indexed by subject_id
        ``flagged`` (bool), ``fast_features`` (how many moved beyond the reference's percentile, each by itself) and
        ``which`` (their names). For a person to look at. A flag is no evidence about somebody: it may not lower a
        score, refuse anything, or become a feature.
    expected : float
        Share that is flagged where nobody games.
    """

    flags: pd.DataFrame
    expected: float

    @property
    def flagged_share(self) -> float | None:
        """Share of members flagged; None for fewer than ten members."""
        return None if len(self.flags) < _CELL else float(self.flags["flagged"].mean())

    def measures(self) -> dict[str, dict[str, Any]]:
        """``velocity.flagged_share`` in the form of other measures; says nothing of anybody."""
        share, n = self.flagged_share, len(self.flags)
        low, high = (None, None) if share is None else self._interval(n)
        note = f"{self.expected:.1%} expected" if share is not None else "fewer than ten members at both moments"
        state = "INSUFFICIENT" if share is None else "measured"
        return {
            "velocity.flagged_share": {"value": share, "low": low, "high": high, "n": n, "state": state, "note": note}
        }

    def _interval(self, n: int) -> tuple[float, float]:
        flagged = np.array([float(self.flags["flagged"].sum())])
        low, high = wilson_interval(flagged, np.array([float(n)]))
        return float(low[0]), float(high[0])


@dataclass(frozen=True, eq=False)
class VelocityReference:
    """How fast cheap features move among members of whom nobody thinks that they game.

    Parameters
    ----------
    quantile : float
        Of honest moves; what is beyond is fast.
    rows : int
        Members it rests on.
    grids : mapping of str to ndarray, shape (k,)
        For each feature, evenly spaced quantiles of its moves a day in the favourable direction, each step of ten
        members or more.
    threshold : float
        The same quantile of how unusual all of a member's moves are together.
    days : float
        Between the two moments. Moves over other times are not like these: over three days instead of thirty, one
        endorsement is ten times as fast, and 15 % of honest members were flagged instead of 0.5 %.

    Notes
    -----
    A move a day has a rank among the reference's; a member's moves together are ``-sum log(1 - rank)`` (Fisher 1925,
    Statistical Methods for Research Workers, sec. 21.1), beyond the reference's fastest hundredth plus how many times
    as far again; held against the reference's own quantile of it, so that features which move together cause no more
    false alarms than one alone. Where no direction is declared, a move
    either way counts. A feature that is null, or withheld, at either moment says nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def frame(day, friends):
    ...     index = pd.MultiIndex.from_product([[f"m{k}" for k in range(len(friends))], [pd.Timestamp(day, tz="UTC")]])
    ...     return pd.DataFrame({"endorsements_received_365d": friends}, index=index.set_names(["subject_id", "as_of"]))
    >>> first = rng.integers(0, 5, 400).astype(float)
    >>> later = first + rng.integers(0, 3, 400)
    >>> reference = VelocityReference.learn(frame("2025-06-01", first), frame("2025-07-01", later))
    >>> burst = np.where(np.arange(400) < 8, 30.0, 1.0)
    >>> result = reference.check(frame("2025-07-01", first), frame("2025-08-01", first + burst))
    >>> int(result.flags["flagged"].sum()), result.flags["which"].iloc[0]
    (8, 'endorsements_received_365d')
    >>> VelocityReference.learn(frame("2025-06-01", first[:50]), frame("2025-07-01", first[:50]))
    Traceback (most recent call last):
    ...
    benne.errors.MonitoringError: A reference of moves must rest on at least 200 members at both moments, got 50. ...
    """

    quantile: float
    rows: int
    grids: Mapping[str, Floats]
    threshold: float
    days: float

    @classmethod
    def learn(
        cls,
        before: pd.DataFrame,
        after: pd.DataFrame,
        *,
        quantile: float = 0.995,
        features: Sequence[str] | None = None,
    ) -> Self:
        """Learn from the same members at two moments.

        Parameters
        ----------
        before, after : DataFrame, indexed by (subject_id, as_of)
            As :func:`benne.features.build_features` returns them; one row a member each. Members in only one are left
            out.
        quantile : float, default=0.995
            In [0.9, 1).
        features : sequence of str, optional
            By default those of high ease of gaming.

        Raises
        ------
        MonitoringError
            For another quantile, fewer than 200 members at both moments, moments that are not as far apart for all of
            them, or no cheap feature.
        ReferenceMismatch
            If a feature is not in both frames.
        """
        if not 0.9 <= quantile < 1:
            raise MonitoringError(f"quantile must be within [0.9, 1), got {quantile:g}. Correct it.")
        names = list(features) if features is not None else cheap_features(list(after.columns))
        if not names:
            raise MonitoringError("A reference of moves must have cheap features, got none. Name them.")
        _require_features(before, after, names)
        speeds = _speeds(before, after, names)
        if len(speeds) < _FEWEST:
            raise MonitoringError(
                f"A reference of moves must rest on at least {_FEWEST} members at both moments, got {len(speeds)}. "
                "Take more members."
            )
        apart = _days_between(before, after)
        days = float(np.median(apart))
        if not _as_far_apart(apart, days):
            raise MonitoringError(
                "The two moments must be as far apart for all members, got different times. Take two batches."
            )
        grids = {name: _grid(speeds[name].to_numpy()) for name in names}
        learned = cls(quantile, len(speeds), {name: grid for name, grid in grids.items() if len(grid)}, 0.0, days)
        if not learned.grids:
            raise MonitoringError(
                f"A reference of moves must know one feature of {_FEWEST} members at both moments, got none. "
                "Take more members."
            )
        together = learned._together(speeds)
        return cls(quantile, len(speeds), learned.grids, float(np.quantile(together, quantile, method="higher")), days)

    def check(self, before: pd.DataFrame, after: pd.DataFrame) -> VelocityResult:
        """Flag members whose cheap features moved faster than this; arguments as :meth:`learn`.

        Raises
        ------
        ReferenceMismatch
            If a feature of the reference is not in both frames, or the moments are not as far apart as the reference's,
            a quarter more or less.
        """
        _require_features(before, after, list(self.grids))
        speeds = _speeds(before, after, list(self.grids))
        if not _as_far_apart(_days_between(before, after), self.days):
            raise ReferenceMismatch(
                f"The two moments must be {self.days:g} days apart as in the reference, a quarter more or less, got "
                "other times. Learn a reference over such a time."
            )
        fast = np.column_stack(
            [speeds[name].to_numpy() > _beyond(grid, self.quantile) for name, grid in self.grids.items()]
        )
        names = np.array(list(self.grids), dtype=object)
        flags = pd.DataFrame({
            "flagged": self._together(speeds) > self.threshold,
            "fast_features": fast.sum(axis=1).astype(np.int64),
            "which": [", ".join(names[row]) for row in fast],
        }, index=speeds.index)  # fmt: skip
        return VelocityResult(flags, 1.0 - self.quantile)

    def as_document(self) -> dict[str, Any]:
        """For JSON: quantiles of ten members or more a step, nobody's value."""
        grids = {name: [float(value) for value in grid] for name, grid in self.grids.items()}
        return {"format": FORMAT, "kind": "velocity_reference", "quantile": self.quantile, "rows": self.rows,
                "threshold": self.threshold, "days": self.days, "grids": grids}  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote.

        Raises
        ------
        MonitoringError
        """
        try:
            if (document["format"], document["kind"]) != (FORMAT, "velocity_reference"):
                raise ValueError(document["format"])
            grids = {str(name): np.asarray(grid, dtype=np.float64) for name, grid in document["grids"].items()}
            read = cls(
                float(document["quantile"]), int(document["rows"]), grids, float(document["threshold"]),
                float(document["days"]),
            )  # fmt: skip
            if not read._is_sound:
                raise ValueError(read.quantile)
            return read
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise MonitoringError(
                "A reference of moves must be as it was written, got another. Learn it again."
            ) from None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """From a file that :meth:`write` wrote.

        Raises
        ------
        MonitoringError
        """
        try:
            document = json.loads(Path(path).read_bytes())
        except (OSError, ValueError, RecursionError):
            raise MonitoringError(
                f"A reference of moves must be a JSON file that can be read, got another: {path}. Learn it again."
            ) from None
        return cls.from_document(document)

    def write(self, path: str | Path) -> Path:
        """To a file, whole or not at all: the same moves, the same bytes."""
        return write_whole(as_bytes(self.as_document()), path)

    @property
    def _is_sound(self) -> bool:
        """Whether everything is as :meth:`learn` leaves it."""
        ascending = all(
            grid.ndim == 1 and len(grid) and np.isfinite(grid).all() and (np.diff(grid) >= 0).all()
            for grid in self.grids.values()
        )
        known = 0.9 <= self.quantile < 1 and self.rows >= _FEWEST and np.isfinite([self.threshold, self.days]).all()
        return bool(self.grids and ascending and known)

    def _together(self, speeds: pd.DataFrame) -> Floats:
        """How unusual all moves of each member are together, shape (members,)."""
        total = np.zeros(len(speeds))
        for name, grid in self.grids.items():
            speed = np.nan_to_num(speeds[name].to_numpy(), nan=-np.inf)  # not known: as slow as the slowest
            # A move that many share is as usual as its slowest place among them says.
            total -= np.log1p(-np.searchsorted(grid, speed, "left") / (len(grid) + 1))
            farther = np.maximum(speed - grid[-1], 0.0) / _spread(grid)
            total += np.minimum(farther, _FARTHEST)
        return total


def _require_features(before: pd.DataFrame, after: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in before.columns or name not in after.columns]
    if missing:
        raise ReferenceMismatch(
            f"Features at both moments must hold those of the reference, got no {missing[0]!r}. Learn it again."
        )


def _days_between(before: pd.DataFrame, after: pd.DataFrame) -> Floats:
    """Of each member at both moments, shape (members,)."""
    first, second = _by_member(before)["as_of"], _by_member(after)["as_of"]
    both = first.index.intersection(second.index)
    return np.asarray((second.loc[both] - first.loc[both]).dt.total_seconds() / _DAY, dtype=np.float64)


def _as_far_apart(days: Floats, wanted: float) -> bool:
    return bool((np.abs(days - wanted) <= _OTHER_TIME * wanted).all())


def _speeds(before: pd.DataFrame, after: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Moves a day in the favourable direction, indexed by subject_id; NaN where one of the moments says nothing."""
    first, second = _by_member(before), _by_member(after)
    both = first.index.intersection(second.index, sort=True)
    first, second = first.loc[both], second.loc[both]
    days = (second["as_of"] - first["as_of"]).dt.total_seconds() / _DAY
    if len(days) and not (days > 0).all():
        raise MonitoringError(
            "The second moment must lie after the first for every member, got another. Swap the frames."
        )
    moves = {}
    for name in names:
        moved = (_values(second, name) - _values(first, name)) / days.to_numpy(dtype=np.float64)
        direction = registry[name].direction if name in registry else 0
        moves[name] = np.abs(moved) if direction == 0 else -float(direction) * moved
    return pd.DataFrame(moves, index=both)


def _by_member(frame: pd.DataFrame) -> pd.DataFrame:
    if list(frame.index.names) != _KEYS or frame.index.get_level_values("subject_id").has_duplicates:
        raise MonitoringError(
            "Features of a moment must be indexed by (subject_id, as_of), one row a member, got others. "
            "Use build_features()."
        )
    return frame.reset_index("as_of")


def _values(frame: pd.DataFrame, name: str) -> Floats:
    """A feature, null where its category is withheld."""
    values = frame[name].to_numpy(dtype=np.float64)
    column = MASK_COLUMNS.get(registry[name].category) if name in registry else None
    if column is None or column not in frame.columns:
        return values
    return np.where(frame[column].to_numpy(dtype=bool), values, np.nan)


def _grid(speed: Floats) -> Floats:
    """Quantiles of the moves known, each step of ten members or more; empty for fewer than 200."""
    known = np.sort(speed[~np.isnan(speed)])
    if len(known) < _FEWEST:
        return np.zeros(0)
    steps = min(_GRID * _CELL, len(known)) // _CELL
    parts = np.array_split(known, steps)
    return np.array([part.mean() for part in parts])


def _beyond(grid: Floats, quantile: float) -> float:
    """The move that a share of the reference's does not exceed, as far as the grid tells."""
    return float(grid[min(int(np.ceil(quantile * len(grid))) - 1, len(grid) - 1)])


def _spread(grid: Floats) -> float:
    """From the middle of the reference's moves to its fastest; 1 where nobody moves."""
    spread = float(grid[-1] - grid[len(grid) // 2])
    return spread if spread > 0 else 1.0
