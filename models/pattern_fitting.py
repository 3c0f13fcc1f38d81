"""The contract solved for every allowed pattern of consent, on the shared booster or on one of the pattern's own."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import WeightContractError
from benne.features.categories import CATEGORIES
from benne.models.additive_booster import BoosterRecipe
from benne.models.category_layout import CategoryLayout
from benne.models.consent_patterns import allowed_patterns
from benne.models.pd_interval import PdUncertainty, jackknife_error, spread_between_members, typical_error
from benne.models.resampling import metrics_of
from benne.models.score_function import PatternWeights
from benne.models.trained_booster import TrainedBooster, TrainingData, train_booster
from benne.models.weight_contract import (
    SHARES_HOLD_TO,
    Contract,
    ContractSolution,
    largest_miss,
    solve_contract,
)

__all__ = ["PatternFit", "fit_patterns"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SHARED: Final = 0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PatternFit:
    """One pattern, solved.

    Parameters
    ----------
    shipped : PatternWeights
    solution : ContractSolution
        Over the categories used, standardised.
    rows : ndarray of bool, shape (n,)
        Those it was solved on: held out, and their consent covers the pattern.
    log_odds : ndarray of float64, shape (n,)
        Out of fold; NaN where never held out or not covered.
    auc, auc_own : float
        Out of fold, of the shared booster and of one trained for this pattern alone; ``auc_own``
        is NaN where none was tried.
    uncertainty : PdUncertainty
    """

    shipped: PatternWeights
    solution: ContractSolution
    rows: Bools
    log_odds: Floats
    auc: float
    auc_own: float
    uncertainty: PdUncertainty


def fit_patterns(
    data: TrainingData, layout: CategoryLayout, recipe: BoosterRecipe, shared: TrainedBooster, told: Bools,
    gap: float | None,
) -> tuple[list[PatternFit], list[TrainedBooster]]:  # fmt: skip
    """Solve every allowed pattern; the full one first.

    Parameters
    ----------
    data : TrainingData
    layout : CategoryLayout
    recipe : BoosterRecipe
        Of the shared booster.
    shared : TrainedBooster
    told : ndarray of bool, shape (n, categories)
        Whether anything is on record in each category.
    gap : float or None
        Out-of-fold AUC by which a booster of the pattern's own must be better to be taken; None never tries.

    Returns
    -------
    fits : list of PatternFit
    boosters : list of TrainedBooster
        The shared one, then those that some pattern has for itself.
    """
    boosters, fits = [shared], []
    tries = gap is not None and set(layout.names) <= set(CATEGORIES)  # nobody can withhold other categories
    for used in allowed_patterns(layout):
        try:
            fit = _solved(data, layout, shared, used, told, _SHARED)
        except WeightContractError as error:
            if len(used) == len(layout.names):
                raise
            raise _of_pattern(used, error) from None
        if tries and len(used) < len(layout.names):
            own = train_booster(_alone(recipe, layout, used), layout, data, data.covering(_inside(layout, used)))
            other = _solved_alone(data, layout, own, used, told, len(boosters))
            fit = dataclasses.replace(fit, auc_own=fit.auc_own if other is None else other.auc)
            if gap is not None and other is not None and other.auc - fit.auc > gap:
                boosters.append(own)
                fit = dataclasses.replace(other, auc=fit.auc, auc_own=other.auc)
        if not fit.solution.multipliers.any():
            _log.warning(
                "Members who let only %s be used get the base rate: no evidence in it held out of fold.",
                " and ".join(sorted(used)),
            )
        fits.append(fit)
    return fits, boosters


def _of_pattern(used: frozenset[str], error: WeightContractError) -> WeightContractError:
    return WeightContractError(f"Where only {' and '.join(map(repr, sorted(used)))} may be used: {error}")


def _inside(layout: CategoryLayout, used: frozenset[str]) -> Bools:
    return np.array([name in used for name in layout.names])


def _alone(recipe: BoosterRecipe, layout: CategoryLayout, used: frozenset[str]) -> BoosterRecipe:
    """The same recipe for a few categories: columns of no group are not split on."""
    groups = [group for name, group in zip(layout.names, layout.groups, strict=True) if name in used]
    return dataclasses.replace(recipe, groups=groups)


def _solved_alone(
    data: TrainingData, layout: CategoryLayout, own: TrainedBooster, used: frozenset[str], told: Bools, number: int
) -> PatternFit | None:
    """The same on a booster of the pattern's own; None where that one cannot carry the weights."""
    try:
        return _solved(data, layout, own, used, told, number)
    except WeightContractError:
        return None


def _solved(
    data: TrainingData, layout: CategoryLayout, booster: TrainedBooster, used: frozenset[str], told: Bools, number: int
) -> PatternFit:
    """Solve one pattern on the rows whose consent covers it; withheld categories are never read."""
    inside = _inside(layout, used)
    rows = booster.held & data.covering(inside)
    z, bad, weight = booster.z[rows][:, inside], data.bad[rows], data.weights[rows]
    solution = solve_contract(z, bad, layout.contract_over(used), None if data.weight is None else weight)
    multipliers = np.zeros(len(inside))
    multipliers[inside] = np.divide(
        solution.multipliers, booster.influence[inside], out=np.zeros(int(inside.sum())),
        where=booster.influence[inside] > 0,
    )  # fmt: skip
    log_odds = np.full(len(rows), np.nan)
    log_odds[rows] = solution.log_odds(z)
    _check_shares(layout.contract_over(used), (booster.reference * multipliers)[:, inside])
    thin = np.asarray((~told[:, inside]).any(axis=1))  # of what enters: what is withheld is never looked at
    return PatternFit(
        shipped=PatternWeights(used, tuple(multipliers.tolist()), solution.intercept, number),
        solution=solution,
        rows=rows,
        log_odds=log_odds,
        auc=metrics_of(log_odds[rows], bad, weight)["auc"],
        auc_own=float("nan"),
        uncertainty=_uncertainty(data, booster, solution, inside, rows, log_odds, thin),
    )


def _check_shares(contract: Contract, contributions: Floats) -> None:
    missed = largest_miss(contract, contributions)
    if missed > SHARES_HOLD_TO and contributions.any():
        raise WeightContractError(
            f"Shares on the reference sample must be within {SHARES_HOLD_TO:g} of what the contract allows, got "
            f"{missed:.3g} off. Add features to the categories, or allow a tolerance."
        )


def _uncertainty(
    data: TrainingData, booster: TrainedBooster, solution: ContractSolution, inside: Bools, rows: Bools,
    log_odds: Floats, thin: Bools,
) -> PdUncertainty:  # fmt: skip
    groups = None if data.groups is None else data.groups[rows]
    spread = spread_between_members(log_odds[rows], data.bad[rows], groups)
    apart = rows & thin
    thin_spread = spread_between_members(
        log_odds[apart], data.bad[apart], None if data.groups is None else data.groups[apart]
    )
    by_fold = np.stack([solution.log_odds(z[:, inside]) for z in booster.fold_reference])
    return typical_error(
        by_fold.mean(axis=0), jackknife_error(by_fold), thin[booster.reference_rows], spread,
        spread if thin_spread is None else thin_spread,
    )  # fmt: skip
