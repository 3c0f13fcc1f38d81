"""How long what was said and answered is kept."""

from __future__ import annotations

from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.jurisdictions import Profile

__all__ = ["retained_until"]


def retained_until(profile: Profile, now_us: int) -> int:
    """Until when words of a case or a notice are kept: as long as decisions must be, and as an adverse item may.

    Examples
    --------
    >>> from benne.scoring.jurisdictions import profile_of
    >>> retained_until(profile_of("us"), 0) == to_microseconds(from_microseconds(0).replace(year=1975), "It")
    True
    """
    begun = from_microseconds(now_us)
    longest = max(profile.decisions_kept.after(begun), profile.adverse_items.after(begun))
    return to_microseconds(longest, "The end of retention")
