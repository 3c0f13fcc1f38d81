"""What a member was told, word for word; reading it counts as having got it."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from benne.scoring.console.registry import Page
from benne.scoring.console.visit import PageMissing, Visit

__all__ = ["PAGES"]

_AT: Final = "/me/notices"
_SHOWN: Final = 50
_ID: Final = re.compile(r"[0-9a-f-]{1,36}")


def show(visit: Visit) -> Response:
    """Every notice, the newest first."""
    found = visit.service.notices.find(visit.doing, subject_id=visit.own, limit=_SHOWN)
    return visit.show("my_notices", notices=found)


def read(visit: Visit) -> Response:
    """One notice."""
    notice_id = str(visit.request.path_params["notice_id"])
    if not _ID.fullmatch(notice_id):
        raise PageMissing
    return visit.show("my_notice", notice=visit.service.notices.read(notice_id, visit.doing, subject_id=visit.own))


PAGES = (
    Page("GET", _AT, show, entry="member.navigation.notices"),
    Page("GET", f"{_AT}/{{notice_id}}", read),
)
