"""The audit chain, verified hash by hash and held against its anchors, a stretch at a time."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from benne.errors import BenneError
from benne.scoring.audit.anchor import Anchor, AnchorFile
from benne.scoring.audit.chain import head
from benne.scoring.audit.key_files import read_public_key
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.registry import Page
from benne.scoring.console.verifying import STRETCH, Walk, walk_on
from benne.scoring.console.visit import Visit
from benne.scoring.settings import Settings

__all__ = ["PAGES"]

_BY_HAND: Final = 10 * STRETCH
"""Records in a request without JavaScript, where somebody presses a button for each."""


def show(visit: Visit) -> Response:
    """How long the chain is and where it ends, before anything is verified."""
    with visit.service.store.read() as connection:
        last = head(connection)
    return visit.show("audit", last=last, walk=None, sealed="", **_anchored(visit.service.settings))


def verify(visit: Visit) -> Response:
    """Verify the next stretch; without JavaScript a button goes on, with it the page does so by itself."""
    sealer, session_id, sent = visit.parts.sealer, visit.signed_in.session_id, visit.form.get("walk")
    walk = Walk.read(sealer, sent, session_id)
    if sent and walk is None:
        raise FormRefused("console.refused.form")
    anchored = _anchored(visit.service.settings)
    with visit.service.store.read() as connection:
        records = STRETCH if visit.by_htmx else _BY_HAND
        found = walk_on(connection, walk or Walk.begin(), anchored["anchors"], records=records)
        last = head(connection)
    return visit.show("audit", last=last, walk=found, sealed=found.sealed(sealer, session_id), **anchored)


def _anchored(settings: Settings) -> dict[str, Any]:
    """The anchors, if the settings name any; what is wrong with them is shown and never passed over."""
    if settings.anchors is None or settings.anchors_public_key is None:
        return {"anchors": [], "anchor": None, "anchors_wrong": False, "anchors_named": False}
    try:
        key = read_public_key(settings.home / settings.anchors_public_key)
        anchors: list[Anchor] = list(AnchorFile(settings.home / settings.anchors, key).read())
    except BenneError:
        return {"anchors": [], "anchor": None, "anchors_wrong": True, "anchors_named": True}
    return {"anchors": anchors, "anchor": anchors[-1] if anchors else None, "anchors_wrong": False,
            "anchors_named": True}  # fmt: skip


PAGES = (
    Page("GET", "/console/audit", show, entry="console.navigation.audit"),
    Page("POST", "/console/audit", verify, again=show),
)
