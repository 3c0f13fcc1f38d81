"""A real platform, served; a real browser in front of it; and axe-core, which looks for what keeps people out.

Where Chromium or axe-core is missing the tests skip and say how to get it; ``.ci/run`` installs both.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import Site, served_site

PLAYWRIGHT = importlib.util.find_spec("playwright") is not None

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, and say what to install."""
    here = [item for item in items if Path(item.path).parent == Path(__file__).parent]
    missing = [
        how
        for there, how in (
            (PLAYWRIGHT, "Playwright is not installed: pip install playwright"),
            (CHROMIUM is not None, "Chromium is not installed: apt-get install chromium"),
        )
        if not there
    ]
    for item in here if missing else ():
        item.add_marker(pytest.mark.skip(reason="; ".join(missing)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served_site(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for the tests of one file: while Playwright runs, no other test in this process can run a loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Tab:
    """A page of the browser, and the words one uses it with."""

    def __init__(self, site: Site, page: Any) -> None:
        self.site, self.page = site, page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.set_default_timeout(10_000)

    def go(self, path: str) -> None:
        answer = self.page.goto(f"{self.site.address}{path}")
        assert answer.status < 400, (path, answer.status)

    def sign_in(self, key: str, area: str = "console") -> None:
        self.go(f"/{area}/sign-in")
        self.page.fill("#key", key)
        self.page.click("button.main")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    @property
    def path(self) -> str:
        return str(self.page.url).removeprefix(self.site.address)

    def says(self) -> str:
        return " ".join(self.page.locator("main").inner_text().split())

    def press(self, words: str) -> None:
        """Press a button that changes this page; what comes of it must be waited for."""
        self.page.get_by_role("button", name=words).first.click()

    def send(self, words: str) -> None:
        """Press a button that sends a form, and wait for the page that answers."""
        with self.page.expect_navigation():
            self.press(words)


@pytest.fixture
def open_tab(site: Site, chromium: Any) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, each with cookies of its own; at the end none has complained of anything."""
    contexts, tabs = [], []

    def tab(**options: Any) -> Tab:
        context = chromium.new_context(accept_downloads=True, locale="en-GB", **options)
        contexts.append(context)
        tabs.append(Tab(site, context.new_page()))
        return tabs[-1]

    yield tab
    for context in contexts:
        context.close()
    assert [tab.complaints for tab in tabs if tab.complaints] == []


@pytest.fixture(scope="session")
def violations() -> Callable[[Tab], list[str]]:
    """What axe-core finds on a page that keeps somebody out: rule, and the first element it is about."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci --prefix tests/browser")
    source = AXE.read_text("utf-8")

    def found(tab: Tab) -> list[str]:
        tab.page.evaluate(source)
        found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [
            f"{one['id']} ({one['impact']}): {json.dumps(one['nodes'][0]['html'])}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    return found
