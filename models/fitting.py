"""Everything a fit learns, step by step: cross-fit, refit, contract per pattern, reports."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from benne.errors import LabelError, WeightContractError
from benne.models.additive_booster import BoosterRecipe, Folds, FoldTrees, cross_fit, refit
from benne.models.calibration import CalibrationReport, calibration_report
from benne.models.category_layout import CategoryLayout
from benne.models.consent_patterns import allowed_patterns
from benne.models.contract_report import ContractReport, OutOfFold, price_of, shares_table
from benne.models.points import AdditiveTrees
from benne.models.resampling import Resampler
from benne.models.scale import ScoreScale
from benne.models.score_function import PatternWeights
from benne.models.weight_contract import ContractSolution, influence, solve_contract

__all__ = ["Learned", "TrainingData", "learn"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_LARGEST_REFERENCE = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Checked training rows.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
        NaN where withheld.
    bad : ndarray of float64, shape (n,)
    weight : ndarray of float64, shape (n,), or None
    consented : ndarray of bool, shape (n, categories)
    groups : ndarray of int, shape (n,), or None
    folds : list of (train, held-out) indices
    """

    X: Floats
    bad: Floats
    weight: Floats | None
    consented: Bools
    groups: Indices | None
    folds: Folds


@dataclass(frozen=True)
class Learned:
    """What a fit has learned and what is saved of it.

    Parameters
    ----------
    text : str
        LightGBM's text model, without the extremes of the training values.
    patterns : tuple of PatternWeights
    reference : ndarray of float64, shape (m, categories)
        Category functions of the reference sample, each column sorted by itself: no row is anybody's.
    contract_report : ContractReport
    calibration_reports : dict of frozenset to CalibrationReport
    """

    text: str
    patterns: tuple[PatternWeights, ...]
    reference: Floats
    contract_report: ContractReport
    calibration_reports: dict[frozenset[str], CalibrationReport]


@dataclass(frozen=True)
class _Plan:
    layout: CategoryLayout
    recipe: BoosterRecipe
    scale: ScoreScale

    def trees(self, text: str) -> AdditiveTrees:
        names = len(self.layout.names)
        return AdditiveTrees(text, self.layout.categories_of_columns, names, self.recipe.options.threads)


def learn(
    data: TrainingData, layout: CategoryLayout, recipe: BoosterRecipe, scale: ScoreScale
) -> tuple[Learned, OutOfFold]:
    """Fit booster, contract and calibration; returns also the out-of-fold rows, which are not saved.

    The booster, shared by all patterns, learns only from rows that consent to every
    category. A pattern's slope and intercept are fitted on every row whose consent covers it.

    Raises
    ------
    LabelError
        If fewer than two rows of a class consent to everything.
    WeightContractError
        If a category has no influence or the contract has no solution.
    """
    plan = _Plan(layout, recipe, scale)
    full = np.asarray(data.consented.all(axis=1))
    if min(data.bad[full].sum(), (1.0 - data.bad[full]).sum()) < 2:
        raise LabelError(
            "y must hold at least 2 rows of each class that consent to every category, since the booster "
            "learns from those. Add some, or leave a category out of the model."
        )
    fitted = _cross_fitted(plan.recipe, data, full)
    z = _category_functions_out_of_fold(plan, data, full, fitted)
    weight = None if data.weight is None else data.weight[full]
    text = refit(plan.recipe, data.X[full], data.bad[full], weight, fitted.trees)
    trees = plan.trees(text)
    rows = _reference_rows(np.flatnonzero(full), recipe.seed)
    reference = trees.category_functions(data.X[rows])
    solutions = _solve_patterns(plan, data, z, _checked_influence(plan, reference))
    oof = _out_of_fold(data, z, full, _unconstrained(plan, data, full, fitted))
    learned = Learned(
        text=text,
        patterns=tuple(solution.shipped for solution in solutions),
        # Each column on its own: the shares need no more, and no row is left that belongs to a member.
        reference=np.sort(reference, axis=0),
        contract_report=_report(plan, solutions[0], reference, oof, _sha256(data.X[rows])),
        calibration_reports={s.shipped.used: s.calibration for s in solutions},
    )
    return learned, oof


def _cross_fitted(recipe: BoosterRecipe, data: TrainingData, full: Bools) -> FoldTrees:
    weight = None if data.weight is None else data.weight[full]
    folds, _ = _folds_within(data.folds, full, data.bad)
    return cross_fit(recipe, data.X[full], data.bad[full], weight, folds)


def _category_functions_out_of_fold(plan: _Plan, data: TrainingData, full: Bools, fitted: FoldTrees) -> Floats:
    """Category functions of held-out rows over their fold's influence; NaN where never held out."""
    z = np.full((len(full), len(plan.layout.names)), np.nan)
    for text, held in zip(fitted.texts, _folds_within(data.folds, full, data.bad)[1], strict=True):
        g = plan.trees(text).category_functions(data.X[held])
        scale = influence(g[full[held]])
        z[held] = np.divide(g, scale, out=np.zeros_like(g), where=scale > 0)
    return z


