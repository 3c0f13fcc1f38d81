"""What members can do about their score, through the service: consent, records, refusals, and no trace left."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from benne.errors import ChangeNotSplit, DecisionUnknown, WhatIfNotPossible
from benne.explain.score_change import CAUSES
from benne.explain.texts import texts_of
from benne.explain.what_if import ACTIONS, action_of
from benne.features.categories import CATEGORIES
from benne.features.events.key_files import write_key_file
from benne.scoring.api.app import create_app
from benne.scoring.api.what_if_bodies import ActionChoice
from benne.scoring.decisions.request import Actor, Refusal, ScoreAnswer
from benne.scoring.decisions.served_model import Serving
from benne.scoring.laying_out import lay_out
from benne.scoring.members.recording import Doing
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.explain.what_if.small_platform import Platform, ending_before, fitted, make_platform
from tests.scoring.service.conftest import Running, bearer
from tests.scoring.validated import verdicts_for

MEMBER = Doing(Actor("member:1", "member"))
STAFF = Doing(Actor("key:1", "compliance"), "dispute:4711")
PHONE = {"action": "verify", "field": "phone", "against_register": True}


@pytest.fixture(scope="module")
def live_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Members whose last events are a month or two old; the store knows everything until five days ago."""
    now = datetime.now(UTC)
    folder = tmp_path_factory.mktemp("live")
    made = make_platform(folder, members=100, options=ending_before(now), watermark=now - timedelta(days=5))
    made.model.save(folder / "model")
    yield made
    made.store.close()


@pytest.fixture
def served(tmp_path: Path, live_platform: Platform, terms_folder: Path) -> Iterator[Running]:
    """A service on a copy of the platform's events."""
    write_key_file(tmp_path / "subject.key", b"k" * 32)
    model = live_platform.path.parent / "model"
    laid_out = lay_out(
        tmp_path / "service", model, validated_in=verdicts_for(tmp_path / "verdicts.db", model),
        subject_key=tmp_path / "subject.key", terms=terms_folder, events="events.db",
    )  # fmt: skip
    shutil.copy(live_platform.path, laid_out.home / "events.db")
    service = open_service(read_settings(laid_out.home, rate_per_second=0, access_cache_seconds=0))
    yield Running(service, laid_out.admin_key)
    service.close()


@pytest.fixture
def anna(served: Running, live_platform: Platform) -> str:
    """A member of whom enough is known, and who consents to everything."""
    for member in live_platform.members:
        served.grant(member, offer="own_report")
        if isinstance(served.service.proving.own_score(served.member(member), MEMBER), ScoreAnswer):
            return member
    raise LookupError


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def last(served: Running) -> dict[str, Any]:
    return served.rows("audit_records")[-1]


def test_today_is_the_members_own_score_and_the_answer_is_on_record_once(served: Running, anna: str) -> None:
    what_if, subject = served.service.what_if, served.member(anna)
    own = served.service.proving.own_score(subject, MEMBER)
    records = len(served.rows("audit_records"))
    answer = what_if.try_actions(subject, [action_of(PHONE)], in_days(90), MEMBER)
    assert answer.today.score == own.score
    assert answer.gap < 1e-9
    assert len(served.rows("audit_records")) == records + 1
    written = last(served)
    assert (written["type"], written["decision"], written["outcome"]) == (
        "what_if_answered",
        "granted",
        "actions_tried",
    )
    assert (written["purpose"], written["model_id"]) == ("own_report", served.service.models.current.model_id)


def test_nothing_imagined_is_stored_anywhere(served: Running, anna: str) -> None:
    subject, events = served.member(anna), served.service.settings.home / "events.db"
    kept = {t: len(served.rows(t)) for t in ("member_payloads", "feature_layouts", "consent_events")}
    before, watermark = hashlib.sha256(events.read_bytes()).hexdigest(), served.service.events.watermark
    for action in served.service.what_if.actions(subject, MEMBER)[:4]:
        served.service.what_if.try_actions(subject, [action], in_days(180), MEMBER)
    served.service.what_if.recourse(subject, 900, MEMBER)
    assert (hashlib.sha256(events.read_bytes()).hexdigest(), served.service.events.watermark) == (before, watermark)
    assert {table: len(served.rows(table)) for table in kept} == kept


