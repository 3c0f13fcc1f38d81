"""A member's report as a file, in the language asked for."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from benne.explain.texts import LANGUAGES, Language
from benne.scoring.console.visit import Visit

__all__ = ["report"]

_FORMS: Final = ("html", "pdf")


def report(visit: Visit) -> Response:
    """The report, to keep or to hand over; a browser saves it and does not open it among our pages."""
    form = visit.asked("as", _FORMS, "html")
    language: Language = visit.asked("language", LANGUAGES, visit.texts.language)  # type: ignore[assignment]
    reports = visit.service.reports
    headers = {"Content-Disposition": f'attachment; filename="benne-report-{language}.{form}"'}
    if form == "pdf":
        made = reports.pdf(visit.subject_id, visit.doing, language)
        return Response(made, media_type="application/pdf", headers=headers)
    page = reports.html(visit.subject_id, visit.doing, language)
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)
