"""Which rows a model may be judged on: those of members on whom it was not trained, by the record of its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import LabelError
from benne.experiments.labelling import LabelledRows
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.splitting import RowSplit, split_rows
from benne.experiments.training import TrainingSplit
from benne.experiments.training_record import TrainingRecord
from benne.features.quality.cells import Share

__all__ = ["require_unseen", "share_seen", "split_as_trained", "unseen_rows"]

Flags = npt.NDArray[np.bool_]

_LATER: Final = "later rows of members trained on"
_EARLIER: Final = "earlier rows of members not trained on"


def unseen_rows(index: pd.Index[Any], records: Sequence[TrainingRecord]) -> Flags:
    """Rows of members on whom none of the trainings rests, whatever split and seed each had, shape (n,).

    Parameters
    ----------
    index : MultiIndex of (``subject_id``, ``as_of``)
        Ids under the key of the trainings: under another key everybody is somebody else.
    records : sequence of TrainingRecord

    Raises
    ------
    LabelError
        If fewer than ten rows are left.
    """
    unseen = ~_seen(index, records)
    if unseen.sum() < SMALLEST_GROUP:
        raise LabelError(
            f"At least {SMALLEST_GROUP} rows must be of members not trained on, got fewer. Bring rows of others."
        )
    return unseen


def require_unseen(index: pd.Index[Any], records: Sequence[TrainingRecord], way_out: str) -> None:
    """Refuse rows of members on whom a model was trained: figures on them flatter it.

    Parameters
    ----------
    index : MultiIndex of (``subject_id``, ``as_of``)
    records : sequence of TrainingRecord
    way_out : str
        What to do about it, as a sentence.

    Raises
    ------
    LabelError
        If there is one. It says what share of the rows they are.
    """
    share = share_seen(index, records)
    if share:
        raise LabelError(f"Rows must be of members that the model was not trained on, got {share} of others. {way_out}")


def share_seen(index: pd.Index[Any], records: Sequence[TrainingRecord]) -> str:
    """Share of rows that are of members trained on, to be read: ``few`` of fewer than ten, '' of none."""
    seen = int(_seen(index, records).sum())
    return str(Share.of(seen, len(index), SMALLEST_GROUP).text) if seen else ""


def split_as_trained(rows: LabelledRows, record: TrainingRecord) -> TrainingSplit:
    """Divide rows as a training did: by whom it rests on, so that a withdrawal since moves nobody to the other side.

    Parameters
    ----------
    rows : LabelledRows
        Of the features and outcomes of the training, less what may train no longer.
    record : TrainingRecord

    Raises
    ------
    LabelError
        If fewer than ten rows are on either side.
    """
    index = rows.features.index
    seen, since = record.trained_on(index), None
    if record.split is not None and record.split.order == "time":
        since = split_rows(index, record.split).since
    moments = pd.DatetimeIndex(index.get_level_values("as_of"))
    late = ~seen if since is None else np.asarray(moments >= since)
    train, test = np.flatnonzero(seen & ~late), np.flatnonzero(~seen & late)
    if min(len(train), len(test)) < SMALLEST_GROUP:
        raise LabelError(
            f"Features must be those of the training, at least {SMALLEST_GROUP} rows of members it rests on and of "
            "others, got fewer. Name the file that `benne train` was given."
        )
    left_out = {_LATER: int((seen & late).sum()), _EARLIER: int((~seen & ~late).sum())}
    kept = {reason: count for reason, count in left_out.items() if count}
    how = RowSplit(train, test, "member" if since is None else "time", since, kept)
    return TrainingSplit(rows.part(train, kept), rows.part(test, {}), how)


def _seen(index: pd.Index[Any], records: Sequence[TrainingRecord]) -> Flags:
    seen = np.zeros(len(index), dtype=bool)
    for record in records:
        seen |= record.trained_on(index)
    return seen
