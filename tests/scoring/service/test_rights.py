"""Members' rights through the interface: a dispute flags, corrects and tells; a review overturns; notices arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from benne.errors import ProblemReceived, StoreError
from benne.scoring.client import BenneClient
from benne.scoring.housekeeping import tidy
from benne.scoring.store.database import Store
from tests.scoring.service.conftest import Running, bearer
from tests.scoring.service.test_client import Passing

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PURPOSE = "Benne-Access-Purpose"
FOR = {PURPOSE: "dispute:1"}


class Desk:
    """Everybody who has to do with anna's rights."""

    def __init__(self, running: Running, client: TestClient) -> None:
        self.running, self.client = running, client
        self.shop = bearer(running.register())
        running.grant("anna")
        running.know("anna", 1.0)
        self.anna = bearer(running.member_key("anna"))
        self.officer = bearer(running.key("compliance")) | FOR
        self.reviewer = bearer(running.key("compliance")) | FOR

    def score(self, **more: Any) -> dict[str, Any]:
        asked = {"member_id": "anna", "purpose": "lending", "granularity": "exact", **more}
        sent = self.client.post("/v1/scores", json=asked, headers=self.shop)
        assert sent.status_code == 200, sent.text
        return dict(sent.json())

    def post(self, path: str, who: dict[str, str], **body: Any) -> dict[str, Any]:
        sent = self.client.post(path, json=body, headers=who)
        assert sent.status_code < 300, sent.text
        return dict(sent.json())

    def get(self, path: str, who: dict[str, str]) -> dict[str, Any]:
        sent = self.client.get(path, headers=who)
        assert sent.status_code == 200, sent.text
        return dict(sent.json())


@pytest.fixture
def desk(running: Running, client: TestClient) -> Desk:
    return Desk(running, client)


def test_a_dispute_is_flagged_answered_corrected_and_everybody_is_told(desk):
    before = desk.score()
    assert (before["disputed"], before["statement"]) == (False, None)
    case = desk.post("/v1/disputes", desk.anna, topic="feature", feature="x_ability", text="My income is higher.",
                     decision_id=before["decision_id"])  # fmt: skip
    flagged = desk.score()
    assert (flagged["disputed"], flagged["statement"]) == (True, None)
    replayed = desk.get(f"/v1/decisions/{flagged['decision_id']}/replay", desk.officer)
    assert replayed["outcome"] == "identical"

    path = f"/v1/disputes/{case['case_id']}"
    stated = desk.post(f"{path}/statement", desk.anna, version=1, text="I earn more than that.", travels=True)
    assert desk.score()["statement"] == "I earn more than that."
    banded = desk.score(granularity="band")
    assert (banded["disputed"], banded["statement"]) == (True, None), "only exact scores carry words"

    report = desk.client.get("/v1/members/me/report.html", headers=desk.anna).text
    assert "You dispute something since" in report
    assert "I earn more than that." in report

    (due,) = desk.get("/v1/duties", desk.officer)["cases"]
    assert due["case_id"] == case["case_id"]
    taken = desk.post(f"{path}/look-into", desk.officer, version=stated["version"])
    answered = desk.post(f"{path}/answer", desk.officer, version=taken["version"], outcome="corrected", text="Right.")
    assert answered["state"] == "corrected"
    (waiting,) = desk.get("/v1/duties", desk.officer)["cases"]
    assert (waiting["kind"], waiting["state"]) == ("correction", "begun"), "corrected features are still to come"
    refused = desk.client.post("/v1/scores", json={"member_id": "anna", "purpose": "lending"}, headers=desk.shop)
    assert refused.json()["type"] == "/problems/features-missing"

    desk.running.know("anna", -2.0)
    assert tidy(desk.running.service, compacting=False).corrections_done == 1
    assert desk.get("/v1/duties", desk.officer)["cases"] == []
    notices = desk.get("/v1/notices", desk.shop)["notices"]
    told = [desk.get(f"/v1/notices/{one['notice_id']}", desk.shop)["content"] for one in notices]
    assert sorted(len(one["decisions"]) for one in told) == [1, 3]  # one in bands, three exact
    assert {one["member"] for one in told} == {before["member"]}
    anew = next(one["new_decision"] for one in told if before["decision_id"] in one["decisions"])
    explained = desk.get(f"/v1/members/me/explanation?decision_id={anew}", desk.anna)
    assert explained["decision_id"] == anew
    kinds = [one["kind"] for one in desk.get("/v1/notices", desk.anna)["notices"]]
    assert sorted(kinds) == ["correction_done", "dispute_answer"]
    assert desk.score()["disputed"] is False


