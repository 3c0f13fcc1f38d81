"""Profiles move deadlines and defaults; what Benne holds to everywhere, no profile can loosen."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from benne.errors import ConsentRecordError, ConsentRequired
from benne.features.categories import CATEGORIES
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.record import ADULT
from benne.scoring.jurisdictions import PROFILES, Limit, Profile, barred_categories, profile_of

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVERYWHERE = pytest.mark.parametrize("place", words.JURISDICTIONS)
LIMITS = [field.name for field in fields(Profile) if field.type == "Limit"]


def test_every_jurisdiction_has_a_profile_of_its_own():
    assert {place: profile.code for place, profile in PROFILES.items()} == {p: p for p in words.JURISDICTIONS}
    with pytest.raises(ConsentRecordError, match="must be one of cn, eu, us, default"):
        profile_of("moon")


@pytest.mark.parametrize(
    ("place", "name", "limit"),
    [
        ("us", "adverse_action", Limit(days=30)),
        ("us", "adverse_action_after_counter_offer", Limit(days=90)),
        ("us", "reasons_asked_within", Limit(days=60)),
        ("us", "reasons_answered", Limit(days=30)),
        ("cn", "dispute", Limit(days=20)),
        ("us", "dispute", Limit(days=30)),
        ("us", "dispute_extension", Limit(days=15)),
        ("eu", "rights", Limit(months=1)),
        ("eu", "rights_extension", Limit(months=2)),
        ("us", "decisions_kept", Limit(months=25)),
        ("eu", "logs_kept", Limit(months=6)),
        ("cn", "adverse_items", Limit(months=60)),
    ],
)
def test_the_deadlines_are_those_of_the_table(place, name, limit):
    assert getattr(PROFILES[place], name) == limit


def test_corrections_are_live_in_three_days_and_reports_are_free():
    assert {p.correction_live for p in PROFILES.values()} == {Limit(days=3)}
    assert {code: p.free_reports_a_year for code, p in PROFILES.items()} == {
        "cn": 2,
        "eu": None,
        "us": 1,
        "default": 2,
    }


@pytest.mark.parametrize(
    ("limit", "end"),
    [
        (Limit(days=20), datetime(2026, 2, 20, 12, tzinfo=UTC)),
        (Limit(months=1), datetime(2026, 2, 28, 12, tzinfo=UTC)),
        (Limit(months=25), datetime(2028, 2, 29, 12, tzinfo=UTC)),
        (Limit(months=60), datetime(2031, 1, 31, 12, tzinfo=UTC)),
        (Limit(months=11), datetime(2026, 12, 31, 12, tzinfo=UTC)),
        (Limit(months=12), datetime(2027, 1, 31, 12, tzinfo=UTC)),
        (Limit(months=1, days=1), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (Limit(), NOON),
    ],
)
def test_months_are_counted_on_the_calendar(limit, end):
    assert limit.after(NOON) == end


def test_the_default_is_the_shortest_where_benne_owes_and_the_longest_where_members_may_wait():
    default = PROFILES["default"]
    for name in LIMITS:
        ends = [getattr(profile, name).after(NOON) for profile in PROFILES.values()]
        bound = max if name in {"reasons_asked_within", "decisions_kept", "logs_kept"} else min
        if not name.startswith("adverse_action"):  # the eu's "without undue delay" is a day
            assert getattr(default, name).after(NOON) == bound(ends), name


@EVERYWHERE
def test_no_profile_weakens_what_holds_everywhere(place):
    profile = PROFILES[place]
    assert profile.minimum_age >= ADULT
    years = 20 if place == "default" else 2
    assert timedelta(0) < profile.longest_validity <= timedelta(days=years * 365)
    assert profile.adverse_items.after(NOON) <= Limit(months=60).after(NOON)
    assert profile.correction_live.after(NOON) <= Limit(days=3).after(NOON)
    for purpose_class in words.PURPOSE_CLASS_NAMES:
        everywhere = barred_categories(frozenset({place, "default"}), purpose_class)
        assert everywhere >= barred_categories(frozenset({"default"}), purpose_class)


@EVERYWHERE
def test_consent_comes_first_in_every_jurisdiction(platform, place):
    platform.terms = replace(platform.terms, jurisdiction=place)
    assert [d.reason for d in platform.decide(1).denials] == ["consent-required"]
    platform.grant(1, ("credit_history", "ability"))
    decision = platform.decide(1)
    assert decision.subject_ids == (platform.member(1),)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    with pytest.raises(ConsentRequired, match="got consent-withdrawn"):
        platform.scorer.score(platform.features({1: ("credit_history", "ability")}), decision)
    assert [d.reason for d in platform.decide(1).denials] == ["consent-withdrawn"]


@EVERYWHERE
@pytest.mark.parametrize("method", sorted(words.REFUSED_CAPTURES))
def test_only_an_act_of_the_member_counts_in_every_jurisdiction(platform, place, method):
    with pytest.raises(ConsentRecordError, match="act of the member"):
        replace(platform.request(1, jurisdiction=place), capture=replace(platform.capture, method=method))


@EVERYWHERE
def test_nobody_under_age_consents_in_any_jurisdiction(platform, place):
    for known in ({"minor": True}, {"age_years": 17}):
        with pytest.raises(ConsentRecordError, match="under 18"):
            replace(platform.request(1, ("ability",), jurisdiction=place), **known)


@EVERYWHERE
def test_a_person_reviews_in_every_jurisdiction(platform, place):
    terms = {"jurisdiction": place, "reliance": "sole"}
    two = ("credit_history", "ability")
    platform.grant(1, two, **terms)
    platform.grant(1, two, **terms, consent_type="automated_decision", lawful_basis="explicit_consent")
    assert [d.reason for d in platform.decide(1, reliance="sole").denials] == ["review-route-missing"]
    assert platform.decide(1, reliance="sole", review_route="desk").denials == ()


@EVERYWHERE
def test_a_consent_lasts_no_longer_than_its_jurisdiction_lets_it(platform, place):
    longest = PROFILES[place].longest_validity
    platform.grant(1, ("ability",), jurisdiction=place, validity=longest)
    with pytest.raises(ConsentRecordError, match=f"at most {longest.days} days"):
        platform.grant(1, ("ability",), jurisdiction=place, validity=longest + timedelta(microseconds=1))


def test_nothing_is_barred_but_social_for_credit_in_the_eu():
    barred = {
        (place, purpose_class, category)
        for place in words.JURISDICTIONS
        for purpose_class in words.PURPOSE_CLASS_NAMES
        for category in barred_categories(frozenset({place}), purpose_class)
    }
    assert barred == {("eu", "credit", "social")}
    assert barred_categories(frozenset(), "credit") == frozenset()
    assert set(CATEGORIES) > barred_categories(frozenset(words.JURISDICTIONS), "credit")
