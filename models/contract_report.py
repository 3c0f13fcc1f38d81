"""What the weight contract holds and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models.category_layout import CategoryLayout
from benne.models.resampling import Resampler, metrics_of, price_table, share_intervals
from benne.models.weight_contract import Contract, influence_shares, slope_and_intercept, solve_contract

__all__ = ["ContractReport", "OutOfFold", "frontier_table", "price_of", "realised_shares", "shares_table"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class ContractReport:
    """Realised shares and the price of the contract.

    Parameters
    ----------
    reference_rows : int
        Size of the reference sample, on which the shares hold.
    reference_sha256 : str
        Of the sample's feature rows (float64, row by row), which are not kept. Of the sample,
        a saved model holds the values of each category function, sorted one by one.
    shares : DataFrame
        One row per category: ``target`` weight, its ``tolerance``, shipped ``multiplier``, ``influence`` of its
        function before that, and the realised share with its 95 % interval on the reference
        sample (``reference``, ``_low``, ``_high``) and out of fold (``out_of_fold``, …).
    price : DataFrame
        Out of fold, for ``unconstrained`` (LightGBM with the same options and no groups or
        directions; not where the fit was told to do without), ``additive`` (free weights) and
        ``contracted``: AUC, KS, Brier score and log loss with 95 % intervals, and ``…_price``:
        contracted minus this model, with its paired interval.
    """

    reference_rows: int
    reference_sha256: str
    shares: pd.DataFrame
    price: pd.DataFrame

    @property
    def largest_miss(self) -> float:
        """Largest difference of a realised share from its weight on the reference sample."""
        return float((self.shares["reference"] - self.shares["target"]).abs().max())


@dataclass(frozen=True)
class OutOfFold:
    """Rows that consent to everything, each predicted by a booster that has not seen it.

    Parameters
    ----------
    z : ndarray of float64, shape (n, categories)
        Category functions over their fold's influence.
    bad, weight : ndarray of float64, shape (n,)
    groups : ndarray of int, shape (n,), or None
    unconstrained : ndarray of float64, shape (n,), or None
        Log odds of the booster without constraints.
    """

    z: Floats
    bad: Floats
    weight: Floats
    groups: Indices | None
    unconstrained: Floats | None


def shares_table(
    contract: Contract,
    multipliers: Floats,
    reference: Floats,
    oof_contributions: Floats,
    resamplers: tuple[Resampler, Resampler],
) -> pd.DataFrame:
    """Realised shares on the reference sample and out of fold.

    Parameters
    ----------
    contract : Contract
    multipliers : ndarray, shape (categories,)
        As shipped.
    reference : ndarray, shape (m, categories)
        Category functions of the reference sample.
    oof_contributions : ndarray, shape (n, categories)
    resamplers : pair of Resampler
        Over the reference sample and over the out-of-fold rows.
    """
    columns = {
        "target": contract.weights,
        "tolerance": np.broadcast_to(contract.tolerance, contract.weights.shape),
        "multiplier": multipliers,
        "influence": np.abs(reference - reference.mean(axis=0)).mean(axis=0),
    }
    for name, values, resampler in (
        ("reference", reference * multipliers, resamplers[0]),
        ("out_of_fold", oof_contributions, resamplers[1]),
    ):
        columns[name], columns[f"{name}_low"], columns[f"{name}_high"] = share_intervals(values, resampler)
    return pd.DataFrame(columns, index=pd.Index(contract.names, name="category"))


def price_of(contract: Contract, contracted: Floats, oof: OutOfFold, resampler: Resampler) -> pd.DataFrame:
    """Compare the contracted log odds with free weights and with no constraint at all, each calibrated."""
    free = solve_contract(oof.z, oof.bad, Contract(contract.names, contract.weights, 1.0), oof.weight)
    predictions = {"additive": free.log_odds(oof.z), "contracted": contracted}
    if oof.unconstrained is not None:
        slope, intercept = slope_and_intercept(oof.unconstrained, oof.bad, oof.weight)
        predictions = {"unconstrained": intercept + slope * oof.unconstrained} | predictions
    return price_table(predictions, oof.bad, oof.weight, resampler)


def realised_shares(contributions: Floats, layout: CategoryLayout, seed: int) -> pd.DataFrame:
    """Shares on rows other than the reference sample, with 95 % bootstrap intervals."""
    share, low, high = share_intervals(contributions, Resampler(len(contributions), None, seed))
    columns = {"target": layout.weights, "share": share, "share_low": low, "share_high": high}
    return pd.DataFrame(columns, index=pd.Index(layout.names, name="category"))


def frontier_table(layout: CategoryLayout, oof: OutOfFold, taus: list[float]) -> pd.DataFrame:
    """AUC, KS, Brier score, log loss and shares out of fold at each tolerance."""
    rows, names, weights = [], layout.names, np.array(layout.weights)
    for tau in taus:
        solution = solve_contract(oof.z, oof.bad, Contract(names, weights, tau), oof.weight)
        shares = influence_shares(oof.z * solution.multipliers)
        figures = metrics_of(solution.log_odds(oof.z), oof.bad, oof.weight)
        rows.append(figures | {f"share_{name}": float(s) for name, s in zip(names, shares, strict=True)})
    return pd.DataFrame(rows, index=pd.Index(taus, name="tolerance", dtype=np.float64))