@SQLITE
def test_a_refusal_reported_by_a_recipient_becomes_a_notice_with_the_members_reasons(desk):
    desk.running.know("anna", 3.0)  # worse than most
    decision = desk.score()["decision_id"]
    owed = desk.post("/v1/notices", desk.shop, kind="adverse_action", decision_id=decision, action_taken="refused")
    assert owed["notice"] is None, "what the member is told is theirs"
    assert owed["case"]["state"] == "issued"
    (listed,) = desk.get("/v1/notices", desk.anna)["notices"]
    told = desk.get(f"/v1/notices/{listed['notice_id']}", desk.anna)
    assert told["delivery"]["state"] == "delivered"
    explained = desk.get(f"/v1/members/me/explanation?decision_id={decision}", desk.anna)["explanation"]
    assert told["content"]["score"] == pytest.approx(explained["score"])
    assert 0 < len(told["content"]["reasons"]) <= 4
    assert told["content"]["reasons"][0]["text"] in "\n".join(told["content"]["paragraphs"])
    assert desk.get("/v1/notices", desk.shop)["notices"] == []
    again = desk.client.post(
        "/v1/notices", headers=desk.shop,
        json={"kind": "adverse_action", "decision_id": decision, "action_taken": "refused"},
    )  # fmt: skip
    assert (again.status_code, again.json()["type"]) == (409, "/problems/state-changed")


def test_a_review_by_somebody_else_replaces_the_decision(desk):
    decision = desk.score()["decision_id"]
    case = desk.post("/v1/reviews", desk.anna, decision_id=decision, text="Please look again.")
    path = f"/v1/reviews/{case['case_id']}"
    assert desk.get(path, desk.officer)["text"] == "Please look again."
    done = desk.post(f"{path}/decision", desk.reviewer, version=1, outcome="overturned", text="It was wrong.",
                     instead="decided_anew")  # fmt: skip
    assert done["state"] == "overturned"
    (told,) = desk.get("/v1/notices?kind=review_overturned", desk.shop)["notices"]
    content = desk.get(f"/v1/notices/{told['notice_id']}", desk.shop)["content"]
    replaced = desk.get(f"/v1/decisions/{content['new_decision']}/replay", desk.officer)
    assert replaced["outcome"] == "identical"
    late = desk.client.post(f"{path}/decision", headers=desk.officer,
                            json={"version": 1, "outcome": "upheld", "text": "Fine."})  # fmt: skip
    assert (late.status_code, late.json()["type"]) == (409, "/problems/state-changed")
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    rates = desk.client.get("/v1/review-statistics", params=period, headers=desk.officer).json()["rates"]
    assert (rates[0]["decided"], rates[0]["overturned"], rates[0]["rate"]) == (1, 1, None)


@SQLITE
def test_a_decision_of_a_member_who_has_withdrawn_is_not_overturned_into_a_score(desk):
    decision = desk.score()["decision_id"]
    case = desk.post("/v1/reviews", desk.anna, decision_id=decision)
    desk.client.delete("/v1/members/me/consents", params={"purpose": "lending", "recipient": "shop"},
                       headers=desk.anna)  # fmt: skip
    sent = desk.client.post(
        f"/v1/reviews/{case['case_id']}/decision", headers=desk.reviewer,
        json={"version": 1, "outcome": "overturned", "text": "Wrong.", "instead": "decided_anew"},
    )  # fmt: skip
    assert (sent.status_code, sent.json()["type"]) == (422, "/problems/rights-request-not-valid")
    assert "withdrew" in sent.json()["detail"]


@SQLITE
def test_metrics_say_how_many_cases_are_open_and_of_whom_nothing(desk, monkeypatch):
    measures = desk.client.app.state.measures
    case = desk.post("/v1/disputes", desk.anna, topic="personal_data", text="I moved.")
    measures.count_cases()
    told = desk.client.get("/metrics").text
    assert 'benne_cases_open{kind="dispute"} 1.0' in told
    assert 'benne_cases_overdue{kind="dispute"} 0.0' in told
    assert 'benne_cases_open{kind="review"} 0.0' in told
    assert case["case_id"] not in told
    desk.post(f"/v1/disputes/{case['case_id']}/withdrawal", desk.anna, version=1)
    measures.count_cases()
    assert 'benne_cases_open{kind="dispute"} 0.0' in desk.client.get("/metrics").text
    monkeypatch.setattr(Store, "read", broken)
    with pytest.raises(StoreError, match="must answer"):
        measures.count_cases()
    assert "benne_cases_open{" not in desk.client.get("/metrics").text, "rather nothing than what was"


