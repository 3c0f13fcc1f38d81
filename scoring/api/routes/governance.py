"""How the model that serves does, and what is on file about it; nothing of any member."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.governance_bodies import FilingBody, FilingsBody, ModelNamed, MonitoringBody
from benne.scoring.api.problems import responses
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.governance.filings import Filing, filings_of

__all__ = ["router"]

router = APIRouter(tags=["governance"])
From = Annotated[Caller, Depends(caller_of)]
_USUAL = responses("credentials-required", "access-denied")


@router.get("/v1/monitoring", responses=_USUAL)
def how_the_model_does(request: Request, _: From) -> MonitoringBody:
    """How the model that serves does, live: shifts, shares, refusals and open alerts; nothing that rests on few."""
    return MonitoringBody.model_validate(service_of(request).monitoring.report().as_dict())


@router.get("/v1/models/current/filings", responses=_USUAL)
def what_is_on_file(request: Request, _: From) -> FilingsBody:
    """Verdicts and documents about the model that serves, the newest first."""
    service = service_of(request)
    served = service.models.current
    with service.store.read() as connection:
        found = filings_of(connection, served.config_hash)
    named = ModelNamed(model_id=served.model_id, config_hash=served.config_hash)
    return FilingsBody(model=named, filings=[_body(one) for one in found])


def _body(filing: Filing) -> FilingBody:
    filed_at = from_microseconds(filing.filed_at_us).astimezone(UTC).isoformat(timespec="seconds")
    return FilingBody(
        filing_id=filing.filing_id, kind=filing.kind, content_hash=filing.content_hash, filed_at=filed_at,
        filed_by=filing.filed_by, whole=filing.whole, content=filing.content,
    )  # fmt: skip
