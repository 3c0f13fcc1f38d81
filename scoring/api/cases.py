"""Lists of cases: what they may be narrowed to, whose they are, and a page of them; disputes and reviews alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import MemberId
from benne.scoring.api.problems import PROBLEMS, Problem
from benne.scoring.api.rights_bodies import ID, CaseBody, CasesBody, case_body
from benne.scoring.rights.case import CaseState, RightsCase
from benne.scoring.rights.rows import CaseQuery
from benne.scoring.service import Service

__all__ = ["After", "Limit", "OfMember", "OneId", "Overdue", "Wanted", "member_named", "page_of", "shown"]

OneId = Annotated[str, Path(pattern=ID)]
After = Annotated[str | None, Query(pattern=ID, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
OfMember = Annotated[MemberId | None, Query(description="For staff: only this member's.")]
Overdue = Annotated[bool, Query(description="Only those that have passed their deadline.")]


def _wanted(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    state: Annotated[list[CaseState] | None, Query(description="Only these; by default all.")] = None,
    only_open: Annotated[bool, Query(description="Only those with something left to do.")] = False,
    overdue: Overdue = False,
    member_id: OfMember = None,
    after: After = None,
    limit: Limit = 50,
) -> CaseQuery:
    """What a list is asked for; one more than a page, to know whether there is another."""
    service = service_of(request)
    return CaseQuery(
        states=state or (),
        only_open=only_open or overdue,
        due_before_us=service.rights.deadlines.now_us() if overdue else None,
        subject_id=member_named(service, caller, member_id, required=False),
        after=after,
        limit=limit + 1,
    )


Wanted = Annotated[CaseQuery, Depends(_wanted)]
"""Cases by deadline, the soonest due first: a member's own, or everybody's for staff."""


def member_named(service: Service, caller: Caller, member_id: str | None, *, required: bool = True) -> str | None:
    """Subject id of whom a request is about: members themselves, for staff whom they name.

    Raises
    ------
    Problem
        ``access-denied`` where a member names somebody else, ``member-unknown`` where staff name nobody and must.
    """
    named = None if member_id is None else service.subject_of(member_id)
    if caller.subject_id is not None:
        if named not in (None, caller.subject_id):
            raise Problem(PROBLEMS["access-denied"])
        return caller.subject_id
    if named is None and required:
        raise Problem(PROBLEMS["member-unknown"], "Staff say in member_id on whose behalf they ask.")
    return named


def page_of(found: list[RightsCase], limit: int, caller: Caller) -> CasesBody:
    """A page of cases, and where the next one begins.

    Parameters
    ----------
    found : list of RightsCase
        One more than ``limit`` where there is another page.
    limit : int
    caller : Caller
    """
    page = found[:limit]
    return CasesBody(
        cases=[shown(case, caller) for case in page], next=page[-1].case_id if len(found) > limit else None
    )


def shown(case: RightsCase, caller: Caller) -> CaseBody:
    """A case as whoever asks may see it."""
    return case_body(case, to_member=caller.subject_id is not None)
