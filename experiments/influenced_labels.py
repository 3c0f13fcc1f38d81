"""Which labels a score on record may have influenced: a join of outcomes with the record of decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from sqlalchemy import select

from benne.errors import LabelError
from benne.experiments.labelling import INFLUENCED
from benne.scoring.store.schema import decisions

if TYPE_CHECKING:
    from benne.scoring.store.database import Store

__all__ = ["decisions_on_record", "influenced_by_decisions", "with_influence"]

_RELIED_ON: Final = ("strong", "sole")
_A_YEAR: Final = 365
_NO_OUTCOME_OF_ITS_OWN: Final = ("own_report", "model_training")


def influenced_by_decisions(
    observed: pd.DataFrame, on_record: pd.DataFrame, *, window_days: int, recorded_since: pd.Timestamp
) -> pd.Series[float]:
    """Whether a decision that rested on a score fell into the time in which the outcome came about.

    Parameters
    ----------
    observed : DataFrame, shape (n, ...)
        ``subject_id`` and ``as_of`` of each label.
    on_record : DataFrame
        ``subject_id``, ``decided_at`` (UTC), ``purpose``, ``reliance`` and ``decision`` of the record: no payload.
    window_days : int
        Length of the outcome's window, from ``as_of`` on.
    recorded_since : Timestamp
        Since when decisions are on record; nobody knows of outcomes that began before.

    Returns
    -------
    Series of float64, shape (n,)
        1 where a score was given with reliance ``strong`` or ``sole`` after ``as_of`` and within the window, else 0;
        NaN where the window began before the record. In the order and index of ``observed``.

    Raises
    ------
    LabelError
        If a column is missing, or the window is not positive.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-01", tz="UTC")
    >>> observed = pd.DataFrame({"subject_id": ["a", "b"], "as_of": [day, day]})
    >>> given = pd.DataFrame({"subject_id": ["a"], "decided_at": [day + pd.Timedelta(days=3)], "purpose": ["lending"],
    ...                       "reliance": ["sole"], "decision": ["granted"]})
    >>> influenced_by_decisions(observed, given, window_days=365, recorded_since=day).tolist()
    [1.0, 0.0]
    >>> influenced_by_decisions(observed, given, window_days=0, recorded_since=day)
    Traceback (most recent call last):
    ...
    benne.errors.LabelError: The window of the outcomes must be at least a day, got 0. Give its length in days.
    """
    _check(observed, on_record, window_days)
    counted = on_record[
        on_record["reliance"].isin(_RELIED_ON)
        & (on_record["decision"] == "granted")
        & ~on_record["purpose"].isin(_NO_OUTCOME_OF_ITS_OWN)
    ]
    labels = pd.DataFrame({"row": np.arange(len(observed)), "subject_id": observed["subject_id"].to_numpy(),
                           "as_of": observed["as_of"].to_numpy()})  # fmt: skip
    pairs = labels.merge(counted[["subject_id", "decided_at"]], on="subject_id")
    passed = pairs["decided_at"] - pairs["as_of"]
    within = (passed > pd.Timedelta(0)) & (passed <= pd.Timedelta(days=window_days))
    flags = np.zeros(len(observed))
    flags[pairs.loc[within, "row"].to_numpy()] = 1.0
    before = (observed["as_of"] < recorded_since).to_numpy()
    return pd.Series(np.where(before & (flags == 0), np.nan, flags), index=observed.index, name="score_influenced")


def _check(observed: pd.DataFrame, on_record: pd.DataFrame, window_days: int) -> None:
    if window_days < 1:
        raise LabelError(
            f"The window of the outcomes must be at least a day, got {window_days}. Give its length in days."
        )
    wanted = {"labels": (observed, ("subject_id", "as_of")),
              "decisions": (on_record, ("subject_id", "decided_at", "purpose", "reliance", "decision"))}  # fmt: skip
    for what, (table, columns) in wanted.items():
        if absent := [name for name in columns if name not in table.columns]:
            raise LabelError(f"The {what} must have the columns {', '.join(columns)}, got no {absent[0]!r}. Add it.")


def decisions_on_record(store: Store) -> pd.DataFrame:
    """The record of decisions as :func:`influenced_by_decisions` takes it; no payload is opened.

    Parameters
    ----------
    store : Store
        Of a service or a ledger.
    """
    c = decisions.c
    query = select(c.subject_id, c.time_us, c.purpose, c.reliance, c.decision).order_by(c.seq)
    with store.read() as connection:
        rows = connection.execute(query).all()
    table = pd.DataFrame(rows, columns=["subject_id", "decided_at", "purpose", "reliance", "decision"])
    return table.assign(decided_at=pd.to_datetime(table["decided_at"].astype("int64"), unit="us", utc=True))


def with_influence(outcomes: pd.DataFrame, on_record: pd.DataFrame) -> pd.DataFrame:
    """Outcomes with ``score_influenced`` from the record of decisions, where they do not say it themselves.

    Parameters
    ----------
    outcomes : DataFrame
        ``subject_id``, ``as_of``; perhaps ``horizon_days`` (else a year) and ``score_influenced``.
    on_record : DataFrame
        Of :func:`decisions_on_record`.

    Raises
    ------
    LabelError
        If nothing is on record: nobody knows since when it is kept.
    """
    if not len(on_record):
        raise LabelError("The record of decisions must hold some, got none. Leave it out, or name the service's own.")
    window = int(outcomes["horizon_days"].max()) if "horizon_days" in outcomes.columns else _A_YEAR
    since = on_record["decided_at"].min()
    found = influenced_by_decisions(outcomes, on_record, window_days=window, recorded_since=since)
    if INFLUENCED in outcomes.columns:
        said = outcomes[INFLUENCED].astype("boolean").astype("float64")
        found = said.where(said.notna(), found)
    return outcomes.assign(**{INFLUENCED: found})
