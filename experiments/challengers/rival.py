"""What every challenger learns from, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models import CreditScoreModel, withheld_of

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows

__all__ = ["Lesson", "Rival", "columns_of", "consents_to_all", "lesson_of"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Rival:
    """A fitted model that ours is compared with.

    Parameters
    ----------
    log_odds : callable
        From rows of features, shape (n, features), to log odds of bad, shape (n,).
    features : int
        Columns that its predictions depend on.
    """

    log_odds: Callable[[pd.DataFrame], Floats] = field(repr=False)
    features: int


@dataclass(frozen=True)
class Lesson:
    """Training rows as our model had them, and those of them that the others can learn from.

    Parameters
    ----------
    model : CreditScoreModel
        Ours, fitted.
    train : LabelledRows
        Consent columns included. A row of weight zero is not there.
    time : ndarray, shape (n,), or None
        By what the folds of our fit were ordered, if by anything.
    """

    model: CreditScoreModel
    train: LabelledRows = field(repr=False)
    time: npt.NDArray[Any] | None = field(default=None, repr=False)

    @property
    def whole(self) -> Bools:
        """Which training rows consent to every category of the model, shape (n,)."""
        return consents_to_all(self.model, self.train.features)

    @property
    def features(self) -> pd.DataFrame:
        """Features of those rows: the columns of our model, no consent column."""
        return columns_of(self.model, self.train.features[self.whole])

    @property
    def bad(self) -> npt.NDArray[np.int64]:
        """What became of those rows."""
        return self.train.bad[self.whole].astype(np.int64)

    @property
    def weight(self) -> Floats | None:
        """How much each of those rows counts; None where all count alike."""
        return None if self.train.weight is None else self.train.weight[self.whole]


def lesson_of(model: CreditScoreModel, train: LabelledRows, time: Any = None) -> Lesson:
    """Training rows without those of weight zero, which our fit leaves out too."""
    moments = None if time is None else np.asarray(time)
    if train.weight is None:
        return Lesson(model, train, moments)
    counts = train.weight > 0
    return Lesson(model, train.part(counts, train.left_out), None if moments is None else moments[counts])


def consents_to_all(model: CreditScoreModel, features: pd.DataFrame) -> Bools:
    """Which rows consent to every category that the model uses, shape (n,)."""
    used = frozenset(model.contract_report_.shares.index)
    return np.array([not withheld & used for withheld in withheld_of(features)], dtype=bool)


def columns_of(model: CreditScoreModel, features: pd.DataFrame) -> pd.DataFrame:
    """The columns that the model was fitted on, in its order."""
    return features[list(model.feature_names_in_)]
