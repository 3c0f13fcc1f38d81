"""Whether more members would make a better model: the same model on fewer of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from benne.errors import LabelError, ParameterError, WeightContractError
from benne.experiments.figures import figures_table
from benne.experiments.members import members_of
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.sample import Sample, sample_of
from benne.features.quality.cells import Share

if TYPE_CHECKING:
    from benne.experiments.report.options import ReportOptions
    from benne.experiments.training import TrainingRun

__all__ = ["learning_curve"]

Bools = npt.NDArray[np.bool_]

_COLUMNS = ("auc", "auc_low", "auc_high", "log_loss", "log_loss_low", "log_loss_high")


def learning_curve(run: TrainingRun, test: Sample, options: ReportOptions) -> pd.DataFrame:
    """Accuracy on the test rows by how many members were learned from.

    Parameters
    ----------
    run : TrainingRun
        Its model is the last point.
    test : Sample
    options : ReportOptions

    Returns
    -------
    DataFrame
        One row per share of the training members, each with all members of the one before:
        ``members``, ``rows``, AUC and log loss with 95 % bootstrap intervals, ``refused`` (share
        of the test rows that the smaller model must refuse, in words where it is of fewer than
        ten) and ``note`` where there is no model.
    """
    members = members_of(run.train.features)
    lines = [_line(run, kept, options) for kept in _nested(members, options)]
    whole = np.ones(len(members), dtype=bool)
    lines.append(_size(members, whole) | _figures(test, options))
    index = pd.Index([*sorted(options.learning_shares), 1.0], name="share")
    return pd.DataFrame(lines, index=index, columns=["members", "rows", *_COLUMNS, "refused", "note"])


def _nested(members: npt.NDArray[np.intp], options: ReportOptions) -> Iterator[Bools]:
    """Rows of the first so many members in one seeded order."""
    count = int(members.max()) + 1
    order = np.random.default_rng(options.seed).permutation(count)
    for share in sorted(options.learning_shares):
        chosen = np.zeros(count, dtype=bool)
        chosen[order[: max(1, round(share * count))]] = True
        yield chosen[members]


def _line(run: TrainingRun, kept: Bools, options: ReportOptions) -> dict[str, Any]:
    members = members_of(run.train.features)
    fewer = dataclasses.replace(run.split, train=run.train.part(kept, {}))
    try:
        model = fewer.fit(clone(run.model))
        return _size(members, kept) | _figures(sample_of(model, run.test), options)
    except (LabelError, ParameterError, WeightContractError) as error:
        return _size(members, kept) | {"note": f"no model: {type(error).__name__}"}


def _size(members: npt.NDArray[np.intp], kept: Bools) -> dict[str, Any]:
    return {"members": len(np.unique(members[kept])), "rows": int(kept.sum()), "note": ""}


def _figures(test: Sample, options: ReportOptions) -> dict[str, Any]:
    table = figures_table({"model": test.log_odds}, test.bad, test.resampler(options.seed, options.resamples))
    refused = Share.of(test.not_scored, test.not_scored + len(test.bad), SMALLEST_GROUP)
    return {"refused": refused.text} | {name: float(table[name].iloc[0]) for name in _COLUMNS}
