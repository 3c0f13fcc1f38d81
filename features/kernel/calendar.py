"""Calendar years in UTC, for expiries that the law counts in years."""

from __future__ import annotations

from typing import Final

from benne.features.kernel.compiled import compiled

__all__ = ["DAY", "years_later"]

DAY: Final = 86_400_000_000
"""Microseconds in a day of UTC."""


@compiled
def years_later(moment: int, years: int) -> int:
    """The same time of the same day some years on; 1 March for 29 February where there is none.

    Parameters
    ----------
    moment : int
        Microseconds since 1970-01-01 UTC.
    years : int

    Notes
    -----
    Days are counted from 1 March, so that the leap day is the last of its year, in eras of 400
    years (Hinnant, "chrono-compatible low-level date algorithms").
    """
    days = moment // DAY
    era_day = (days + 719_468) % 146_097
    era = (days + 719_468) // 146_097
    year = (era_day - era_day // 1_460 + era_day // 36_524 - era_day // 146_096) // 365
    of_year = era_day - (365 * year + year // 4 - year // 100)
    later = era * 400 + year + years
    later_era, later_year = later // 400, later % 400
    on = later_era * 146_097 + 365 * later_year + later_year // 4 - later_year // 100 + of_year - 719_468
    return on * DAY + moment % DAY
