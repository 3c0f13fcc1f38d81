"""What a member's report says of what they dispute, and what they say themselves."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from benne.explain.texts import Texts
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseQuery, queue
from benne.scoring.rights.words import decoded
from benne.scoring.store.vault import MemberVault

__all__ = ["disputes_of"]

_MOST = 10  # a report is two pages; the console and the export show them all


def disputes_of(connection: Connection, vault: MemberVault, subject_id: str, texts: Texts) -> tuple[str, ...]:
    """Sentences: each dispute that is open, and each statement that stands beside an answer.

    Parameters
    ----------
    connection : Connection
    vault : MemberVault
    subject_id : str
    texts : Texts
    """
    found = queue(connection, CaseQuery(kinds=("dispute",), subject_id=subject_id, limit=_MOST))
    return tuple(sentence for case in found for sentence in _sentences(connection, vault, case, texts))


def _sentences(connection: Connection, vault: MemberVault, case: RightsCase, texts: Texts) -> Iterator[str]:
    if case.is_open:
        opened, due = from_microseconds(case.opened_at_us), from_microseconds(case.due_at_us)
        yield texts.say("report.rights.disputed", opened=texts.day(opened), due=texts.day(due))
    if case.statement_ref is not None and case.state != "withdrawn":
        kept = vault.get_many(connection, [case.statement_ref], damaged=lambda *_: None)
        if case.statement_ref in kept:
            yield texts.say("report.rights.stated", text=decoded(kept[case.statement_ref].content)["text"])
