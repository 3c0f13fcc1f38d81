"""axe-core on every page, in both languages and both colour schemes: nothing serious, nothing critical."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from benne.scoring.console.access import PAGES_OF

FILES = ("{rest:path}", "/receipt", "/report", "/export", "/static/{file}")
HOMES = {"/console"}


@pytest.fixture(scope="module")
def cases(site, open_once):
    """A member with a score, a dispute, a review and a notice; the addresses of every page about them."""
    member = site.shown.consenting
    site.consent(member)
    tab = open_once
    tab.sign_in(site.key("member", member), "me")
    tab.send("Make my score now")
    tab.go("/me/disputes")
    tab.page.locator("input[value=personal_data]").check()
    tab.page.fill("#text", "My name is misspelt.")
    tab.send("Open the dispute")
    dispute = tab.path.partition("?")[0].rsplit("/", 1)[1]
    tab.go("/me/disputes")
    tab.page.select_option("#review_decision", index=1)
    tab.send("Ask for a review")
    overdue(site, dispute)
    tab.sign_in(site.key("compliance"))
    tab.go("/console/queue?kind=review")
    review = tab.page.locator("tbody a").first.get_attribute("href").rsplit("/", 1)[1]
    tab.go(f"/console/disputes/{dispute}")
    tab.page.locator("input[value=not_corrected]").check()
    tab.page.fill("#answer", "It is spelt as in the register.")
    tab.send("Send the answer")
    tab.go(f"/console/disputes/{dispute}")
    tab.page.get_by_role("link", name="The member's page").click()
    at = tab.path
    tab.go(f"{at}/notices")
    notice = re.search(r"/notices/([0-9a-f-]+)", tab.page.content()).group(1)
    return {"member": at.rsplit("/", 1)[1], "/console/disputes/": dispute, "/console/reviews/": review,
            "/me/disputes/": dispute, "notice_id": notice}  # fmt: skip


def overdue(site, case):
    """Let a deadline have passed, so that the queue shows what it shows then."""
    passed = int((site.service.clock() - timedelta(days=2)).timestamp() * 1e6)
    with site.service.store.write() as connection:
        connection.exec_driver_sql("UPDATE rights_cases SET due_at_us = ? WHERE case_id = ?", (passed, case))


@pytest.fixture(scope="module")
def open_once(site, chromium):
    """One tab for the whole of this module: a reference to a member opens in its own session alone."""
    from tests.browser.conftest import Tab

    context = chromium.new_context(locale="en-GB")
    yield Tab(site, context.new_page())
    context.close()


def addresses(cases):
    for method, path in PAGES_OF:
        if method != "GET" or path.endswith(FILES) or path in HOMES:
            continue
        case = next((cases[begin] for begin in cases if path.startswith(begin)), None)
        if "{case_id}" in path and case is None:
            continue  # a notice that is due: none is here
        yield path.format(member=cases["member"], case_id=case, notice_id=cases["notice_id"])


@pytest.mark.parametrize(("language", "scheme", "width"), [("en", "light", 390), ("zh", "dark", 1280)])
def test_no_page_keeps_anybody_out(open_once, cases, violations, language, scheme, width):
    tab, found, seen = open_once, {}, 0
    tab.page.emulate_media(color_scheme=scheme)
    tab.page.set_viewport_size({"width": width, "height": 844})
    for address in addresses(cases):
        tab.go(f"{address}?lang={language}")
        tab.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        wrong = violations(tab)
        if tab.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append("sticks out")
        if wrong:
            found[address.replace(cases["member"], "…")] = wrong
        seen += 1
    assert found == {}
    assert seen >= 25


def test_what_keeps_somebody_out_would_be_found(open_once, violations):
    open_once.go("/console/sign-in")
    open_once.page.evaluate("document.querySelector('label[for=key]').remove()")
    assert any(one.startswith("label (critical)") for one in violations(open_once))
