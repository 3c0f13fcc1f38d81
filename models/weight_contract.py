"""The category weight contract: a small convex programme with a unique optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from benne.errors import WeightContractError

__all__ = [
    "Contract",
    "ContractSolution",
    "influence",
    "influence_shares",
    "slope_and_intercept",
    "solve_contract",
]

Floats = npt.NDArray[np.float64]


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
    """

    names: tuple[str, ...]
    weights: Floats
    tolerance: float | Floats

    @property
    def lowest(self) -> Floats:
        """Smallest allowed share of each category."""
        return np.maximum(self.weights - self.tolerance, 0.0)

    @property
    def highest(self) -> Floats:
        """Largest allowed share of each category."""
        return np.minimum(self.weights + self.tolerance, 1.0)

    @property
    def binds(self) -> bool:
        """Whether some category is promised an influence beside others."""
        return len(self.names) > 1 and bool((self.lowest > 0).any())


@dataclass(frozen=True)
class ContractSolution:
    """Multipliers of the standardised category functions, and the intercept, of log odds of bad."""

    multipliers: Floats
    intercept: float

    def log_odds(self, z: Floats) -> Floats:
        """Log odds of bad of rows of standardised category functions."""
        return np.asarray(self.intercept + z @ self.multipliers)


def influence(values: Floats) -> Floats:
    """Mean absolute deviation from the mean, per column; shape (categories,)."""
    return np.asarray(np.abs(values - values.mean(axis=0)).mean(axis=0))


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
        Out-of-fold category functions, centred and divided by their influence.
    bad : ndarray of float64, shape (n,)
        1 for bad, 0 for good.
    contract : Contract
    sample_weight : ndarray of float64, shape (n,), optional

    Raises
    ------
    WeightContractError
        If the contract binds and the best slope is not positive. Without a contract to keep
        (one category, or free weights) the slope is then zero: the model has found nothing,
        and says so by giving everybody the base rate.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999, sec. 2.2 (smoothed targets).
    """
    weight = np.ones(len(bad)) if sample_weight is None else sample_weight
    target = _smoothed(bad, weight)
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
