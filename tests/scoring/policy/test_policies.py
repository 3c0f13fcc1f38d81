"""Policies cannot be half right: each contradiction is refused where it is made, and by its place."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from benne.errors import PolicyError
from benne.scoring.policy import BenefitPolicy, Policies, PurposePolicy


def remade(policies: Policies, **changes) -> Policies:
    parts = {name: getattr(policies, name) for name in ("jurisdiction", "purposes", "benefits", "recipients")}
    return Policies(**{**parts, **changes})


@pytest.mark.parametrize("reliance", ["strong", "sole"])
def test_strong_and_sole_reliance_need_a_route_to_review(reliance):
    with pytest.raises(PolicyError, match=rf"purposes\.rental\.review_route must be given for reliance {reliance}"):
        PurposePolicy(purpose="rental", contexts=frozenset({"platform"}), reliance=reliance)


@pytest.mark.parametrize("route", ["", "ftp://x", "two words", "https://", "javascript:alert(1)//\n"])
def test_a_route_to_review_is_a_name_a_path_or_an_https_address(route):
    with pytest.raises(PolicyError, match="review_route must be a name, a path or an https address"):
        PurposePolicy(purpose="rental", contexts=frozenset({"platform"}), review_route=route)


@pytest.mark.parametrize("route", ["reviews", "/v1/reviews", "https://scores.example/v1/reviews/{id}"])
def test_routes_that_lead_somewhere_are_taken(route):
    made = PurposePolicy(purpose="rental", contexts=frozenset({"platform"}), reliance="sole", review_route=route)
    assert made.review_route == route


@pytest.mark.parametrize("granularity", ["band", "exact"])
@pytest.mark.parametrize("purpose", ["deposit_waiver", "fast_lane"])
def test_a_purpose_that_may_only_benefit_tells_no_score_and_no_band(policies, purpose, granularity):
    with pytest.raises(PolicyError, match=rf"purposes\.{purpose}\.granularity must be threshold"):
        replace(policies.purposes[purpose], granularity=granularity)


def test_a_purpose_that_may_only_benefit_has_no_marks(policies):
    with pytest.raises(PolicyError, match=r"purposes\.fast_lane\.marks must be empty"):
        replace(policies.purposes["fast_lane"], marks=(650,))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"purpose": "dating"}, "purpose must be one of lending"),
        ({"enabled": 1}, r"purposes\.rental\.enabled must be true or false, got 1"),
        ({"key_factors": 1}, r"purposes\.rental\.key_factors must be true or false, got 1"),
        ({"key_factors": True}, r"purposes\.rental\.key_factors must be false where the granularity is not exact"),
        ({"contexts": frozenset({"Two Words"})}, r"purposes\.rental\.contexts must be made of short names"),
        ({"reliance": "total"}, r"purposes\.rental\.reliance must be one of advisory, strong, sole, got 'total'"),
        ({"granularity": "raw"}, r"purposes\.rental\.granularity must be one of threshold, band, exact, got 'raw'"),
        ({"marks": (349,)}, r"purposes\.rental\.marks must be whole scores from 350 to 950, got 349"),
        ({"marks": (True,)}, r"purposes\.rental\.marks must be whole scores"),
        ({"marks": (650.5,)}, r"purposes\.rental\.marks must be whole scores"),
        ({"required_categories": frozenset({"luck"})}, r"required_categories must be one of credit_history, .*'luck'"),
        ({"answer_valid": timedelta(0)}, r"purposes\.rental\.answer_valid must be longer than nothing"),
    ],
)
def test_a_value_outside_its_set_is_refused_by_its_place(policies, changes, place):
    with pytest.raises(PolicyError, match=place):
        replace(policies.purposes["rental"], **changes)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"purpose": "lending"}, r"benefits\.x\.purpose must be one of deposit_waiver, fast_lane, got 'lending'"),
        ({"otherwise": "refused"}, r"benefits\.x\.otherwise must be one of ordinary_way, got 'refused'"),
        ({"threshold": None}, r"benefits\.x must have a threshold or a band, got neither"),
        ({"band": "good"}, r"benefits\.x must have a threshold or a band, got both"),
        ({"threshold": 951}, r"benefits\.x\.threshold must be whole scores from 350 to 950, got 951"),
        ({"grants": " "}, r"benefits\.x\.grants must be a text"),
        ({"name": "Free Lunch"}, "benefits must be made of short names"),
    ],
)
def test_a_benefit_that_could_refuse_or_says_nothing_is_refused(changes, place):
    right = {"name": "x", "purpose": "fast_lane", "grants": "y", "threshold": 700}
    assert BenefitPolicy(**right).otherwise == "ordinary_way"
    with pytest.raises(PolicyError, match=place):
        BenefitPolicy(**{**right, **changes})


def test_under_eu_rules_credit_never_requires_the_social_category(policies):
    lending = replace(policies.purposes["lending"], required_categories=frozenset({"credit_history", "social"}))
    purposes = {**policies.purposes, "lending": lending}
    assert remade(policies, purposes=purposes).purposes["lending"] is lending
    with pytest.raises(PolicyError, match=r"purposes\.lending\.required_categories must leave out social"):
        remade(policies, purposes=purposes, jurisdiction="eu")


def test_recipients_and_benefits_name_declared_purposes(policies):
    with pytest.raises(PolicyError, match=r"recipients\.shop\.purposes must be one of lending, .* got 'dating'"):
        remade(policies, recipients={"shop": frozenset({"dating"})})
    with pytest.raises(
        PolicyError, match=r"benefits\.deposit_waiver\.purpose must be absent, as no purpose is declared"
    ):
        remade(policies, purposes={}, recipients={})
    with pytest.raises(PolicyError, match="recipients must be made of short names"):
        remade(policies, recipients={"The Shop": frozenset()})


def test_a_policy_stands_under_its_own_name(policies):
    with pytest.raises(PolicyError, match=r"purposes\.lending\.purpose must be one of lending, got 'rental'"):
        remade(policies, purposes={**policies.purposes, "lending": policies.purposes["rental"]})
    with pytest.raises(PolicyError, match=r"benefits\.gift\.name must be one of gift, got 'fast_lane'"):
        remade(policies, benefits={"gift": policies.benefits["fast_lane"]})


def test_policies_do_not_change_after_they_were_made(policies):
    with pytest.raises(FrozenInstanceError, match="jurisdiction"):
        policies.jurisdiction = "eu"
    with pytest.raises(TypeError, match="does not support item assignment"):
        policies.recipients["x"] = frozenset({"lending"})


def test_the_version_is_of_the_content_and_not_of_its_order(policies):
    turned = remade(
        policies,
        purposes=dict(reversed(policies.purposes.items())),
        recipients=dict(reversed(policies.recipients.items())),
    )
    assert turned.version == policies.version


def test_policies_from_before_key_factors_keep_their_version(policies, with_purpose):
    assert "key_factors" not in policies.content()["purposes"]["lending"]
    assert with_purpose("lending", key_factors=True).content()["purposes"]["lending"]["key_factors"] is True


@pytest.mark.parametrize(
    "name", ["reliance", "granularity", "marks", "vector_age", "contexts", "enabled", "key_factors"]
)
def test_every_change_of_a_purpose_is_another_version(policies, with_purpose, name):
    other = {"reliance": "advisory", "granularity": "band", "marks": (600,), "vector_age": timedelta(hours=1),
             "contexts": frozenset({"branch"}), "enabled": False, "key_factors": True}  # fmt: skip
    assert with_purpose("lending", **{name: other[name]}).version != policies.version
