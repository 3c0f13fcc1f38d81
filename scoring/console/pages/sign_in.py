"""Signing in with a key of access or a token of the platform's identity provider, and signing out."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from benne.errors import AccessDenied, CredentialError
from benne.scoring.access.principal import Principal
from benne.scoring.console.access import AREAS, Area
from benne.scoring.console.cookies import forget_session, remember_session
from benne.scoring.console.registry import Page
from benne.scoring.console.typed import FIELD, Typed, typed_before
from benne.scoring.console.visit import Visit

__all__ = ["PAGES"]

_SEE_OTHER = 303
_AREA_OF_ROLE: dict[str, Area] = {
    "member": "me", "compliance": "console", "admin": "console", "data_scientist": "console",
}  # fmt: skip
_LONGEST = 3_000  # characters of a credential


def show(visit: Visit) -> Response:
    """The form that takes a key of access."""
    return visit.show("sign_in", kept="", typed=False, why="")


def sign_in(visit: Visit) -> Response:
    """Look the credential up; what was typed before the session ended is shown again, and not sent.

    Whoever has a key gets in, however many others failed: behind a proxy all of them come from one address.
    """
    address = visit.request.client.host if visit.request.client else "unknown"
    principal = _principal(visit)
    area = None if principal is None else _AREA_OF_ROLE.get(principal.role)
    if principal is None or area is None:
        if not visit.parts.attempts.may_try(address):
            return _refused(visit, "too_many", 429)
        visit.parts.attempts.failed(address)
        return _refused(visit, "unknown" if principal is None else "not_for_pages", 401 if principal is None else 403)
    return _welcome(visit, principal, area)


def sign_out(visit: Visit) -> Response:
    """End the session: the cookie goes, and a copy of it opens nothing."""
    visit.parts.sessions.end(visit.signed_in)
    response = RedirectResponse(f"{AREAS[visit.area]}/sign-in?done=signed_out", _SEE_OTHER)
    forget_session(visit.request, response, visit.area)
    return response


def _principal(visit: Visit) -> Principal | None:
    credential = visit.form.get("key")
    if not credential or len(credential) > _LONGEST:
        return None
    service = visit.service
    try:
        with service.store.read() as connection:
            return service.authenticator.authenticate(connection, f"Bearer {credential}")
    except AccessDenied:
        return None


def _refused(visit: Visit, why: str, status: int) -> Response:
    return visit.show("sign_in", status, kept=visit.form.get(FIELD), typed=False, why=why)


def _welcome(visit: Visit, principal: Principal, area: Area) -> Response:
    owner = principal.subject_id or principal.id
    kept = typed_before(visit.parts.sealer, area, visit.form.get(FIELD), visit.service.clock())
    goes_on = kept is not None and kept.owner == owner
    session = visit.parts.sessions.begin(
        area, visit.form.get("key"), owner, kept.session_id if kept and goes_on else None
    )
    visit.session, visit.principal, visit.area = session, principal, area
    response = _landing(visit, kept, goes_on)
    try:
        remember_session(visit.request, response, area, visit.parts.sessions.cookie(session))
    except CredentialError:
        visit.session = visit.principal = None
        return _refused(visit, "too_long", 400)
    return response


def _landing(visit: Visit, kept: Typed | None, goes_on: bool) -> Response:
    if kept is None:
        return visit.go(AREAS[visit.area])
    if not goes_on:
        return visit.go(AREAS[visit.area], "somebody_else" if kept.fields else None)
    if kept.method == "GET":
        return visit.go(kept.path)
    return visit.show("typed", path=kept.path, fields=kept.fields)


PAGES = (
    Page("GET", "/console/sign-in", show),
    Page("POST", "/console/sign-in", sign_in, again=show),
    Page("POST", "/console/sign-out", sign_out),
    Page("GET", "/me/sign-in", show),
    Page("POST", "/me/sign-in", sign_in, again=show),
    Page("POST", "/me/sign-out", sign_out),
)
