"""Periods of consent as the frame that a mask is made of."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from benne.scoring.consent.gate import standing
from benne.scoring.consent.timeline import Event, gives_now, periods

__all__ = ["frame_of_periods"]


def frame_of_periods(events: Iterable[Event], read_at_us: int, include_ended: bool) -> pd.DataFrame:
    """``subject_id``, ``category``, ``granted_from`` and ``granted_until`` of every period.

    Parameters
    ----------
    events : iterable of Event
        Of one purpose and recipient, in order of time.
    read_at_us : int
    include_ended : bool
        Whether categories count whose consent has ended by then.
    """
    rows = [
        (subject_id, category, period.start_us, period.until_us)
        for subject_id, keys in standing(events).items()
        for (automated, category), acts in keys.items()
        if not automated and (include_ended or gives_now(acts, read_at_us) is not None)
        for period in periods(acts)
    ]
    frame = pd.DataFrame(rows, columns=["subject_id", "category", "granted_from", "granted_until"])
    for name in ("granted_from", "granted_until"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="us", utc=True)
    return frame
