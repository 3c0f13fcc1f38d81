"""Everything live: consent, decisions and scores that rest on both."""

from __future__ import annotations

from benne.scoring.consent.decision import ConsentDecision, Denial, Permission
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.record import (
    Capture,
    ConsentEvent,
    ConsentRecord,
    ConsentRequest,
    ConsentTerms,
    Notice,
    NoticeRef,
)
from benne.scoring.scorer import Scorer, ScoreResult
from benne.scoring.store.database import Store, open_store
from benne.scoring.wiring import open_ledger

__all__ = [
    "Capture",
    "ConsentDecision",
    "ConsentEvent",
    "ConsentLedger",
    "ConsentRecord",
    "ConsentRequest",
    "ConsentTerms",
    "Denial",
    "Notice",
    "NoticeRef",
    "Permission",
    "ScoreResult",
    "Scorer",
    "Store",
    "open_ledger",
    "open_store",
]