def test_without_consent_nothing_is_computed_and_the_refusal_is_on_record(
    served: Running, live_platform: Platform
) -> None:
    subject = served.member(live_platform.members[3])
    asked = (
        lambda: served.service.what_if.actions(subject, MEMBER),
        lambda: served.service.what_if.try_actions(subject, [action_of(PHONE)], in_days(30), MEMBER),
        lambda: served.service.what_if.recourse(subject, 700, MEMBER),
        lambda: served.service.what_if.change(subject, None, None, MEMBER),
    )
    for ask in asked:
        refused = ask()
        assert isinstance(refused, Refusal)
        assert refused.reason == "consent-required"
        written = last(served)
        assert (written["decision"], written["deny_reason"]) == ("denied", "consent-required")
        assert written["event_id"] == refused.decision_id


def test_a_withdrawal_ends_it_from_the_next_call_on(served: Running, anna: str) -> None:
    subject = served.member(anna)
    served.service.consenting.withdraw(subject, "own_report", "platform", None, MEMBER)
    refused = served.service.what_if.try_actions(subject, [action_of(PHONE)], in_days(30), MEMBER)
    assert isinstance(refused, Refusal)
    assert refused.reason == "consent-withdrawn"


def test_a_withdrawal_while_it_is_computed_wins(served: Running, anna: str) -> None:
    """The answer has been made; consent is asked for again in the transaction that records it."""
    subject, what_if = served.member(anna), served.service.what_if
    slot = what_if.models

    class Withdrawing:
        @property
        def serving(self) -> Serving:
            return Serving(replace(slot.current, model=_Withdrawing(slot.current.model, served, subject)))

    refused = replace(what_if, models=Withdrawing()).try_actions(subject, [action_of(PHONE)], in_days(30), MEMBER)
    assert isinstance(refused, Refusal)
    assert refused.reason == "consent-withdrawn"


class _Withdrawing:
    def __init__(self, model: Any, served: Running, subject: str) -> None:
        self._model, self._served, self._subject = model, served, subject

    def explain(self, X: pd.DataFrame, withheld: Any = ()) -> Any:
        self._served.service.consenting.withdraw(self._subject, "own_report", "platform", None, MEMBER)
        return self._model.explain(X, withheld=withheld)


def test_what_the_member_withholds_is_neither_offered_nor_moved(served: Running, anna: str) -> None:
    subject = served.member(anna)
    served.service.consenting.withdraw(subject, "own_report", "platform", ["personal_information", "social"], MEMBER)
    found = served.service.what_if.actions(subject, MEMBER)
    assert not isinstance(found, Refusal)
    assert "verify" not in {action.name for action in found}
    with pytest.raises(WhatIfNotPossible, match="An action must have something to change before the day, got verify"):
        served.service.what_if.try_actions(subject, [action_of(PHONE)], in_days(30), MEMBER)
    answer = served.service.what_if.try_actions(subject, found[:1], in_days(90), MEMBER)
    assert {line.category for line in answer.lines} <= {"credit_history", "behaviour", "ability"}


def test_a_band_or_a_score_is_reached_by_the_smallest_change_or_it_is_said_that_it_is_not(
    served: Running, anna: str
) -> None:
    subject, what_if = served.member(anna), served.service.what_if
    by_band, by_score = (what_if.recourse(subject, target, MEMBER) for target in ("very good", 650))
    assert by_band.as_dict() | {"answer": None} == by_score.as_dict() | {"answer": None}
    assert by_band.mark == 650
    with pytest.raises(WhatIfNotPossible, match="A band must be one of poor, fair, good, very good, excellent"):
        what_if.recourse(subject, "superb", MEMBER)
    with pytest.raises(WhatIfNotPossible, match="A mark must be a score"):
        what_if.recourse(subject, 1_000, MEMBER)


