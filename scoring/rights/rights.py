"""The use cases of members' rights in one place."""

from __future__ import annotations

from dataclasses import dataclass

from benne.scoring.deadlines import Deadlines
from benne.scoring.disputes.correcting import Corrections
from benne.scoring.disputes.disputing import Disputes
from benne.scoring.notices.disclosures import Disclosures
from benne.scoring.notices.issuing import Notices
from benne.scoring.notices.owing import OwedNotices
from benne.scoring.reviews.reviewing import Reviews

__all__ = ["Rights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The use cases of members' rights.

    Attributes
    ----------
    disputes : Disputes
    corrections : Corrections
    reviews : Reviews
    notices : Notices
    owed_notices : OwedNotices
    disclosures : Disclosures
    deadlines : Deadlines
    """

    disputes: Disputes
    corrections: Corrections
    reviews: Reviews
    notices: Notices
    owed_notices: OwedNotices
    disclosures: Disclosures
    deadlines: Deadlines
