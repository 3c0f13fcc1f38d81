"""Every page there is, and what the navigation shows to whom."""

from __future__ import annotations

from typing import Final

from benne.scoring.console.access import may_open
from benne.scoring.console.pages import (
    audit,
    decisions,
    disputes,
    event_tables,
    governance,
    look_up,
    member,
    monitoring,
    notices,
    operations,
    own,
    own_consents,
    own_disputes,
    own_notices,
    own_proofs,
    queue,
    reviews,
    rollout,
    sign_in,
    what_if,
)
from benne.scoring.console.registry import Entry, Page
from benne.scoring.console.visit import Visit

__all__ = ["PAGES", "navigation"]

_MODULES: Final = (
    sign_in, queue, look_up, member, disputes, reviews, notices, event_tables, decisions, audit, operations, governance,
    monitoring, rollout,
    own, what_if, own_consents, own_disputes, own_notices, own_proofs,
)  # fmt: skip
PAGES: Final[tuple[Page, ...]] = (*(page for module in _MODULES for page in module.PAGES), *operations.ELSEWHERE)
"""A module of pages of one's own is added to the table above and to the authorisation table; nothing else is needed."""


def navigation(visit: Visit) -> list[Entry]:
    """Where a visitor may go from every page."""
    if visit.principal is None:
        return []
    path, role = visit.request.url.path, visit.principal.role
    shown = [page for page in PAGES if page.entry is not None and may_open(role, page.method, page.path)]
    best = max((page.path for page in shown if path == page.path or path.startswith(f"{page.path}/")),
               key=len, default="")  # fmt: skip
    return [Entry(page.path, visit.texts.say(str(page.entry)), page.path == best) for page in shown]