def test_loaded_features_alone_carry_no_what_if(served: Running, anna: str) -> None:
    without = replace(served.service.what_if, events=None)
    with pytest.raises(WhatIfNotPossible, match="A what-if must start from a member's events, got loaded features"):
        without.actions(served.member(anna), MEMBER)


def test_a_member_without_events_is_told_so(served: Running) -> None:
    served.grant("nobody", offer="own_report")
    with pytest.raises(WhatIfNotPossible, match="got none of this member"):
        served.service.what_if.actions(served.member("nobody"), MEMBER)


def two_decisions(served: Running, member: str, offers: tuple[tuple[str, ...], ...] = (CATEGORIES, CATEGORIES)) -> None:
    """A decision five days ago by the events, and one now, with a detail verified in between."""
    subject, service = served.member(member), served.service
    service.consenting.withdraw(subject, "own_report", "platform", None, MEMBER)
    served.grant(member, offers[0], offer="own_report")
    assert isinstance(service.proving.own_score(subject, MEMBER), ScoreAnswer)
    now = datetime.now(UTC)
    happened = pd.to_datetime([now - timedelta(days=1)] * 2, utc=True)
    details = pd.DataFrame({
        "record_id": ["new-1", "new-2"], "member_id": [member] * 2, "event_time": happened,
        "field": ["phone", "employer"], "event": ["verified"] * 2, "method": ["registry"] * 2, "strength": [3, 3],
    })  # fmt: skip
    service.events.append({"verifications": details}, key=service.subject_key, ingested_at=now)
    if offers[1] != offers[0]:
        service.consenting.withdraw(subject, "own_report", "platform", None, MEMBER)
        served.grant(member, offers[1], offer="own_report")
    assert isinstance(service.proving.own_score(subject, MEMBER), ScoreAnswer)


def test_a_change_is_split_into_what_came_and_what_time_did(served: Running, anna: str) -> None:
    two_decisions(served, anna)
    history = served.service.records.history(served.member(anna), MEMBER, after=None, limit=2).decisions
    change = served.service.what_if.change(served.member(anna), None, None, MEMBER)
    assert [round(one["told"]["score"], 9) for one in history] == [round(change.second, 9), round(change.first, 9)]
    assert [part.causes for part in change.parts] == [(cause,) for cause in CAUSES]
    assert change.gap < 1e-9
    assert (change.consent, change.model) == (0.0, 0.0)
    assert change.data != 0.0
    assert change.rescored == 16
    assert last(served)["outcome"] == "change_explained"
    named = served.service.what_if.change(
        served.member(anna), history[1]["decision_id"], history[0]["decision_id"], STAFF
    )
    assert named.as_dict() == change.as_dict()


def test_consent_and_model_have_parts_of_their_own(
    served: Running, anna: str, live_platform: Platform, tmp_path: Path
) -> None:
    two_decisions(served, anna, (CATEGORIES, CATEGORIES[:4]))
    change = served.service.what_if.change(served.member(anna), None, None, MEMBER)
    assert change.consent != 0.0
    assert change.gap < 1e-9
    history = served.service.records.history(served.member(anna), MEMBER, after=None, limit=2).decisions
    newest, older = (one["decision_id"] for one in history)
    with pytest.raises(ChangeNotSplit, match="The first decision must be the earlier one"):
        served.service.what_if.change(served.member(anna), newest, older, MEMBER)


def test_another_version_of_the_model_has_a_part_of_its_own(
    served: Running, anna: str, live_platform: Platform, tmp_path: Path
) -> None:
    fitted(live_platform.features, seed=1).save(tmp_path / "another-model")
    two_decisions(served, anna)
    served.promote(tmp_path / "another-model")
    served.service.proving.own_score(served.member(anna), MEMBER)
    change = served.service.what_if.change(served.member(anna), None, None, MEMBER)
    assert change.gap < 1e-9
    assert change.model == pytest.approx(change.difference, abs=10)  # all but the moments between the two
    assert change.model != 0.0


