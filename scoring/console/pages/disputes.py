"""Disputes for staff: opened on a member's behalf, looked into, answered in writing, corrected."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from starlette.responses import Response

from benne.errors import RightsError
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.pages.cases import (
    LONGEST,
    act_of,
    case_id_of,
    decisions_to_choose,
    doing_for,
    version_of,
    whose,
)
from benne.scoring.console.pages.corrections_shown import correction_shown
from benne.scoring.console.pages.event_tables import EXAMPLE
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.disputes.dispute import OPEN, TOPICS, Answer, Disputed
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseQuery

__all__ = ["PAGES", "disputed_in", "open_form"]

_ACTS: Final = ("look_into", "answer", "extend", "statement", "close", "withdraw")
_DONE: Final = {"look_into": "taken", "extend": "extended", "close": "closed", "withdraw": "withdrawn"}
_SHOWN: Final = 50
_MEMBERS: Final = "/console/members/{member}/disputes"
_CASE: Final = "/console/disputes/{case_id}"


def of_member(visit: Visit) -> Response:
    """A member's disputes, and a form to open one on their behalf."""
    found = visit.service.disputes.find(CaseQuery(subject_id=visit.subject_id, limit=_SHOWN), visit.doing)
    return visit.show("member_disputes", tab="disputes", cases=found, **open_form(visit))


def open_form(visit: Visit) -> dict[str, Any]:
    """What may be disputed."""
    served = visit.service.models.serving.of(visit.subject_id)
    return {
        "topics": TOPICS,
        "decisions": decisions_to_choose(visit),
        "chosen_decision": visit.request.query_params.get("decision", ""),
        "features": {category: [served.names[k] for k in places] for category, places in served.columns.items()},
    }


def open_one(visit: Visit) -> Response:
    """Open a dispute on the member's behalf."""
    case = visit.service.disputes.open(visit.subject_id, disputed_in(visit), visit.doing)
    return visit.go(f"/console/disputes/{case.case_id}", "dispute_opened")


def disputed_in(visit: Visit) -> Disputed:
    """What the form says is wrong."""
    form = visit.form
    topic = form.one_of("topic", TOPICS)
    decision_id, feature = form.get("decision_id") or None, form.get("feature") or None
    if topic == "decision" and decision_id is None:
        raise FormRefused("console.refused.choose_decision", "decision_id")
    if topic == "feature" and feature not in visit.service.models.serving.of(visit.subject_id).names:
        raise FormRefused("console.refused.choose_feature", "feature")
    return Disputed(
        topic=cast(Any, topic), text=form.text("text", longest=LONGEST), decision_id=decision_id,
        feature=feature if topic == "feature" else None, language=visit.texts.language,
    )  # fmt: skip


def show(visit: Visit) -> Response:
    """One dispute: what was said, what was done, and what can be done now."""
    dispute = visit.service.disputes.read(case_id_of(visit), doing_for(visit, "dispute"))
    return visit.show(
        "dispute", dispute=dispute, case=dispute.case, is_open=dispute.case.state in OPEN,
        at=whose(visit, dispute.case), corrects_events=visit.service.events is not None,
        correction=correction_shown(visit, dispute.case), example=EXAMPLE,
    )  # fmt: skip


def act(visit: Visit) -> Response:
    """One step, by whoever saw the newest version."""
    name = act_of(visit, _ACTS)
    case_id, version, doing = case_id_of(visit), version_of(visit), doing_for(visit, "dispute")
    disputes, form = visit.service.disputes, visit.form
    if name == "answer":
        return _answer(visit, case_id, version)
    if name == "look_into":
        disputes.look_into(case_id, version, doing)
    elif name == "extend":
        disputes.extend(case_id, version, form.text("reason", longest=LONGEST), doing)
    elif name == "close":
        disputes.close(case_id, version, doing)
    elif name == "withdraw":
        disputes.withdraw(case_id, version, None, doing)
    else:
        text, travels = form.text("statement", longest=LONGEST), form.get("travels") == "yes"
        disputes.state(case_id, version, text, travels=travels, subject_id=None, doing=doing)
        return visit.go(f"/console/disputes/{case_id}", "statement_added")
    return visit.go(f"/console/disputes/{case_id}", f"dispute_{_DONE[name]}")


def _answer(visit: Visit, case_id: str, version: int) -> Response:
    outcome = visit.form.one_of("outcome", ("corrected", "not_corrected"))
    rows = _rows(visit) if outcome == "corrected" else None
    answer = Answer(outcome=cast(Any, outcome), text=visit.form.text("answer", longest=LONGEST), rows=rows)
    try:
        case: RightsCase = visit.service.disputes.answer(case_id, version, answer, doing_for(visit, "dispute"))
    except RightsError as error:
        if rows is None or type(error) is not RightsError:
            raise
        # It names tables, columns and rules: what whoever wrote the rows must know to mend them.
        raise FormRefused("console.refused.rows_because", "rows", reason=str(error)) from None
    done = "dispute_corrected" if outcome == "corrected" else "dispute_answered"
    return visit.go(f"/console/disputes/{case.case_id}", done)


def _rows(visit: Visit) -> dict[str, list[dict[str, Any]]] | None:
    """Rows that are to be appended to the member's events, in the platform's own form."""
    text = visit.form.get("rows")
    if not text:
        return None
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormRefused("console.refused.rows_json", "rows", line=error.lineno, column=error.colno) from None
    except (ValueError, RecursionError):
        raise FormRefused("console.refused.rows", "rows") from None
    tables = rows.values() if isinstance(rows, dict) else ()
    if not tables or not all(isinstance(table, list) and all(isinstance(row, dict) for row in table)
                             for table in tables):  # fmt: skip
        raise FormRefused("console.refused.rows", "rows")
    return cast("dict[str, list[dict[str, Any]]]", rows)


PAGES = (
    Page("GET", _MEMBERS, of_member),
    Page("POST", _MEMBERS, open_one, again=of_member),
    Page("GET", _CASE, show),
    Page("POST", _CASE, act, again=show),
)
