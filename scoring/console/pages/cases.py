"""What pages about disputes, reviews and due notices have in common: one case, in the version somebody saw."""

from __future__ import annotations

import re
from typing import Any, Final

from benne.scoring.console.forms import FormRefused
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.members.recording import Doing
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.words import LONGEST

__all__ = ["LONGEST", "act_of", "case_id_of", "decisions_to_choose", "doing_for", "version_of", "whose"]

_ID: Final = re.compile(r"[0-9a-f-]{1,36}")
_DECISIONS: Final = 30  # to choose among


def case_id_of(visit: Visit) -> str:
    """The case of the path."""
    case_id = str(visit.request.path_params["case_id"])
    if not _ID.fullmatch(case_id):
        raise PageMissing
    return case_id


def doing_for(visit: Visit, kind: str) -> Doing:
    """Who works on a case: staff for that very case, which goes on record as their purpose."""
    return Doing(visit.actor, None if visit.area == "me" else f"{kind}:{case_id_of(visit)}")


def version_of(visit: Visit) -> int:
    """The version of the case that the page showed; whoever saw an older one is told so."""
    text = visit.form.get("version")
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise FormRefused("console.refused.form")
    return int(text)


def act_of(visit: Visit, allowed: tuple[str, ...]) -> str:
    """Which of a page's forms was sent."""
    act = visit.form.get("act")
    if act not in allowed:
        raise FormRefused("console.refused.form")
    return act


def whose(visit: Visit, case: RightsCase) -> str | None:
    """The pages of a case's member, looked up for this case; None where they were erased."""
    if case.subject_id is None:
        return None
    return f"/console/members/{visit.reference(case.subject_id, f'{case.kind}:{case.case_id}')}"


def decisions_to_choose(visit: Visit) -> list[dict[str, Any]]:
    """The member's newest decisions."""
    return visit.service.records.history(visit.subject_id, visit.doing, after=None, limit=_DECISIONS).decisions
