"""Deny by default: what is missing, unknown or beyond what is allowed is denied with its reason."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.decision import FROM_COARSE
from benne.scoring.consent.vocabulary import GRANULARITIES, PURPOSE_CLASSES, PURPOSES, RELIANCES
from benne.scoring.policy import Asked, Policies, check, default_policies
from benne.scoring.policy.checking import POLICY_DENY_REASONS, WHY, PolicyDenyReason

BENEFIT_ONLY = [purpose for purpose, purpose_class in PURPOSE_CLASSES.items() if purpose_class == "benefit_only"]


def reason(policies, question):
    denial = check(policies, question)
    return None if denial is None else denial.reason


def test_what_is_allowed_is_not_denied(policies, asked, asked_for_a_benefit):
    assert reason(policies, asked()) is None
    assert reason(policies, asked(granularity="threshold", threshold=650)) is None
    assert reason(policies, asked_for_a_benefit()) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purpose": None}, "purpose-not-allowed"),
        ({"purpose": "dating"}, "purpose-not-allowed"),
        ({"purpose": "model_training"}, "purpose-not-allowed"),  # known, and not enabled
        ({"purpose": "own_report"}, "recipient-not-allowed"),  # the platform's alone
        ({"recipient": None}, "recipient-not-allowed"),
        ({"recipient": ""}, "recipient-not-allowed"),
        ({"recipient": "*"}, "recipient-not-allowed"),
        ({"recipient": ["shop"]}, "recipient-not-allowed"),
        ({"purpose": ["lending"]}, "purpose-not-allowed"),
        ({"context": None}, "context-not-allowed"),
        ({"context": ["platform"]}, "context-not-allowed"),
        ({"reliance": ["advisory"]}, "reliance-not-allowed"),
        ({"granularity": ["band"]}, "granularity-not-allowed"),
        ({"threshold": [650]}, "threshold-not-allowed"),
        ({"benefit": ["deposit_waiver"]}, "benefit-unknown"),
        ({"context": "dating_site"}, "context-not-allowed"),
        ({"reliance": None}, "reliance-not-allowed"),
        ({"reliance": "total"}, "reliance-not-allowed"),
        ({"reliance": "sole"}, "reliance-not-allowed"),  # lending goes up to strong
        ({"purpose": "rental", "reliance": "strong"}, "review-route-missing"),
        ({"purpose": "rental", "granularity": "exact"}, "granularity-not-allowed"),
        ({"granularity": None}, "granularity-not-allowed"),
        ({"granularity": "raw_features"}, "granularity-not-allowed"),
        ({"granularity": "threshold"}, "threshold-missing"),
        ({"granularity": "threshold", "threshold": 651}, "threshold-not-allowed"),
        ({"granularity": "threshold", "threshold": 650.0}, "threshold-not-allowed"),
        ({"threshold": True}, "threshold-not-allowed"),
        ({"benefit": "deposit_waiver"}, "benefit-unknown"),  # no benefit of lending
    ],
)
def test_each_thing_that_is_not_allowed_has_its_reason(policies, asked, changes, expected):
    assert reason(policies, asked(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"benefit": None}, "benefit-required"),
        ({"benefit": None, "granularity": "exact"}, "benefit-required"),
        ({"benefit": "free_lunch"}, "benefit-unknown"),
        ({"benefit": "fast_lane"}, "benefit-unknown"),  # of another purpose
        ({"granularity": "band"}, "granularity-not-allowed"),
        ({"granularity": "exact"}, "granularity-not-allowed"),
        ({"threshold": 650}, "threshold-not-allowed"),
    ],
)
def test_a_purpose_that_may_only_benefit_gives_nothing_to_refuse_with(policies, asked_for_a_benefit, changes, expected):
    assert reason(policies, asked_for_a_benefit(**changes)) == expected


def test_nobody_is_served_without_being_named_or_registered(policies, asked):
    closed = Policies(jurisdiction="default", purposes=policies.purposes, benefits={}, recipients={})
    assert reason(closed, asked()) == "recipient-not-allowed"


def test_a_recipient_with_a_section_has_what_is_in_it_and_not_what_others_have(policies, asked):
    named = Policies(
        jurisdiction="default",
        purposes=policies.purposes,
        benefits={},
        recipients={"shop": frozenset({"rental"}), "*": frozenset({"lending"})},
    )
    assert reason(named, asked()) == "recipient-not-allowed"
    assert reason(named, asked(purpose="rental")) is None
    assert reason(named, asked(recipient="another")) is None


def test_a_purpose_switched_off_is_denied_whoever_asks(with_purpose, asked):
    assert reason(with_purpose("lending", enabled=False), asked()) == "purpose-not-allowed"


@given(
    purpose=st.sampled_from(BENEFIT_ONLY),
    granularity=st.sampled_from([*GRANULARITIES, None, "score"]),
    threshold=st.none() | st.integers(0, 2000),
    benefit=st.none() | st.sampled_from(["deposit_waiver", "fast_lane", "other"]),
    reliance=st.sampled_from([*RELIANCES, None]),
)
def test_no_question_about_a_benefit_only_purpose_gets_a_score_or_a_mark_of_its_own(
    purpose, granularity, threshold, benefit, reliance
):
    question = Asked(
        recipient="shop", purpose=purpose, context="platform", reliance=reliance, granularity=granularity,
        threshold=threshold, benefit=benefit,
    )  # fmt: skip
    if check(default_policies(), question) is None:
        assert (granularity, threshold, benefit) == ("threshold", None, purpose)


@given(
    question=st.builds(
        Asked,
        recipient=st.sampled_from(["shop", "*", "", None]),
        purpose=st.sampled_from([*PURPOSES, "dating", None]),
        context=st.sampled_from(["platform", "checkout", "club", None]),
        reliance=st.sampled_from([*RELIANCES, "total", None]),
        granularity=st.sampled_from([*GRANULARITIES, "raw", None]),
        threshold=st.sampled_from([None, 650, 651, "650", True]),
        benefit=st.sampled_from([None, "deposit_waiver", "lunch"]),
    )
)
def test_whatever_is_let_through_is_named_complete_and_within_its_purpose(question):
    policies = default_policies()
    denial = check(policies, question)
    if denial is not None:
        assert denial.reason in POLICY_DENY_REASONS
        return
    policy = policies.purposes[question.purpose]
    assert policy.enabled
    assert question.recipient == "shop"
    assert question.context in policy.contexts
    assert RELIANCES.index(question.reliance) <= RELIANCES.index(policy.reliance)
    assert question.reliance == "advisory" or policy.review_route is not None
    assert FROM_COARSE.index(question.granularity) <= FROM_COARSE.index(policy.granularity)
    assert question.threshold is None or question.threshold in policy.marks


def test_taking_any_part_of_a_question_away_denies_it(policies, asked):
    without_default = {"recipient", "purpose", "context", "reliance", "granularity"}
    assert without_default < {field.name for field in fields(Asked)}
    for name in without_default:
        assert check(policies, replace(asked(), **{name: None})) is not None, name


def test_every_reason_has_a_sentence_and_is_a_name_the_audit_takes(policies, asked):
    assert set(WHY) == set(get_args(PolicyDenyReason))
    for code in POLICY_DENY_REASONS:
        entry = AuditEntry(
            event_id="e", type="score_decided", actor_id="shop", actor_role="recipient", service="scores",
            policy_version=policies.version, decision="denied", deny_reason=code,
        )  # fmt: skip
        assert entry.deny_reason == code
    denial = check(policies, asked(purpose="dating"))
    assert "must be one that is served here" in denial.why
    assert "dating" not in denial.why
