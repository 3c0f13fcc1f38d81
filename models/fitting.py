"""Everything a fit learns, step by step: shared booster, contract per pattern of consent, reports."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import LabelError
from benne.models.additive_booster import BoosterRecipe
from benne.models.calibration import CalibrationReport, calibration_report
from benne.models.category_layout import CategoryLayout
from benne.models.cohorts import cohort_means
from benne.models.contract_report import ContractReport, OutOfFold, price_of, shares_table
from benne.models.pattern_fitting import PatternFit, fit_patterns
from benne.models.pattern_report import pattern_table
from benne.models.pd_interval import PdUncertainty
from benne.models.percentiles import percentile_edges
from benne.models.points import AdditiveTrees
from benne.models.reference_sample import PatternReference, summarised
from benne.models.resampling import Resampler
from benne.models.scale import ScoreScale
from benne.models.score_function import PatternWeights
from benne.models.trained_booster import TrainedBooster, TrainingData, cross_fitted, folds_within, train_booster

__all__ = ["Alternatives", "Learned", "SavedBooster", "learn"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Alternatives:
    """What a fit tries besides the shared booster; each costs cross-fits.

    Parameters
    ----------
    own_booster_gap : float or None
        See :func:`benne.models.pattern_fitting.fit_patterns`.
    unconstrained : bool
        Whether a booster without groups and directions, for the price of the contract.
    """

    own_booster_gap: float | None
    unconstrained: bool


@dataclass(frozen=True)
class SavedBooster:
    """What remains of a booster.

    Parameters
    ----------
    text : str
        LightGBM's text model, without the extremes of the training values.
    reference : ndarray of float64, shape (m, categories)
        Category functions of the reference sample, each column sorted and in means of cohorts: no
        value and no row is anybody's.
    trees : AdditiveTrees or None
        Those of the text where a fit has just laid them out; not saved.
    """

    text: str
    reference: Floats
    trees: AdditiveTrees | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Learned:
    """What a fit has learned and what is saved of it.

    Parameters
    ----------
    boosters : tuple of SavedBooster
        The one that patterns of consent share, then those that some pattern has for itself.
    patterns : tuple of PatternWeights
    contract_report : ContractReport
    calibration_reports : dict of frozenset to CalibrationReport
    pattern_table : DataFrame
        See :func:`benne.models.pattern_report.pattern_table`.
    uncertainty : tuple of PdUncertainty
        Of each pattern.
    percentiles : tuple of tuple of float
        Of each pattern, the scores that part the reference sample into equal shares.
    reference : tuple of PatternReference
        Of each pattern; empty for a model of an older Benne.
    """

    boosters: tuple[SavedBooster, ...]
    patterns: tuple[PatternWeights, ...]
    contract_report: ContractReport
    calibration_reports: dict[frozenset[str], CalibrationReport]
    pattern_table: pd.DataFrame
    uncertainty: tuple[PdUncertainty, ...]
    percentiles: tuple[tuple[float, ...], ...]
    reference: tuple[PatternReference, ...] = ()


def learn(
    data: TrainingData, layout: CategoryLayout, recipe: BoosterRecipe, scale: ScoreScale, told: Bools,
    alternatives: Alternatives,
) -> tuple[Learned, OutOfFold]:  # fmt: skip
    """Fit booster, contract and calibration; returns also the out-of-fold rows, which are not saved.

    The booster, shared by all patterns, learns only from rows that consent to every
    category. A pattern's slope and intercept are fitted on every row whose consent covers it.

    Parameters
    ----------
    data : TrainingData
    layout : CategoryLayout
    recipe : BoosterRecipe
    scale : ScoreScale
    told : ndarray of bool, shape (n, categories)
        Whether anything is on record in each category.
    alternatives : Alternatives

    Raises
    ------
    LabelError
        If fewer than two rows of a class consent to everything.
    WeightContractError
        If a category has no influence to carry its weight, or the contract has no solution.
    """
    full = np.asarray(data.consented.all(axis=1))
    if min(data.bad[full].sum(), (1.0 - data.bad[full]).sum()) < 2:
        raise LabelError(
            "y must hold at least 2 rows of each class that consent to every category, since the booster "
            "learns from those. Add some, or leave a category out of the model."
        )
    shared = train_booster(recipe, layout, data, full)
    fits, boosters = fit_patterns(data, layout, recipe, shared, told, alternatives.own_booster_gap)
    unconstrained = _unconstrained(recipe, data, full, shared) if alternatives.unconstrained else None
    oof = _out_of_fold(data, shared, full, unconstrained)
    learned = Learned(
        # Each column on its own, in cohorts: the shares need no more, and nothing is left that is a member's own.
        boosters=tuple(SavedBooster(b.text, cohort_means(b.reference), b.trees) for b in boosters),
        patterns=tuple(fit.shipped for fit in fits),
        contract_report=_report(layout, recipe.seed, fits[0], shared, oof, data),
        calibration_reports={fit.shipped.used: _calibration(fit, data, scale) for fit in fits},
        pattern_table=pattern_table(fits, data, layout.names, scale),
        uncertainty=tuple(fit.uncertainty for fit in fits),
        percentiles=tuple(_percentiles(fit.shipped, boosters, scale) for fit in fits),
        reference=_references([fit.shipped for fit in fits], boosters, data, layout, scale),
    )
    return learned, oof


def _calibration(fit: PatternFit, data: TrainingData, scale: ScoreScale) -> CalibrationReport:
    weight = None if data.weight is None else data.weight[fit.rows]
    return calibration_report(fit.log_odds[fit.rows], data.bad[fit.rows], scale, weight)


def _percentiles(pattern: PatternWeights, boosters: Sequence[TrainedBooster], scale: ScoreScale) -> tuple[float, ...]:
    return percentile_edges(_reference_scores(pattern, boosters[pattern.booster], scale))


def _reference_scores(pattern: PatternWeights, booster: TrainedBooster, scale: ScoreScale) -> Floats:
    return scale.score(pattern.intercept + booster.reference @ np.array(pattern.multipliers))


def _references(
    patterns: Sequence[PatternWeights], boosters: Sequence[TrainedBooster], data: TrainingData, layout: CategoryLayout,
    scale: ScoreScale,
) -> tuple[PatternReference, ...]:  # fmt: skip
    """What is kept of the reference sample under each pattern; every booster explains its own sample once."""
    samples = [data.X[booster.reference_rows] for booster in boosters]
    hashes = [_sha256(sample) for sample in samples]
    values = [booster.trees.contributions(sample)[1] for booster, sample in zip(boosters, samples, strict=True)]
    found = []
    for pattern in patterns:
        of_column = np.array(pattern.multipliers)[layout.categories_of_columns]
        points = -scale.points_per_log_odds * of_column * values[pattern.booster]
        scores = _reference_scores(pattern, boosters[pattern.booster], scale)
        found.append(summarised(points, scores, layout, hashes[pattern.booster]))
    return tuple(found)


def _out_of_fold(data: TrainingData, shared: TrainedBooster, full: Bools, unconstrained: Floats | None) -> OutOfFold:
    rows = full & shared.held
    groups = None if data.groups is None else data.groups[rows]
    other = None if unconstrained is None else unconstrained[rows]
    return OutOfFold(shared.z[rows], data.bad[rows], data.weights[rows], groups, other)


def _unconstrained(recipe: BoosterRecipe, data: TrainingData, full: Bools, shared: TrainedBooster) -> Floats:
    """Out-of-fold log odds of the same booster without groups and directions, on the same folds."""
    fitted = shared.folds if recipe.is_free else cross_fitted(recipe.unconstrained(), data, full)
    log_odds = np.full(len(full), np.nan)
    for text, held in zip(fitted.texts, folds_within(data.folds, full, data.bad)[1], strict=True):
        log_odds[held] = lgb.Booster(model_str=text).predict(data.X[held], raw_score=True)
    return log_odds


def _report(
    layout: CategoryLayout, seed: int, fit: PatternFit, shared: TrainedBooster, oof: OutOfFold, data: TrainingData
) -> ContractReport:
    contract = layout.contract_over(frozenset(layout.names))
    held_out = Resampler(len(oof.bad), oof.groups, seed)
    both = (Resampler(len(shared.reference), None, seed), held_out)
    contributions = shared.z[fit.rows] * fit.solution.multipliers
    return ContractReport(
        reference_rows=len(shared.reference),
        reference_sha256=_sha256(data.X[shared.reference_rows]),
        shares=shares_table(contract, np.array(fit.shipped.multipliers), shared.reference, contributions, both),
        price=price_of(contract, fit.log_odds[fit.rows], oof, held_out),
    )


def _sha256(X: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(X, dtype="<f8").tobytes()).hexdigest()
