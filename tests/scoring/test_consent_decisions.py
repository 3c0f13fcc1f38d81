"""Deny by default: every answer is recorded once, and says why."""

from __future__ import annotations

import copy
import logging
import pickle
from datetime import timedelta

import pytest

from benne.errors import CategoryError, ConsentRecordError, ConsentRequired, StoreError
from benne.features.categories import CATEGORIES
from benne.scoring import ConsentDecision

DAY = timedelta(days=1)
TWO = ("credit_history", "ability")


def _reasons(decision):
    return [denial.reason for denial in decision.denials]


def test_who_consents_is_permitted_and_who_does_not_is_denied(platform):
    platform.grant(1, TWO)
    decision = platform.decide(1, 2)
    assert decision.subject_ids == (platform.member(1),)
    assert decision.permissions[platform.member(1)].categories == set(TWO)
    assert decision.withheld([platform.member(1)]) == [{"behaviour", "personal_information", "social"}]
    assert _reasons(decision) == ["consent-required"]


def test_each_answer_is_recorded_exactly_once(platform):
    platform.grant(1)
    decision = platform.decide(1, 2, 2, 1)
    rows = platform.rows("decisions")
    assert [(r["subject_id"], r["decision"], r["deny_reason"]) for r in rows] == [
        (platform.member(1), "granted", None),
        (platform.member(2), "denied", "consent-required"),
    ]
    assert {r["decision_id"] for r in rows} == {decision.decision_id}
    assert rows[0]["categories"] == ",".join(CATEGORIES)
    assert {(r["purpose"], r["recipient"], r["actor"]) for r in rows} == {("lending", "shop", "checkout")}
    assert [d.reason for d in platform.ledger.denials(platform.member(2))] == ["consent-required"]


def test_no_record_no_answer(platform):
    platform.grant(1)
    platform.ledger._ids = lambda: "x"
    platform.decide(1)
    with pytest.raises(StoreError, match="got IntegrityError"):  # the id is taken, so it cannot be written
        platform.decide(1)


def test_reasons_tell_why(platform):
    platform.grant(1)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    platform.grant(2, validity=DAY)
    platform.grant(3, ("credit_history", "social"))
    platform.ledger.refuse(platform.request(4))
    platform.clock.turn(2 * DAY)
    decision = platform.decide(1, 2, 3, 4, 5)
    assert _reasons(decision) == [
        "consent-withdrawn",
        "consent-expired",
        "insufficient-categories",
        "consent-required",
        "consent-required",
    ]


def test_required_categories_can_be_others(platform):
    platform.grant(1, ("social",))
    assert _reasons(platform.decide(1)) == ["insufficient-categories"]
    assert _reasons(platform.decide(1, required=())) == []
    with pytest.raises(CategoryError, match="got another"):
        platform.decide(1, required=("religion",))


def test_purposes_and_recipients_do_not_mix(platform):
    platform.grant(1)
    assert _reasons(platform.decide(1, recipient="bank")) == ["consent-required"]
    assert _reasons(platform.decide(1, purpose="rental")) == ["consent-required"]
    assert _reasons(platform.decide(1, purpose="model_training")) == ["consent-required"]


def test_training_has_a_consent_of_its_own(platform):
    platform.grant(1, purpose="model_training", recipient="benne-training")
    training = platform.decide(1, purpose="model_training", recipient="benne-training")
    assert training.subject_ids == (platform.member(1),)
    assert _reasons(platform.decide(1)) == ["consent-required"]


def test_a_purpose_outside_credit_like_uses_is_refused_and_its_name_not_kept(platform):
    platform.grant(1)
    assert _reasons(platform.decide(1, purpose="dating profile of Anna")) == ["purpose-not-allowed"]
    assert platform.rows("decisions")[0]["purpose"] is None


def test_as_of_must_have_been_consented_to_as_well(platform):
    before = platform.clock()
    platform.clock.turn(DAY)
    platform.grant(1, TWO)
    platform.clock.turn(DAY)
    platform.grant(1)
    platform.clock.turn(DAY)
    assert _reasons(platform.decide(1, as_of=before)) == ["consent-given-later"]
    at_first = platform.decide(1, as_of=before + DAY)
    assert at_first.permissions[platform.member(1)].categories == set(TWO)
    with pytest.raises(ConsentRecordError, match="as_of must not lie in the future"):
        platform.decide(1, as_of=platform.clock() + DAY)


def test_more_than_advice_needs_consent_and_a_reviewer(platform):
    platform.grant(1)
    platform.grant(2, reliance="sole")
    assert _reasons(platform.decide(2, reliance="strong")) == ["review-route-missing"]
    strong = platform.decide(1, 2, reliance="strong", review_route="desk")
    assert (strong.subject_ids, _reasons(strong)) == ((platform.member(2),), ["reliance-not-consented"])


