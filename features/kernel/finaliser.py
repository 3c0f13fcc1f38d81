"""Where exact integers become floats: one place, elementwise, so that batches change no bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.features.kernel.stream import Integers, Mask

__all__ = ["Floats", "days", "nullable", "ratio", "saturate", "variation"]

Floats = npt.NDArray[np.float64]

_SAFE = 2.0**31


def nullable(values: Integers, known: Mask) -> Floats:
    """Integers as floats, NaN where not known."""
    return np.where(known, values.astype(np.float64), np.nan)


def days(microseconds: Integers, known: Mask) -> Floats:
    """Durations in days, NaN where not known."""
    return np.where(known, microseconds / 86_400e6, np.nan)


def ratio(numerator: Floats | Integers, denominator: Floats | Integers, at_least: float) -> Floats:
    """Quotient, NaN where the denominator is null or below ``at_least``."""
    usable = np.asarray(denominator) >= at_least
    out = np.full(len(usable), np.nan)
    np.divide(numerator, denominator, out=out, where=usable)
    return out


def saturate(values: Floats, minimum: float, maximum: float) -> Floats:
    """Hold a feature at the ends of its declared range; NaN stays."""
    return np.clip(values, minimum, maximum)


def variation(periods: Integers) -> Floats:
    """Coefficient of variation of each row: standard deviation over mean of its periods.

    Parameters
    ----------
    periods : ndarray of int64, shape (n, k)
        Totals of k periods.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where the total is not positive.

    Notes
    -----
    ``k·Σx² − (Σx)²`` is computed without rounding: in int64 where it fits, otherwise in
    Python's integers, and both round to float64 once.
    """
    k = periods.shape[1]
    sums = periods.sum(axis=1)
    fits = np.abs(periods).max(axis=1, initial=0) * k < _SAFE
    spread = np.zeros(len(periods))
    small = periods[fits]
    spread[fits] = k * (small * small).sum(axis=1) - sums[fits] * sums[fits]
    for row in np.flatnonzero(~fits):
        exact = [int(x) for x in periods[row]]
        spread[row] = float(k * sum(x * x for x in exact) - sum(exact) ** 2)
    return ratio(np.sqrt(spread), sums, 1)
