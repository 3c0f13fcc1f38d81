"""Accuracy on Taiwan's cards: ours beside LightGBM, a scorecard, an EBM and a regression, on the same held-out members.

Everybody gets the same columns: what is raw and not protected (no SEX, AGE, MARRIAGE, EDUCATION), each month's bill
over the limit, and its payment over the bill. They are sorted into categories as Benne's registry sorts its own
features of the kind. Ours is measured on Benne's own features too, which it would have in earnest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.challengers.boosted import fit_lightgbm
from benne.experiments.challengers.free_weights import fit_free_weights
from benne.experiments.challengers.logistic import fit_logistic
from benne.experiments.challengers.rival import Lesson, Rival, columns_of, lesson_of
from benne.experiments.challengers.scorecard import fit_scorecard
from benne.experiments.datasets import load
from benne.experiments.datasets.references import REFERENCE_COLUMNS, reference_log_odds
from benne.experiments.datasets.trial import trial_of
from benne.experiments.figures import figures_table
from benne.experiments.labelling import LabelledRows
from benne.experiments.members import members_of
from benne.features import SubjectKey
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel
from benne.models.resampling import Resampler

__all__ = ["categories_of", "figures", "fit_on_columns", "fit_on_features", "taiwan_rows"]

Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")

_FREE: Final = "ours, weights free"
_CATEGORY_COLUMNS: Final = {
    "credit_history": r"PAY_\d",
    "behaviour": r"(bill_to_limit|paid_to_bill)_\d",
    "ability": r"LIMIT_BAL|(BILL|PAY)_AMT\d",
}
_KEY: Final = SubjectKey(b"benchmark key, not a secret, 32 bytes long")
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_RESAMPLES: Final = 1000
_BAD: Final = "bad.npy"


def taiwan_rows() -> tuple[LabelledRows, LabelledRows]:
    """Training and held-out members, with the columns that everybody gets; all consent to everything."""
    dataset = load("taiwan")
    columns = REFERENCE_COLUMNS["taiwan"]().reindex(dataset.observations["member_id"])
    columns.index = pd.MultiIndex.from_frame(dataset.observations.set_axis(["subject_id", "as_of"], axis=1))
    consented = dict.fromkeys(MASK_COLUMNS.values(), True)
    rows = LabelledRows(columns.assign(**consented), dataset.labels.to_numpy(dtype=np.float64), {})
    ((train, test),) = dataset.folds()
    return rows.part(train, {}), rows.part(test, {})


def categories_of(features: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of each category."""
    return {
        name: [str(column) for column in features.columns[features.columns.str.fullmatch(pattern)]]
        for name, pattern in _CATEGORY_COLUMNS.items()
    }


# ------------------------------------------------------------------- who is measured


def fit_on_columns(folder: str, peers: list[str]) -> dict[str, Any]:
    """Fit ours and the others on everybody's columns, and keep what they say of the held-out members.

    Parameters
    ----------
    folder : str
    peers : list of str
        Those of :data:`_OPTIONAL` that are wanted.
    """
    train, test = taiwan_rows()
    held, seconds = _timed(lambda: _held(train))
    lesson, asked = lesson_of(held, train), columns_of(held, test.features)
    _keep(folder, "ours, τ = 0", held.decision_function(asked))
    np.save(Path(folder, _BAD), test.bad)
    taken, missing = {"ours, τ = 0": seconds}, {}
    for name, fit in (_CHALLENGERS | {_OPTIONAL[peer][0]: _OPTIONAL[peer][1] for peer in peers}).items():
        try:
            rival, taken[name] = _timed(partial(fit, lesson))
        except ModuleNotFoundError as error:
            missing[name] = str(error)
            continue
        _keep(folder, name, rival.log_odds(asked))
    return {"seconds": taken, "missing": missing, "columns": asked.shape[1], "rows": [len(train.bad), len(test.bad)]}


def _held(train: LabelledRows) -> CreditScoreModel:
    model = CreditScoreModel(categories=categories_of(train.features), own_booster_gap=None)
    return model.fit(train.features, train.bad.astype(np.int64), groups=members_of(train.features))


def _fit_ebm(lesson: Lesson) -> Rival:
    """InterpretML's explainable boosting machine, as it comes."""
    try:
        glassbox: Any = import_module("interpret.glassbox")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("The EBM needs the packages of benchmarks/peers.txt: make bench-large") from error
    machine = glassbox.ExplainableBoostingClassifier(random_state=0).fit(lesson.features, lesson.bad)
    return Rival(lambda features: np.asarray(machine.decision_function(features)), lesson.features.shape[1])


_CHALLENGERS: Final[dict[str, Callable[[Lesson], Rival]]] = {
    "LightGBM, same options": fit_lightgbm,
    "OptBinning scorecard": fit_scorecard,
    "logistic regression": fit_logistic,
    _FREE: fit_free_weights,
}
_OPTIONAL: Final[dict[str, tuple[str, Callable[[Lesson], Rival]]]] = {"ebm": ("InterpretML EBM", _fit_ebm)}


def fit_on_features(folder: str) -> dict[str, Any]:
    """Ours on Benne's own features, and LightGBM of the best size on the columns: `benne data results` has the same."""
    dataset = load("taiwan")
    trial = trial_of(dataset, key=_KEY, ingested_at=_NOW)
    ((train, test),) = trial.folds
    columns = REFERENCE_COLUMNS["taiwan"]().reindex(dataset.observations["member_id"])
    best, seconds = _timed(lambda: reference_log_odds(columns, trial.labels, (train, test)))
    _keep(folder, "LightGBM, best size", best)
    taken = {"LightGBM, best size": seconds}
    for name, tolerance in (("Benne's features, free", 1.0), ("Benne's features, τ = 0", 0.0)):
        model, taken[name] = _timed(partial(trial.fitted, train, tolerance))
        _keep(folder, name, model.decision_function(trial.features.iloc[test]))
    return {"seconds": taken, "columns": len(trial.features.columns)}


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def _keep(folder: str, name: str, log_odds: Floats) -> None:
    np.save(Path(folder, f"{name}.npy"), log_odds)


# ------------------------------------------------------------------- how good they are


def figures(folder: str) -> dict[str, dict[str, float]]:
    """Figures of everybody on the held-out members; differences are ours with free weights minus theirs."""
    bad = np.load(Path(folder, _BAD))
    found = {path.stem: np.load(path) for path in sorted(Path(folder).glob("*.npy")) if path.name != _BAD}
    found[_FREE] = found.pop(_FREE)  # the last is what the others are compared with
    table = figures_table(found, bad, Resampler(len(bad), None, 0, _RESAMPLES))
    return {str(name): {str(k): float(v) for k, v in row.items()} for name, row in table.iterrows()}
