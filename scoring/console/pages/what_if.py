"""What would change a score: actions tried on the member's own events, and the smallest set that reaches a mark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from starlette.responses import Response

from benne.errors import WhatIfNotPossible
from benne.explain.recourse import Recourse
from benne.explain.texts import Texts
from benne.explain.what_if import Action, WhatIfAnswer, action_of
from benne.explain.what_if.trying import FARTHEST
from benne.explain.what_if.wording import action_in_words
from benne.models.scale import SCORE_MAX, SCORE_MIN
from benne.scoring.console.forms import Form, FormRefused
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.decisions.request import Refusal
from benne.scoring.members.what_if import DEFAULT_AHEAD

__all__ = ["PAGES"]

_MOST_ACTIONS: Final = 12
_LONGEST: Final = 300  # characters of one action


@dataclass(frozen=True, slots=True)
class Choice:
    """Actions that are the same but for their numbers, of which one may be taken: value and words of each."""

    options: tuple[tuple[str, str], ...]


def show(visit: Visit) -> Response:
    """What can be tried, before anything is."""
    return _shown(visit, None, None)


def attempt(visit: Visit) -> Response:
    """Try what was chosen, or look for the least that reaches a mark."""
    until = _day(visit)
    if visit.form.get("act") == "recourse":
        found = visit.service.what_if.recourse(visit.subject_id, _target(visit.form), visit.doing, until)
        return _shown(visit, _let(visit, found), None)
    actions = _actions(visit.form)
    return _shown(visit, None, _let(visit, visit.service.what_if.try_actions(visit.subject_id, actions, until,
                                                                             visit.doing)))  # fmt: skip


def _shown(visit: Visit, recourse: Recourse | None, answer: WhatIfAnswer | None) -> Response:
    offered, trouble = ([], "") if visit.by_htmx else _offered(visit)
    now = visit.service.clock()
    chosen = (now + DEFAULT_AHEAD).date().isoformat()
    if visit.form.get("until") and visit.refused is None:
        chosen = visit.form.get("until")
    return visit.show(
        "what_if", tab="what_if", choices=_grouped(offered, visit.texts), trouble=trouble, day=chosen,
        first_day=(now + timedelta(days=1)).date().isoformat(), last_day=(now + FARTHEST).date().isoformat(),
        bands=_bands(visit), recourse=recourse, answer=answer or (recourse.answer if recourse else None),
        in_words=lambda action: action_in_words(action, visit.texts), chosen=visit.form.all("action"),
    )  # fmt: skip


def _offered(visit: Visit) -> tuple[list[Action], str]:
    try:
        offered = visit.service.what_if.actions(visit.subject_id, visit.doing)
    except WhatIfNotPossible:
        return [], "no_events"
    if isinstance(offered, Refusal):
        return [], "consent" if "consent" in offered.reason else "refused"
    return offered, "" if offered else "nothing"


def _let(visit: Visit, found: Any) -> Any:
    """What was found, unless it was refused: then its reason stands beside the form."""
    if not isinstance(found, Refusal):
        return found
    key = f"member.refusal.{found.reason}" if visit.area == "me" else "console.what_if.trouble.refused"
    raise FormRefused(key if visit.texts.has(key) else "console.what_if.trouble.refused")


def _grouped(offered: Iterable[Action], texts: Texts) -> list[Choice]:
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for action in offered:
        option = (json.dumps(action.as_dict(), sort_keys=True), action_in_words(action, texts))
        groups.setdefault((action.name, action.subject), []).append(option)
    return [Choice(tuple(options)) for options in groups.values()]


def _actions(form: Form) -> list[Action]:
    chosen = [text for text in form.all("action") if text]
    if not chosen:
        raise FormRefused("console.what_if.choose_one", "action")
    if len(chosen) > _MOST_ACTIONS or any(len(text) > _LONGEST for text in chosen):
        raise FormRefused("console.refused.form")
    try:
        return [action_of(plain) for plain in map(json.loads, chosen)]
    except (ValueError, AttributeError, RecursionError):
        raise FormRefused("console.refused.form") from None


def _day(visit: Visit) -> datetime:
    try:
        day = date.fromisoformat(visit.form.get("until"))
    except ValueError:
        raise FormRefused("console.refused.date", "until") from None
    moment = datetime.combine(day, time(12), UTC)
    now = visit.service.clock()
    if not now < moment <= now + FARTHEST:
        raise FormRefused("console.what_if.day_out_of_reach", "until")
    return moment


def _bands(visit: Visit) -> list[str]:
    return [band.name for band in visit.service.what_if.bands(visit.subject_id)]


def _target(form: Form) -> int | str:
    target, mark = form.get("target"), form.get("mark")
    if not mark:
        if not target:
            raise FormRefused("console.what_if.choose_target", "target")
        return target
    if not (mark.isascii() and mark.isdigit()) or not SCORE_MIN <= int(mark[:4]) <= SCORE_MAX:
        raise FormRefused("member.refused.mark", "mark", low=f"{SCORE_MIN:.0f}", high=f"{SCORE_MAX:.0f}")
    return int(mark)


def _pages(at: str, entry: str | None) -> tuple[Page, ...]:
    view: Callable[[Visit], Response] = attempt
    return Page("GET", at, show, entry=entry), Page("POST", at, view, again=show)


PAGES = (
    *_pages("/console/members/{member}/what-if", None),
    *_pages("/me/what-if", "member.navigation.what_if"),
)
