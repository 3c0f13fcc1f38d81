"""axe-core on every page, in both languages and both colour schemes: nothing serious, nothing critical."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pytest

from benne.scoring.console.access import PAGES_OF
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import file_document
from benne.scoring.rollout.shadow_counts import Lines, count_pair
from benne.scoring.store.governance_tables import model_rollouts
from tests.scoring.monitoring.conftest import refused, scored_pass

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
            "/me/disputes/": dispute, "notice_id": notice, **governed(site)}  # fmt: skip


def governed(site):
    """A document on file, counts that have moved, and a challenger in the shadow: pages with everything on them."""
    service = site.service
    served, event_id = service.models.current, service.ids()
    content = {
        "format": 1, "kind": "fairness", "model": {"model_id": served.model_id, "config_hash": served.config_hash},
        "made_at": "2026-03-01T00:00:00Z", "by": "ann", "notes": ["On simulated members."], "seed": 7,
        "measures": {"fairness.flip_test": {"value": 0, "low": None, "high": None, "n": 900, "state": "measured",
                                            "note": ""}},
        "tables": {"by_group": [{"group": "a", "n": 450, "rate": 0.5}, {"group": "b", "n": 450, "rate": 0.4}]},
    }  # fmt: skip
    filing = file_document(content, actor=Actor("ann", "data_scientist"), event_id=event_id, policy_version="1")
    service.group.submit(filing)
    service.monitoring.watch(scored_pass(served, np.full((300, len(served.names)), 1e9), score=420.0, band="poor"))
    service.monitoring.watch([refused("consent-required")] * 60)
    service.monitoring.evaluate()
    step = {"seq": 1, "rollout_id": "r-1", "state": "shadow", "model_id": "benne/2222222222222222",
            "config_hash": "2" * 64, "share_basis_points": 0, "salt": "ab" * 16, "promotion_seq": 1, "reason": None,
            "changed_at_us": 7, "actor_id": "ops"}  # fmt: skip
    before, after = np.array([620.0] * 30 + [590.0] * 20), np.array([660.0] * 30 + [610.0] * 20)
    lines = [Lines(score, np.full(50, 0.1), {"base": np.full(50, 600.0), "ability": score - 600})
             for score in (before, after)]  # fmt: skip
    count_pair(service.monitoring.counts, "r-1", *lines)
    service.monitoring.gather()
    with service.store.write() as connection:
        connection.execute(model_rollouts.insert(), step)
    return {"config_hash": served.config_hash, "filing_id": event_id}


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
        yield path.format(
            member=cases["member"], case_id=case, notice_id=cases["notice_id"], config_hash=cases["config_hash"],
            filing_id=cases["filing_id"],
        )  # fmt: skip


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
    assert seen >= 29


def test_what_keeps_somebody_out_would_be_found(open_once, violations):
    open_once.go("/console/sign-in")
    open_once.page.evaluate("document.querySelector('label[for=key]').remove()")
    assert any(one.startswith("label (critical)") for one in violations(open_once))
