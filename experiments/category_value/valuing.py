"""Does a category earn its weight? With it and without it, on the same members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benne.experiments.category_value.disparity import disparities
from benne.experiments.category_value.options import ValueOptions
from benne.experiments.category_value.refitting import categories_in
from benne.experiments.category_value.report import CategoryValue, CategoryValueReport
from benne.experiments.category_value.scored_folds import (
    FREE,
    HELD,
    Scored,
    scored_with_and_without,
    whole_models,
)
from benne.experiments.category_value.verdicts import verdict_of
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.figures import FIGURES, figures_table
from benne.experiments.report.groups import SMALLEST_GROUP, observed_columns
from benne.experiments.training import TrainingSplit
from benne.features import split_mask
from benne.models import CreditScoreModel
from benne.models.category_layout import layout_of
from benne.models.resampling import Resampler

__all__ = ["category_value", "fits_of"]

Floats = npt.NDArray[np.float64]
_MOVED: Final = 5.0
"""Points from which on a score has moved."""


def category_value(
    splits: TrainingSplit | Sequence[TrainingSplit],
    model: CreditScoreModel,
    *,
    protected: pd.DataFrame | None = None,
    options: ValueOptions | None = None,
    fairness: FairnessOptions | None = None,
    on_fit: Callable[[int, int], None] | None = None,
) -> CategoryValueReport:
    """Measure what each category of a model is worth.

    Parameters
    ----------
    splits : TrainingSplit, or several
        Several are folds: their test rows are taken together, each scored by the model that has not seen it.
    model : CreditScoreModel
        Its parameters count. Where it is fitted and there is one split, it must have been fitted on its training rows.
    protected : DataFrame, optional
        Protected attributes, indexed by ``subject_id``, of members of the test rows; null or absent: not stated.
    options : ValueOptions, optional
    fairness : FairnessOptions, optional
        How groups are made of the attributes.
    on_fit : callable, optional
        Told how many fits are done, and of how many.

    Returns
    -------
    CategoryValueReport

    Raises
    ------
    ParameterError
        If the model has fewer than two categories, or an option is out of its domain.
    FairnessError
        If an attribute makes no groups.
    """
    options, folds = options or ValueOptions(), [splits] if isinstance(splits, TrainingSplit) else list(splits)
    options.check()
    categories = categories_in(model, folds[0].train.features)
    whole_count, done, say = fits_of(len(categories), len(folds), options), 0, on_fit or (lambda *_: None)

    def one_more() -> None:
        nonlocal done
        done += 1
        say(done, whole_count)

    columns = list(split_mask(folds[0].train.features)[0].columns)
    layout = layout_of(columns, categories, model.weights)
    weights = dict(zip(layout.names, layout.weights, strict=True))
    values = []
    # One BLAS thread, so that sums are the same on every machine.
    with threadpool_limits(limits=1, user_api="blas"):
        whole = whole_models(folds, model, options.free, one_more)
        for name in categories:
            scored = scored_with_and_without(folds, model, whole, name, one_more)
            values.append(_value(name, float(weights[name]), scored, protected, options, fairness))
    return CategoryValueReport(tuple(values), len(folds), options)


def fits_of(categories: int, folds: int, options: ValueOptions) -> int:
    """How many models :func:`category_value` fits."""
    return (categories + 1) * folds * (2 if options.free else 1)


def _value(
    name: str,
    weight: float,
    scored: Scored | None,
    protected: pd.DataFrame | None,
    options: ValueOptions,
    fairness: FairnessOptions | None,
) -> CategoryValue:
    if scored is None or len(np.unique(scored.bad)) < 2 or len(np.unique(scored.members)) < SMALLEST_GROUP:
        told = scored is not None and len(np.unique(scored.members)) >= SMALLEST_GROUP
        rows = len(scored.bad) if told and scored is not None else 0
        return CategoryValue(
            category=name, weight=weight, rows=rows, bad=0, held=None, free=None, withholding=None, withheld_by=None,
            disparity=[], verdict=verdict_of(None, 0, 0),
        )  # fmt: skip
    resampler = Resampler(len(scored.bad), scored.members, options.seed, options.resamples)
    held = _compared(scored, f"{HELD} without", f"{HELD} with", resampler)
    bad = int(scored.bad.sum())
    return CategoryValue(
        category=name,
        weight=weight,
        rows=len(scored.bad),
        bad=bad,
        held=held,
        free=_compared(scored, f"{FREE} without", f"{FREE} with", resampler),
        withholding=_withholding(scored, resampler),
        withheld_by=_withheld_by(scored.refusers),
        disparity=_disparity(scored, protected, options, fairness or FairnessOptions(), resampler),
        verdict=verdict_of(held, bad, len(scored.bad) - bad),
    )


def _compared(scored: Scored, without: str, with_it: str, resampler: Resampler) -> dict[str, Any] | None:
    """Figures of two of the models and their paired differences; None where one of them is not there."""
    if not {without, with_it} <= set(scored.log_odds):
        return None
    table = figures_table({name: scored.log_odds[name] for name in (without, with_it)}, scored.bad, resampler)
    found: dict[str, Any] = {}
    for figure in FIGURES:
        found[f"{figure}_with"] = _plain(table[figure].iloc[1])
        found[f"{figure}_without"] = _plain(table[figure].iloc[0])
        for end in ("", "_low", "_high"):
            found[f"{figure}_difference{end}"] = _plain(table[f"{figure}_difference{end}"].iloc[0])
    return found


def _withholding(scored: Scored, resampler: Resampler) -> dict[str, Any] | None:
    compared = _compared(scored, "withheld", f"{HELD} with", resampler)
    if compared is None:
        return None
    before, after = (scored.scale.score(scored.log_odds[name]) for name in (f"{HELD} with", "withheld"))
    order = {str(band.name): place for place, band in enumerate(scored.scale.bands)}
    bands = [np.array([order[str(name)] for name in scored.scale.band(score)]) for score in (before, after)]
    lost = before - after
    return {
        "points_lost": _plain(lost.mean()),
        "lose_share": _plain(np.mean(lost >= _MOVED)),
        "gain_share": _plain(np.mean(lost <= -_MOVED)),
        "lower_band_share": _plain(np.mean(bands[1] < bands[0])),
        **compared,
    }


def _withheld_by(refusers: tuple[Floats, Floats]) -> dict[str, Any] | None:
    log_odds, bad = refusers
    if len(bad) < SMALLEST_GROUP:
        return None
    sums = [pd.Series([float(value)]) for value in (len(bad), expit(log_odds).sum(), bad.sum())]
    told = {str(name): _plain(value) for name, value in observed_columns(*sums).iloc[0].items()}
    return told | {"rows": len(bad)}


def _disparity(
    scored: Scored,
    protected: pd.DataFrame | None,
    options: ValueOptions,
    fairness: FairnessOptions,
    resampler: Resampler,
) -> list[dict[str, Any]]:
    kinds = {"with": f"{HELD} with", "without": f"{HELD} without"}
    if protected is None or not set(kinds.values()) <= set(scored.log_odds):
        return []
    scores = {name: scored.scale.score(scored.log_odds[kind]) for name, kind in kinds.items()}
    known = protected.reindex(scored.subjects).reset_index(drop=True)
    return disparities(scores, known, scored.members, options.accepted, resampler, fairness)


def _plain(value: Any) -> float | None:
    return round(float(value), 10) if np.isfinite(value) else None
