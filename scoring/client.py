"""A client of the service: one method for each thing that can be asked, typed answers, problems as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final, Self, TypeVar

import httpx2
from pydantic import BaseModel

from benne.errors import ProblemReceived
from benne.explain.texts import Language
from benne.scoring.api.bodies import (
    AuditBody,
    BenefitBody,
    ConsentBody,
    ConsentsBody,
    ErasureBody,
    ExplanationBody,
    ExportBody,
    HistoryBody,
    OfferBody,
    ProofBody,
    ReceiptBody,
    ReplayBody,
    ReportBody,
    ScoreBody,
    WithdrawnBody,
)
from benne.scoring.api.governance_bodies import FilingBody, FilingsBody, MonitoringBody
from benne.scoring.api.what_if_bodies import ActionsBody, RecourseBody, ScoreChangeBody, WhatIfBody
from benne.scoring.client_rights import RightsCalls, part
from benne.scoring.wiring import random_id

__all__ = ["BenneClient"]

T = TypeVar("T", bound=BaseModel)
_TRY_AGAIN: Final = frozenset({429, 503})
_NDJSON: Final = "application/x-ndjson"
_PAGE: Final = 256  # questions that the service answers in one pass
_LONGEST_WAIT: Final = 60.0  # seconds


class BenneClient(RightsCalls):
    """Asks a service, with one set of credentials.

    Parameters
    ----------
    address : str
        Such as ``https://scores.example``.
    credentials : str
        A key of access or a token; what it opens is up to its role.
    access_purpose : str, optional
        What look-ups by staff are for.
    tries : int, default=3
        How often a question is asked while the service says it is busy. A score is asked for under one idempotency
        key however often, so that it is one decision.
    sleep : callable, default=time.sleep
        Waits some seconds between two tries.
    transport : httpx2.BaseTransport, optional
        Instead of the network, as in tests.

    Examples
    --------
    >>> client = BenneClient("http://127.0.0.1:8350", "benne_…")  # doctest: +SKIP
    >>> client.score("anna", "lending").band  # doctest: +SKIP
    'good'
    """

    def __init__(
        self,
        address: str,
        credentials: str,
        *,
        access_purpose: str | None = None,
        tries: int = 3,
        sleep: Callable[[float], object] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {credentials}"}
        if access_purpose is not None:
            headers["Benne-Access-Purpose"] = access_purpose
        self._http = httpx2.Client(base_url=address, headers=headers, transport=transport, timeout=30.0)
        self._tries = tries
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Open since it was made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connections back."""
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    # ------------------------------------------------------------------ recipients

    def score(self, member_id: str, purpose: str, *, idempotency_key: str | None = None, **asked: Any) -> ScoreBody:
        """A member's score for a purpose.

        Parameters
        ----------
        member_id, purpose : str
        idempotency_key : str, optional
            By default a random one for this call.
        **asked
            ``context``, ``reliance``, ``granularity``, ``threshold``, as the interface has them.

        Raises
        ------
        ProblemReceived
            If there is none; its ``slug`` says why.
        """
        headers = {"Idempotency-Key": idempotency_key or random_id()}
        question = {"member_id": member_id, "purpose": purpose, **asked}
        return self._ask(ScoreBody, "POST", "/v1/scores", json=question, headers=headers)

    def eligibility(self, member_id: str, benefit: str, **asked: Any) -> BenefitBody:
        """Whether a member gets a benefit."""
        question = {"member_id": member_id, "benefit": benefit, **asked}
        return self._ask(BenefitBody, "POST", "/v1/eligibility", json=question)

    def scores(self, questions: Iterable[Mapping[str, Any]]) -> Iterator[ScoreBody | ProblemReceived]:
        """Many scores, as they come: one answer or problem for each question, in order.

        Parameters
        ----------
        questions : iterable of mapping
            ``member_id``, ``purpose`` and what else :meth:`score` takes.
        """
        rest = iter(questions)
        # A page at a time: this client reads nothing while it sends, so a stream of any length would get stuck.
        while page := list(islice(rest, _PAGE)):
            lines = b"".join(json.dumps(dict(question)).encode() + b"\n" for question in page)
            got = self._sent("POST", "/v1/scores:batch", content=lines, headers={"Content-Type": _NDJSON})
            for line in got.iter_lines():
                found = json.loads(line)
                yield ScoreBody.model_validate(found["answer"]) if "answer" in found else _problem(found["problem"])

    # --------------------------------------------------------- members, and staff for them

    def offers(self) -> list[OfferBody]:
        """What members may consent to, with the text they must be shown."""
        return [OfferBody.model_validate(one) for one in self._json("GET", "/v1/consent-offers")]

    def give_consent(self, choice: Mapping[str, Any], member: str = "me") -> ConsentBody:
        """Record what a member switched on; see ``ConsentChoice`` of the interface."""
        return self._ask(ConsentBody, "POST", f"/v1/members/{part(member)}/consents", json=dict(choice))

    def consents(self, member: str = "me") -> list[ConsentBody]:
        """Every consent of a member."""
        return self._ask(ConsentsBody, "GET", f"/v1/members/{part(member)}/consents").consents

    def withdraw(
        self, purpose: str, recipient: str, categories: Iterable[str] | None = None, member: str = "me"
    ) -> list[str]:
        """End consent at once; returns what ended."""
        asked: list[tuple[str, str]] = [("purpose", purpose), ("recipient", recipient)]
        asked += [("category", category) for category in categories or ()]
        return self._ask(WithdrawnBody, "DELETE", f"/v1/members/{part(member)}/consents", params=asked).ended

    def receipt(self, record_id: str, member: str = "me") -> str:
        """The member's signed copy of a consent."""
        path = f"/v1/members/{part(member)}/consents/{part(record_id)}/receipt"
        return self._ask(ReceiptBody, "GET", path).receipt

    def own_score(self, member: str = "me") -> ScoreBody:
        """The member's own score as of now."""
        return self._ask(ScoreBody, "POST", f"/v1/members/{part(member)}/score")

    def explanation(
        self, member: str = "me", decision_id: str | None = None, language: Language = "en"
    ) -> ExplanationBody:
        """What a score was made of; by default the newest."""
        asked = {"language": language} | ({} if decision_id is None else {"decision_id": decision_id})
        return self._ask(ExplanationBody, "GET", f"/v1/members/{part(member)}/explanation", params=asked)

    def history(self, member: str = "me") -> Iterator[dict[str, Any]]:
        """Decisions about a member, newest first, fetched a page at a time."""
        after: str | None = None
        while True:
            asked = {} if after is None else {"after": after}
            page = self._ask(HistoryBody, "GET", f"/v1/members/{part(member)}/history", params=asked)
            yield from page.decisions
            after = page.next
            if after is None:
                return

    def report(self, member: str = "me") -> ReportBody:
        """What there is about a member, and who received what."""
        return self._ask(ReportBody, "GET", f"/v1/members/{part(member)}/report")

    def report_page(self, member: str = "me", language: Language = "en") -> str:
        """The member's report as a page that needs nothing else."""
        return self._sent("GET", f"/v1/members/{part(member)}/report.html", params={"language": language}).text

    def report_pdf(self, member: str = "me", language: Language = "en") -> bytes:
        """The member's report as PDF."""
        return self._sent("GET", f"/v1/members/{part(member)}/report.pdf", params={"language": language}).content

    def export(self, member: str = "me") -> ExportBody:
        """Everything that is held about a member."""
        return self._ask(ExportBody, "GET", f"/v1/members/{part(member)}/export")

    def prove(self, statement: Mapping[str, Any], member: str = "me") -> str:
        """A signed statement about the member's score; see ``ProofQuestion`` of the interface."""
        return self._ask(ProofBody, "POST", f"/v1/members/{part(member)}/proofs", json=dict(statement)).proof

    def what_if_actions(self, member: str = "me", until: date | None = None) -> ActionsBody:
        """Actions that apply to a member until a day, by default half a year ahead."""
        asked = {} if until is None else {"until": until.isoformat()}
        return self._ask(ActionsBody, "GET", f"/v1/members/{part(member)}/what-if", params=asked)

    def what_if(
        self, actions: Iterable[Mapping[str, Any]], member: str = "me", until: date | None = None
    ) -> WhatIfBody:
        """What some actions would bring until a day; see ``ActionChoice`` of the interface."""
        asked = {"actions": [dict(one) for one in actions], "until": None if until is None else until.isoformat()}
        return self._ask(WhatIfBody, "POST", f"/v1/members/{part(member)}/what-if", json=asked)

    def recourse(
        self, member: str = "me", *, score: int | None = None, band: str | None = None, until: date | None = None
    ) -> RecourseBody:
        """The smallest change within a member's own reach that brings them to a score, or to a band."""
        asked = {"score": score, "band": band, "until": None if until is None else until.isoformat()}
        return self._ask(RecourseBody, "POST", f"/v1/members/{part(member)}/recourse", json=asked)

    def score_change(self, member: str = "me", first: str | None = None, second: str | None = None) -> ScoreChangeBody:
        """Why a member's score changed between two decisions, by default the last two."""
        asked = {name: one for name, one in (("from", first), ("to", second)) if one is not None}
        return self._ask(ScoreChangeBody, "GET", f"/v1/members/{part(member)}/score-change", params=asked)

    def erase(self, member: str = "me") -> ErasureBody:
        """Erase a member."""
        return self._ask(ErasureBody, "DELETE", f"/v1/members/{part(member)}")

    # ------------------------------------------------------------------------ staff

    def replay(self, decision_id: str) -> ReplayBody:
        """A decision made again and held against the audit chain."""
        return self._ask(ReplayBody, "GET", f"/v1/decisions/{part(decision_id)}/replay")

    def verify_audit(self) -> AuditBody:
        """Whether every hash of the audit chain holds."""
        return self._ask(AuditBody, "GET", "/v1/audit/verify")

    def model(self) -> dict[str, Any]:
        """The model that serves."""
        found: dict[str, Any] = self._json("GET", "/v1/models/current")
        return found

    def monitoring(self) -> MonitoringBody:
        """How the model that serves does, live; for data scientists, compliance and admins."""
        return self._ask(MonitoringBody, "GET", "/v1/monitoring")

    def filings(self) -> list[FilingBody]:
        """Verdicts and documents about the model that serves, the newest first; for the same."""
        return self._ask(FilingsBody, "GET", "/v1/models/current/filings").filings

    def policies(self) -> dict[str, Any]:
        """The policies in force."""
        found: dict[str, Any] = self._json("GET", "/v1/policies")
        return found

    def _ask(self, answer: type[T], method: str, path: str, **sent: Any) -> T:
        return answer.model_validate(self._json(method, path, **sent))

    def _json(self, method: str, path: str, **sent: Any) -> Any:
        return self._sent(method, path, **sent).json()

    def _sent(self, method: str, path: str, **sent: Any) -> httpx2.Response:
        for tried in range(1, self._tries + 1):
            got = self._http.request(method, path, **sent)
            if got.status_code not in _TRY_AGAIN or tried == self._tries:
                break
            self._sleep(_seconds(got.headers.get("Retry-After", "1")))
        if got.is_success:
            return got
        raise _problem(got.json() if "json" in got.headers.get("content-type", "") else {"status": got.status_code})


def _problem(body: Mapping[str, Any]) -> ProblemReceived:
    slug = str(body.get("type", "unexpected")).rpartition("/")[2]
    return ProblemReceived(
        slug, int(body.get("status", 500)), body.get("detail"), body.get("decision_id"), body.get("errors") or ()
    )


def _seconds(told: str) -> float:
    """How long to wait; whatever stands between may tell a date instead, or nonsense."""
    return min(float(told), _LONGEST_WAIT) if told.isdigit() else 1.0
