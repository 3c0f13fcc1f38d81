"""Rows as a report sees them: scored, with what became of each, and nothing else about anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.errors import LabelError
from benne.experiments.figures import CalibrationError
from benne.experiments.members import members_of
from benne.experiments.report.groups import SMALLEST_GROUP, observed_columns
from benne.features.categories import CATEGORY_LABELS
from benne.models import CreditScoreModel, withheld_of
from benne.models.resampling import Resampler, metrics_of
from benne.scoring.batch import unscorable

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows

__all__ = ["Sample", "figures_by", "sample_of", "withheld_label"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_PART_FIGURES: Final = ("auc", "brier", "log_loss")


@dataclass(frozen=True)
class Sample:
    """Scored rows.

    Parameters
    ----------
    model : CreditScoreModel
    log_odds, score, bad : ndarray of float64, shape (n,)
    members : ndarray of int, shape (n,)
        Rows of one member share a number.
    moments : DatetimeIndex, length n
        Each row's ``as_of``.
    withheld : ndarray of str, shape (n,)
        Which of the model's categories each row withholds, in words.
    not_scored : int
        Rows that the model refuses.
    """

    model: CreditScoreModel
    log_odds: Floats = field(repr=False)
    score: Floats = field(repr=False)
    bad: Floats = field(repr=False)
    members: Indices = field(repr=False)
    moments: pd.DatetimeIndex = field(repr=False)
    withheld: npt.NDArray[np.object_] = field(repr=False)
    not_scored: int

    def resampler(self, seed: int, resamples: int) -> Resampler:
        """Draws of whole members."""
        return Resampler(len(self.bad), self.members, seed, resamples)


def sample_of(model: CreditScoreModel, rows: LabelledRows) -> Sample:
    """Score rows, leaving out those that the model refuses.

    Raises
    ------
    LabelError
        If fewer than ten are left, or all became the same.
    """
    every = withheld_of(rows.features)
    kept = np.flatnonzero(unscorable(model, rows.features, every) == "")
    if len(kept) < SMALLEST_GROUP or len(np.unique(rows.bad[kept])) < 2:
        raise LabelError(
            f"A report must rest on at least {SMALLEST_GROUP} rows, good and bad ones, got fewer or one kind. Add rows."
        )
    features, withheld = rows.features.iloc[kept], [every[row] for row in kept]
    log_odds = model.decision_function(features, withheld=withheld)
    return Sample(
        model=model,
        log_odds=log_odds,
        score=model.scale_.score(log_odds),
        bad=rows.bad[kept],
        members=members_of(features),
        moments=pd.DatetimeIndex(features.index.get_level_values("as_of")),
        withheld=_in_words(withheld, list(model.contract_report_.shares.index)),
        not_scored=len(rows.bad) - len(kept),
    )


def withheld_label(withheld: Sequence[str]) -> str:
    """What is withheld, in words.

    Examples
    --------
    >>> withheld_label([]), withheld_label(["social", "behaviour"])
    ('nothing withheld', 'withheld: Social relationships, Behaviour')
    """
    if not withheld:
        return "nothing withheld"
    return "withheld: " + ", ".join(CATEGORY_LABELS.get(name, name) for name in withheld)


def figures_by(sample: Sample, part: Indices, labels: Sequence[str]) -> pd.DataFrame:
    """Figures of each part of a sample.

    Parameters
    ----------
    sample : Sample
    part : ndarray of int, shape (n,)
        Position in ``labels``; every part holds rows.
    labels : sequence of str

    Returns
    -------
    DataFrame
        One row per label: ``rows``, ``predicted`` PD, ``observed`` bad rate with its 95 %
        Wilson interval, ``auc`` (null where a part holds one class only), ``brier``,
        ``log_loss``, ``ece`` (null where its deciles would hold fewer than ten rows each).
    """
    table = pd.DataFrame([_figures(sample, part == place) for place in range(len(labels))], index=list(labels))
    observed = observed_columns(table["rows"], table["predicted"] * table["rows"], table["bad"])
    return observed.join(table[[*_PART_FIGURES, "ece"]])


def _figures(sample: Sample, inside: npt.NDArray[np.bool_]) -> dict[str, float]:
    log_odds, bad = sample.log_odds[inside], sample.bad[inside]
    ones = np.ones(len(bad))
    metrics, enough = metrics_of(log_odds, bad, ones), len(bad) >= 10 * SMALLEST_GROUP
    return {
        "rows": len(bad), "bad": float(bad.sum()), "predicted": float(expit(log_odds).mean()),
        "ece": CalibrationError(log_odds, bad).under(ones) if enough else np.nan,
        **{name: metrics[name] for name in _PART_FIGURES},
    }  # fmt: skip


def _in_words(withheld: Sequence[frozenset[str]], names: Sequence[str]) -> npt.NDArray[np.object_]:
    known = {one: withheld_label([name for name in names if name in one]) for one in set(withheld)}
    return np.array([known[one] for one in withheld], dtype=object)
