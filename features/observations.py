"""Who is observed when: checked against the members before anything is computed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benne.errors import ObservationError
from benne.features.events.events import Events
from benne.features.events.moments import microseconds
from benne.features.events.validation import EARLIEST, LATEST
from benne.features.events.views import connect, create_view

__all__ = ["ObservedMembers", "check_observations", "observe_everybody"]

_log = logging.getLogger(__name__)

_JOINED = """
with m as (
    select j.subject_id, j.adult, j.event_time, j.known_at, c.known_at as corrected_at
    from members j left join members c on c.supersedes = j.record_id)
select o.row, count(m.subject_id) > 0 as member,
    coalesce(bool_or(seen), false) as joined, coalesce(bool_or(seen and adult), false) as adult
from wanted o left join (
    select m.*, w.row, m.event_time < w.as_of and m.known_at < w.known_by
        and (m.corrected_at is null or m.corrected_at >= w.known_by) as seen
    from m join wanted w using (subject_id)) m on m.row = o.row
group by 1 order by 1
"""


@dataclass(frozen=True)
class ObservedMembers:
    """Observations with their members numbered.

    Parameters
    ----------
    frame : DataFrame
        ``subject_id`` and ``as_of`` as given.
    subject_ids : ndarray of str, shape (n,)
    as_of : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01 UTC.
    known_by : ndarray of int64, shape (n,)
        What was known before it is seen: ``as_of``, or a later moment for a corrected build.
    codes : ndarray of int64, shape (n,)
        The member's place in ``members``.
    members : ndarray of str
        Distinct subject ids, sorted.
    """

    frame: pd.DataFrame
    subject_ids: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.int64]
    known_by: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    members: npt.NDArray[np.object_]

    def __len__(self) -> int:
        """How many observations."""
        return len(self.codes)

    def index(self) -> pd.MultiIndex:
        """(``subject_id``, ``as_of``) in the order given."""
        return pd.MultiIndex.from_frame(self.frame)


def check_observations(
    events: Events,
    observations: pd.DataFrame,
    *,
    minors_reason: str | None = None,
    known_by: datetime | None = None,
) -> ObservedMembers:
    """Check that each observation can be made.

    Parameters
    ----------
    events : Events
    observations : DataFrame
        ``subject_id`` (str) and ``as_of`` (timezone-aware).
    minors_reason : str, optional
        Why members not attested to be adults may be observed all the same; logged. By default
        they may not.
    known_by : datetime, optional
        The later knowledge of a corrected build: whether a member had joined and is an adult
        is asked with it too.

    Raises
    ------
    ObservationError
        A column is missing or of another type, an observation repeats, a member is unknown,
        joined at or after ``as_of``, or is not attested to be an adult; or ``known_by`` lies
        before an ``as_of``.
    """
    _check_columns(observations)
    frame = observations[["subject_id", "as_of"]].reset_index(drop=True)
    _refuse(frame.isna().any(axis=1), "hold no null", "Drop those rows.")
    subject_ids = frame["subject_id"].to_numpy(dtype=object)
    texts = np.fromiter((isinstance(s, str) for s in subject_ids), dtype=bool, count=len(subject_ids))
    _refuse(~texts, "have strings as subject_id", "Make them with SubjectKey.subject_ids.")
    _refuse(frame.duplicated(), "be different from each other", "Drop the repeated rows.")
    as_of = frame["as_of"].dt.tz_convert("UTC").dt.as_unit("us").dt.tz_localize(None).to_numpy().astype(np.int64)
    _refuse((as_of < EARLIEST) | (as_of >= LATEST), "lie in the years 1900 to 2199", "Correct as_of.")
    known = _knowledge(as_of, known_by)
    _check_joined(events, subject_ids, as_of, known, minors_reason)
    members, codes = np.unique(subject_ids, return_inverse=True)
    return ObservedMembers(frame, subject_ids, as_of, known, codes.astype(np.int64), members)


def observe_everybody(events: Events, as_of: datetime) -> pd.DataFrame:
    """Observe every adult member who had joined, to the platform's knowledge, before one moment.

    Parameters
    ----------
    events : Events
    as_of : datetime
        Timezone-aware.

    Returns
    -------
    DataFrame
        ``subject_id`` and ``as_of``, as :func:`check_observations` takes them, sorted.

    Raises
    ------
    ObservationError
        If the moment is naive, or nobody had joined by then.
    """
    if as_of.tzinfo is None:
        raise ObservationError("as_of must be timezone-aware, got a naive moment. Localize to UTC.")
    moment = pd.DatetimeIndex([as_of]).tz_convert("UTC").as_unit("us")
    with connect() as connection:
        create_view(connection, "members", events.sources["members"])
        subjects = connection.sql("select distinct subject_id from members order by 1").to_arrow_table()
        at = np.repeat(moment.asi8, len(subjects))
        adult = _joined(connection, subjects.column("subject_id"), at, at).column("adult").to_numpy().astype(bool)
    chosen = subjects.column("subject_id").to_pandas().to_numpy(dtype=object)[adult]
    if not len(chosen):
        raise ObservationError("Somebody must have joined before as_of, got nobody. Name a later moment.")
    return pd.DataFrame({"subject_id": chosen, "as_of": moment.repeat(len(chosen))})


def _check_columns(observations: pd.DataFrame) -> None:
    if not isinstance(observations, pd.DataFrame):
        kind = type(observations)
        raise ObservationError(
            f"Observations must be a pandas DataFrame, got {kind.__module__}.{kind.__name__}. Convert them."
        )
    missing = [c for c in ("subject_id", "as_of") if c not in observations.columns]
    if missing:
        raise ObservationError(
            f"Observations must have subject_id and as_of, got no {' and no '.join(missing)}. Add it."
        )
    if not isinstance(observations["as_of"].dtype, pd.DatetimeTZDtype):
        raise ObservationError(
            f"as_of must be timezone-aware timestamps, got {observations['as_of'].dtype}. Localize to UTC."
        )


def _knowledge(as_of: npt.NDArray[np.int64], known_by: datetime | None) -> npt.NDArray[np.int64]:
    if known_by is None:
        return as_of
    moment = microseconds(known_by)
    if (as_of > moment).any():
        raise ObservationError(
            f"known_by must not lie before an as_of, got {known_by.isoformat()} with a later one. Move it on."
        )
    return np.full(len(as_of), moment)


def _check_joined(
    events: Events, subject_ids: npt.NDArray[np.object_], as_of: npt.NDArray[np.int64],
    known_by: npt.NDArray[np.int64], minors_reason: str | None,
) -> None:  # fmt: skip
    with connect() as connection:
        create_view(connection, "members", events.sources["members"])
        found = _joined(connection, pa.array(subject_ids, type=pa.string()), as_of, known_by)
    member, joined, adult = (found.column(c).to_numpy().astype(bool) for c in ("member", "joined", "adult"))
    _refuse(~member, "be of members", "Key them with the SubjectKey of these events, or load those members.")
    _refuse(~joined, "be after the member joined and the platform knew it", "Move as_of on, or drop them.")
    if minors_reason is None:
        _refuse(~adult, "be of adults", "Members under 18 are not scored; drop them.")
    elif not adult.all():
        _log.warning("%d observations of members under 18 are made: %s", (~adult).sum(), minors_reason)


def _joined(
    connection: duckdb.DuckDBPyConnection, subjects: pa.Array | pa.ChunkedArray, as_of: npt.NDArray[np.int64],
    known_by: npt.NDArray[np.int64],
) -> pa.Table:  # fmt: skip
    """Of each observation: whether it is of a member, who had joined, and is attested to be an adult."""
    wanted = {"row": np.arange(len(as_of)), "subject_id": subjects, "as_of": as_of, "known_by": known_by}
    connection.register("wanted", pa.table(wanted))
    return connection.sql(_JOINED).to_arrow_table()


def _refuse(wrong: pd.Series | npt.NDArray[np.bool_], must: str, advice: str) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        shown = ", ".join(map(str, rows[:5])) + (", …" if rows.size > 5 else "")
        raise ObservationError(f"Observations must {must}, got {rows.size} row(s) that do not (rows {shown}). {advice}")