def broken(store: Store) -> None:
    raise StoreError("The store must answer, got nothing.")


@SQLITE
def test_members_see_their_own_and_recipients_nothing_of_others(desk):
    desk.running.grant("berta")
    berta = bearer(desk.running.member_key("berta"))
    case = desk.post("/v1/disputes", desk.anna, topic="personal_data", text="I moved.")
    other_shop = bearer(desk.running.register("other"))
    decision = desk.score()["decision_id"]
    told = desk.post("/v1/notices", desk.anna, kind="score_disclosure", decision_id=decision)["notice"]
    for who, path in ((berta, f"/v1/disputes/{case['case_id']}"), (berta, f"/v1/notices/{told['notice_id']}"),
                      (desk.shop, f"/v1/notices/{told['notice_id']}"),
                      (other_shop, f"/v1/notices/{told['notice_id']}")):  # fmt: skip
        assert desk.client.get(path, headers=who).status_code == 404
    assert desk.get("/v1/disputes", berta)["cases"] == []
    sent = desk.client.post("/v1/disputes", headers=desk.anna,
                            json={"topic": "personal_data", "text": "x", "member_id": "berta"})  # fmt: skip
    assert sent.json()["type"] == "/problems/access-denied"
    sent = desk.client.post("/v1/notices", headers=desk.anna,
                            json={"kind": "explanation_withheld", "member_id": "anna", "decision_id": decision,
                                  "part": "points", "text": "x"})  # fmt: skip
    assert sent.json()["type"] == "/problems/access-denied"
    assert desk.get(f"/v1/disputes/{case['case_id']}", desk.anna)["handler"] is None


NOT_SO: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/disputes", {"topic": "personal_data", "text": "I moved."}, "member-unknown"),
    ("/v1/disputes", {"topic": "personal_data", "text": "I moved.", "member_id": "nobody"}, "member-unknown"),
    ("/v1/disputes", {"topic": "decision", "text": "x", "decision_id": "none", "member_id": "anna"},
     "decision-unknown"),
    ("/v1/disputes", {"topic": "feature", "text": "x", "member_id": "anna"}, "rights-request-not-valid"),
    ("/v1/disputes", {"topic": "personal_data", "text": "x" * 4_001, "member_id": "anna"}, "request-invalid"),
    ("/v1/disputes", {"topic": "personal_data", "text": " ", "member_id": "anna"}, "rights-request-not-valid"),
    ("/v1/disputes", {"topic": "personal_data", "text": "a\x00", "member_id": "anna"}, "rights-request-not-valid"),
    ("/v1/disputes/none/answer", {"version": 1, "outcome": "corrected", "text": "x"}, "dispute-unknown"),
    ("/v1/disputes/a%00b/answer", {"version": 1, "outcome": "corrected", "text": "x"}, "request-invalid"),
    ("/v1/disputes/none/answer", {"version": 1, "outcome": "not_corrected", "text": "x", "rows": {}},
     "rights-request-not-valid"),
    ("/v1/reviews", {"decision_id": "none", "member_id": "anna"}, "decision-unknown"),
    ("/v1/reviews/none/decision", {"version": 1, "outcome": "upheld", "text": "x"}, "review-unknown"),
    ("/v1/notices/none/delivery", {"state": "failed", "channel": "post"}, "notice-unknown"),
    ("/v1/notices", {"kind": "nothing"}, "request-invalid"),
    ("/v1/notices", {"kind": "prior_notice", "member_id": "anna", "item_id": "i", "item_kind": "default",
                     "source": "Bank", "listed_from": "2020-01-01T00:00:00Z"}, "rights-request-not-valid"),
    ("/v1/notices", {"kind": "automated_processing", "member_id": "anna", "consent_id": "none"},
     "consent-not-valid"),
    ("/v1/duties/none/notice", {"version": 1}, "notice-unknown"),
]  # fmt: skip


