"""Members' rights put together: disputes, corrections, reviews, notices and their deadlines, from a service's parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from benne.features import SubjectKey
from benne.features.engines.event_store import EventStore
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.deadlines import Deadlines
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.replay import Replayer
from benne.scoring.disputes.correcting import Corrections
from benne.scoring.disputes.disputing import Disputes
from benne.scoring.disputes.event_rows import EventRows
from benne.scoring.members.recording import MemberRecorder
from benne.scoring.notices.decision_facts import RemadeFacts
from benne.scoring.notices.disclosures import Disclosures
from benne.scoring.notices.issuing import Notices
from benne.scoring.notices.owing import OwedNotices
from benne.scoring.notices.register import Register
from benne.scoring.notices.sources import CounterfactualSource, NoticeSources
from benne.scoring.policy import Policies
from benne.scoring.reviews.reviewing import Reviews
from benne.scoring.rights.casework import Casework
from benne.scoring.rights.rights import Rights
from benne.scoring.settings import Settings
from benne.scoring.store.database import Store
from benne.scoring.store.pseudonyms import Pseudonyms

__all__ = ["RightsParts", "open_rights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsParts:
    """What members' rights stand on."""

    store: Store
    group: GroupCommit
    recorder: MemberRecorder
    replayer: Replayer
    maker: DecisionMaker
    events: EventStore | None
    subject_key: SubjectKey
    policies: Policies
    settings: Settings
    clock: Callable[[], datetime]
    counterfactuals: CounterfactualSource | None = None


def open_rights(parts: RightsParts) -> Rights:
    """Put them together."""
    pseudonyms = Pseudonyms(parts.recorder.vault.keyring)
    casework = Casework(parts.store, parts.group, parts.recorder, parts.policies.jurisdiction)
    deadlines = Deadlines(parts.store, parts.group, parts.recorder, parts.clock)
    register = Register(parts.recorder, parts.settings.issuer, _routes(parts))
    rows = None if parts.events is None else EventRows(parts.events, parts.subject_key, parts.clock)
    corrections = Corrections(casework, register, parts.maker, rows, pseudonyms, parts.clock)
    sources = NoticeSources(RemadeFacts(parts.replayer), parts.counterfactuals)
    return Rights(
        disputes=Disputes(casework, register, corrections, deadlines),
        corrections=corrections,
        reviews=Reviews(casework, register, parts.maker, pseudonyms, deadlines),
        notices=Notices(casework, register, sources, deadlines),
        owed_notices=OwedNotices(casework, register, sources),
        disclosures=Disclosures(casework, register),
        deadlines=deadlines,
    )


def _routes(parts: RightsParts) -> dict[str, str | None]:
    """Where members are told to go: their own pages, and for a review the policies' own route where they name one."""
    disputes, reviews = ("/me/disputes",) * 2 if parts.settings.console else ("/v1/disputes", "/v1/reviews")
    own = (purpose.review_route for purpose in parts.policies.purposes.values() if purpose.review_route is not None)
    return {
        "dispute_route": disputes,
        "review_route": next(own, reviews),
        "complaint_route": parts.settings.complaints,
    }
