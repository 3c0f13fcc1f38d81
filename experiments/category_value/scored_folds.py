"""Every test row as each of the models says of it: with a category, without it, and with it withheld."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.category_value.refitting import (
    categories_in,
    columns_without,
    consents_to,
    fitted_on,
    fitted_without,
)
from benne.experiments.members import members_of
from benne.experiments.training import TrainingSplit
from benne.models import CreditScoreModel, ScoreScale, withheld_of
from benne.scoring.batch import unscorable

__all__ = ["FREE", "HELD", "Scored", "WholeModels", "scored_with_and_without", "whole_models"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FREE, HELD = "free", "held"


@dataclass(frozen=True)
class Scored:
    """Rows that give one category, of all folds, and what the models say of them.

    Parameters
    ----------
    log_odds : dict of str to ndarray, shape (n,)
        ``held with``, ``held without``, ``free with``, ``free without``, ``withheld``: those there are.
    bad : ndarray of float64, shape (n,)
    members : ndarray of int, shape (n,)
    subjects : ndarray of str, shape (n,)
        For protected attributes alone.
    refusers : tuple of ndarray
        Log odds and outcome of rows that withhold the category, as the model with it scores them.
    scale : ScoreScale
    """

    log_odds: dict[str, Floats] = field(repr=False)
    bad: Floats = field(repr=False)
    members: npt.NDArray[np.intp] = field(repr=False)
    subjects: npt.NDArray[np.object_] = field(repr=False)
    refusers: tuple[Floats, Floats] = field(repr=False)
    scale: ScoreScale = field(repr=False)


WholeModels = list[dict[str, CreditScoreModel | None]]


def whole_models(
    splits: Sequence[TrainingSplit], model: CreditScoreModel, free: bool, on_fit: Callable[[], None]
) -> WholeModels:
    """The models with every category, of each fold; a model that was fitted on the only split is taken as it is."""
    found = []
    for split in splits:
        fitted = len(splits) == 1 and hasattr(model, "booster_")
        held = model if fitted else fitted_on(split, model, model.tolerance)
        on_fit()
        models = {HELD: held}
        if free:
            models[FREE] = fitted_on(split, model, 1.0)
            on_fit()
        found.append(models)
    return found


def scored_with_and_without(
    splits: Sequence[TrainingSplit],
    model: CreditScoreModel,
    whole: WholeModels,
    category: str,
    on_fit: Callable[[], None],
) -> Scored | None:
    """Fit without one category and score the rows of the test that give it; None where no model is there with it."""
    parts = []
    for split, models in zip(splits, whole, strict=True):
        without = {}
        for kind in models:
            without[kind] = fitted_without(split, model, category, model.tolerance if kind == HELD else 1.0)
            on_fit()
        part = _part(split, models, without, category)
        if part is None:
            return None
        parts.append(part)
    kinds = [name for name in parts[0].log_odds if all(name in part.log_odds for part in parts)]
    subjects = np.concatenate([part.subjects for part in parts])
    return Scored(
        {name: np.concatenate([part.log_odds[name] for part in parts]) for name in kinds},
        np.concatenate([part.bad for part in parts]),
        np.unique(subjects, return_inverse=True)[1].ravel(),
        subjects,
        (np.concatenate([part.refusers[0] for part in parts]), np.concatenate([part.refusers[1] for part in parts])),
        parts[0].scale,
    )


def _part(
    split: TrainingSplit,
    whole: dict[str, CreditScoreModel | None],
    without: dict[str, CreditScoreModel | None],
    category: str,
) -> Scored | None:
    held = whole[HELD]
    if held is None:
        return None
    test = split.test
    columns = categories_in(held, test.features)[category]
    gives = consents_to(test.features, category)
    asked, bare = test.features[gives], columns_without(test.features[gives], columns)
    withheld = withheld_of(asked)
    pattern = [one | {category} for one in withheld]
    questions: dict[str, tuple[CreditScoreModel | None, pd.DataFrame, Any]] = {
        **{f"{kind} with": (one, asked, withheld) for kind, one in whole.items()},
        **{f"{kind} without": (one, bare, withheld) for kind, one in without.items()},
    }
    names = frozenset(held.contract_report_.shares.index)
    if names - {category} in held.patterns:
        questions["withheld"] = (held, asked, pattern)
    present = {name: (one, rows, how) for name, (one, rows, how) in questions.items() if one is not None}
    keep = np.logical_and.reduce([unscorable(one, rows, how) == "" for one, rows, how in present.values()])
    place = np.flatnonzero(keep)
    features = asked.iloc[place]
    return Scored(
        {name: one.decision_function(rows.iloc[place], withheld=[how[k] for k in place])
         for name, (one, rows, how) in present.items()},
        test.bad[gives][place],
        members_of(features),
        features.index.get_level_values("subject_id").to_numpy(dtype=object),
        _refusers(split, held, ~gives),
        held.scale_,
    )  # fmt: skip


def _refusers(split: TrainingSplit, held: CreditScoreModel, refuse: Bools) -> tuple[Floats, Floats]:
    """Those who withhold the category, as far as they are scored."""
    rows = split.test.features[refuse]
    if not len(rows):
        return np.zeros(0), np.zeros(0)
    withheld = withheld_of(rows)
    place = np.flatnonzero(unscorable(held, rows, withheld) == "")
    if not len(place):
        return np.zeros(0), np.zeros(0)
    log_odds = held.decision_function(rows.iloc[place], withheld=[withheld[k] for k in place])
    return log_odds, split.test.bad[refuse][place]
