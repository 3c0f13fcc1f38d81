"""A member's report: what there is about them, put together, typeset, and on record before it is given."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select

from benne.errors import BenneError, Erased, ModelDirectoryError, VaultError
from benne.explain import MemberExplanation
from benne.explain.report import FreeReports, MemberReport, NoScore, Routes
from benne.explain.report.html import report_html
from benne.explain.report.pdf import FontBook, report_pdf
from benne.explain.texts import Language, texts_of
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.reading import load_history
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.members.explanations import Explanations, in_words
from benne.scoring.members.proving import OWN_PURPOSE, SELF
from benne.scoring.members.recording import Doing
from benne.scoring.members.report_disputes import disputes_of
from benne.scoring.members.report_reading import consents_of, received_of
from benne.scoring.members.room import Room
from benne.scoring.store.member_tables import members

__all__ = ["ReportTerms", "Reports"]

_log = logging.getLogger(__name__)


def _uncounted(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTerms:
    """What every report of a service says alike.

    Parameters
    ----------
    issuer : str
    routes : Routes
        Where members go with what they want.
    fonts : callable returning FontBook or None
        Fonts of this machine; asked for once, when the first PDF is made.
    free_reports : callable, optional
        Takes a view of the store, a subject id and the moment in microseconds, and says how many reports were free.
    """

    issuer: str
    routes: Routes
    fonts: Callable[[], FontBook | None]
    free_reports: Callable[[Connection, str, int], FreeReports | None] = _uncounted


@dataclass(frozen=True)
class Reports:
    """Makes members' reports.

    The score shown is the newest that was made under a consent that still stands. Where there is none the report comes
    without, and says why.

    Parameters
    ----------
    explanations : Explanations
    ledger : ConsentLedger
    terms : ReportTerms
    clock : callable returning datetime
    """

    explanations: Explanations
    ledger: ConsentLedger
    terms: ReportTerms
    clock: Callable[[], datetime]
    _room: Room = field(default_factory=Room, init=False, repr=False, compare=False)

    def html(self, subject_id: str, doing: Doing, language: Language) -> str:
        """The report as a page.

        Raises
        ------
        ServiceBusy
            If others are being made and none is done in time.
        """
        with self._room.turn(subject_id):
            page = report_html(self.content(subject_id, language), texts_of(language))
        self._on_record(subject_id, doing, "html")
        return page

    def pdf(self, subject_id: str, doing: Doing, language: Language) -> bytes:
        """The report as PDF.

        Raises
        ------
        ServiceBusy
            If others are being made and none is done in time.
        EngineUnavailable
            If Typst is not installed.
        """
        with self._room.turn(subject_id):
            made = report_pdf(self.content(subject_id, language), texts_of(language), self._fonts)
        self._on_record(subject_id, doing, "pdf")
        return made

    def content(self, subject_id: str, language: Language) -> MemberReport:
        """What a report says; looking at it leaves no record, so nobody but this module and tests should."""
        now = self.clock()
        with self.explanations.store.read() as connection:
            kept = _Kept.of(self.explanations, connection, subject_id)
            consents = consents_of(load_history(connection, subject_id), self._active(subject_id))
            standing = {(one.purpose, one.recipient) for one in consents if one.standing}
            said, why = self._explained(connection, kept, standing, language)
            return MemberReport(
                made_at=now,
                issuer=self.terms.issuer,
                explanation=said,
                no_score=why,
                received=received_of(kept.decisions, (SELF, OWN_PURPOSE)),
                consents=consents,
                routes=self.terms.routes,
                statements=disputes_of(connection, self.explanations.vault, subject_id, texts_of(language)),
                free_reports=self.terms.free_reports(connection, subject_id, int(now.timestamp() * 1e6)),
            )

    def _active(self, subject_id: str) -> Callable[[str, str], frozenset[str]]:
        return lambda purpose, recipient: self.ledger.active(subject_id, purpose, recipient)

    def _explained(
        self, connection: Connection, kept: _Kept, standing: set[tuple[Any, Any]], language: Language
    ) -> tuple[MemberExplanation | None, NoScore | None]:
        """The newest decision under a consent that stands, or why there is none."""
        if not kept.decisions:
            return None, "unreadable" if kept.damaged else "erased" if kept.erased else "no_decision"
        under = (one for one in kept.decisions if (one.asked["purpose"], one.asked["recipient"]) in standing)
        newest = next(under, None)
        if newest is None:
            return None, "no_consent"
        try:
            return in_words(self.explanations.replayer.remake(connection, newest.decision_id), language), None
        except Erased:
            return None, "erased"
        except VaultError:
            return None, "unreadable"
        except ModelDirectoryError:
            return None, "model_retired"

    @cached_property
    def _fonts(self) -> FontBook | None:
        return self.terms.fonts()

    def _on_record(self, subject_id: str, doing: Doing, form: str) -> None:
        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            entry = self.explanations.recorder.entry(
                connection, now_us, subject_id, "report_given", doing, outcome=form
            )
            return [entry], None

        self.explanations.group.submit(work)


@dataclass(frozen=True, slots=True, repr=False)
class _Kept:
    """Decisions about a member that can be read, the newest first; how many cannot, and whether they were erased."""

    decisions: list[KeptDecision]
    damaged: int
    erased: bool

    @classmethod
    def of(cls, explanations: Explanations, connection: Connection, subject_id: str) -> _Kept:
        found: list[tuple[int, KeptDecision]] = []
        damaged: list[str] = []

        def note(reference: str, error: BenneError) -> None:
            damaged.append(reference)
            _log.error("something kept of a member cannot be read (%s); restore it", type(error).__name__)

        for payload in explanations.vault.everything(connection, subject_id, damaged=note):
            if payload.kind != "decision":
                continue
            try:
                found.append((payload.created_at_us, KeptDecision.from_bytes(payload.content)))
            except (BenneError, KeyError, ValueError, TypeError):
                damaged.append(payload.payload_ref)
        ordered = sorted(found, key=lambda one: one[0], reverse=True)
        gone = connection.execute(select(members.c.erased_at_us).where(members.c.subject_id == subject_id)).scalar()
        return cls([kept for _, kept in ordered], len(damaged), gone is not None)
