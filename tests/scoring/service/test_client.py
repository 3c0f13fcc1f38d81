"""The client: every route of the interface has a word for it, answers are typed, problems are errors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from benne.errors import ProblemReceived
from benne.features.categories import CATEGORIES
from benne.scoring.api.access import ACCESS
from benne.scoring.client import BenneClient

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FOR_MACHINES = {"/.well-known/jwks.json", "/problems/{slug}", "/healthz", "/readyz", "/metrics", "/openapi.json"}
CHOICE = {"offer": "own_report", "categories": list(CATEGORIES), "channel": "app", "method": "toggle_switched_on",
          "steps": 1}  # fmt: skip


class Passing(httpx2.BaseTransport):
    """Hands requests on to a test client, and notes which routes they were for."""

    def __init__(self, client):
        self._client, self.asked = client, set()

    def handle_request(self, request):
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
        url = request.url.raw_path.decode()
        got = self._client.request(request.method, url, content=request.read(), headers=headers)
        self.asked.add((request.method, url.partition("?")[0]))
        return httpx2.Response(got.status_code, headers=got.headers.raw, content=got.content)


class Saying(httpx2.BaseTransport):
    """Says what it was told to, one after another."""

    def __init__(self, *answers):
        self._answers, self.asked = list(answers), []

    def handle_request(self, request):
        self.asked.append(request)
        return self._answers.pop(0)


@pytest.fixture
def passing(client):
    return Passing(client)


def as_(passing, key, **given):
    return BenneClient("http://test", key, transport=passing, **given)


def test_every_route_of_the_interface_has_a_method(running, passing):
    shop, anna = as_(passing, running.register()), as_(passing, running.member_key("anna"))
    staff = as_(passing, running.key("compliance"), access_purpose="dispute:4711")
    offers = {one.offer: one for one in anna.offers()}
    for offer in ("lending", "own_report", "deposit_waiver"):
        given = anna.give_consent({**CHOICE, "offer": offer, "notice_hash": offers[offer].notice_hash})
    running.know("anna")
    running.know("anna", purpose="own_report", recipient="platform")
    running.know("anna", -3.0, purpose="deposit_waiver")

    scored = shop.score("anna", "lending", granularity="exact")
    assert scored.score is not None
    assert [
        one.score for one in shop.scores([{"member_id": "anna", "purpose": "lending", "granularity": "exact"}])
    ] == [scored.score]
    assert shop.eligibility("anna", "deposit_waiver").outcome == "granted"
    assert given.record_id in {one.record_id for one in anna.consents()}
    assert anna.receipt(given.record_id).count(".") == 2
    own = anna.own_score()
    assert anna.explanation().decision_id == own.decision_id
    assert anna.explanation(decision_id=scored.decision_id).decision_id == scored.decision_id
    assert [one["decision_id"] for one in anna.history()][-1] == scored.decision_id
    assert anna.report().recipients == ["platform", "shop"]
    assert "<h1>Your credit report</h1>" in anna.report_page()
    assert anna.report_pdf(language="zh").startswith(b"%PDF")
    assert len(anna.export().features) == 3
    assert anna.prove({"kind": "exact", "audience": "https://landlord.example", "nonce": "n" * 16}).count(".") == 2
    tried = [{"action": "pay_overdue"}]
    for ask in (anna.what_if_actions, lambda: anna.what_if(tried), lambda: anna.recourse(score=700)):  # without events
        with pytest.raises(ProblemReceived, match="what-if-not-possible"):
            ask()
    assert anna.score_change(first=own.decision_id, second=anna.own_score().decision_id).difference == 0.0
    assert anna.withdraw("lending", "shop", ["social"]) == ["social"]
    assert staff.report("anna").recipients == ["platform", "shop"]
    assert staff.replay(scored.decision_id).outcome == "identical"
    assert staff.verify_audit().intact
    assert staff.model()["model_id"] == scored.model_id
    assert staff.policies()["version"] == scored.policy_version
    ask_about_the_model(staff, running)
    ask_about_rights(shop, anna, staff, scored.decision_id)
    assert anna.erase().status == "key_destroyed"

    asked = {(method, path) for method, path in ACCESS if path not in FOR_MACHINES}
    reached = set()
    for method, path in asked:
        form = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        reached |= {(method, path) for sent, url in passing.asked if sent == method and form.fullmatch(url)}
    assert reached == asked


def ask_about_the_model(staff, running):
    told = staff.monitoring()
    assert (told.kind, told.model.model_id) == ("live_monitoring", running.service.models.current.model_id)
    assert told.measures["live.score_psi"].state == "INSUFFICIENT"
    (verdict,) = staff.filings()
    assert (verdict.kind, verdict.whole, verdict.content["passed"]) == ("verdict", True, True)


def ask_about_rights(shop, anna, staff, decision_id):
    """Every route of members' rights; what comes of them is told in test_rights.py."""
    case = anna.dispute("decision", "It is wrong.", decision_id=decision_id)
    dispute, version, now = case.case_id, case.version, datetime.now(UTC)
    assert anna.dispute_in_full(dispute).text == "It is wrong."
    for step, given in (("statement", {"text": "It is."}), ("look-into", {}), ("answer", {"outcome": "not_corrected",
                        "text": "It is right."}), ("closing", {})):  # fmt: skip
        version = staff.change_dispute(dispute, step, version, **given).version
    for step, given in (("extension", {"text": "x"}), ("withdrawal", {})):
        with pytest.raises(ProblemReceived, match="state-changed"):
            staff.change_dispute(dispute, step, version, **given)
    assert [one.state for one in anna.disputes()] == ["closed"]
    review = anna.ask_review(decision_id)
    assert [one.case_id for one in staff.duties()] == [one.case_id for one in anna.reviews()] == [review.case_id]
    assert anna.withdraw_review(review.case_id, review.version).state == anna.review_in_full(review.case_id).state
    with pytest.raises(ProblemReceived, match="state-changed"):
        staff.decide_review(review.case_id, 2, "upheld", "It stands.")
    assert staff.review_statistics(now - timedelta(days=1), now).rates == []
    assert staff.transparency(now - timedelta(days=1), now).disclosures == 0
    shop.notice("adverse_action", decision_id=decision_id, action_taken="refused")
    told = anna.notice("score_disclosure", decision_id=decision_id).notice
    assert staff.deliver_notice(told.notice_id, "failed", "post").delivery.state == "failed"
    assert anna.read_notice(told.notice_id).delivery.state == "delivered"
    assert told.notice_id in {one.notice_id for one in anna.notices(limit=1)}
    with pytest.raises(ProblemReceived, match="notice-unknown"):
        staff.fulfil_notice("none", 1)


