"""Signing in and out: what the cookie is, how long it holds, and what ends it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from benne.scoring.api.app import create_app
from benne.scoring.console.sealed import Sealer
from benne.scoring.console.sessions import AT_MOST, IDLE
from tests.scoring.console.conftest import words
from tests.scoring.service.conftest import Running

MINUTE = timedelta(minutes=1)


def cookie_of(browser, key, area="console", **headers):
    sent = browser.client.post(f"/{area}/sign-in", data={"key": key}, headers=headers, follow_redirects=False)
    return next(line for name, line in sent.headers.multi_items() if name == "set-cookie" and "benne_" in line)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(running, browser):
    line = cookie_of(browser, running.key("compliance"))
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= set(line.split("; "))
    assert "Secure" not in line
    assert "Max-Age" not in line
    assert "Path=/me" in cookie_of(browser, running.member_key("kim"), "me")


def test_away_from_this_machine_the_cookie_goes_over_tls_alone(running, browser):
    assert "Secure" in cookie_of(browser, running.key("compliance"), host="scores.example.org").split("; ")
    by_proxy = {"host": "127.0.0.1:8350", "x-forwarded-for": "203.0.113.7"}
    assert "Secure" in cookie_of(browser, running.key("compliance"), **by_proxy).split("; ")


def test_the_cookie_shows_nothing_of_the_key(running, browser):
    key = running.key("compliance")
    line = cookie_of(browser, key)
    assert key not in line
    assert key.split("_")[2][:16] not in line


def test_a_session_ends_after_half_an_hour_of_nothing(browser, clock):
    browser.staff()
    clock.ahead += IDLE - MINUTE
    assert browser.get("/console/policies").status_code == 200
    clock.ahead += IDLE - MINUTE  # seen in between, so it goes on
    assert browser.get("/console/policies").status_code == 200
    clock.ahead += IDLE
    assert browser.get("/console/policies").status_code == 401


def test_a_session_ends_after_eight_hours_whatever_one_does(browser, clock):
    browser.staff()
    began = clock.ahead
    while clock.ahead - began < AT_MOST - 20 * MINUTE:
        clock.ahead += 20 * MINUTE
        assert browser.get("/console/policies").status_code == 200
    clock.ahead += 20 * MINUTE
    assert browser.get("/console/policies").status_code == 401


def test_a_key_that_is_revoked_opens_nothing_from_the_next_page_on(running, browser):
    key = browser.staff()
    assert browser.get("/console/policies").status_code == 200
    running.revoke(key)
    assert browser.get("/console/policies").status_code == 401


def test_signing_out_ends_the_session_and_every_copy_of_its_cookie(browser):
    browser.staff()
    copy = browser.client.cookies["benne_console"]
    assert "signed out" in words(browser.post("/console/sign-out"))
    assert "benne_console" not in browser.client.cookies
    browser.client.cookies.set("benne_console", copy, path="/console")
    assert browser.get("/console/policies").status_code == 401


def test_another_worker_knows_the_same_session(running, browser, open_browser):
    browser.staff()
    from fastapi.testclient import TestClient

    with TestClient(create_app(running.service, close=False), base_url="http://127.0.0.1") as other:
        other.cookies.set("benne_console", browser.client.cookies["benne_console"], path="/console")
        assert other.get("/console/policies").status_code == 200


@pytest.mark.parametrize(
    "spoil",
    [lambda c: c[:-2] + ("AA" if c[-2:] != "AA" else "BB"), lambda _: "1.", lambda _: "x", lambda c: "9" + c,
     lambda _: "1." + "A" * 60, lambda c: c.replace("1.", "99999999.")],
)  # fmt: skip
def test_a_cookie_that_was_tampered_with_is_no_session(browser, spoil):
    browser.staff()
    cookie = browser.client.cookies["benne_console"]
    browser.client.cookies.clear()
    browser.client.cookies.set("benne_console", spoil(cookie), path="/console")
    assert browser.client.get("/console/policies", follow_redirects=False).status_code == 303


def test_sessions_outlive_a_turn_of_the_ring_and_new_ones_are_under_the_new_key(browser, running):
    browser.staff()
    running.service.vault.keyring.rotate_domain("benne/console")
    assert browser.get("/console/policies").status_code == 200
    line = cookie_of(browser, running.key("compliance"))
    assert int(re.search(r"benne_console=(\d+)\.", line).group(1)) > 1


def test_what_is_sealed_for_one_thing_opens_for_no_other(running):
    sealer = Sealer(running.service.vault.keyring, lambda n: bytes(n))
    sealed = sealer.seal("member", b"x", "session")
    assert sealer.open("member", sealed, "session") == b"x"
    assert sealer.open("session", sealed, "session") is None
    assert sealer.open("member", sealed, "another") is None


def test_a_wrong_key_is_told_one_thing_whatever_is_wrong_and_ten_of_them_are_enough(running, browser, clock):
    revoked = running.key("compliance")
    running.revoke(revoked)
    said = {words(browser.sign_in(key)) for key in ("benne_x", revoked, "a.b.c", "", "x" * 4_000)}
    assert len(said) == 1
    for _ in range(5):
        assert browser.sign_in("benne_x").status_code == 401
    assert browser.sign_in("benne_x").status_code == 429
    clock.ahead += MINUTE
    assert browser.sign_in("benne_x").status_code == 401
    assert browser.sign_in("benne_x").status_code == 401
    assert browser.sign_in("benne_x").status_code == 429
    assert browser.sign_in(running.key("compliance")).status_code == 200, "behind a proxy all come from one address"


def test_a_key_for_the_interface_alone_is_told_so(running, browser):
    refused = browser.sign_in(running.key("recipient", recipient="shop"))
    assert refused.status_code == 403
    assert "not for these pages" in words(refused)


def test_whichever_sign_in_page_is_used_everybody_gets_to_their_own_pages(
    running: Running, browser, open_browser, anna
):
    assert browser.sign_in(running.member_key(anna), "console").url.path == "/me"
    other = open_browser()
    assert other.sign_in(running.key("admin"), "me").url.path == "/console/model"
