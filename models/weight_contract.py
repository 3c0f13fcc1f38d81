"""The category weight contract: a small convex programme with a unique optimum."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from benne.errors import WeightContractError

__all__ = [
    "SHARES_HOLD_TO",
    "Contract",
    "ContractSolution",
    "influence",
    "influence_shares",
    "largest_miss",
    "slope_and_intercept",
    "solve_contract",
]

SHARES_HOLD_TO: Final = 1e-6
"""Largest difference of a share on the reference sample from what the contract allows."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Contract:
    """What each category's share of influence must be.

    Parameters
    ----------
    names : tuple of str
        Categories, for messages.
    weights : ndarray, shape (categories,)
        Target shares; they sum to 1.
    tolerance : float or ndarray, shape (categories,)
        Largest allowed difference of a share from its weight; 0 is exact, 1 leaves shares free.
    mute : ndarray of bool, shape (categories,), or None
        Categories without influence, which get no share; see :meth:`without`.
    """

    names: tuple[str, ...]
    weights: Floats
    tolerance: float | Floats
    mute: Bools | None = None

    @property
    def lowest(self) -> Floats:
        """Smallest allowed share of each category."""
        return np.maximum(self.weights - self.tolerance, 0.0)

    @property
    def highest(self) -> Floats:
        """Largest allowed share of each category."""
        highest = np.minimum(self.weights + self.tolerance, 1.0)
        return highest if self.mute is None else np.where(self.mute, 0.0, highest)

    @property
    def binds(self) -> bool:
        """Whether the share of some category beside others is held to anything."""
        return len(self.names) > 1 and bool((self.lowest > 0).any() or (self.highest < 1).any())

    def without(self, mute: Bools) -> Contract:
        """The same with no share for categories that have no influence.

        Raises
        ------
        WeightContractError
            If one of them is promised a share, or nobody may take up what it leaves.
        """
        if not self.binds or not mute.any():
            return self
        named = " and ".join(repr(name) for name, one in zip(self.names, mute, strict=True) if one)
        if (self.lowest[mute] > 0).any() or self.highest[~mute].sum() < 1.0 - 1e-12:
            raise WeightContractError(
                f"Category {named} must have influence to carry its weight, got none: no tree uses its features. Add "
                "features, leave it out, or allow a tolerance: to it, of its weight, and to those that take it up."
            )
        return dataclasses.replace(self, mute=mute)


@dataclass(frozen=True)
class ContractSolution:
    """Multipliers of the standardised category functions, and the intercept, of log odds of bad."""

    multipliers: Floats
    intercept: float

    def log_odds(self, z: Floats) -> Floats:
        """Log odds of bad of rows of standardised category functions."""
        return np.asarray(self.intercept + z @ self.multipliers)


_ROUNDING = 1e-12
"""Of the largest value: what less than this part of it varies is a constant."""


def influence(values: Floats) -> Floats:
    """Mean absolute deviation from the mean, per column; shape (categories,).

    Zero where a column differs from a constant by no more than rounding.

    Examples
    --------
    >>> influence(np.full((3, 1), 0.1))
    array([0.])
    """
    if not len(values):
        return np.zeros(values.shape[1])
    each = np.abs(values - values.mean(axis=0)).mean(axis=0)
    return np.where(each > _ROUNDING * np.abs(values).max(axis=0), each, 0.0)


def influence_shares(contributions: Floats) -> Floats:
    """Share of each column in the summed influence; zeros where nothing varies.

    Examples
    --------
    >>> influence_shares(np.array([[3.0, 1.0], [-3.0, -1.0]]))
    array([0.75, 0.25])
    """
    each = influence(contributions)
    total = float(each.sum())
    return np.asarray(each / total) if total > 0 else np.zeros_like(each)


def largest_miss(contract: Contract, contributions: Floats) -> float:
    """By how much a share is off beyond its tolerance; nothing where the contract binds nobody.

    Parameters
    ----------
    contract : Contract
    contributions : ndarray of float64, shape (m, categories)
        Of the contract's categories on the reference sample.
    """
    if not contract.binds:
        return 0.0
    missed = np.abs(influence_shares(contributions) - contract.weights) - contract.tolerance
    return max(float(missed.max()), 0.0)


def solve_contract(z: Floats, bad: Floats, contract: Contract, sample_weight: Floats | None = None) -> ContractSolution:
    """Minimise the log loss over intercept and multipliers under the contract.

    ``log odds of bad = b + sum_c alpha_c z_c`` with ``alpha_c >= 0`` and every share
    ``alpha_c / sum(alpha)`` within the tolerance of its weight. The loss is convex and the
    constraints linear in ``(b, alpha)``. At tolerance 0 two unknowns are left, slope and
    intercept, which is Platt's calibration; his smoothed targets keep the optimum finite
    where the classes are separable.

    Parameters
    ----------
    z : ndarray of float64, shape (n, categories)
        Out-of-fold category functions, divided by their influence; all zero in a column without any.
    bad : ndarray of float64, shape (n,)
        1 for bad, 0 for good.
    contract : Contract
    sample_weight : ndarray of float64, shape (n,), optional

    Raises
    ------
    WeightContractError
        If the contract binds and the best slope is not positive, or a category without influence
        is promised a share, or nobody may take up what it leaves. Without a contract to keep
        (one category, or free weights) the slope is then zero: the model has found nothing,
        and says so by giving everybody the base rate.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999, sec. 2.2 (smoothed targets).
    """
    weight = np.ones(len(bad)) if sample_weight is None else sample_weight
    target = _smoothed(bad, weight)
    contract = contract.without(np.asarray(~z.any(axis=0)))
    shares = contract.weights
    if np.any(np.asarray(contract.tolerance) > 0) and len(contract.names) > 1:
        shares = _best_shares(z, target, weight / weight.sum(), contract)
    slope, intercept = _slope_and_intercept(z @ shares, target, weight)
    if slope > 0:
        return ContractSolution(slope * shares, intercept)
    if contract.binds:
        raise WeightContractError(_against_the_grain(z, target, weight, contract.names))
    return ContractSolution(np.zeros_like(shares), _log_odds(float(np.average(target, weights=weight))))


