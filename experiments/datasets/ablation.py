"""What each category adds: the same model without it, and of it alone, on the same held-out members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import ParameterError, WeightContractError
from benne.experiments.datasets.catalogue import load
from benne.experiments.datasets.dataset import Fold
from benne.experiments.datasets.discrimination import Discrimination, Interval
from benne.experiments.datasets.simulated import SIMULATED, simulated_trial
from benne.experiments.datasets.trial import Trial, trial_of
from benne.features import SubjectKey
from benne.models.category_layout import layout_of

__all__ = ["Ablation", "ablate", "fits_of", "trial_named"]

Floats = npt.NDArray[np.float64]
Used = tuple[str, ...]
Step = Callable[[int, int], None]

_TOLERANCE: Final = {"free": 1.0, "held": 0.0}


@dataclass(frozen=True)
class Ablation:
    """What a set's categories tell, each alone and each beside the others.

    Parameters
    ----------
    name : str
    members, held_out, refused, held_out_bad : int
        Observed in all; of these scored by models that had not seen them; refused, because a
        feature is unknown for them that was known for all in training; and held out and bad.
    features : mapping of str to int
        Columns of each category.
    weights : mapping of str to float
        Renormalised over the categories there are.
    auc : Discrimination
        Of every model that :meth:`alone`, :meth:`without`, :meth:`adds` read.
    """

    name: str
    members: int
    held_out: int
    refused: int
    held_out_bad: int
    features: Mapping[str, int]
    weights: Mapping[str, float]
    auc: Discrimination = field(repr=False)

    @property
    def everything(self) -> Interval:
        """AUC of all categories, weights free."""
        return self.auc.of(_named(tuple(self.weights), "free"))

    def alone(self, category: str) -> Interval:
        """AUC of one category."""
        return self.auc.of(_named((category,), "free"))

    def without(self, category: str) -> Interval:
        """AUC of all the others, weights free."""
        return self.auc.of(_named(_others(self.weights, category), "free"))

    def adds(self, category: str, weights: str = "free") -> Interval | None:
        """AUC of all categories minus that of all the others, paired.

        Parameters
        ----------
        category : str
        weights : {"free", "held"}
            Held to the contract's, renormalised over the categories used.

        Returns
        -------
        tuple of float, or None
            None where the contract has no model for one of the two.
        """
        whole, rest = (_named(used, weights) for used in (tuple(self.weights), _others(self.weights, category)))
        return self.auc.difference(whole, rest) if {whole, rest} <= set(self.auc.value) else None

    def falls_short(self, category: str) -> Interval:
        """AUC of one category minus that of all, paired, weights free."""
        return self.auc.difference(_named((category,), "free"), _named(tuple(self.weights), "free"))


def ablate(trial: Trial, on_fit: Step | None = None) -> Ablation:
    """Fit all categories, each alone and all but each, and compare them on the same held-out members.

    Parameters
    ----------
    trial : Trial
        With two categories or more.
    on_fit : callable, optional
        Told how many models are fitted, and of how many.

    Returns
    -------
    Ablation

    Raises
    ------
    ParameterError
        If there are fewer than two categories.
    """
    if len(trial.categories) < 2:
        raise ParameterError("An ablation must have at least two categories, got fewer. Load more kinds of events.")
    say, done = on_fit or (lambda *_: None), 0
    tests, log_odds = [_with_evidence(trial, fold) for fold in trial.folds], []
    for fold, test in zip(trial.folds, tests, strict=True):
        said = {}
        for name, (used, weights) in _models(trial).items():
            said[name] = _log_odds(trial, fold, test, used, weights)
            done += 1
            say(done, fits_of(trial))
        log_odds.append(said)
    return _ablation(trial, tests, log_odds)


def fits_of(trial: Trial) -> int:
    """How many models :func:`ablate` fits."""
    return len(_models(trial)) * len(trial.folds)


def trial_named(name: str, folder: str | Path | None, *, key: SubjectKey, ingested_at: datetime) -> Trial:
    """A public data set, or the simulator's 20,000 members, by name.

    Raises
    ------
    DatasetError
        If there is none of that name, or it is missing or not the known original.
    """
    if name == SIMULATED:
        return simulated_trial(key=key)
    return trial_of(load(name, folder), key=key, ingested_at=ingested_at)


def _others(categories: Mapping[str, object], category: str) -> Used:
    return tuple(name for name in categories if name != category)


def _named(used: Used, weights: str) -> str:
    # One category alone has no weights to hold.
    return f"{weights if len(used) > 1 else 'free'}: {', '.join(used)}"


def _models(trial: Trial) -> dict[str, tuple[Used, str]]:
    """Each model once: with two categories, one alone is also all but the other."""
    names = tuple(trial.categories)
    alone, rest = [(name,) for name in names], [_others(trial.categories, name) for name in names]
    return {_named(used, w): (used, w) for w in ("free", "held") for used in (names, *alone, *rest)
            if w == "free" or len(used) > 1}  # fmt: skip


def _with_evidence(trial: Trial, fold: Fold) -> npt.NDArray[np.intp]:
    """Held-out members whom every model accepts, each category alone too."""
    test = trial.accepted(fold)
    rows = trial.features.iloc[test]
    known = [rows[list(columns)].notna().any(axis=1).to_numpy() for columns in trial.categories.values()]
    return test[np.all(known, axis=0)]


def _log_odds(trial: Trial, fold: Fold, test: npt.NDArray[np.intp], used: Used, weights: str) -> Floats | None:
    try:
        model = trial.fitted(fold[0], _TOLERANCE[weights], used)
    except WeightContractError:
        return None
    return model.decision_function(trial.features.iloc[test][list(model.feature_names_in_)])


def _ablation(trial: Trial, tests: list[npt.NDArray[np.intp]], log_odds: list[dict[str, Floats | None]]) -> Ablation:
    solved = [name for name in log_odds[0] if all(fold[name] is not None for fold in log_odds)]
    kept = [{name: m for name, m in fold.items() if m is not None and name in solved} for fold in log_odds]
    auc, _ = trial.measure(tests, kept)
    layout = layout_of(list(trial.features.columns), trial.categories, None)
    held_out = np.concatenate(tests)
    return Ablation(
        name=trial.name,
        members=len(trial.labels),
        held_out=len(held_out),
        refused=sum(len(test) for _, test in trial.folds) - len(held_out),
        held_out_bad=int(trial.labels.to_numpy()[held_out].sum()),
        features={name: len(columns) for name, columns in trial.categories.items()},
        weights=dict(zip(layout.names, layout.weights, strict=True)),
        auc=auc,
    )
