"""What came of a dispute that was answered as corrected: how far it is, who was told, which decision stands instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from benne.scoring.console.pages.cases import doing_for
from benne.scoring.console.visit import Visit
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseQuery, queue

__all__ = ["CorrectionShown", "Told", "correction_shown"]

_MOST: Final = 200  # corrections of one member to look through


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient of wrong answers.

    Attributes
    ----------
    recipient : str
    decisions : tuple of str
        Those that must no longer be used, oldest first.
    new_decision : str or None
        What stands instead; None where nothing could be decided.
    delivery : str
        How far the word to them has come.
    """

    recipient: str
    decisions: tuple[str, ...]
    new_decision: str | None
    delivery: str


@dataclass(frozen=True, slots=True)
class CorrectionShown:
    """A correction as its dispute's page shows it; nobody is told before it is done."""

    case: RightsCase
    told: tuple[Told, ...]


def correction_shown(visit: Visit, dispute: RightsCase) -> CorrectionShown | None:
    """The correction that a dispute began, or None where it began none or its member was erased."""
    if dispute.subject_id is None or dispute.state in ("opened", "looked_into", "not_corrected", "withdrawn"):
        return None
    query = CaseQuery(kinds=("correction",), subject_id=dispute.subject_id, limit=_MOST)
    with visit.service.store.read() as connection:
        begun = [one for one in queue(connection, query) if one.about_case == dispute.case_id]
    if not begun:
        return None
    case = begun[0]
    if case.result is None:
        return CorrectionShown(case, ())
    content = visit.service.notices.read(case.result, doing_for(visit, "dispute")).content or {}
    return CorrectionShown(case, tuple(_told(visit, one) for one in content.get("corrected", ())))


def _told(visit: Visit, one: dict[str, Any]) -> Told:
    newest = one["decisions"][-1]
    found = visit.service.notices.find(
        doing_for(visit, "dispute"), kind="correction_notice", decision_id=newest, recipient=one["recipient"], limit=1
    )
    delivery = found[0].delivery.state if found else "queued"
    return Told(one["recipient"], tuple(one["decisions"]), one["new_decision"], delivery)
