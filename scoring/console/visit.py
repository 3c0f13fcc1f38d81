"""One request for a page: who asks, in which language, with what typed, and how it is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from benne.explain.texts import LANGUAGES, Texts
from benne.scoring.access.principal import Principal
from benne.scoring.console.access import AREAS, PAGES_OF, Area
from benne.scoring.console.forms import Form, FormRefused
from benne.scoring.console.language import HTML_LANG
from benne.scoring.console.parts import Parts
from benne.scoring.console.references import LookedUp
from benne.scoring.console.sessions import Session
from benne.scoring.decisions.request import Actor
from benne.scoring.members.recording import Doing
from benne.scoring.service import Service

__all__ = ["PageMissing", "Visit"]

_DONE: Final = re.compile(r"[a-z_]{1,40}")
_SEE_OTHER: Final = 303
_CASE_PAGES: Final = {"dispute": "disputes", "review": "reviews", "notice": "duties"}
_CASE_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HTMX: Final = json.dumps(
    {
        "allowEval": False,  # as the content security policy has it
        "includeIndicatorStyles": False,
        "historyEnabled": False,  # else pages about members would lie in the browser's storage
        "historyCacheSize": 0,
        "selfRequestsOnly": True,
        "allowScriptTags": False,
        "responseHandling": [{"code": "204", "swap": False}, {"code": ".*", "swap": True}],
    }
)


class PageMissing(Exception):
    """There is nothing at this address, or not for this session any more."""


@dataclass(kw_only=True)
class Visit:
    """One request for a page.

    Parameters
    ----------
    request : Request
    parts : Parts
        What the console is made of.
    area : {'console', 'me'}
    texts : Texts
        Of the page's language.
    principal : Principal or None
        Who asks; None on pages that anybody may open.
    session : Session or None
    form : Form
        Empty unless something was sent.
    refused : FormRefused or None
        What was wrong with the form, when the page is shown again with it.
    """

    request: Request
    parts: Parts
    area: Area
    texts: Texts
    principal: Principal | None = None
    session: Session | None = field(default=None, repr=False)
    form: Form = field(default_factory=Form)
    refused: FormRefused | None = None

    @property
    def service(self) -> Service:
        """What pages are served with."""
        return self.parts.service

    @property
    def who(self) -> Principal:
        """Who asks, on a page that asks for credentials."""
        if self.principal is None:
            raise PageMissing
        return self.principal

    @property
    def signed_in(self) -> Session:
        """The session, on a page that asks for credentials."""
        if self.session is None:
            raise PageMissing
        return self.session

    @property
    def actor(self) -> Actor:
        """As the audit chain names who asks."""
        return Actor(self.who.id, self.who.role)

    @property
    def own(self) -> str:
        """Subject id of the member who asks."""
        if self.who.subject_id is None:
            raise PageMissing
        return self.who.subject_id

    @property
    def looked_up(self) -> LookedUp:
        """The member of the path, and what they were looked up for."""
        found = self.parts.references.open(self.request.path_params["member"], self.signed_in.session_id)
        if found is None:
            raise PageMissing
        return found

    @property
    def subject_id(self) -> str:
        """Whom the page is about: the member of the path, or the member who asks."""
        return self.own if self.area == "me" else self.looked_up.subject_id

    @property
    def doing(self) -> Doing:
        """Who does something with the member's data, and for what."""
        return Doing(self.actor, None if self.area == "me" else self.looked_up.purpose)

    @property
    def at(self) -> str:
        """Where the pages about this member begin."""
        return AREAS["me"] if self.area == "me" else f"/console/members/{self.request.path_params['member']}"

    @property
    def case_page(self) -> str | None:
        """The case that the member was looked up for, if it was opened from one."""
        kind, _, number = self.looked_up.purpose.partition(":")
        return f"/console/{_CASE_PAGES[kind]}/{number}" if kind in _CASE_PAGES and _CASE_ID.fullmatch(number) else None

    @property
    def by_htmx(self) -> str | None:
        """Id of the element that htmx will replace; None for a whole page."""
        target = self.request.headers.get("hx-target", "")
        return target if self.request.headers.get("hx-request") and re.fullmatch(r"[a-z-]{1,40}", target) else None

    @property
    def here(self) -> str:
        """The page's address without what was asked of it; of a form that is no page too, where its area begins."""
        page = getattr(self.request.scope.get("route"), "path", "")
        return self.request.url.path if ("GET", page) in PAGES_OF else AREAS[self.area]

    def reference(self, subject_id: str, purpose: str) -> str:
        """A reference to a member for this session's paths."""
        return self.parts.references.make(LookedUp(subject_id, purpose), self.signed_in.session_id)

    def say(self, key: str, /, **values: object) -> str:
        """A text; on a member's own pages as it is said to themselves, where it is said to staff in another way."""
        own = f"member.instead.{key.removeprefix('console.')}"
        return self.texts.say(own if self.area == "me" and self.texts.has(own) else key, **values)

    def asked(self, name: str, allowed: Mapping[str, Any] | tuple[str, ...], default: str = "") -> str:
        """A word of the address, if it is one of those allowed."""
        value = self.request.query_params.get(name, default)
        return value if value in allowed else default

    def page_number(self) -> int:
        """Which page of a list is asked for, from 1."""
        value = self.request.query_params.get("page", "1")
        return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else 1

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, or just the element of it that htmx asked for."""
        block = self.by_htmx
        rendered = self.parts.pages.render(template, self._common() | values, block)
        return HTMLResponse(rendered, 422 if status == 200 and self.refused is not None else status)

    def go(self, path: str, done: str | None = None) -> Response:
        """On to another page, which says what was done."""
        return RedirectResponse(path + (f"?{urlencode({'done': done})}" if done else ""), _SEE_OTHER)

    def typed(self, name: str, default: str = "") -> str:
        """What was typed into a field, when a form is shown again."""
        return self.form.get(name) if self.refused is not None else default

    def chosen(self, name: str, value: str) -> bool:
        """Whether a box was switched on, when a form is shown again."""
        return self.refused is not None and value in self.form.all(name)

    def problem(self, name: str) -> str:
        """What is wrong with a field; empty if nothing is."""
        if self.refused is None or self.refused.field != name:
            return ""
        return self.say(self.refused.why, **self.refused.places)

    def _common(self) -> dict[str, Any]:
        done = self.request.query_params.get("done", "")
        key = f"console.done.{done}"
        return {
            "visit": self,
            "t": self.say,
            "texts": self.texts,
            "languages": LANGUAGES,
            "html_lang": HTML_LANG[self.texts.language],
            "htmx_config": _HTMX,
            "form_token": self.parts.sessions.form_token(self.session, self.area),
            "done": self.texts.say(key) if _DONE.fullmatch(done) and self.texts.has(key) else "",
            "refused": self.problem(self.refused.field) if self.refused else "",
            "navigation": self.parts.navigation(self),
        }
