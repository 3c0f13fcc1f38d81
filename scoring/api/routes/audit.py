"""The audit chain verified, and any decision made again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.bodies import AuditBody, ReplayBody
from benne.scoring.api.problems import responses
from benne.scoring.audit.chain import verify

__all__ = ["router"]

router = APIRouter(tags=["audit"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = ("credentials-required", "access-denied")


@router.get("/v1/audit/verify", responses=responses(*_USUAL))
def verify_the_chain(request: Request, _: From) -> AuditBody:
    """Recompute every hash of the chain. Anchors outside the database are for `benne audit verify`."""
    with service_of(request).store.read() as connection:
        report = verify(connection)
    return AuditBody(
        intact=report.intact,
        records=report.records,
        head=report.head.hash,
        broken_at=report.broken_at,
        why=report.why,
    )


@router.get(
    "/v1/decisions/{decision_id}/replay", responses=responses(*_USUAL, "access-purpose-required", "decision-unknown")
)
def make_a_decision_again(decision_id: str, request: Request, caller: From) -> ReplayBody:
    """Make a decision again from what was kept of it, and hold it against the audit chain, to the bit."""
    made = service_of(request).replay(decision_id, caller.doing)
    return ReplayBody(
        decision_id=made.decision_id,
        outcome=made.outcome,
        differs_in=list(made.differs_in),
        model_id=made.model_id,
        audit_seq=made.audit_seq,
    )
