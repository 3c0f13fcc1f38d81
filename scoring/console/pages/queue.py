"""The work queue: what is owed to members, by deadline, whatever it is."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import func, select
from starlette.responses import Response

from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.members.recording import Doing
from benne.scoring.rights.case import CASE_KINDS
from benne.scoring.rights.rows import CaseQuery
from benne.scoring.store.rights_tables import rights_cases

__all__ = ["PAGES"]

_SHOWN: Final = 25  # cases on a page
_ID: Final = re.compile(r"[0-9a-f-]{1,36}")
_C: Final = rights_cases.c
_WHOSE: Final = ("mine",)
_WHAT_FOR: Final = "queue"
"""What a look into the queue is for, on record."""


def show(visit: Visit) -> Response:
    """Everything with something left to do, the soonest deadline first; what is overdue is escalated by looking."""
    kind, whose = visit.asked("kind", CASE_KINDS), visit.asked("whose", _WHOSE)
    after = visit.request.query_params.get("after", "")
    query = CaseQuery(
        kinds=(kind,) if kind else (), handler=visit.who.id if whose else None, only_open=True,
        after=after if _ID.fullmatch(after) else None, limit=_SHOWN + 1,
    )  # fmt: skip
    cases = visit.service.rights.deadlines.looked_up(query, Doing(visit.actor, _WHAT_FOR))
    more = cases[_SHOWN - 1].case_id if len(cases) > _SHOWN else None
    return visit.show(
        "queue", cases=cases[:_SHOWN], more=more, kind=kind, whose=whose, kinds=CASE_KINDS, first=query.after is None,
        **_counts(visit),
    )  # fmt: skip


def _counts(visit: Visit) -> dict[str, Any]:
    """How much is open, and how much of it is overdue; of the same narrow index as the list."""
    is_open, now_us = _C.ended_at_us.is_(None), visit.service.rights.deadlines.now_us()
    with visit.service.store.read() as connection:
        opened = connection.execute(select(func.count()).where(is_open)).scalar_one()
        overdue = connection.execute(select(func.count()).where(is_open, _C.due_at_us < now_us)).scalar_one()
    return {"opened": opened, "overdue": overdue}


PAGES = (Page("GET", "/console/queue", show, entry="console.navigation.queue"),)