def _folds_within(folds: Folds, full: Bools, bad: Floats) -> tuple[Folds, list[Indices]]:
    """Folds over the full rows alone, and the held-out rows, partial ones included, of each."""
    position = np.cumsum(full) - 1
    inner: Folds = []
    held_rows = []
    for train, held in folds:
        train, inside = train[full[train]], held[full[held]]
        if len(inside) and 0 < bad[train].sum() < len(train):
            inner.append((position[train], position[inside]))
            held_rows.append(held)
    if not inner:
        raise LabelError("y must hold both classes in every fold among rows that consent to everything. Add rows.")
    return inner, held_rows


def _checked_influence(plan: _Plan, reference: Floats) -> Floats:
    scale = influence(reference)
    contract = plan.layout.contract_over(frozenset(plan.layout.names))
    mute = [n for n, s, low in zip(contract.names, scale, contract.lowest, strict=True) if s == 0 and low > 0]
    if mute and contract.binds:
        raise WeightContractError(
            f"Category {mute[0]!r} must have influence to carry its weight, got none: no tree uses its features. "
            "Add features to it, leave it out, or allow a tolerance of at least its weight."
        )
    return scale


@dataclass(frozen=True)
class _PatternSolution:
    shipped: PatternWeights
    contributions: Floats
    log_odds: Floats
    calibration: CalibrationReport


def _solve_patterns(plan: _Plan, data: TrainingData, z: Floats, scale: Floats) -> list[_PatternSolution]:
    held = np.asarray(np.isfinite(z).all(axis=1))
    return [_solve_pattern(plan, data, z, scale, held, used) for used in allowed_patterns(plan.layout)]


def _solve_pattern(
    plan: _Plan, data: TrainingData, z: Floats, scale: Floats, held: Bools, used: frozenset[str]
) -> _PatternSolution:
    """Solve one pattern on the rows whose consent covers it; withheld categories are never read."""
    inside = np.array([name in used for name in plan.layout.names])
    rows = held & data.consented[:, inside].all(axis=1)
    weight = None if data.weight is None else data.weight[rows]
    solution = solve_contract(z[rows][:, inside], data.bad[rows], plan.layout.contract_over(used), weight)
    if not solution.multipliers.any():
        _log.warning(
            "Members who let only %s be used get the base rate: no evidence in it held out of fold.",
            " and ".join(sorted(used)),
        )
    multipliers = np.zeros(len(inside))
    multipliers[inside] = np.divide(
        solution.multipliers, scale[inside], out=np.zeros(int(inside.sum())), where=scale[inside] > 0
    )
    shipped = PatternWeights(used, tuple(multipliers.tolist()), solution.intercept)
    return _assessed(plan, shipped, solution, z[rows][:, inside], data.bad[rows], weight)


def _assessed(
    plan: _Plan,
    shipped: PatternWeights,
    solution: ContractSolution,
    z: Floats,
    bad: Floats,
    weight: Floats | None,
) -> _PatternSolution:
    log_odds = solution.log_odds(z)
    report = calibration_report(log_odds, bad, plan.scale, weight)
    return _PatternSolution(shipped, z * solution.multipliers, log_odds, report)


def _out_of_fold(data: TrainingData, z: Floats, full: Bools, unconstrained: Floats) -> OutOfFold:
    rows = full & np.isfinite(z).all(axis=1)
    weight = np.ones(len(full)) if data.weight is None else data.weight
    groups = None if data.groups is None else data.groups[rows]
    return OutOfFold(z[rows], data.bad[rows], weight[rows], groups, unconstrained[rows])


def _unconstrained(plan: _Plan, data: TrainingData, full: Bools, fitted: FoldTrees) -> Floats:
    """Out-of-fold log odds of the same booster without groups and directions, on the same folds."""
    free = fitted if plan.recipe.is_free else _cross_fitted(plan.recipe.unconstrained(), data, full)
    log_odds = np.full(len(full), np.nan)
    for text, held in zip(free.texts, _folds_within(data.folds, full, data.bad)[1], strict=True):
        log_odds[held] = lgb.Booster(model_str=text).predict(data.X[held], raw_score=True)
    return log_odds


def _report(plan: _Plan, solution: _PatternSolution, reference: Floats, oof: OutOfFold, sha256: str) -> ContractReport:
    contract = plan.layout.contract_over(frozenset(plan.layout.names))
    held_out = Resampler(len(oof.bad), oof.groups, plan.recipe.seed)
    both = (Resampler(len(reference), None, plan.recipe.seed), held_out)
    multipliers = np.array(solution.shipped.multipliers)
    return ContractReport(
        reference_rows=len(reference),
        reference_sha256=sha256,
        shares=shares_table(contract, multipliers, reference, solution.contributions, both),
        price=price_of(contract, solution.log_odds, oof, held_out),
    )


def _reference_rows(full: Indices, seed: int) -> Indices:
    """A seeded sample of the rows that consent to everything, in their order."""
    if len(full) <= _LARGEST_REFERENCE:
        return full
    return np.sort(np.random.default_rng(seed).choice(full, _LARGEST_REFERENCE, replace=False))


def _sha256(X: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(X, dtype="<f8").tobytes()).hexdigest()
