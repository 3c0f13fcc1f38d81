"""One table of all contestants on the same rows, ours last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benne.errors import LabelError, ParameterError
from benne.experiments.challengers.boosted import fit_lightgbm
from benne.experiments.challengers.free_weights import features_used, fit_free_weights
from benne.experiments.challengers.logistic import fit_logistic
from benne.experiments.challengers.rival import (
    Floats,
    Lesson,
    Rival,
    columns_of,
    consents_to_all,
    lesson_of,
)
from benne.experiments.challengers.scorecard import fit_scorecard
from benne.experiments.figures import figures_table
from benne.experiments.members import members_of
from benne.models import CreditScoreModel
from benne.models.resampling import RESAMPLES, Resampler

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows

__all__ = ["CHALLENGERS", "OURS", "Comparison", "compare"]

CHALLENGERS: Final[Mapping[str, Callable[[Lesson], Rival]]] = MappingProxyType({
    "unconstrained LightGBM": fit_lightgbm,
    "scorecard (OptBinning)": fit_scorecard,
    "logistic regression": fit_logistic,
    "ours, weights free": fit_free_weights,
})  # fmt: skip
"""What ours is compared with, in the order of the table."""

OURS: Final = "ours, under contract"


@dataclass(frozen=True)
class Comparison:
    """Several models on the same columns and rows, as only rows that consent to everything allow.

    Parameters
    ----------
    table : DataFrame
        One row per contestant, :data:`OURS` last: the columns of
        :func:`benne.experiments.figures.figures_table`, then ``features`` (columns its
        predictions depend on), ``fit_seconds`` and ``note``. A contestant that could not take
        part has no figures, and its note says why.
    train_rows, test_rows : int
        Rows that consent to every category of the model: everybody learns from the former and
        is measured on the latter.
    ours_alone : int
        Test rows that withhold something. Ours scores them, nobody else may.
    """

    table: pd.DataFrame
    train_rows: int
    test_rows: int
    ours_alone: int

    @property
    def absent(self) -> dict[str, str]:
        """Why each contestant that could not take part did not."""
        notes = self.table.loc[self.table["auc"].isna(), "note"]
        return {str(name): str(note) for name, note in notes.items()}


@dataclass(frozen=True)
class _Entry:
    """How one contestant did before anything is compared."""

    log_odds: Floats | None = field(default=None, repr=False)
    features: float = np.nan
    seconds: float = np.nan
    note: str = ""


def compare(
    model: CreditScoreModel,
    train: LabelledRows,
    test: LabelledRows,
    *,
    time: Any = None,
    names: Collection[str] = tuple(CHALLENGERS),
    seed: int = 0,
    resamples: int = RESAMPLES,
    fit_seconds: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Comparison:
    """Fit the challengers where our model was fitted, and measure all of them where it is measured.

    Parameters
    ----------
    model : CreditScoreModel
        Ours, fitted on ``train`` with a member's rows in one fold, as
        :meth:`benne.experiments.training.TrainingSplit.fit` does.
    train, test : LabelledRows
        Test rows must be such as the model scores. Everybody learns from the training rows'
        weights, and is measured without any.
    time : array-like, shape (train rows,), optional
        What was given as ``time`` to our fit, such as
        :meth:`benne.experiments.training.TrainingSplit.fold_moments`.
    names : collection of str
        Of :data:`CHALLENGERS`; by default all.
    seed : int
        Of the bootstrap. The challengers take the model's own ``random_state``.
    resamples : int
        Of the test members.
    fit_seconds : float, optional
        How long our fit took, which the fitted model does not know.
    clock : callable
        Seconds, from wherever it counts.

    Returns
    -------
    Comparison
        Alike at every call but for ``fit_seconds``.

    Raises
    ------
    LabelError
        If the rows that consent to everything do not hold both classes on either side.
    ParameterError
        For a name that is no challenger's.
    """
    _check(names)
    lesson, whole = lesson_of(model, train, time), consents_to_all(model, test.features)
    bad = test.bad[whole]
    _require_both(lesson.bad, "train")
    _require_both(bad, "test")
    asked = columns_of(model, test.features[whole])
    # One BLAS thread, so that sums are the same on every machine.
    with threadpool_limits(limits=1, user_api="blas"):
        entries = {name: _entry(CHALLENGERS[name], lesson, asked, clock) for name in CHALLENGERS if name in names}
    seconds = np.nan if fit_seconds is None else fit_seconds
    entries[OURS] = _Entry(model.decision_function(asked), features_used(model), seconds)
    resampler = Resampler(len(bad), members_of(asked), seed, resamples)
    return Comparison(_table(entries, bad, resampler), len(lesson.bad), len(bad), int((~whole).sum()))


def _entry(fit: Callable[[Lesson], Rival], lesson: Lesson, asked: pd.DataFrame, clock: Callable[[], float]) -> _Entry:
    start = clock()
    try:
        rival = fit(lesson)
    except ModuleNotFoundError as error:
        return _Entry(note=str(error))
    seconds = clock() - start
    return _Entry(rival.log_odds(asked), rival.features, seconds)


def _table(entries: Mapping[str, _Entry], bad: Floats, resampler: Resampler) -> pd.DataFrame:
    present = {name: entry.log_odds for name, entry in entries.items() if entry.log_odds is not None}
    table = figures_table(present, bad, resampler).reindex(pd.Index(list(entries), name="model"))
    table["features"] = [entry.features for entry in entries.values()]
    table["fit_seconds"] = [entry.seconds for entry in entries.values()]
    table["note"] = [entry.note for entry in entries.values()]
    return table


def _check(names: Collection[str]) -> None:
    unknown = sorted(set(names) - set(CHALLENGERS))
    if unknown:
        raise ParameterError(f"names must be among {', '.join(CHALLENGERS)}, got {', '.join(unknown)}. Correct it.")


def _require_both(bad: npt.NDArray[Any], side: str) -> None:
    if len(np.unique(bad)) < 2:
        raise LabelError(
            f"Rows of {side} that consent to everything must hold good and bad ones, got one kind or none. "
            "Without them nobody else can be compared with ours."
        )