def test_how_the_model_does_is_nothing_for_recipients_and_members(running, passing):
    for key in (running.register(), running.member_key("anna")):
        for ask in (as_(passing, key).monitoring, as_(passing, key).filings):
            with pytest.raises(ProblemReceived, match="access-denied"):
                ask()


def test_a_refusal_is_an_error_that_says_which(running, passing):
    shop = as_(passing, running.register())
    with pytest.raises(ProblemReceived, match="consent-required") as refused:
        shop.score("nobody", "lending")
    assert (refused.value.slug, refused.value.status) == ("consent-required", 403)
    assert refused.value.decision_id in {row["event_id"] for row in running.rows("audit_records")}
    with pytest.raises(ProblemReceived, match="credentials-required"):
        as_(passing, "benne_nonsense").policies()
    with pytest.raises(ProblemReceived, match="access-denied"):
        list(as_(passing, running.member_key("anna")).scores([{"member_id": "anna", "purpose": "lending"}]))


def test_a_question_that_is_wrong_says_where_and_which_words_there_are(running, passing):
    shop = as_(passing, running.register())
    with pytest.raises(ProblemReceived, match=r"request-invalid .*body\.adverse_action\.action_taken: literal_error, "
                       "allowed: 'refused'") as refused:  # fmt: skip
        shop.notice("adverse_action", decision_id="d", action_taken="denied")
    (place,) = refused.value.errors
    assert place["must"] == "literal_error"
    assert "denied" not in str(refused.value)
    with pytest.raises(ProblemReceived, match="allowed: 'adverse_action'") as refused:
        shop.notice("denied", decision_id="d")
    assert "denied" not in str(refused.value)


def test_a_refusal_of_ones_own_score_says_which_consent_it_rests_on(running, passing):
    anna = as_(passing, running.member_key("anna"))
    for ask in (anna.own_score, anna.what_if_actions, lambda: anna.recourse(band="very good")):
        with pytest.raises(
            ProblemReceived, match=r"consent-required .*purpose is own_report and the recipient platform"
        ):
            ask()


def test_a_stream_of_any_length_is_answered_in_order(running, passing):
    shop = as_(passing, running.register())
    running.grant("anna")
    running.know("anna")
    asked = [{"member_id": "anna" if k % 100 == 0 else f"m-{k}", "purpose": "lending"} for k in range(601)]
    got = list(shop.scores(iter(asked)))
    assert [not isinstance(one, ProblemReceived) for one in got] == [k % 100 == 0 for k in range(601)]


def test_a_member_of_any_name_is_one_part_of_the_path(running, passing):
    staff = as_(passing, running.key("compliance"), access_purpose="dispute:1")
    for name in ("a?b=c", "a#b", "a b", "é", "a;b", "a&b"):  # not with a slash: no server tells that from a path
        running.grant(name)
        assert len(staff.consents(name)) == 1, name


def test_a_service_that_is_busy_is_asked_again_as_it_says(database):
    busy = httpx2.Response(503, headers={"Retry-After": "3"})
    many = httpx2.Response(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    waited, saying = [], Saying(busy, many, httpx2.Response(200, json={"version": "1"}))
    client = BenneClient("http://test", "benne_x", transport=saying, sleep=waited.append)
    assert client.policies() == {"version": "1"}
    assert waited == [3.0, 1.0]


def test_a_score_is_asked_for_under_one_key_however_often(database):
    saying = Saying(*(httpx2.Response(503, headers={"Retry-After": "86400"}) for _ in range(3)))
    waited = []
    client = BenneClient("http://test", "benne_x", transport=saying, sleep=waited.append)
    with pytest.raises(ProblemReceived, match="503"):
        client.score("anna", "lending")
    assert len({one.headers["Idempotency-Key"] for one in saying.asked}) == 1
    assert (len(saying.asked), waited) == (3, [60.0, 60.0])


def test_a_client_never_shows_its_credentials(database):
    assert "secret" not in repr(BenneClient("http://test", "benne_secret", transport=Saying()))
