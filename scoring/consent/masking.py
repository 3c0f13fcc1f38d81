"""Periods of consent as the frame that a mask is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from benne.scoring.consent.gate import barred_by, standing
from benne.scoring.consent.timeline import Event, Period, gives_now, periods
from benne.scoring.consent.vocabulary import Jurisdiction

__all__ = ["frame_of_periods"]


def frame_of_periods(
    events: Iterable[Event], read_at_us: int, include_ended: bool, jurisdiction: Jurisdiction | None = None
) -> pd.DataFrame:
    """``subject_id``, ``category``, ``granted_from`` and ``granted_until`` of every period.

    A category that the credit firewall bars has none, whatever was consented to: it is not even computed.

    Parameters
    ----------
    events : iterable of Event
        Of one purpose and recipient, in order of time.
    read_at_us : int
    include_ended : bool
        Whether categories count whose consent has ended by then.
    jurisdiction : str, optional
        The deployment's; it adds to what the records' own bar.
    """
    rows = []
    for subject_id, keys in standing(events).items():
        given = {key: act for key, acts in keys.items() if (act := gives_now(acts, read_at_us)) is not None}
        barred = barred_by(given.values(), jurisdiction)
        rows += [
            (subject_id, category, period.start_us, period.until_us)
            for (automated, category), acts in keys.items()
            if not automated and category not in barred and (include_ended or (False, category) in given)
            for period in _periods(acts)
        ]
    frame = pd.DataFrame(rows, columns=["subject_id", "category", "granted_from", "granted_until"])
    for name in ("granted_from", "granted_until"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="us", utc=True)
    return frame


def _periods(acts: Sequence[Event]) -> list[Period]:
    """Without those that began with an act whose own jurisdiction bars the category."""
    barred = {act.time_us for act in acts if act.category in barred_by([act], None)}
    return [period for period in periods(acts) if period.start_us not in barred]
