"""One service with its pages for all of these tests, and an HTTP client that plays a browser without JavaScript."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import count
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from benne.scoring.api.app import create_app
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.wiring import system_clock
from tests.scoring.service.conftest import Running, TermsDraft, model_folder, verdicts, write_terms

__all__ = ["model_folder", "verdicts"]

HERE = "http://127.0.0.1"


class Clock:
    """The system's clock, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


@dataclass
class Browser:
    """A browser without JavaScript, with cookies of its own."""

    running: Running
    client: TestClient
    tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=headers)

    def sign_in(self, key: str, area: str = "console", **more: str) -> Response:
        self.tokens.clear()
        return self.client.post(f"/{area}/sign-in", data={"key": key, **more})

    def token(self, area: str = "console") -> str:
        """The form token of whoever is signed in, off one of their pages."""
        if area not in self.tokens:
            page = self.get("/me/erase" if area == "me" else "/console/members")
            if page.status_code == 403:  # an administrator's
                page = self.get("/console/policies")
            self.tokens[area] = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text).group(1)
        return self.tokens[area]

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Response:
        area = "me" if path.startswith("/me") else "console"
        return self.client.post(path, data={"form_token": self.token(area), **(fields or {})}, headers=headers)

    def staff(self) -> str:
        key = self.running.key("compliance")
        assert self.sign_in(key).status_code == 200
        return key

    def member(self, member_id: str) -> str:
        key = self.running.member_key(member_id)
        assert self.sign_in(key, "me").status_code == 200
        return key

    def look_up(self, member_id: str, what_for: str = "dispute", case: str = "4711") -> str:
        """Look a member up; gives the address of their page."""
        found = self.post("/console/members", {"member_id": member_id, "what_for": what_for, "case": case})
        assert found.status_code == 200, words(found)
        return str(found.url.path)


def words(page: Response) -> str:
    """What a page says, without its tags."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


class Tags(HTMLParser):
    """Every tag of a page with its attributes, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, model_folder: Any, verdicts: Any) -> Iterator[Running]:
    """A service that is laid out once; every test has members of its own in it."""
    folder = tmp_path_factory.mktemp("console")
    (folder / "terms").mkdir()
    for purpose, recipient in (("lending", "shop"), ("own_report", "platform")):
        draft = TermsDraft(purpose, recipient, "Example Ltd", granularity="exact")
        write_terms(folder / "terms" / f"{purpose}.toml", draft)
    laid_out = lay_out(folder / "service", model_folder, validated_in=verdicts, terms=folder / "terms")
    service = open_service(read_settings(laid_out.home, rate_per_second=0, access_cache_seconds=0))
    running = Running(service, laid_out.admin_key)
    running.register("shop", ("lending",))
    yield running
    service.close()


@pytest.fixture(scope="session")
def one_clock() -> Clock:
    return Clock()


@pytest.fixture
def clock(one_clock: Clock) -> Iterator[Clock]:
    """Moved on by a test, and back where the test ends."""
    yield one_clock
    one_clock.ahead = timedelta(0)


@pytest.fixture(scope="session")
def on_the_clock(shared: Running, one_clock: Clock) -> Running:
    """The shared service, of which the console alone is on a clock that tests move."""
    return replace(shared, service=replace(shared.service, clock=one_clock))


@pytest.fixture
def running(on_the_clock: Running) -> Running:
    return on_the_clock


@pytest.fixture(scope="session")
def app(on_the_clock: Running) -> FastAPI:
    return create_app(on_the_clock.service, close=False)


_NUMBER = count(1)


@pytest.fixture
def open_browser(running: Running, app: FastAPI) -> Iterator[Callable[[], Browser]]:
    """Opens browsers on one application, each from an address of its own."""
    opened = []

    def browser() -> Browser:
        client = TestClient(
            app, base_url=HERE, raise_server_exceptions=False, client=(f"browser-{next(_NUMBER)}", 50_000)
        )
        opened.append(client)
        return Browser(running, client)

    yield browser
    for client in opened:
        client.close()


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()


@pytest.fixture
def anna(running: Running) -> str:
    """A member who consents to everything and has been scored for themselves."""
    member_id = f"anna-{next(_NUMBER)}"
    for offer in ("lending", "own_report"):
        running.grant(member_id, offer=offer)
    running.know(member_id)
    running.know(member_id, purpose="own_report", recipient="platform")
    return member_id


@pytest.fixture
def scored(anna: str, open_browser: Callable[[], Browser]) -> str:
    """Anna, with one decision on record."""
    browser = open_browser()
    browser.member(anna)
    assert "done=scored" in str(browser.post("/me").url)
    return anna
