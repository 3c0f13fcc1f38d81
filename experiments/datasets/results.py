"""One command's figures on real data: ours beside plain LightGBM, members held out in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.datasets.catalogue import CATALOGUE, load
from benne.experiments.datasets.dataset import Dataset, Fold
from benne.experiments.datasets.discrimination import Discrimination
from benne.experiments.datasets.references import REFERENCE_COLUMNS, reference_log_odds
from benne.experiments.datasets.trial import Trial, trial_of
from benne.features import SubjectKey
from benne.models.resampling import Resampler, share_intervals

__all__ = ["MODELS", "Comparison", "compare", "results"]

Floats = npt.NDArray[np.float64]

MODELS: Final = ("reference", "free", "contracted")
"""Plain LightGBM; our features with free weights (τ = 1); our features under the contract (τ = 0)."""


@dataclass(frozen=True)
class Comparison:
    """What three models do on the same held-out members of one data set.

    Parameters
    ----------
    name : str
    members, held_out, refused : int
        Observed in all; of these scored by models that had not seen them; and refused by
        these models, because a feature is unknown for them that was known for all in training.
    bad_rate : float
        Among all observed.
    features : int
        Columns of ours that the set's events can carry.
    auc : Discrimination
        AUC of each model of :data:`MODELS` and their differences, with 95 % intervals.
    shares : DataFrame
        One row per category: renormalised ``weight``, share on the stored ``reference``
        sample, and ``held_out`` share with its 95 % interval, under the contract.
    largest_gap : float
        Largest difference of any held-out score from the sum of its lines, both models.
    """

    name: str
    members: int
    held_out: int
    refused: int
    bad_rate: float
    features: int
    auc: Discrimination
    shares: pd.DataFrame = field(repr=False)
    largest_gap: float


@dataclass(frozen=True)
class _FoldResult:
    test: npt.NDArray[np.intp]
    log_odds: dict[str, Floats]
    points: Floats
    shares: pd.DataFrame
    largest_gap: float


def results(
    names: Iterable[str] = tuple(CATALOGUE),
    folder: str | Path | None = None,
    *,
    key: SubjectKey,
    ingested_at: datetime,
    allow_unknown: bool = False,
) -> list[Comparison]:
    """Compare the models on each data set.

    Parameters
    ----------
    names : iterable of str
        Of :data:`benne.experiments.datasets.CATALOGUE`; by default all.
    folder : path, optional
        See :func:`benne.experiments.datasets.data_folder`.
    key : SubjectKey
        Any: it changes ids, not figures.
    ingested_at : datetime
        The ingest clock.
    allow_unknown : bool
        Read files that match no known checksum.

    Returns
    -------
    list of Comparison

    Raises
    ------
    DatasetError
        If a set is missing or not the known original.
    """
    compared = []
    for name in names:
        dataset = load(name, folder, allow_unknown=allow_unknown)
        reference = REFERENCE_COLUMNS[name](folder, allow_unknown=allow_unknown)
        compared.append(compare(dataset, reference, key=key, ingested_at=ingested_at))
    return compared


def compare(dataset: Dataset, reference: pd.DataFrame, *, key: SubjectKey, ingested_at: datetime) -> Comparison:
    """Fit the reference, free weights and the contract on each fold, and compare them on held-out members.

    Parameters
    ----------
    dataset : Dataset
    reference : DataFrame
        Columns of the plain model, indexed by ``member_id``.
    key : SubjectKey
    ingested_at : datetime
    """
    trial = trial_of(dataset, key=key, ingested_at=ingested_at)
    columns = reference.reindex(dataset.observations["member_id"])
    folds = [_fold(trial, columns, fold) for fold in trial.folds]
    auc, resampler = trial.measure([fold.test for fold in folds], [fold.log_odds for fold in folds])
    held_out = sum(len(fold.test) for fold in folds)
    return Comparison(
        name=dataset.name,
        members=len(dataset.labels),
        held_out=held_out,
        refused=sum(len(test) for _, test in trial.folds) - held_out,
        bad_rate=dataset.bad_rate,
        features=len(trial.features.columns),
        auc=auc,
        shares=_shares(folds, resampler),
        largest_gap=max(fold.largest_gap for fold in folds),
    )


def _fold(trial: Trial, columns: pd.DataFrame, fold: Fold) -> _FoldResult:
    free, contracted = (trial.fitted(fold[0], tolerance) for tolerance in (1.0, 0.0))
    test = trial.accepted(fold)
    held_out = trial.features.iloc[test]
    explanations = [model.explain(held_out) for model in (free, contracted)]
    return _FoldResult(
        test=test,
        log_odds={
            "reference": reference_log_odds(columns, trial.labels, (fold[0], test), trial.groups),
            "free": free.decision_function(held_out),
            "contracted": contracted.decision_function(held_out),
        },
        points=explanations[1].category_points.to_numpy(),
        shares=contracted.contract_report_.shares,
        largest_gap=max(explanation.largest_gap for explanation in explanations),
    )


def _shares(folds: list[_FoldResult], resampler: Resampler) -> pd.DataFrame:
    # Each fold's model has its own centre; the shares are about the spread around it.
    points = np.concatenate([fold.points - fold.points.mean(axis=0) for fold in folds])
    share, low, high = share_intervals(points, resampler)
    first = folds[0].shares
    return pd.DataFrame({
        "weight": first["target"],
        "reference": np.mean([fold.shares["reference"] for fold in folds], axis=0),
        "held_out": share,
        "held_out_low": low,
        "held_out_high": high,
    })  # fmt: skip
