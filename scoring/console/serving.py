"""Pages as routes: who asks, whether they may, what they sent, and what every answer carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from benne.errors import AccessDenied, BenneError
from benne.explain.texts import texts_of
from benne.scoring.access.principal import Principal
from benne.scoring.console.access import AREAS, PAGES_OF, area_of, may_open
from benne.scoring.console.cookies import remember_language, remember_session
from benne.scoring.console.every_page import PAGES, navigation
from benne.scoring.console.failures import failure_page, told_in_the_form, trouble_page
from benne.scoring.console.forms import TOKEN, FormRefused, read_form
from benne.scoring.console.language import COOKIE, language_of
from benne.scoring.console.origin import came_from_here
from benne.scoring.console.parts import Parts, parts_of
from benne.scoring.console.registry import Page
from benne.scoring.console.sessions import Session
from benne.scoring.console.typed import keep_typed
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.service import Service

__all__ = ["console_routes"]

_FORM: Final = "application/x-www-form-urlencoded"
_SEE_OTHER: Final = 303
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def console_routes(service: Service, random_bytes: Callable[[int], bytes]) -> list[Route]:
    """Every page as a route; a page that the authorisation table does not name is not served.

    Parameters
    ----------
    service : Service
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.
    """
    parts = parts_of(service, random_bytes, navigation)
    served = (page for page in PAGES if (page.method, page.path) in PAGES_OF)
    return [_route(parts, page) for page in served]


def _route(parts: Parts, page: Page) -> Route:
    async def endpoint(request: Request) -> Response:
        request.scope["route"] = route  # for logs and metrics, which name the page and never the address
        body = await request.body() if page.method == "POST" else b""
        return await run_in_threadpool(_serve, parts, page, request, body)

    route = Route(page.path, endpoint, methods=[page.method], include_in_schema=False)
    return route


def _serve(parts: Parts, page: Page, request: Request, body: bytes) -> Response:
    asked, remembered = request.query_params.get("lang"), request.cookies.get(COOKIE)
    language = language_of(asked, remembered, request.headers.get("accept-language"))
    visit = Visit(request=request, parts=parts, area=area_of(page.path), texts=texts_of(language))
    response = _Serving(parts, page, visit, body).response()
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Language", language)
    if asked == language:
        remember_language(request, response, language)
    return response


@dataclass(frozen=True, slots=True)
class _Serving:
    """One request on its way through the checks, each of which may answer it."""

    parts: Parts
    page: Page
    visit: Visit
    body: bytes

    def response(self) -> Response:
        try:
            return self._admitted() or self._answered()
        except FormRefused as refused:
            return self._again(refused)
        except BenneError as error:
            told = told_in_the_form(error) if self.page.method == "POST" else None
            return failure_page(self.visit, error) if told is None else self._again(told)
        except Exception as error:  # noqa: BLE001 - what is not ours is logged by its class and told as unexpected
            return failure_page(self.visit, error)

    def _admitted(self) -> Response | None:
        """Let through who may open the page; or what they are told instead."""
        visit, page = self.visit, self.page
        sent_as_form = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
        if page.method == "POST" and self.body and sent_as_form:
            visit.form = read_form(self.body)
        if page.method == "POST" and not came_from_here(visit.request):
            return trouble_page(visit, "form-from-elsewhere", 403)
        if PAGES_OF[page.method, page.path] is None:
            return None
        session = self.parts.sessions.read(visit.area, visit.request.cookies.get(f"benne_{visit.area}"))
        if session is None:
            return RedirectResponse(f"{AREAS[visit.area]}/sign-in", _SEE_OTHER)
        principal = self._principal(session)
        ours = page.method == "GET" or self.parts.sessions.is_form_token(session, visit.area, visit.form.get(TOKEN))
        if principal is None:
            return self._sign_in_again(session, ours)
        visit.session, visit.principal = session, principal
        self.parts.service.limits.take(principal)
        if not may_open(principal.role, page.method, page.path):
            return trouble_page(visit, "access-denied", 403)
        return None if ours else trouble_page(visit, "form-from-elsewhere", 403)

    def _principal(self, session: Session) -> Principal | None:
        """Who that is now; None once the session is over or its credential opens nothing any more."""
        if self.parts.sessions.state(session) == "over":
            return None
        service = self.parts.service
        try:
            with service.store.read() as connection:
                return service.authenticator.authenticate(connection, session.authorization)
        except AccessDenied:
            return None

    def _sign_in_again(self, session: Session, ours: bool) -> Response:
        """The sign-in page in the place of the one asked for; it holds what was typed."""
        visit, request = self.visit, self.visit.request
        if visit.by_htmx:
            return visit.show("fragment", 401, trouble="signed-out")
        fields = visit.form.typed() if ours else []
        method = self.page.method if ours else "GET"
        path = request.url.path if ours else AREAS[visit.area]
        now = self.parts.service.clock()
        kept = keep_typed(self.parts.sealer, session, (method, path), fields, now)
        return visit.show("sign_in", 401, kept=kept, typed=bool(fields), why="")

    def _answered(self) -> Response:
        visit = self.visit
        response = self.page.view(visit)
        if visit.session is not None and self.page.path != f"{AREAS[visit.area]}/sign-out":
            renewed = self.parts.sessions.renewed(visit.session)
            if renewed is not None:
                remember_session(visit.request, response, visit.area, self.parts.sessions.cookie(renewed))
        return response

    def _again(self, refused: FormRefused) -> Response:
        """The form once more, with what was typed and what is wrong with it."""
        visit = self.visit
        visit.refused = refused
        if self.page.again is None:
            return trouble_page(visit, "request-invalid", 422)
        try:
            return self.page.again(visit)
        except (BenneError, PageMissing) as error:
            visit.refused = None
            return failure_page(visit, error)
