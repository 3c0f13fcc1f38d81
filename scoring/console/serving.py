"""Pages as routes: who asks, whether they may, what they sent, and what every answer carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from benne.errors import AccessDenied, BenneError
from benne.explain.texts import Language, texts_of
from benne.scoring.access.principal import Principal
from benne.scoring.api.problems import PROBLEMS
from benne.scoring.console.access import AREAS, PAGES_OF, area_of, may_open
from benne.scoring.console.cookies import remember_language, remember_session
from benne.scoring.console.every_page import PAGES, navigation
from benne.scoring.console.failures import failure_page, told_in_the_form, trouble_page
from benne.scoring.console.forms import TOKEN, Form, FormRefused, read_form
from benne.scoring.console.language import COOKIE, language_of
from benne.scoring.console.origin import came_from_here
from benne.scoring.console.parts import Parts, parts_of
from benne.scoring.console.registry import Page
from benne.scoring.console.sessions import Session
from benne.scoring.console.typed import keep_typed
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.service import Service

__all__ = ["console_routes", "unread_page"]

_FORM: Final = "application/x-www-form-urlencoded"
_SEE_OTHER: Final = 303
_UNREAD: Final = {408: "body-too-slow", 413: "body-too-large"}
_ZERO: Final = "\x00"
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
        try:
            body = await request.body() if page.method == "POST" else b""
        except HTTPException as error:  # from the edge: it is too large, or does not come
            return _unread(parts, request, _UNREAD[error.status_code])
        return await run_in_threadpool(_serve, parts, page, request, body)

    route = Route(page.path, endpoint, methods=[page.method], include_in_schema=False)
    return route


def unread_page(service: Service, random_bytes: Callable[[int], bytes]) -> Callable[[Scope, str], Response]:
    """What says, as a page, that what was sent could not be read; by the slug of the problem it is.

    Parameters
    ----------
    service : Service
    random_bytes : callable
    """
    parts = parts_of(service, random_bytes, navigation)

    return lambda scope, slug: _unread(parts, Request(scope), slug)


def _unread(parts: Parts, request: Request, slug: str) -> Response:
    visit = Visit(request=request, parts=parts, area=area_of(request.url.path), texts=texts_of(_language(request)))
    return _as_a_page(visit, trouble_page(visit, slug, PROBLEMS[slug].status))


def _serve(parts: Parts, page: Page, request: Request, body: bytes) -> Response:
    visit = Visit(request=request, parts=parts, area=area_of(page.path), texts=texts_of(_language(request)))
    response = _as_a_page(visit, _Serving(parts, page, visit, body).response())
    if request.query_params.get("lang") == visit.texts.language:
        remember_language(request, response, visit.texts.language)
    return response


def _language(request: Request) -> Language:
    asked, remembered = request.query_params.get("lang"), request.cookies.get(COOKIE)
    return language_of(asked, remembered, request.headers.get("accept-language"))


def _as_a_page(visit: Visit, response: Response) -> Response:
    """With what every answer carries."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Language", visit.texts.language)
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
        visit.form = self._form()
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

    def _form(self) -> Form:
        """What was sent; nothing where it is no form of ours, which then has no token either."""
        kind = self.visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.page.method != "POST" or not self.body or kind != _FORM:
            return Form()
        try:
            return read_form(self.body)
        except FormRefused:  # nothing may be shown for it before it is known who asks
            return Form()

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
        _refuse_what_no_store_takes(visit)
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
        nobody = visit.principal is None and PAGES_OF[self.page.method, self.page.path] is not None
        if self.page.again is None or nobody:
            return trouble_page(visit, "request-invalid", 422)
        try:
            return self.page.again(visit)
        except (BenneError, PageMissing) as error:
            visit.refused = None
            return failure_page(visit, error)


def _refuse_what_no_store_takes(visit: Visit) -> None:
    """PostgreSQL takes no text with a zero character; an id or a word never holds one."""
    request = visit.request
    if any(_ZERO in str(value) for value in (*request.path_params.values(), *request.query_params.values())):
        raise PageMissing
    if any(_ZERO in value for _, value in visit.form.fields):
        raise FormRefused("console.refused.control")