def test_consent_to_automated_decisions_is_its_own(platform):
    platform.grant(1, reliance="sole")
    alone = platform.decide(1, reliance="sole", review_route="desk")
    assert _reasons(alone) == ["automated-decision-consent-required"]
    platform.grant(1, reliance="sole", consent_type="automated_decision", lawful_basis="explicit_consent")
    assert _reasons(platform.decide(1, reliance="sole", review_route="desk")) == []
    platform.grant(2, reliance="sole", consent_type="automated_decision", lawful_basis="explicit_consent")
    assert _reasons(platform.decide(2)) == ["consent-required"]
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    assert _reasons(platform.decide(1)) == ["consent-withdrawn"]


def test_the_coarsest_granularity_holds(platform):
    platform.grant(1, TWO, granularity="exact")
    assert platform.decide(1).permissions[platform.member(1)].granularity == "exact"
    platform.grant(1, ("social",), granularity="threshold")
    assert platform.decide(1).permissions[platform.member(1)].granularity == "threshold"


def test_require_raises_after_recording(platform):
    with pytest.raises(ConsentRequired, match="got consent-required"):
        platform.ledger.require(platform.member(1), purpose="lending", recipient="shop", actor="checkout")
    assert len(platform.rows("decisions")) == 1
    platform.grant(1)
    decision = platform.ledger.require(platform.member(1), purpose="lending", recipient="shop", actor="checkout")
    assert decision.subject_ids == (platform.member(1),)


def test_only_a_ledger_makes_decisions(platform, open_a_platform):
    platform.grant(1)
    decision = platform.decide(1)
    fields = {name: getattr(decision, name) for name in ConsentDecision.__dataclass_fields__}
    with pytest.raises(ConsentRequired, match="must come from a ledger"):
        ConsentDecision(**{**fields, "seal": object()})
    for impostor in (copy.copy(decision), None, "yes"):
        with pytest.raises(ConsentRequired, match="must come from this ledger"):
            platform.ledger.release(impostor, [platform.member(1)])
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(decision)
    other = open_a_platform()
    with pytest.raises(ConsentRequired, match="must come from this ledger"):
        other.ledger.release(decision, [platform.member(1)])
    other.store.close()


def test_a_decision_cannot_be_widened(platform):
    platform.grant(1, TWO)
    decision = platform.decide(1)
    with pytest.raises(AttributeError, match="cannot assign"):
        decision.permissions = {}
    with pytest.raises(TypeError, match="does not support item assignment"):
        decision.permissions[platform.member(2)] = decision.permissions[platform.member(1)]
    with pytest.raises(ConsentRequired, match="permitted by the decision"):
        decision.withheld([platform.member(2)])


def test_a_release_sees_what_happened_since(platform):
    for number in (1, 2, 3, 4):
        platform.grant(number, granularity="exact")
    decision = platform.decide(1, 2, 3, 4)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    platform.ledger.withdraw(platform.member(2), "lending", "shop", ["social"])
    platform.grant(3, granularity="band")
    late = platform.ledger.release(decision, [platform.member(n) for n in (1, 2, 3, 4, 5)])
    assert late == {
        platform.member(1): "consent-withdrawn",
        platform.member(2): "consent-changed",
        platform.member(3): "consent-changed",
        platform.member(5): "consent-required",
    }
    recorded = [r for r in platform.rows("decisions") if r["about_decision"] == decision.decision_id]
    assert {r["subject_id"]: r["deny_reason"] for r in recorded} == late


def test_a_decision_grows_old(platform):
    platform.grant(1)
    decision = platform.decide(1)
    platform.clock.turn(timedelta(minutes=5))
    late = platform.ledger.release(decision, [platform.member(1)])
    assert late == {platform.member(1): "decision-expired"}


def test_free_text_has_no_place_in_names(platform):
    for name in ("recipient", "actor"):
        with pytest.raises(ConsentRecordError, match=f"A {name} must be a short name"):
            platform.decide(1, **{name: "Anna Müller, asked by phone"})
    with pytest.raises(ConsentRecordError, match="A reliance must be one of"):
        platform.decide(1, reliance="blind")


def test_no_id_reaches_logs_or_messages(platform, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    member = platform.grant(0xC0FFEE)
    decision = platform.decide(0xC0FFEE, 0xBEEF)
    platform.ledger.withdraw(member, "lending", "shop")
    platform.ledger._ids = lambda: decision.decision_id
    with pytest.raises(StoreError, match="got IntegrityError") as failure:
        platform.decide(0xC0FFEE)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)
    said = caplog.text + str(failure.value) + repr(failure.value.__context__) + repr(decision)
    assert "INSERT INTO decisions" in caplog.text
    assert "c0ffee" not in said
    assert "beef" not in said
    assert "beef" not in repr(decision.denials)
