"""Members with rights, staff who answer them, a clock one can turn, and decisions made by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from benne.errors import DecisionUnknown, VaultError
from benne.scoring.access.recipients import Recipient, recipient_named, register
from benne.scoring.audit.chain import append, verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.deadlines import Deadlines
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.decisions.request import Actor, Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.disputes.correcting import Corrections
from benne.scoring.disputes.disputing import Disputes
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.notices.disclosures import Disclosures
from benne.scoring.notices.issuing import Notices
from benne.scoring.notices.notice import Notice
from benne.scoring.notices.owing import OwedNotices
from benne.scoring.notices.register import Register
from benne.scoring.notices.sources import DecisionFacts, NoticeSources, ReasonLine
from benne.scoring.reviews.reviewing import Reviews
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.casework import Casework
from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.store.schema import decisions
from benne.scoring.store.vault import MemberVault, NewPayload
from benne.scoring.wiring import random_id

DAY = timedelta(days=1)
ANNA, BERT = f"{1:032x}", f"{2:032x}"
OFFICER = Doing(Actor("key:officer", "compliance"), "dispute:1")
REVIEWER = Doing(Actor("key:reviewer", "compliance"), "review:1")
MEMBER = Doing(Actor("key:anna", "member"))
SHOP = Doing(Actor("key:shop", "recipient"))


@dataclass
class HandMaker:
    """Answers with 640 points, or refuses for a reason; the same key has the same answer."""

    desk: RightsDesk
    refusal: str | None = None
    asked: list[ScoreRequest] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def decide(self, requests: Sequence[ScoreRequest]) -> list[ScoreAnswer | Refusal]:
        return [self._decide(request) for request in requests]

    def _decide(self, request: ScoreRequest) -> ScoreAnswer | Refusal:
        self.asked.append(request)
        now_us = self.desk.deadlines.now_us()
        refusal = self.refusal or (None if request.asked.purpose in request.registered_for else "recipient-not-allowed")
        if refusal is not None:
            return Refusal(decision_id=random_id(), reason=refusal, policy_version="p-1", decided_at_us=now_us)
        key = "" if request.idempotency is None else request.idempotency.key_hash
        if key not in self.known:
            self.known[key] = self.desk.answered(request.subject_id, str(request.asked.recipient), score=640.0)
        return answer(self.known[key], 640.0, now_us)


class HandFacts:
    """Two reasons about every decision that is kept."""

    def __init__(self, vault: MemberVault) -> None:
        self._vault = vault
        self.reasons: tuple[ReasonLine, ...] = (
            ReasonLine("repayment", "late_count_30d", 1, "Three payments came late"),
            ReasonLine("utilisation", "utilisation_now", 2, "Most of the limit is used"),
        )
        self.reference_hash = "c" * 64

    def facts(self, connection: Any, decision_id: str, language: str) -> DecisionFacts:
        try:
            payload = self._vault.get(connection, decision_id)
        except VaultError:
            raise DecisionUnknown("A decision must be kept, got one that is not. See the history.") from None
        kept = KeptDecision.from_bytes(payload.content)
        return DecisionFacts(
            decision_id=decision_id, subject_id=payload.subject_id, recipient=kept.asked["recipient"],
            purpose=kept.asked["purpose"], model_id=kept.model_id, policy_version="p-1",
            decided_at_us=kept.answer["decided_at_us"], as_of_us=kept.as_of_us, score=612.4,
            categories=("Credit history", "Ability"), consent_id="consent-1", audit_seq=7, method="everybody",
            reference_hash=self.reference_hash, reasons=self.reasons, key_factors=self.reasons[:1],
        )  # fmt: skip


def answer(decision_id: str, score: float, now_us: int) -> ScoreAnswer:
    return ScoreAnswer(
        decision_id=decision_id, granularity="exact", score=score, band="good", threshold=None, reached=None,
        benefit=None, categories=("credit_history", "ability"), model_id="benne/" + "0" * 16, policy_version="p-1",
        as_of_us=now_us, decided_at_us=now_us, valid_until_us=now_us + 1,
    )  # fmt: skip


@dataclass
class RightsDesk:
    """Everything that members' rights are worked with."""

    platform: Any
    vault: MemberVault
    group: GroupCommit
    casework: Casework
    jurisdiction: str = "us"

    def __post_init__(self) -> None:
        self.recorder = self.casework.recorder
        self.deadlines = Deadlines(self.store, self.group, self.recorder, self.platform.clock)
        self.facts = HandFacts(self.vault)
        self.maker: Any = HandMaker(self)
        self.rows: Any = None

    @property
    def store(self) -> Any:
        return self.platform.store

    @property
    def register(self) -> Register:
        routes = {"dispute_route": "/v1/disputes", "review_route": "/v1/reviews", "complaint_route": "ombudsman"}
        return Register(self.recorder, "Benne Ltd", routes)

    @property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(self.vault.keyring)

    @property
    def corrections(self) -> Corrections:
        return Corrections(self.casework, self.register, self.maker, self.rows, self.pseudonyms, self.platform.clock)

    @property
    def disputes(self) -> Disputes:
        return Disputes(self.casework, self.register, self.corrections, self.deadlines)

    @property
    def reviews(self) -> Reviews:
        return Reviews(self.casework, self.register, self.maker, self.pseudonyms, self.deadlines)

    @property
    def sources(self) -> NoticeSources:
        return NoticeSources(self.facts)

    @property
    def notices(self) -> Notices:
        return Notices(self.casework, self.register, self.sources, self.deadlines)

    @property
    def owed(self) -> OwedNotices:
        return OwedNotices(self.casework, self.register, self.sources)

    @property
    def disclosures(self) -> Disclosures:
        return Disclosures(self.casework, self.register)

    def turn(self, by: timedelta) -> None:
        self.platform.clock.turn(by)

    def recipient(self, name: str, jurisdiction: Any = "us") -> None:
        with self.store.write() as connection:
            if recipient_named(connection, name) is None:
                register(connection, Recipient(name=name, contact="dpo@example.org", purposes=frozenset({"lending"}),
                                               jurisdiction=jurisdiction, created_at_us=0))  # fmt: skip

    def answered(
        self, subject_id: str = ANNA, recipient: str = "shop", *, score: float = 600.0, actor: str = "key:shop",
        denied: str | None = None, purpose: str = "lending",
    ) -> str:  # fmt: skip
        """A decision on record about a member, with what is kept of it."""
        self.recipient(recipient)
        decision_id, now_us = random_id(), self.deadlines.now_us()
        row = {
            "decision_id": decision_id, "subject_id": subject_id, "time_us": now_us, "as_of_us": None,
            "purpose": purpose, "recipient": recipient, "actor": actor, "reliance": "advisory",
            "decision": "denied" if denied else "granted", "deny_reason": denied, "categories": "",
            "about_decision": None,
        }  # fmt: skip
        entry = AuditEntry(
            event_id=decision_id, type="score_decided", actor_id=actor, actor_role="recipient", service="scores",
            policy_version="p-1", decision="denied" if denied else "granted", deny_reason=denied,
        )  # fmt: skip
        with self.store.write() as connection:
            seq = connection.execute(select(func.coalesce(func.max(decisions.c.seq), 0))).scalar_one() + 1
            connection.execute(insert(decisions), row | {"seq": seq})
            append(connection, [entry], now_us=now_us)
            if not denied:
                kept = self._kept(decision_id, recipient, score, now_us, purpose)
                self.vault.put(connection, NewPayload(decision_id, subject_id, "decision", kept.to_bytes()), now_us)
        return decision_id

    def _kept(self, decision_id: str, recipient: str, score: float, now_us: int, purpose: str) -> KeptDecision:
        asked = {"recipient": recipient, "purpose": purpose, "context": "platform", "reliance": "advisory",
                 "granularity": "exact", "threshold": None, "benefit": None}  # fmt: skip
        return KeptDecision(
            decision_id=decision_id, model_id="benne/" + "0" * 16, config_hash="0" * 64, policy_version="p-1",
            asked=asked, as_of_us=now_us, values=np.zeros(5), withheld=frozenset(),
            answer=answer(decision_id, score, now_us).as_dict(),
        )  # fmt: skip

    def case(self, case_id: str, kind: str = "dispute") -> RightsCase:
        from benne.scoring.rights.rows import find_case

        with self.store.read() as connection:
            found = find_case(connection, case_id, kind)
        assert found is not None
        return found

    def recorded(self, event: str) -> list[dict[str, Any]]:
        """Audit records of a type, oldest first."""
        rows = sorted(self.platform.rows("audit_records"), key=lambda row: row["seq"])
        return [row for row in rows if row["type"] == event]

    def told(self, kind: str) -> list[Notice]:
        """What was issued of a kind, oldest first, with what it says."""
        found = self.notices.find(OFFICER, kind=kind)
        return [self.notices.read(one.notice_id, OFFICER) for one in reversed(found)]

    def intact(self) -> bool:
        with self.store.read() as connection:
            return verify(connection).intact


@pytest.fixture
def make_desk(platform: Any, tmp_path: Path) -> Iterator[Callable[..., RightsDesk]]:
    """Desks of any jurisdiction on one platform."""
    ring = FileKeyRing.create(tmp_path / "ring.json", random_bytes=secrets.token_bytes, now_us=0)
    vault = MemberVault(ring, random_bytes=secrets.token_bytes)
    with GroupCommit(platform.store, clock=platform.clock) as group:

        def make(jurisdiction: Any = "us") -> RightsDesk:
            recorder = MemberRecorder(vault, random_id, "p-1")
            casework = Casework(platform.store, group, recorder, jurisdiction)
            return RightsDesk(platform, vault, group, casework, jurisdiction)

        yield make


@pytest.fixture
def desk(make_desk: Callable[..., RightsDesk]) -> RightsDesk:
    return make_desk()