def test_where_only_loaded_features_are_kept_data_and_expiry_are_one_part(served: Running, anna: str) -> None:
    two_decisions(served, anna)
    loaded = replace(served.service.what_if.changes, events=None)
    change = loaded.between(served.member(anna), None, None, MEMBER)
    assert [part.causes for part in change.parts] == [("data", "expiry"), ("consent",), ("model",)]
    assert (change.data, change.expiry) == (None, None)
    assert change.parts[0].points == pytest.approx(change.difference, abs=1e-9)


def test_a_change_needs_two_decisions_of_this_member_and_models_on_the_shelf(
    served: Running, anna: str, live_platform: Platform
) -> None:
    subject, change = served.member(anna), served.service.what_if.change
    with pytest.raises(DecisionUnknown, match="A change must lie between two decisions of this member"):
        change(subject, None, None, MEMBER)
    two_decisions(served, anna)
    for first, second in (("no-such", None), (None, "no-such"), ("no-such", "neither")):
        with pytest.raises(DecisionUnknown, match=r"A (decision|change) must"):
            change(subject, first, second, MEMBER)
    other = live_platform.members[-1]
    served.grant(other, offer="own_report")
    theirs = served.service.records.history(subject, MEMBER, after=None, limit=2).decisions
    with pytest.raises(DecisionUnknown, match="A decision must be about this member"):
        change(served.member(other), theirs[1]["decision_id"], theirs[0]["decision_id"], MEMBER)
    empty = replace(served.service.what_if.changes, shelf=type(served.service.shelf)(Path("/nonexistent")))
    with pytest.raises(ChangeNotSplit, match="A decision must still have its model on the shelf"):
        empty.between(subject, None, None, MEMBER)


# ------------------------------------------------------------------------------------------------------------- routes


@pytest.fixture
def asking(served: Running) -> Iterator[TestClient]:
    with TestClient(create_app(served.service, close=False), raise_server_exceptions=False) as client:
        yield client


def test_a_member_asks_through_the_interface_what_they_can_do(served: Running, asking: TestClient, anna: str) -> None:
    me = bearer(served.member_key(anna))
    offered = asking.get("/v1/members/me/what-if", headers=me).json()
    assert offered["actions"]
    for one in offered["actions"]:
        assert set(one["limits"]) == set(one["parameters"])
        if one["action"] == "verify":
            assert one["limits"]["against_register"] == [False, True]
            assert one["parameters"]["against_register"] is False
        assert one["texts"]["en"] != one["texts"]["zh"]
    first = offered["actions"][0]
    tried = asking.post("/v1/members/me/what-if", headers=me, json={
        "actions": [{"action": first["action"], **first["parameters"]}], "until": in_days(120).date().isoformat(),
    })  # fmt: skip
    assert tried.status_code == 200, tried.text
    told = tried.json()
    assert told["effect_shown"] == told["with_actions"]["shown"] - told["baseline"]["shown"]
    assert sum(line["shown"] for line in told["lines"]) + told["clipped_shown"] == told["effect_shown"]
    reached = asking.post("/v1/members/me/recourse", headers=me, json={"band": "very_good"})
    assert (reached.status_code, reached.json()["mark"]) == (200, 650)
    two_decisions(served, anna)
    change = asking.get("/v1/members/me/score-change", headers=me).json()
    assert sum(part["shown"] for part in change["parts"]) == change["shown"]


def test_staff_ask_for_a_member_with_a_purpose_that_goes_on_record(
    served: Running, asking: TestClient, anna: str
) -> None:
    staff = bearer(served.key("compliance"))
    body = {"actions": [PHONE]}
    assert asking.post(f"/v1/members/{anna}/what-if", headers=staff, json=body).status_code == 403
    stated = staff | {"Benne-Access-Purpose": "dispute:4711"}
    assert asking.post(f"/v1/members/{anna}/what-if", headers=stated, json=body).status_code == 200
    assert (last(served)["context"], last(served)["actor_role"]) == ("dispute:4711", "compliance")


