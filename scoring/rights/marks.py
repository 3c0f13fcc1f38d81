"""What recipients are told beside a score: that something is disputed, and what the member says of it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from benne.errors import BenneError
from benne.scoring.rights.words import decoded
from benne.scoring.store.rights_tables import rights_cases
from benne.scoring.store.vault import MemberVault

__all__ = ["Mark", "marks_of"]

_log = logging.getLogger(__name__)
_C: Final = rights_cases.c
_ANY: Final = "SELECT 1 FROM rights_cases WHERE mark IS NOT NULL LIMIT 1"


class Mark(NamedTuple):
    """Something of a member's is disputed; a statement where they want one to travel."""

    statement: str | None = None


def marks_of(connection: Connection, subject_ids: Collection[str], vault: MemberVault) -> dict[str, Mark]:
    """Members of whom something is disputed, or who have a statement that travels; one look into an index of those.

    Parameters
    ----------
    connection : Connection
    subject_ids : collection of str
    vault : MemberVault
    """
    if connection.exec_driver_sql(_ANY).first() is None:  # as nearly always: a look at an index that is empty
        return {}
    asked = select(_C.subject_id, _C.mark, _C.statement_ref).where(
        _C.mark.is_not(None), _C.subject_id.in_(list(subject_ids))
    )
    rows = connection.execute(asked.order_by(_C.opened_at_us, _C.case_id)).all()
    if not rows:
        return {}
    refs = [row.statement_ref for row in rows if row.mark == "statement"]
    texts = vault.get_many(connection, refs, damaged=_report_damage) if refs else {}
    found: dict[str, list[str]] = {}
    for row in rows:
        said = found.setdefault(row.subject_id, [])
        if row.mark == "statement" and row.statement_ref in texts:
            said.append(str(decoded(texts[row.statement_ref].content)["text"]))
    return {subject_id: Mark("\n\n".join(said) or None) for subject_id, said in found.items()}


def _report_damage(_: str, error: BenneError) -> None:
    _log.error("a statement cannot be read (%s); restore it from a backup", type(error).__name__)
