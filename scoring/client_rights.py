"""A client's words for disputes, reviews and notices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from benne.scoring.api.rights_bodies import (
    CaseBody,
    CaseInFullBody,
    CasesBody,
    NoticeBody,
    NoticesBody,
    OwedNoticeBody,
    StatisticsBody,
    TransparencyBody,
)

__all__ = ["DisputeStep", "RightsCalls", "part"]

T = TypeVar("T", bound=BaseModel)
DisputeStep = Literal["look-into", "answer", "extension", "statement", "withdrawal", "closing"]


class RightsCalls(ABC):
    """What members, recipients and staff ask about members' rights; a part of the client."""

    @abstractmethod
    def _ask(self, answer: type[T], method: str, path: str, **sent: Any) -> T: ...

    def dispute(self, topic: str, text: str, **asked: Any) -> CaseBody:
        """Dispute something; see ``DisputeQuestion`` of the interface for what else can be said."""
        return self._ask(CaseBody, "POST", "/v1/disputes", json={"topic": topic, "text": text, **asked})

    def disputes(self, **wanted: Any) -> Iterator[CaseBody]:
        """Disputes by deadline, fetched a page at a time."""
        return self._cases("/v1/disputes", wanted)

    def dispute_in_full(self, dispute_id: str) -> CaseInFullBody:
        """A dispute with what was said and done."""
        return self._ask(CaseInFullBody, "GET", f"/v1/disputes/{part(dispute_id)}")

    def change_dispute(self, dispute_id: str, step: DisputeStep, version: int, **given: Any) -> CaseBody:
        """One step of a dispute; ``given`` is the rest of its body, such as ``text``."""
        path = f"/v1/disputes/{part(dispute_id)}/{part(step)}"
        return self._ask(CaseBody, "POST", path, json={"version": version, **given})

    def ask_review(self, decision_id: str, text: str | None = None, **asked: Any) -> CaseBody:
        """Have a person look at a decision again."""
        return self._ask(CaseBody, "POST", "/v1/reviews", json={"decision_id": decision_id, "text": text, **asked})

    def reviews(self, **wanted: Any) -> Iterator[CaseBody]:
        """Reviews by deadline, fetched a page at a time."""
        return self._cases("/v1/reviews", wanted)

    def review_in_full(self, review_id: str) -> CaseInFullBody:
        """A review with what was said and done."""
        return self._ask(CaseInFullBody, "GET", f"/v1/reviews/{part(review_id)}")

    def decide_review(self, review_id: str, version: int, outcome: str, text: str, **given: Any) -> CaseBody:
        """Uphold or overturn a decision, as a reviewer who had no part in it."""
        body = {"version": version, "outcome": outcome, "text": text, **given}
        return self._ask(CaseBody, "POST", f"/v1/reviews/{part(review_id)}/decision", json=body)

    def notice(self, kind: str, **asked: Any) -> OwedNoticeBody:
        """Have somebody told; see ``NoticeQuestion`` of the interface."""
        return self._ask(OwedNoticeBody, "POST", "/v1/notices", json={"kind": kind, **asked})

    def notices(self, **wanted: Any) -> Iterator[NoticeBody]:
        """Notices, the newest first, fetched a page at a time."""
        after: str | None = None
        while True:
            asked = wanted | ({} if after is None else {"after": after})
            page = self._ask(NoticesBody, "GET", "/v1/notices", params=asked)
            yield from page.notices
            after = page.next
            if after is None:
                return

    def read_notice(self, notice_id: str) -> NoticeBody:
        """A notice with what it says."""
        return self._ask(NoticeBody, "GET", f"/v1/notices/{part(notice_id)}")

    def duties(self, **wanted: Any) -> Iterator[CaseBody]:
        """Everything with something left to do, the soonest due first."""
        return self._cases("/v1/duties", wanted)

    def _cases(self, path: str, wanted: Mapping[str, Any]) -> Iterator[CaseBody]:
        after: str | None = None
        while True:
            asked = dict(wanted) | ({} if after is None else {"after": after})
            page = self._ask(CasesBody, "GET", path, params=asked)
            yield from page.cases
            after = page.next
            if after is None:
                return

    def withdraw_review(self, review_id: str, version: int) -> CaseBody:
        """End a review that its member no longer wants."""
        return self._ask(CaseBody, "POST", f"/v1/reviews/{part(review_id)}/withdrawal", json={"version": version})

    def review_statistics(self, begin: datetime, until: datetime) -> StatisticsBody:
        """How often reviewers overturn what was decided."""
        return self._ask(StatisticsBody, "GET", "/v1/review-statistics", params=_period(begin, until))

    def deliver_notice(self, notice_id: str, state: str, channel: str) -> NoticeBody:
        """A notice was delivered in some other way, or could not be."""
        path = f"/v1/notices/{part(notice_id)}/delivery"
        return self._ask(NoticeBody, "POST", path, json={"state": state, "channel": channel})

    def fulfil_notice(self, case_id: str, version: int, own_reasons: tuple[str, ...] = ()) -> OwedNoticeBody:
        """Issue a notice that is owed and could not be issued by itself."""
        body = {"version": version, "own_reasons": list(own_reasons)}
        return self._ask(OwedNoticeBody, "POST", f"/v1/duties/{part(case_id)}/notice", json=body)

    def transparency(self, begin: datetime, until: datetime) -> TransparencyBody:
        """Disclosures that laws compelled in a period, by legal basis."""
        return self._ask(TransparencyBody, "GET", "/v1/transparency", params=_period(begin, until))


def part(text: str) -> str:
    """One part of a path, whatever is in it."""
    return quote(text, safe="")


def _period(begin: datetime, until: datetime) -> dict[str, str]:
    return {"from": begin.isoformat(), "until": until.isoformat()}
