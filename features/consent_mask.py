"""Which categories may be computed for whom, decided before anything is computed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import CategoryWithheld, ConsentRecordError
from benne.features.categories import CATEGORIES

__all__ = ["MASK_COLUMNS", "ConsentMask", "Consents", "split_mask"]

_PREFIX = "consented_"
MASK_COLUMNS: dict[str, str] = {category: f"{_PREFIX}{category}" for category in CATEGORIES}

_GRANT_COLUMNS = ("subject_id", "category", "granted_from", "granted_until")
_NEVER = np.iinfo(np.int64).max
_log = logging.getLogger(__name__)


class Consents(Protocol):
    """What the kernel asks about consent; :class:`ConsentMask` answers from a table, a ledger may answer live."""

    @property
    def grants_everything(self) -> bool: ...
    def periods_of(self, subject_ids: Sequence[str], category: str) -> tuple[_Times, _Times, _Times]: ...
    def of_one(self, subject_id: str, as_of: int) -> npt.NDArray[np.bool_]: ...


class ConsentMask:
    """Periods in which members let a category be computed, for one purpose and recipient.

    Parameters
    ----------
    grants : DataFrame
        One row per period: ``subject_id`` (str), ``category`` (str), ``granted_from`` and
        ``granted_until`` (timezone-aware; NaT in the latter means still active). A period
        covers ``granted_from <= as_of < granted_until``.
    reason : str
        On whose word: the ledger, purpose and recipient, or a data set's terms.

    Raises
    ------
    ConsentRecordError
        If a column is missing, a category unknown, a time naive or a reason empty.

    See Also
    --------
    ConsentMask.all_granted : For data whose terms allow every use, such as public data sets.
    """

    def __init__(self, grants: pd.DataFrame, *, reason: str) -> None:
        if not reason.strip():
            raise ConsentRecordError("A consent mask needs a reason: say on whose word these grants stand.")
        self.reason = reason
        self._everyone = False
        self._periods = _periods_by_category(grants)

    @classmethod
    def all_granted(cls, *, reason: str) -> Self:
        """Grant every category for everybody, for a stated reason, which is logged."""
        mask = cls(pd.DataFrame({name: [] for name in _GRANT_COLUMNS}), reason=reason)
        mask._everyone = True
        _log.warning("Every category is computed for every member without a ledger: %s", reason)
        return mask

    @property
    def grants_everything(self) -> bool:
        """Whether this is :meth:`all_granted`."""
        return self._everyone

    def granted(
        self, subject_ids: npt.NDArray[np.object_], as_of: npt.NDArray[np.int64], category: str
    ) -> npt.NDArray[np.bool_]:
        """Whether each subject's consent to ``category`` is active at each moment.

        Parameters
        ----------
        subject_ids : ndarray of str, shape (n,)
        as_of : ndarray of int64, shape (n,)
            Microseconds since 1970-01-01 UTC.
        category : str

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        if self._everyone:
            return np.ones(len(subject_ids), dtype=bool)
        active = np.zeros(len(subject_ids), dtype=bool)
        subjects, places, start, until = self._periods[category]
        place = subjects.get_indexer(pd.Index(subject_ids, dtype=object))
        first = places[np.maximum(place, 0)]
        count = np.where(place >= 0, places[place + 1] - first, 0)
        for k in range(int(count.max(initial=0))):
            row = np.flatnonzero(count > k)
            period = first[row] + k
            active[row] |= (start[period] <= as_of[row]) & (as_of[row] < until[period])
        return active

    def periods_of(self, subject_ids: Sequence[str], category: str) -> tuple[_Times, _Times, _Times]:
        """Each subject's periods of consent to a category.

        Returns
        -------
        first : ndarray of int64, shape (n + 1,)
            Where the periods of each subject begin in the other two.
        since, until : ndarray of int64
            Microseconds since 1970-01-01 UTC; a period is ``since <= as_of < until``.
        """
        subjects, places, start, until = self._periods[category]
        place = subjects.get_indexer(pd.Index(np.asarray(subject_ids, dtype=object), dtype=object))
        begin = places[np.maximum(place, 0)]
        count = np.where(place >= 0, places[np.maximum(place, -1) + 1] - begin, 0)
        first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        rows = np.repeat(begin - first[:-1], count) + np.arange(first[-1])
        return first, start[rows], until[rows]

    def of_one(self, subject_id: str, as_of: int) -> npt.NDArray[np.bool_]:
        """All five categories for one member at one moment (microseconds), shape (1, 5)."""
        if self._everyone:
            return np.ones((1, len(CATEGORIES)), dtype=bool)
        mask = np.zeros((1, len(CATEGORIES)), dtype=bool)
        for k, category in enumerate(CATEGORIES):
            subjects, places, start, until = self._periods[category]
            place = int(subjects.searchsorted(subject_id))  # sorted, see _periods_by_category
            if place < len(subjects) and subjects[place] == subject_id:
                own = slice(places[place], places[place + 1])
                mask[0, k] = bool(((start[own] <= as_of) & (as_of < until[own])).any())
        return mask

    def table(self, subject_ids: npt.NDArray[np.object_], as_of: npt.NDArray[np.int64]) -> pd.DataFrame:
        """All five categories at once: one boolean column of :data:`MASK_COLUMNS` each."""
        return pd.DataFrame({column: self.granted(subject_ids, as_of, c) for c, column in MASK_COLUMNS.items()})


