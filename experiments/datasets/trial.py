"""Labelled members, of whom some are held out: what models are fitted on, and measured together on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.datasets.dataset import Dataset, Fold
from benne.experiments.datasets.discrimination import Discrimination
from benne.features import ConsentMask, SubjectKey, build_features, load_events, registry, split_mask
from benne.models import CreditScoreModel
from benne.models.resampling import Resampler

__all__ = ["Trial", "features_of", "trial_of"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_RESAMPLES: Final = 1000


@dataclass(frozen=True)
class Trial:
    """Labelled members and how some of them are held out.

    Parameters
    ----------
    name : str
    features : DataFrame, shape (n, features)
        Of members who consent to every category.
    categories : mapping of str to list of str
        Columns of each category.
    labels : Series of int, shape (n,)
        1 is bad; in the order of ``features``.
    groups : Series or None, shape (n,)
        Members who may be one person share a number.
    folds : tuple of (train, test) positions
    """

    name: str
    features: pd.DataFrame = field(repr=False)
    categories: Mapping[str, Sequence[str]]
    labels: pd.Series = field(repr=False)
    groups: pd.Series | None = field(repr=False)
    folds: tuple[Fold, ...] = field(repr=False)

    def fitted(self, train: Rows, tolerance: float, used: Sequence[str] | None = None) -> CreditScoreModel:
        """Fit a model on training members.

        Parameters
        ----------
        train : ndarray of int
        tolerance : float
            0 holds the weights, renormalised over the categories used; 1 leaves them free.
        used : sequence of str, optional
            Categories; by default all.
        """
        categories = {c: list(self.categories[c]) for c in (self.categories if used is None else used)}
        wanted = {name for columns in categories.values() for name in columns}
        columns = [name for name in self.features.columns if name in wanted]
        groups = None if self.groups is None else self.groups.to_numpy()[train]
        model = CreditScoreModel(categories=categories, tolerance=tolerance)
        return model.fit(self.features[columns].iloc[train], self.labels.to_numpy()[train], groups=groups)

    def accepted(self, fold: Fold) -> Rows:
        """Held-out members of a fold who lack nothing that everybody in training had: no model refuses them."""
        train, test = fold
        never_null = self.features.columns[self.features.iloc[train].notna().all()]
        unlike = self.features.iloc[test][never_null].isna().any(axis=1).to_numpy()
        return test[~unlike]

    def measure(self, tests: Sequence[Rows], log_odds: Sequence[Mapping[str, Floats]]
                ) -> tuple[Discrimination, Resampler]:  # fmt: skip
        """Measure models on the same held-out members.

        Parameters
        ----------
        tests : sequence of ndarray of int
            Held-out members of each fold.
        log_odds : sequence of mapping of str to ndarray
            Of each fold, what each model says of them.

        Returns
        -------
        Discrimination
        Resampler
            Over the held-out members, fold after fold; whole persons where there are groups.
        """
        test = np.concatenate(list(tests))
        bad = self.labels.to_numpy()[test].astype(np.float64)
        groups = None if self.groups is None else self.groups.to_numpy()[test]
        resampler = Resampler(len(test), groups, seed=0, resamples=_RESAMPLES)
        fold_of = np.repeat(np.arange(len(tests)), [len(one) for one in tests])
        models = {name: np.concatenate([fold[name] for fold in log_odds]) for name in log_odds[0]}
        return Discrimination.measure(models, bad, fold_of, resampler), resampler


def trial_of(dataset: Dataset, *, key: SubjectKey, ingested_at: datetime) -> Trial:
    """Carry a data set through the door and the kernel, and hold out as it says."""
    features, _ = split_mask(features_of(dataset, key=key, ingested_at=ingested_at))
    categories = registry.categories_of(features.columns)
    return Trial(dataset.name, features, categories, dataset.labels, dataset.groups, tuple(dataset.folds()))


def features_of(dataset: Dataset, *, key: SubjectKey, ingested_at: datetime) -> pd.DataFrame:
    """Carry a data set through the door and the kernel: features and mask, in the order of its observations."""
    events = load_events(dataset.tables, key=key, ingested_at=ingested_at, currency=dataset.currency)
    observations = pd.DataFrame({
        "subject_id": key.subject_ids(dataset.observations["member_id"].tolist()),
        "as_of": dataset.observations["as_of"],
    })  # fmt: skip
    reason = f"{dataset.name}: public, anonymised data ({dataset.about.licence})"
    consents = ConsentMask.all_granted(reason=reason)
    return build_features(events, observations, consents=consents, minors_reason=reason)
