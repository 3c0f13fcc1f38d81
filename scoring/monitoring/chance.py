"""What chance alone does: the bounds that a figure must pass before anybody is told."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, betainc, betaincc, chdtri, gammaln, ndtri

from benne.features.quality.drift import Bins, expected_by_chance, population_stability

__all__ = [
    "as_many_by_chance",
    "deviations",
    "index_by_chance",
    "other_by_chance",
    "repeated",
    "risen_by_chance",
    "shares_differ",
    "stability",
]

Floats = npt.NDArray[np.float64]

_NO_FREEDOM: Final = 0.0


def deviations(significance: float, tests: int) -> float:
    """Standard errors that one of several tests, looked at from both sides, must pass (Bonferroni).

    Examples
    --------
    >>> round(deviations(0.05, 1), 2), round(deviations(0.001, 100), 2)
    (1.96, 4.42)
    """
    return float(-ndtri(significance / (2.0 * max(1, tests))))


def stability(reference: Bins, current: Bins, repeats: float, repeats_now: float = 1.0) -> tuple[float, float, int]:
    """Population stability index, the index to expect by chance, and bins less one.

    Parameters
    ----------
    reference, current : Bins
        With the same edges.
    repeats, repeats_now : float
        Rows of one member in the reference, and in the period, which are alike.
    """
    index = population_stability(reference, current)
    freedom = sum(1 for a, b in zip(_cells(reference), _cells(current), strict=True) if a or b) - 1
    if freedom < 1 or not reference.total or not current.total:
        return index, 0.0, 0
    # In members: rows of one count once.
    chance = expected_by_chance(reference, current, 1) / (1 / reference.total + 1 / current.total)
    return index, float(chance * (repeats / reference.total + repeats_now / current.total)), freedom


def index_by_chance(by_chance: float, freedom: int, significance: float, tests: int) -> float:
    """The index that one of several unmoved features passes with a given chance; infinite where nothing can move.

    Notes
    -----
    Where nothing has moved, ``PSI / (1/n + 1/m)`` is about chi-squared with one degree of freedom less than there are
    bins (Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4)).

    Examples
    --------
    >>> index_by_chance(0.02, 10, 0.001, 70) > 0.02
    True
    >>> index_by_chance(0.0, 0, 0.001, 70)
    inf
    """
    if freedom < 1:
        return math.inf
    return float(chdtri(freedom, significance / max(1, tests)) * by_chance / freedom)


def shares_differ(now: tuple[float, float], then: tuple[float, float], bound: float) -> bool:
    """Whether two shares, each given as part and whole, differ by more than so many standard errors.

    Examples
    --------
    >>> shares_differ((30, 100), (10, 100), 3.0), shares_differ((12, 100), (10, 100), 3.0)
    (True, False)
    """
    (part, whole), (before, all_before) = now, then
    if not whole or not all_before:
        return False
    pooled = (part + before) / (whole + all_before)
    error = math.sqrt(pooled * (1.0 - pooled) * (1.0 / whole + 1.0 / all_before))
    return abs(part / whole - before / all_before) > bound * error > _NO_FREEDOM


def as_many_by_chance(found: float, rows: int, share: float) -> float:
    """How likely so many of some rows, or more, turn out as a share of all is expected to.

    Where rows differ in how likely they are, it is more than the truth: no sum of as many is as widely spread as that
    of equal ones (Hoeffding 1956, Annals of Mathematical Statistics 27(3)).

    Examples
    --------
    >>> round(as_many_by_chance(2, 100, 0.002), 4)
    0.0174
    """
    return 1.0 if found < 1 else float(bdtrc(int(found) - 1, rows, share))


def other_by_chance(found: float, rows: int, share: float, alike: float = 1.0) -> float:
    """How likely a number is as far from what is expected, on either side; see :func:`as_many_by_chance`.

    With ``alike`` rows of one member counted as one, see :func:`repeated`, the tails are those of the beta
    distribution, which are the binomial ones wherever numbers are whole.

    Examples
    --------
    >>> round(other_by_chance(0, 100, 0.05), 4)
    0.0118
    >>> round(other_by_chance(10, 100, 0.05), 4), round(other_by_chance(20, 200, 0.05, alike=2.0), 4)
    (0.0564, 0.0564)
    """
    if alike > 1.0:
        part, whole = found / alike, rows / alike
        many = 1.0 if part < 1.0 else float(betainc(part, whole - part + 1.0, share))
        few = 1.0 if part >= whole else float(betaincc(part + 1.0, whole - part, share))
        return min(1.0, 2.0 * min(many, few))
    few = 1.0 if found >= rows else float(bdtr(int(found), rows, share))
    return min(1.0, 2.0 * min(as_many_by_chance(found, rows, share), few))


def repeated(bad: Floats, pd_of: Floats, members: npt.NDArray[np.intp]) -> float:
    """Rows that count as one, because what became of a member is the same in several; 1 where all are independent.

    Parameters
    ----------
    bad, pd_of : ndarray of float64, shape (n,)
    members : ndarray of int, shape (n,)

    Notes
    -----
    Outcome windows of rows a month apart overlap: whoever turned bad once is bad in a year of rows. It is the design
    effect (Kish 1965): the variance of the sum where members are drawn, over that where rows are. Without a bad, rows
    of a member are taken as wholly alike.

    Examples
    --------
    >>> twice, half = np.array([1.0, 1.0, 0.0, 0.0]), np.full(4, 0.5)
    >>> repeated(twice, half, np.array([0, 0, 1, 1])), repeated(twice, half, np.array([0, 1, 2, 3]))
    (2.0, 1.0)
    """
    who = np.unique(members, return_inverse=True)[1].ravel()
    if not bad.any():
        counts = np.bincount(who).astype(np.float64)
        return float((counts**2).sum() / max(counts.sum(), 1.0))
    left = bad - np.minimum(pd_of * (bad.sum() / pd_of.sum()), 1.0)
    spread = float((left**2).sum())
    return max(1.0, float((np.bincount(who, left) ** 2).sum()) / spread) if spread else 1.0


def risen_by_chance(now: tuple[float, float], then: tuple[float, float]) -> float:
    """How likely a share, given as part and whole, is so much above another where both are one (Fisher's exact test).

    Examples
    --------
    >>> round(risen_by_chance((3, 3), (0, 3)), 4)
    0.05
    """
    (part, whole), (before, all_before) = now, then
    most = np.arange(part, min(whole, part + before) + 1)
    each = (
        _choices(part + before, most) + _choices(whole + all_before - part - before, whole - most)
        - _choices(whole + all_before, whole)
    )  # fmt: skip
    return min(1.0, float(np.exp(each).sum()))


def _choices(n: float, k: Floats | float) -> Floats:
    """Logarithm of how many ways there are to choose k of n."""
    return np.asarray(gammaln(n + 1.0) - gammaln(np.asarray(k) + 1.0) - gammaln(n - np.asarray(k) + 1.0))


def _cells(bins: Bins) -> tuple[int, ...]:
    return (*bins.counts, bins.nulls)
