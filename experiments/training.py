"""One training run: a split of the rows that may train, a fit, an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from benne.experiments.evaluation import Evaluation, evaluate_model
from benne.experiments.labelling import LabelledRows, label_rows
from benne.experiments.splitting import Moments, Order, RowSplit, Splitting, fold_moments, split_rows
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.models.calibration import calibration_report
from benne.models.resampling import metrics_of
from benne.scoring.batch import unscorable

__all__ = [
    "LabelledRows",
    "TrainingRun",
    "TrainingSplit",
    "label_rows",
    "split_labelled",
    "train_model",
    "train_on",
]

Step = Callable[[str], None]


@dataclass(frozen=True)
class TrainingSplit:
    """Rows to learn from and rows to test on.

    Parameters
    ----------
    train, test : LabelledRows
        No member is in both.
    how : RowSplit
    """

    train: LabelledRows
    test: LabelledRows
    how: RowSplit

    def fold_moments(self, model: CreditScoreModel) -> Moments | None:
        """Moments that order the model's folds, shape (n,); None where folds are by member alone."""
        if self.how.order == "member":
            return None
        return fold_moments(self.train.features.index, self.train.bad, (model.booster or BoosterOptions()).folds)

    def fit(self, model: CreditScoreModel) -> CreditScoreModel:
        """Fit a model on the training rows, a member's rows in one fold."""
        train = self.train
        return model.fit(
            train.features,
            train.bad.astype(np.int64),
            sample_weight=train.weight,
            groups=train.features.index.get_level_values("subject_id").to_numpy(dtype=object),
            time=self.fold_moments(model),
        )


@dataclass(frozen=True)
class TrainingRun:
    """A trained model and how it did.

    Parameters
    ----------
    model : CreditScoreModel
    evaluation : Evaluation
        On the test rows. No weights in it.
    split : TrainingSplit
        Its test rows without those that the model refuses.
    weighted : dict of str to float
        ``auc``, ``ks``, ``brier``, ``log_loss`` and ``ece`` under the rows' weights; empty
        where rows have none.
    fit_seconds : float or None
        How long the fit took; never the same.
    """

    model: CreditScoreModel
    evaluation: Evaluation
    split: TrainingSplit
    weighted: dict[str, float] = field(default_factory=dict)
    fit_seconds: float | None = None

    @property
    def fold_order(self) -> str:
        """How the model was cross-fitted: by member, or by time as well."""
        return "member" if self.split.fold_moments(self.model) is None else "time"

    @property
    def train(self) -> LabelledRows:
        """Rows that were learned from."""
        return self.split.train

    @property
    def test(self) -> LabelledRows:
        """Rows of the evaluation."""
        return self.split.test


def split_labelled(rows: LabelledRows, splitting: Splitting | None = None) -> TrainingSplit:
    """Divide labelled rows into those to learn from and those to test on; see :class:`Splitting`."""
    how = split_rows(rows.features.index, splitting or Splitting())
    return TrainingSplit(rows.part(how.train, how.left_out), rows.part(how.test, {}), how)


def train_model(
    rows: LabelledRows,
    model: CreditScoreModel,
    *,
    test_share: float = 0.3,
    seed: int = 0,
    order: Order = "auto",
    on_step: Step | None = None,
) -> TrainingRun:
    """Split, fit on the one part, evaluate on the other.

    Parameters
    ----------
    rows : LabelledRows
    model : CreditScoreModel
        Not fitted; is fitted here, with a member's rows in one fold.
    test_share, seed, order
        See :class:`benne.experiments.splitting.Splitting`.
    on_step : callable, optional
        Told what is being done.

    Returns
    -------
    TrainingRun
        The same rows and seeds give the same model, to the byte when saved.
    """
    split = split_labelled(rows, Splitting(order, test_share, seed))
    return train_on(split, model, seed=seed, on_step=on_step)


def train_on(
    split: TrainingSplit,
    model: CreditScoreModel,
    *,
    seed: int = 0,
    on_step: Step | None = None,
    clock: Callable[[], float] = perf_counter,
) -> TrainingRun:
    """Fit on the training rows of a split and evaluate on its test rows; see :func:`train_model`."""
    say = on_step or (lambda _: None)
    say("fitting booster, contract and calibration")
    began = clock()
    split.fit(model)
    seconds = clock() - began
    say("evaluating on members not trained on")
    test = _scorable(split.test, model)
    evaluation = evaluate_model(model, test.features, test.bad, seed=seed)
    return TrainingRun(model, evaluation, TrainingSplit(split.train, test, split.how), _weighted(model, test), seconds)


def _scorable(rows: LabelledRows, model: CreditScoreModel) -> LabelledRows:
    """Leave out what the model refuses: files too thin, and nulls that training never had."""
    reasons = unscorable(model, rows.features, withheld_of(rows.features))
    keep = reasons == ""
    return rows.part(keep, {str(reason): int((reasons == reason).sum()) for reason in sorted(set(reasons[~keep]))})


def _weighted(model: CreditScoreModel, rows: LabelledRows) -> dict[str, float]:
    if rows.weight is None or not rows.weight.any():
        return {}
    log_odds = model.decision_function(rows.features, withheld=withheld_of(rows.features))
    report = calibration_report(log_odds, rows.bad, model.scale_, rows.weight)
    return metrics_of(log_odds, rows.bad, rows.weight) | {"ece": report.ece}