def slope_and_intercept(log_odds: Floats, bad: Floats, weight: Floats) -> tuple[float, float]:
    """Platt's slope and intercept of ``bad`` on ``log_odds``, each of shape (n,)."""
    return _slope_and_intercept(log_odds, _smoothed(bad, weight), weight)


def _smoothed(bad: Floats, weight: Floats) -> Floats:
    positives, negatives = float(weight @ bad), float(weight @ (1.0 - bad))
    return np.where(bad > 0, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))


def _log_odds(p: float) -> float:
    return float(np.log(p / (1.0 - p)))


_NO_GAIN = 1e-16
"""Log loss a further step would save, at which only rounding is left: halving steps on that takes all the time."""


def _slope_and_intercept(u: Floats, target: Floats, weight: Floats) -> tuple[float, float]:
    """Newton with step halving on the two-parameter logistic loss."""
    share = weight / weight.sum()
    design = np.column_stack([u, np.ones_like(u)])
    theta = np.array([0.0, _log_odds(float(share @ target))])
    loss = _loss(design @ theta, target, share)
    for _ in range(100):
        p = expit(design @ theta)
        gradient = design.T @ (share * (p - target))
        curvature = (design * (share * p * (1.0 - p))[:, None]).T @ design
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        if float(gradient @ step) < _NO_GAIN:
            break
        size = 1.0
        while size > 1e-10 and _loss(design @ (theta - size * step), target, share) > loss:
            size /= 2.0
        theta = theta - size * step if size > 1e-10 else theta
        loss = _loss(design @ theta, target, share)
        if size <= 1e-10 or float(np.abs(step).max()) < 1e-13 * (1.0 + float(np.abs(theta).max())):
            break
    return float(theta[0]), float(theta[1])


def _loss(m: Floats, target: Floats, share: Floats) -> float:
    return float(share @ (np.logaddexp(0.0, m) - target * m))


def _best_shares(z: Floats, target: Floats, share: Floats, contract: Contract) -> Floats:
    """Solve the programme over (b, alpha), and return the shares of the multipliers."""

    def loss(p: Floats) -> tuple[float, Floats]:
        m = p[0] + z @ p[1:]
        residual = share * (expit(m) - target)
        return _loss(m, target, share), np.r_[residual.sum(), residual @ z]

    identity, ones = np.eye(len(contract.names)), np.ones((1, len(contract.names)))
    above = identity - contract.lowest[:, None] * ones
    below = contract.highest[:, None] * ones - identity
    jacobian = np.column_stack([np.zeros(2 * len(identity)), np.vstack([above, below])])
    start = np.r_[_log_odds(float(share @ target)), contract.weights]
    result = minimize(
        loss, start, jac=True, method="SLSQP",
        bounds=[(None, None)] + [(0.0, None)] * len(identity),
        constraints=[{"type": "ineq", "fun": lambda p: jacobian @ p, "jac": lambda p: jacobian}],
        options={"maxiter": 500, "ftol": 1e-13},
    )  # fmt: skip
    alpha = np.maximum(result.x[1:], 0.0)
    if not alpha.sum() > 0:
        return contract.weights
    return _within_bounds(alpha / alpha.sum(), contract.lowest, contract.highest)


def _within_bounds(shares: Floats, lowest: Floats, highest: Floats) -> Floats:
    """Nearest shares that sum to 1 within their bounds: the solver keeps them to its own tolerance only."""
    low, high = -1.0, 1.0
    for _ in range(80):
        shift = (low + high) / 2.0
        if np.clip(shares + shift, lowest, highest).sum() > 1.0:
            high = shift
        else:
            low = shift
    return np.clip(shares + low, lowest, highest)


def _against_the_grain(z: Floats, target: Floats, weight: Floats, names: Sequence[str]) -> str:
    share = weight / weight.sum()
    covariance = (share * (target - share @ target)) @ z
    guilty = [name for name, value in zip(names, covariance, strict=True) if value <= 0]
    listed = ", ".join(repr(name) for name in (guilty or names))
    return (
        "The weight contract must have a positive slope, got none: out of fold, the categories at these "
        f"weights do not tell bad from good; {listed} pointed the wrong way. Check those features and "
        "labels, lower that category's weight, or allow a tolerance."
    )
