"""Who received what and when, and why a score changed from one decision to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from benne.errors import ChangeNotSplit, DecisionUnknown, WhatIfError
from benne.explain.charts import ScorePoint, score_line
from benne.explain.score_change import ScoreChange, cause_in_words
from benne.scoring.console.visit import Visit
from benne.scoring.decisions.request import Refusal

__all__ = ["ChangeShown", "history_page"]

_SHOWN: Final = 20  # decisions on a page
_AT_LEAST: Final = 2  # points make a line
_IN_PLACE: Final = "change-answer"  # the element that "Compare" replaces; it is a template of its own


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """Why a score changed, in words, or what is in the way of saying so."""

    change: ScoreChange | None
    causes: tuple[tuple[str, int], ...] = ()
    trouble: str = ""


def history_page(visit: Visit, template: str, **more: Any) -> Response:
    """A page of decisions; with two of them named, why the score changed between them."""
    asked = visit.request.query_params
    after = asked.get("after")
    page = visit.service.records.history(visit.subject_id, visit.doing, after=after, limit=_SHOWN)
    first, second = asked.get("first", ""), asked.get("second", "")
    change = _change(visit, first, second) if first or second else None
    if visit.by_htmx == _IN_PLACE:
        template = "change"
    return visit.show(
        template, page=page, first=after is None, line=_line(visit, page.decisions), change=change,
        compared=(first, second), **more,
    )  # fmt: skip


def _line(visit: Visit, decisions: list[dict[str, Any]]) -> str:
    """Exact scores over time; a band that somebody was told is no point of it."""
    points = [
        ScorePoint(datetime.fromisoformat(one["decided_at"]), one["told"]["score"])
        for one in reversed(decisions)
        if one["told"]["score"] is not None
    ]
    return score_line(points, visit.texts) if len(points) >= _AT_LEAST else ""


def _change(visit: Visit, first: str, second: str) -> ChangeShown:
    if not first or not second or first == second:
        return ChangeShown(None, trouble="choose_two")
    try:
        found = visit.service.what_if.change(visit.subject_id, first, second, visit.doing)
    except (DecisionUnknown, ChangeNotSplit, WhatIfError):
        return ChangeShown(None, trouble="choose_two")
    if isinstance(found, Refusal):
        return ChangeShown(None, trouble="change_refused")
    causes = tuple((cause_in_words(part.causes, visit.texts), part.shown) for part in found.parts)
    return ChangeShown(found, causes)
