"""The authorisation table of pages: every page × role, walked."""

from __future__ import annotations

from starlette.routing import Route

from benne.scoring.api.app import create_app
from benne.scoring.console.access import AREAS, PAGES_OF, area_of, may_open
from benne.scoring.console.every_page import PAGES

ROLES = ("recipient", "member", "compliance", "data_scientist", "admin")
ANYBODY = [page for page, roles in PAGES_OF.items() if roles is None]
ENDING = {("POST", "/console/sign-out"), ("POST", "/me/sign-out"), ("POST", "/me/erase")}


def address(path: str, member: str) -> str:
    places = {"record_id": "r-1", "case_id": "0-1", "notice_id": "0-2", "file": "console.css", "rest": "x",
              "config_hash": "ab" * 32, "filing_id": "0-3"}  # fmt: skip
    return path.replace(":path", "").format(member=member, **places)


def test_every_page_is_in_the_table_and_every_line_of_it_is_a_page(running):
    assert {(page.method, page.path) for page in PAGES} == set(PAGES_OF)
    served = {
        (method, route.path)
        for route in create_app(running.service, close=False).routes
        if isinstance(route, Route) and route.path.startswith(tuple(AREAS.values()))
        for method in route.methods - {"HEAD"}
    }
    assert served == set(PAGES_OF)


def test_what_is_not_in_the_table_is_open_to_nobody():
    assert not any(may_open(role, "GET", "/console/payroll") for role in ROLES)
    assert not any(may_open(role, "DELETE", "/console/queue") for role in ROLES)


def test_every_role_opens_exactly_the_pages_that_the_table_says(running, open_browser, anna):
    keys = {role: running.key(role) for role in ("compliance", "data_scientist", "admin")}
    keys |= {"recipient": running.key("recipient", recipient="shop"), "member": running.member_key(anna)}
    staff = open_browser()
    staff.staff()
    stranger, walked = staff.look_up(anna).rsplit("/", 1)[1], 0
    for role, key in keys.items():
        browser = open_browser()
        area = "me" if role == "member" else "console"
        signed_in = browser.sign_in(key, area).status_code == 200
        assert signed_in == (role in ("member", "compliance", "data_scientist", "admin"))
        member = stranger
        if role == "compliance":
            member = browser.look_up(anna).rsplit("/", 1)[1]
        for (method, path), roles in PAGES_OF.items():
            if roles is None or (method, path) in ENDING or area_of(path) != area:
                continue
            url = address(path, member)
            if not signed_in:
                sent = browser.client.request(method, url, follow_redirects=False)
                assert (sent.status_code, sent.headers["location"]) == (303, "/console/sign-in"), url
            else:
                sent = browser.get(url) if method == "GET" else browser.post(url)
                assert (sent.status_code == 403) == (role not in roles), (role, method, url, sent.status_code)
                assert sent.status_code != 500, (role, method, url)
            walked += 1
    assert walked > 130


def test_nobody_opens_a_page_without_signing_in(browser):
    for method, path in PAGES_OF.keys() - set(ANYBODY):
        sent = browser.client.request(method, address(path, "1.abc"), follow_redirects=False)
        assert sent.status_code == 303, path
        assert sent.headers["location"] == f"{AREAS[area_of(path)]}/sign-in"


def test_a_form_that_cannot_be_read_shows_nobody_the_page_it_was_sent_to(browser):
    """It was once answered with the form again, before anybody had asked who sent it."""
    too_many = "&".join(f"field{k}=x" for k in range(200))
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    for method, path in PAGES_OF.keys() - set(ANYBODY):
        if method == "POST":
            sent = browser.client.post(
                address(path, "1.abc"), content=too_many, headers=as_form, follow_redirects=False
            )
            assert sent.status_code == 303, path
    browser.staff()
    assert browser.client.post("/console/audit", content=too_many, headers=as_form).status_code == 403


def test_a_members_cookie_opens_nothing_of_the_staffs_and_the_other_way_round(browser, anna):
    browser.member(anna)
    cookie = browser.client.cookies["benne_me"]
    browser.client.cookies.clear()
    browser.client.cookies.set("benne_console", cookie)
    assert browser.client.get("/console/queue", follow_redirects=False).headers["location"] == "/console/sign-in"


def test_a_bearer_token_opens_the_interface_and_no_page(running, browser):
    bearer = {"Authorization": f"Bearer {running.key('compliance')}"}
    assert browser.client.get("/v1/policies", headers=bearer).status_code == 200
    assert browser.client.get("/console/policies", headers=bearer, follow_redirects=False).status_code == 303


def test_pages_are_left_out_where_the_settings_say_so(running):
    from dataclasses import replace

    settings = running.service.settings.model_copy(update={"console": False})
    app = create_app(replace(running.service, settings=settings), close=False)
    assert not any(getattr(route, "path", "").startswith(("/console", "/me")) for route in app.routes)