@SQLITE
def test_what_cannot_be_is_a_typed_problem_that_repeats_nothing(desk):
    for path, body, slug in NOT_SO:
        sent = desk.client.post(path, json=body, headers=desk.officer)
        assert sent.json()["type"] == f"/problems/{slug}", (path, body, sent.text)
        assert "nobody" not in sent.text


@SQLITE
def test_the_client_walks_the_same_way(desk):
    def client(headers: dict[str, str]) -> BenneClient:
        key, passing = headers["Authorization"].removeprefix("Bearer "), Passing(desk.client)
        return BenneClient("http://testserver", key, transport=passing, access_purpose=headers.get(PURPOSE))

    anna, officer = client(desk.anna), client(desk.officer)
    decision = desk.score()["decision_id"]
    case = anna.dispute("decision", "It is wrong.", decision_id=decision)
    officer.change_dispute(case.case_id, "answer", case.version, outcome="not_corrected", text="It is right.")
    assert anna.dispute_in_full(case.case_id).state == "not_corrected"
    assert [one.case_id for one in anna.disputes(limit=1)] == [case.case_id]
    review = anna.ask_review(decision)
    assert [one.case_id for one in officer.duties()] == [review.case_id]
    reviewer = client(desk.reviewer)
    reviewer.decide_review(review.case_id, review.version, "upheld", "It stands.")
    assert anna.review_in_full(review.case_id).state == "upheld"
    assert [one.case_id for one in anna.reviews()] == [review.case_id]
    told = anna.notice("score_disclosure", decision_id=decision).notice
    assert anna.read_notice(told.notice_id).content["score_range"] == [350, 950]
    assert officer.deliver_notice(_first(officer, "review_answer"), "failed", "post").delivery.state == "failed"
    assert {one.kind for one in anna.notices(limit=1)} == {"score_disclosure", "dispute_answer", "review_answer"}
    now = datetime.now(UTC)
    assert officer.review_statistics(now - timedelta(days=1), now + timedelta(days=1)).rates[0].decided == 1
    assert officer.transparency(now - timedelta(days=1), now).disclosures == 0
    with pytest.raises(ProblemReceived, match="notice-unknown"):
        officer.fulfil_notice("none", 1)
    again = anna.ask_review(decision)
    assert anna.withdraw_review(again.case_id, again.version).state == "withdrawn"


def _first(client: BenneClient, kind: str) -> str:
    return next(client.notices(kind=kind)).notice_id


def test_an_export_holds_what_was_said_and_told_and_nothing_of_what_a_law_bars(desk: Desk) -> None:
    disclosure = {
        "kind": "disclosure_compelled", "member_id": "anna", "legal_basis": "criminal_investigation",
        "reference": "2026-AZ-117", "authority": "The prosecutor", "scope": "All of it.",
        "disclosed_at": "2026-11-01T00:00:00Z", "barred_until": "2036-11-01T00:00:00Z",
    }  # fmt: skip
    desk.post("/v1/notices", desk.officer, **disclosure)
    held, export = (desk.get(f"/v1/members/me/{path}", desk.anna) for path in ("report", "export"))
    assert (held["held"], export["said"], export["notices"]) == (["features"], [], []), "they may not be told yet"
    decision = desk.score()["decision_id"]
    case = desk.post("/v1/disputes", desk.anna, topic="decision", text="It is wrong.", decision_id=decision)
    path = f"/v1/disputes/{case['case_id']}"
    desk.post(f"{path}/statement", desk.anna, version=1, text="I was ill.", travels=True)
    desk.post(f"{path}/answer", desk.officer, version=2, outcome="corrected", text="You are right.")
    desk.running.know("anna", 2.0)
    assert len(desk.running.service.rights.corrections.run().done) == 1
    export = desk.get("/v1/members/me/export", desk.anna)
    assert [(one["said"], one["text"]) for one in export["said"]] == [
        ("dispute", "It is wrong."), ("statement", "I was ill."),
    ]  # fmt: skip
    assert [one["kind"] for one in export["notices"]] == ["dispute_answer", "correction_done"]
    assert export["notices"][0]["text"] == "You are right."
    assert "prosecutor" not in str(export)
    assert "2026-AZ-117" not in str(export)
    assert not [one for one in export["notices"] if one["kind"] == "correction_notice"], "that one is the recipient's"