CANNOT_BE_ASKED: list[tuple[str, str, Any, int, str]] = [
    ("POST", "what-if", {"actions": []}, 422, "request-invalid"),
    ("POST", "what-if", {"actions": [{"action": "win"}]}, 422, "request-invalid"),
    ("POST", "what-if", {"actions": [{"action": "pay_overdue", "days": 1}]}, 422, "request-invalid"),
    ("POST", "what-if", {"actions": [{"action": "pay_overdue", "months": 1}]}, 409, "what-if-not-possible"),
    ("POST", "what-if", {"actions": [PHONE, PHONE]}, 409, "what-if-not-possible"),
    ("POST", "what-if", {"actions": [PHONE], "until": "2001-01-01"}, 409, "what-if-not-possible"),
    ("POST", "what-if", {"actions": [PHONE], "until": "9999-12-31"}, 409, "what-if-not-possible"),
    ("POST", "what-if", {"actions": [PHONE], "until": "never"}, 422, "request-invalid"),
    ("GET", "what-if?until=0001-01-01", None, 409, "what-if-not-possible"),
    ("POST", "recourse", {}, 409, "what-if-not-possible"),
    ("POST", "recourse", {"score": 700, "band": "good"}, 409, "what-if-not-possible"),
    ("POST", "recourse", {"score": 349}, 422, "request-invalid"),
    ("POST", "recourse", {"band": "superb"}, 409, "what-if-not-possible"),
    ("GET", "score-change?from=nothing", None, 404, "decision-unknown"),
]  # fmt: skip


def test_what_cannot_be_asked_is_a_problem_that_says_why(served: Running, asking: TestClient, anna: str) -> None:
    me = bearer(served.member_key(anna))
    for method, path, body, status, problem in CANNOT_BE_ASKED:
        got = asking.request(method, f"/v1/members/me/{path}", headers=me, json=body)
        assert (got.status_code, got.json()["type"]) == (status, f"/problems/{problem}"), (path, body, got.text)
        assert anna not in got.text
        assert served.member(anna) not in got.text


def test_the_words_of_the_interface_are_the_actions_there_are() -> None:
    fields = ActionChoice.model_fields
    assert set(get_args(fields["action"].annotation)) == set(ACTIONS)
    assert set(fields) - {"action"} == {name for action in ACTIONS.values() for name in action.limits}


def test_a_notice_of_a_refusal_says_what_the_member_could_do_and_only_with_their_consent(
    served: Running, asking: TestClient, anna: str
) -> None:
    """The mark that was missed is the threshold that was asked about, or the next band."""
    shop = bearer(served.register())
    served.grant(anna)
    told = asking.post(
        "/v1/scores", json={"member_id": anna, "purpose": "lending", "granularity": "exact"}, headers=shop
    ).json()
    refusal = {"kind": "adverse_action", "decision_id": told["decision_id"], "action_taken": "refused"}
    assert asking.post("/v1/notices", json=refusal, headers=shop).status_code == 201
    member = bearer(served.member_key(anna))
    (listed,) = asking.get("/v1/notices", headers=member).json()["notices"]
    content = asking.get(f"/v1/notices/{listed['notice_id']}", headers=member).json()["content"]
    bands = served.service.what_if.bands(served.member(anna))
    above = min(band.lowest for band in bands if band.lowest > round(told["score"]))
    found = served.service.what_if.recourse(served.member(anna), above, MEMBER)
    assert not isinstance(found, Refusal)
    assert content["counterfactuals"] == [line.strip() for line in found.as_text(texts_of("en")).splitlines()]
    assert content["counterfactuals"][0] in "\n".join(content["paragraphs"])

    served.service.ledger.withdraw(served.member(anna), "own_report", "platform")
    again = asking.post(
        "/v1/scores", json={"member_id": anna, "purpose": "lending", "granularity": "exact"}, headers=shop
    ).json()
    asking.post("/v1/notices", json=refusal | {"decision_id": again["decision_id"]}, headers=shop)
    newest = asking.get("/v1/notices", headers=member).json()["notices"]
    contents = [asking.get(f"/v1/notices/{one['notice_id']}", headers=member).json()["content"] for one in newest]
    assert sorted(bool(one["counterfactuals"]) for one in contents) == [False, True]
