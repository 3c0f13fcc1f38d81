"""The door of the registry: what no feature may be, may touch, or may leave unsaid."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from benne.errors import RegistrationError
from benne.features import CATEGORIES, CATEGORY_LABELS, FeatureSpec, Registry, registry
from benne.features.kernel.expressions import Count, Ratio, stream

GOOD = registry["bill_share_180d"]
ITEMS = stream("adverse_items")


def test_a_good_specification_is_taken() -> None:
    taken = Registry([GOOD])
    assert taken["bill_share_180d"] is GOOD
    assert taken.columns("behaviour") == ["bill_share_180d"]
    assert taken.categories_of(["bill_share_180d"]) == {"behaviour": ["bill_share_180d"]}


@pytest.mark.parametrize(("changes", "message"), [
    ({"name": "Failed Share"}, "its name must be lower case words"),
    ({"category": "astrology"}, "its category must be one of credit_history, .*, got 'astrology'"),
    *(({text: " "}, f"its {text.replace('_', ' ')} is missing") for text in (
        "unit", "label", "adverse_reason", "favourable_reason", "rationale", "source", "owner", "reason_group")),
    ({"null_means": ""}, "it must say what null means, or None"),
    ({"direction": 2}, "its direction must be -1, 0 or 1 on the odds of bad, got 2"),
    ({"minimum": 1.0}, r"its range must have minimum < maximum, got \[1.0, 1.0\]"),
    ({"adverse_reason": "The score is too low"}, "its adverse reason must say what it is about"),
    ({"adverse_reason": "Internal policy"}, "its adverse reason must say what it is about"),
    ({"adverse_reason": "Insufficient creditworthiness"}, "its adverse reason must say what it is about"),
    ({"favourable_reason": "Credit history."}, "its favourable reason must say what it is about"),
    ({"expression": Count(ITEMS)}, "it reads raw adverse_items"),
    ({"expression": Ratio(Count(ITEMS.where(event=("disputed", "ended"))), Count(ITEMS.where(event="ended")))},
     "it reads raw adverse_items"),
    ({"expression": Count(ITEMS.excluding(event="reported"))}, "it reads raw adverse_items"),
])  # fmt: skip
def test_a_specification_with_a_fault_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RegistrationError, match=message) as caught:
        Registry([replace(GOOD, **changes)])
    assert repr(changes.get("name", GOOD.name)) in str(caught.value)


@pytest.mark.parametrize("said", [
    # G1, refused even with consent
    "religion_known", "genetic_risk", "fingerprint_match", "biometric_match", "blood_group", "disease_count",
    "medical_bills_share", "diagnosis_known", "health_spending", "political_donor", "trade_union_member",
    "sexual_orientation", "ethnic_group", "race", "disability_status",
    # F1, protected attributes
    "gender", "sex", "marital_status", "married_months", "nationality", "national_origin", "birth_year",
    "pregnancy_likely", "public_assistance_share", "member_age", "age_years", "age_of_the_member", "family_size",
    "children_count", "education_level",
    # what the source found arbitrary, and what follows from where somebody lives
    "nappies_share", "nappy_purchases", "diaper_purchases", "video_game_hours", "video_games_bought", "charity_share",
    "charitable_gifts", "donations_365d", "merchant_category_mix", "gambling_share",
    "changes_of_address", "address_changes_365d", "changed_address_365d", "house_moves", "postcode_quality",
    # C6, exercising a right, and being looked up
    "consents_withdrawn", "withdrawals_of_consent", "disputes_filed", "complaints_made", "enquiries_90d",
    "inquiries_90d", "lookups_90d", "explanation_requests",
])  # fmt: skip
@pytest.mark.parametrize("field", ["name", "label"])
def test_a_forbidden_topic_is_refused_wherever_it_shows(field: str, said: str) -> None:
    spec = replace(GOOD, **{field: said if field == "name" else f"How often {said.replace('_', ' ')} came up"})
    with pytest.raises(RegistrationError, match="touches the forbidden topic"):
        Registry([spec])


@pytest.mark.parametrize(
    "said", ["Age of the oldest contract", "Average balance", "Essex bank transfers", "Trace of it"]
)
def test_a_word_that_only_sounds_forbidden_is_not(said: str) -> None:
    assert len(Registry([replace(GOOD, label=said)])) == 1


def test_a_name_is_registered_once() -> None:
    with pytest.raises(RegistrationError, match="already registered"):
        Registry([GOOD, GOOD])


@pytest.mark.parametrize("name", list(registry))
def test_every_registered_specification_is_complete(name: str) -> None:
    spec = registry[name]
    assert spec.name == name
    assert all(getattr(spec, field.name) is not None for field in fields(FeatureSpec)
               if field.name not in ("null_means", "actionable"))  # fmt: skip
    assert spec.actionable is None or len(spec.actionable) > 10
    assert spec.gaming in ("low", "medium", "high")


@pytest.mark.parametrize("name", list(registry))
def test_every_text_for_a_member_is_plain_and_specific(name: str) -> None:
    spec = registry[name]
    for reason in (spec.adverse_reason, spec.favourable_reason):
        assert len(reason.split()) >= 3, reason
        assert reason not in CATEGORY_LABELS.values()
    assert spec.adverse_reason != spec.favourable_reason


def test_there_are_at_least_six_features_in_each_category() -> None:
    assert all(len(registry.columns(category)) >= 6 for category in CATEGORIES)
    assert list(registry) == [name for category in CATEGORIES for name in registry.columns(category)]


def test_siblings_with_one_reason_group_stay_in_one_category() -> None:
    groups: dict[str, set[str]] = {}
    for spec in registry.values():
        groups.setdefault(spec.reason_group, set()).add(spec.category)
    assert not {group: found for group, found in groups.items() if len(found) > 1}


def test_never_null_is_what_a_specification_without_a_meaning_of_null_promises() -> None:
    assert registry["late_30_count_90d"].never_null
    assert not registry["days_since_late"].never_null


def test_social_features_are_off_where_the_law_says_so() -> None:
    assert {registry[name].jurisdictions_off for name in registry.columns("social")} == {("eu",)}
