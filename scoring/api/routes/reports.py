"""A member's report to keep or print: as a page, and as PDF."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from benne.explain.report.style import CONTENT_SECURITY_POLICY
from benne.explain.texts import Language
from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.problems import responses

__all__ = ["router"]

router = APIRouter(tags=["members"])
From = Annotated[Caller, Depends(caller_of)]
In = Annotated[Language, Query(description="The language of the report.")]
_USUAL: Final = ("credentials-required", "access-denied", "access-purpose-required")
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/v1/members/{member}/report.html", response_class=HTMLResponse, responses=responses(*_USUAL))
def report_as_page(request: Request, caller: From, language: In = "en") -> HTMLResponse:
    """The member's report as a page that needs nothing else; where no score may be shown, it says why."""
    page = service_of(request).reports.html(caller.member, caller.doing, language)
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get("/v1/members/{member}/report.pdf", response_class=Response, responses={**responses(*_USUAL), **_PDF})
def report_as_pdf(request: Request, caller: From, language: In = "en") -> Response:
    """The member's report as PDF for print and screen readers; where no score may be shown, it says why."""
    made = service_of(request).reports.pdf(caller.member, caller.doing, language)
    disposition = 'attachment; filename="benne-report.pdf"'
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": disposition})
