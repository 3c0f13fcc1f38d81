"""The calendar of a simulated world: months, seasons, moments of observation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import SimulationError
from benne.experiments.simulator.options import SimulatorOptions

__all__ = ["DAY", "Flags", "Floats", "Ints", "Nullable", "Timeline"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Nullable = np.ma.MaskedArray[tuple[int, ...], np.dtype[np.int64]]

DAY: Final = 86_400_000_000
"""Microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE: Final = 72
_AFTER: Final = 48
_DECEMBER: Final = 12


@dataclass(frozen=True)
class Timeline:
    """Calendar months in UTC, numbered from the first simulated one.

    Parameters
    ----------
    first_month : datetime64[M]
        Month 0.
    months : int
        How many are simulated; the world ends with the last.
    as_of : ndarray of int64, shape (k,)
        Moments of observation, microseconds since 1970-01-01 UTC.
    end : int
        When the raw tables were extracted, in the same unit: nothing known later is in them.
    """

    first_month: np.datetime64
    months: int
    as_of: Ints
    end: int

    @classmethod
    def of(cls, options: SimulatorOptions) -> Timeline:
        """The calendar that the options describe.

        Raises
        ------
        SimulationError
            If the tables are extracted before the last moment of observation, or after the last month.
        """
        as_of = np.array([(m - _EPOCH) // timedelta(microseconds=1) for m in options.as_of], dtype=np.int64)
        last = _month(as_of[-1] - 1)
        first = last - (options.history_months - 1)
        months = options.history_months + options.tail_months
        return cls(first, months, as_of, _extracted(options, int(as_of[-1]), first + months))

    def start(self, month: Ints | int) -> Ints:
        """First moment of a month, which may lie a few years before or after the simulated ones."""
        calendar = self.first_month + np.arange(-_BEFORE, self.months + _AFTER)
        starts = calendar.astype("datetime64[us]").astype(np.int64)
        return np.asarray(starts[np.asarray(month) + _BEFORE], dtype=np.int64)

    @property
    def begin(self) -> int:
        """First moment of the simulated months."""
        return int(self.start(0))

    @property
    def observed_month(self) -> Ints:
        """The last month begun before each moment of observation, shape (k,)."""
        begins = self.start(np.arange(self.months))
        return np.searchsorted(begins, self.as_of, "left").astype(np.int64) - 1

    @property
    def season(self) -> Floats:
        """Spending by month relative to an average one, shape (months,): December stands out."""
        month = (self.first_month + np.arange(self.months)).astype(np.int64) % 12 + 1
        summer = 1 + 0.08 * np.cos((month - 7) / 12 * 2 * np.pi)
        return np.where(month == _DECEMBER, 1.4, summer)


def _extracted(options: SimulatorOptions, observed: int, month_after: np.datetime64) -> int:
    over = int(month_after.astype("datetime64[us]").astype(np.int64))
    if options.extracted_at is None:
        return over
    moment = (options.extracted_at - _EPOCH) // timedelta(microseconds=1)
    if not observed <= moment <= over:
        raise SimulationError(
            f"extracted_at must lie between the last as_of and the end of {month_after - 1}, the last month simulated, "
            "got another. Change tail_months."
        )
    return moment


def _month(moment: int) -> np.datetime64:
    month: np.datetime64 = np.datetime64(int(moment), "us").astype("datetime64[M]")
    return month
