"""A challenger held against the champion on the same rows, in one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from benne.experiments.champion_challenger.groups import change_by_group
from benne.experiments.champion_challenger.paired import PairedScores, paired_scores
from benne.experiments.champion_challenger.shift import (
    band_matrix,
    change_by_feature,
    change_by_part,
    change_histogram,
    change_summary,
    movers,
)
from benne.experiments.champion_challenger.swap_set import checked_cutoffs, cuts_of, swap_parts, swap_sets
from benne.experiments.figures import figures_table
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models import CreditScoreModel, ScoreScale
from benne.models.resampling import RESAMPLES, Resampler

__all__ = ["ModelComparison", "compare_models"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ModelComparison:
    """What would change with the challenger.

    Attributes
    ----------
    rows, members : int
        That both models score.
    known : int
        Outcomes among them.
    left_out : dict of str to int
        Rows that ``both`` models refuse, or one of them alone.
    cutoffs : tuple of float
    scale : ScoreScale
        The champion's.
    summary : dict of str to float
        Of the change of score, in points.
    figures : DataFrame
        AUC, KS, Brier score, log loss and calibration error of either model with their 95 % bootstrap intervals, and
        challenger minus champion with its paired one; empty where outcomes are too few or of one kind.
    swaps, swap_parts, histogram, movers, matrix, parts, features, groups : DataFrame
        See :mod:`benne.experiments.champion_challenger.swap_set`, ``shift`` and ``groups``.
    seed : int
    """

    rows: int
    members: int
    known: int
    left_out: dict[str, int]
    cutoffs: tuple[float, ...]
    scale: ScoreScale
    summary: dict[str, float]
    figures: pd.DataFrame = field(repr=False)
    swaps: pd.DataFrame = field(repr=False)
    swap_parts: pd.DataFrame = field(repr=False)
    histogram: pd.DataFrame = field(repr=False)
    movers: pd.DataFrame = field(repr=False)
    matrix: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    features: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    seed: int


def compare_models(
    champion: CreditScoreModel,
    challenger: CreditScoreModel,
    features: pd.DataFrame,
    bad: npt.ArrayLike | None = None,
    protected: pd.DataFrame | None = None,
    *,
    cutoffs: Sequence[float] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> ModelComparison:
    """Hold two models against each other on rows that neither was trained on.

    Parameters
    ----------
    champion, challenger : CreditScoreModel
    features : DataFrame, indexed by (subject_id, as_of)
        With every feature of either model, and its consent columns. Of members on whom neither was trained: a model
        tells no one whom it knows, and whichever has learned from a row looks the better on it. Of models that
        `benne train` saved :func:`benne.experiments.unseen_rows.unseen_rows` finds them.
    bad : array-like, shape (n,), optional
        1, 0, or NaN where not known.
    protected : DataFrame, optional
        Indexed by ``subject_id``, one row for each member.
    cutoffs : sequence of float, optional
        Lowest scores let in; by default the lowest of each of the champion's bands but the first.
    seed, resamples : int
        Of the bootstrap over members.

    Raises
    ------
    ParameterError
        If a feature is not there, or a cut-off is no score.
    LabelError
        If outcomes are not as they must be, or fewer than ten rows are left.
    FairnessError
        If the protected attributes are no table of these members.
    ExplanationError
        If the parts of a change do not add up to it.
    """
    marks = checked_cutoffs(cutoffs or [band.lowest for band in champion.scale_.bands[1:]])
    pair = paired_scores(champion, challenger, features, bad)
    cuts = cuts_of(pair, marks)
    return ModelComparison(
        rows=len(pair.bad),
        members=len(np.unique(pair.members)),
        known=int((~np.isnan(pair.bad)).sum()),
        left_out=pair.left_out,
        cutoffs=marks,
        scale=champion.scale_,
        summary=change_summary(pair.change),
        figures=_figures(pair, seed, resamples),
        swaps=swap_sets(pair, cuts),
        swap_parts=swap_parts(pair, cuts),
        histogram=change_histogram(pair.change),
        movers=movers(pair.change),
        matrix=band_matrix(pair, champion.scale_),
        parts=change_by_part(pair),
        features=change_by_feature(pair),
        groups=pd.DataFrame() if protected is None else change_by_group(pair, features, protected, cuts),
        seed=seed,
    )


def _figures(pair: PairedScores, seed: int, resamples: int) -> pd.DataFrame:
    known = ~np.isnan(pair.bad)
    bad = pair.bad[known]
    if min((bad == 1).sum(), (bad == 0).sum()) < SMALLEST_GROUP:
        return pd.DataFrame()
    predictions: dict[str, Floats] = {
        "champion": np.asarray(logit(pair.champion.pd[known])),
        "challenger": np.asarray(logit(pair.challenger.pd[known])),
    }
    return figures_table(predictions, bad, Resampler(len(bad), pair.members[known], seed, resamples))
