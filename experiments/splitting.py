"""Which rows a model learns from and which it is tested on: by member, or by time as well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from benne.errors import ParameterError
from benne.models.cross_fitting import folds_of

__all__ = ["Moments", "Order", "RowSplit", "Splitting", "fold_moments", "split_rows"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Moments = npt.NDArray[np.int64]
Order = Literal["auto", "member", "time"]

_FEW_ON_BOTH_SIDES: Final = 0.05
_DRAWN_FOR_TEST: Final = "earlier rows of members drawn for the test"
_DRAWN_FOR_TRAINING: Final = "later rows of members drawn for training"


@dataclass(frozen=True)
class Splitting:
    """How rows are to be split.

    Parameters
    ----------
    order : {"auto", "member", "time"}
        ``"member"`` draws whole members for the test. ``"time"`` tests on the latest rows, of
        members who are not trained on. ``"auto"`` takes time where the rows are of several
        moments, unless the latest moment alone holds more than half of them, else member.
    test_share : float
        Share of members, by time of rows, to test on, within (0, 1).
    seed : int
        Of what is drawn.
    """

    order: Order = "auto"
    test_share: float = 0.3
    seed: int = 0

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        ParameterError
        """
        if self.order not in get_args(Order):
            raise ParameterError(f"A split must be auto, member or time, got {self.order!r}. Name one of them.")
        if not 0.0 < self.test_share < 1.0:
            raise ParameterError(f"test_share must be between 0 and 1, got {self.test_share!r}.")


@dataclass(frozen=True)
class RowSplit:
    """Positions of the rows on either side.

    Parameters
    ----------
    train, test : ndarray of int
        No member is in both.
    order : {"member", "time"}
    since : Timestamp or None
        By time: test rows are of this moment or later, training rows are earlier.
    left_out : dict of str to int
        Rows on neither side, by reason: a member observed on both sides is drawn for one.
    asked : Splitting or None
        How they were to be split; None where they were divided by other means.
    """

    train: Indices
    test: Indices
    order: Literal["member", "time"]
    since: pd.Timestamp | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    asked: Splitting | None = None


def split_rows(index: pd.Index[Any], splitting: Splitting) -> RowSplit:
    """Split observations into those to learn from and those to test on.

    Parameters
    ----------
    index : MultiIndex of (``subject_id``, ``as_of``), length n
    splitting : Splitting

    Raises
    ------
    ParameterError
        If a split by time is asked for and there is one moment only, or a side comes out empty.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-01", "2025-04-01", "2025-07-01"], utc=True)
    >>> index = pd.MultiIndex.from_arrays([["a", "b", "c"], days], names=["subject_id", "as_of"])
    >>> split = split_rows(index, Splitting())
    >>> split.order, split.train.tolist(), split.test.tolist()
    ('time', [0, 1], [2])
    >>> split_rows(index[:1], Splitting("time"))
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A split by time must have rows of two moments, got 1. Split by member.
    """
    splitting.check()
    members = _codes(index, "subject_id")
    moments = _moments(index)
    since = _cut(moments, splitting.test_share)
    late = np.zeros(len(moments), dtype=bool) if since is None else moments >= since
    if splitting.order == "member" or (splitting.order == "auto" and (since is None or late.mean() > 0.5)):
        return replace(_by_member(members, splitting), asked=splitting)
    if since is None:
        raise ParameterError(
            f"A split by time must have rows of two moments, got {len(np.unique(moments))}. Split by member."
        )
    return replace(_by_time(members, late, pd.Timestamp(since, unit="us", tz="UTC"), splitting), asked=splitting)


def fold_moments(index: pd.Index[Any], bad: Floats, folds: int) -> Moments | None:
    """Moments to order the folds of a cross-fit by, shape (n,); None where they are to be by member alone.

    Folds follow time where every member is observed at one moment only, and enough moments are
    there for two folds. Where members come back, an earlier row would either stand beside the
    later one of the same member, whose outcome overlaps with its own, or be left out because
    its member was still there later, which is to learn from those who left.

    Parameters
    ----------
    index : MultiIndex of (``subject_id``, ``as_of``), length n
    bad : ndarray of float64, shape (n,)
    folds : int
        As many as the model cross-fits on.
    """
    members, moments = _codes(index, "subject_id"), _moments(index)
    seen = pd.DataFrame({"member": members, "moment": moments}).drop_duplicates()
    if len(seen) > members.max(initial=-1) + 1:
        return None
    try:
        folds_of(bad, members, np.unique(moments, return_inverse=True)[1].ravel(), folds, seed=0)
    except ParameterError:
        return None
    return moments


def _codes(index: pd.Index[Any], level: str) -> Indices:
    values = index.get_level_values(level).to_numpy(dtype=object)
    return np.asarray(np.unique(values, return_inverse=True)[1].ravel(), dtype=np.intp)


def _moments(index: pd.Index[Any]) -> Moments:
    return np.asarray(pd.DatetimeIndex(index.get_level_values("as_of")).as_unit("us").asi8)


def _cut(moments: Moments, test_share: float) -> int | None:
    """The moment from which on the share of rows is nearest to the one wanted; None where there is one moment."""
    values, counts = np.unique(moments, return_counts=True)
    if len(values) < 2:
        return None
    from_each_on = np.cumsum(counts[::-1])[::-1][1:] / len(moments)
    return int(values[1:][np.argmin(np.abs(from_each_on - test_share))])


def _by_member(members: Indices, splitting: Splitting) -> RowSplit:
    if len(np.unique(members)) < 2:
        raise ParameterError("A split by member must have at least two members, got fewer. Add rows.")
    shuffle = GroupShuffleSplit(n_splits=1, test_size=splitting.test_share, random_state=splitting.seed)
    train, test = next(shuffle.split(members, groups=members))
    return RowSplit(np.asarray(train), np.asarray(test), "member")


def _by_time(members: Indices, late: npt.NDArray[np.bool_], since: pd.Timestamp, splitting: Splitting) -> RowSplit:
    """Test on late rows, and draw a side for members who are observed on both.

    Where those are more than a few, all members are drawn, so that those who came back do not
    stand for fewer than they are beside those who left.
    """
    count = int(members.max()) + 1
    both = (np.bincount(members[late], minlength=count) > 0) & (np.bincount(members[~late], minlength=count) > 0)
    drawn = both if both.mean() <= _FEW_ON_BOTH_SIDES else np.ones_like(both)
    for_test = np.random.default_rng(splitting.seed).random(count) < splitting.test_share
    early_out, late_out = ~late & (drawn & for_test)[members], late & (drawn & ~for_test)[members]
    train, test = np.flatnonzero(~late & ~early_out), np.flatnonzero(late & ~late_out)
    if not len(train) or not len(test):
        raise ParameterError("A split by time must leave rows on both sides, got none on one. Split by member.")
    left_out = {_DRAWN_FOR_TEST: int(early_out.sum()), _DRAWN_FOR_TRAINING: int(late_out.sum())}
    return RowSplit(train, test, "time", since, {reason: rows for reason, rows in left_out.items() if rows})