_Times = npt.NDArray[np.int64]
_Periods = tuple[pd.Index, _Times, _Times, _Times]  # subjects; where each one's periods begin; from; until


def _periods_by_category(grants: pd.DataFrame) -> dict[str, _Periods]:
    missing = [name for name in _GRANT_COLUMNS if name not in grants.columns]
    if missing:
        raise ConsentRecordError(f"Grants must have the columns {', '.join(_GRANT_COLUMNS)}; add {', '.join(missing)}.")
    unnamed = int(grants[["subject_id", "category", "granted_from"]].isna().any(axis=1).sum())
    if unnamed:
        raise ConsentRecordError(
            f"Grants must say subject_id, category and granted_from, got {unnamed} row(s) with a null. Complete them."
        )
    unknown = sorted(set(grants["category"]) - set(CATEGORIES))
    if unknown:
        raise ConsentRecordError(
            f"Categories of grants must be among {', '.join(CATEGORIES)}, got {', '.join(map(str, unknown))}."
        )
    ordered = grants.sort_values(["subject_id", "granted_from"], kind="stable")
    periods = {}
    for category in CATEGORIES:
        rows = ordered[ordered["category"] == category]
        until = _microseconds(rows["granted_until"], "granted_until")
        subjects, first = np.unique(rows["subject_id"].to_numpy(dtype=object), return_index=True)
        periods[category] = (
            pd.Index(subjects, dtype=object),
            np.append(first, len(rows)),
            _microseconds(rows["granted_from"], "granted_from"),
            np.where(rows["granted_until"].isna().to_numpy(), _NEVER, until),
        )
    return periods


def _microseconds(times: pd.Series, name: str) -> npt.NDArray[np.int64]:
    if times.empty or times.isna().all():  # an open end throughout has no type of its own
        return np.full(len(times), _NEVER)
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise ConsentRecordError(f"{name} must be timezone-aware timestamps, got {times.dtype}. Localize to UTC.")
    moments: _Times = times.dt.tz_convert("UTC").dt.as_unit("us").dt.tz_localize(None).to_numpy().astype(np.int64)
    return moments


def split_mask(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Separate feature columns from the consent mask beside them.

    Returns
    -------
    features : DataFrame, shape (n, features)
    mask : DataFrame of bool, shape (n, 5), or None
        One column per category, named by category; ``None`` where the frame carries none.

    Raises
    ------
    CategoryWithheld
        If only some of the five mask columns are there, or one of another name.
    """
    present = [column for column in MASK_COLUMNS.values() if column in frame.columns]
    strays = [name for name in map(str, frame.columns.tolist()) if name.startswith(_PREFIX) and name not in present]
    if strays:
        raise CategoryWithheld(
            f"Columns named {_PREFIX}… must be the consent columns {', '.join(MASK_COLUMNS.values())}, "
            f"got {strays[0]!r}. Correct its name; consent is never a feature."
        )
    if not present:
        return frame, None
    if len(present) != len(MASK_COLUMNS):
        absent = sorted(set(MASK_COLUMNS.values()) - set(present))
        raise CategoryWithheld(f"A frame must carry all five consent columns or none; {', '.join(absent)} is missing.")
    mask = frame[list(MASK_COLUMNS.values())].set_axis(list(CATEGORIES), axis=1)
    return frame.drop(columns=present), mask
