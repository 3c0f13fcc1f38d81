"""The door of the registry, tried by a hostile author: each kind of fault is refused by name."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import pytest

from benne.errors import RegistrationError
from benne.features import FeatureSpec, Registry, registry
from benne.features.equivalence import canonical
from benne.features.kernel.expressions import (
    ActivePeriods,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Difference,
    Distinct,
    Expression,
    Largest,
    Latest,
    Ratio,
    Scaled,
    Smallest,
    Sum,
    Total,
    Variation,
    stream,
)
from benne.features.possible_values import Possible, possible
from benne.features.registration import JURISDICTIONS
from benne.scoring.consent.vocabulary import Jurisdiction

GOOD = registry["bill_share_180d"]
COUNT = registry["penalty_fees_180d"]
SOCIAL = registry["relationships_365d"]
PAYMENTS, FACTS, INCOMES, DEALINGS = (stream(n) for n in ("payments", "verifications", "incomes", "interactions"))
OUT, IN = PAYMENTS.where(direction="out"), PAYMENTS.where(direction="in")


def refused(spec: FeatureSpec, message: str, *others: FeatureSpec) -> None:
    taken = Registry(others)
    with pytest.raises(RegistrationError, match=message) as caught:
        taken.register(spec)
    assert repr(spec.name) in str(caught.value)
    assert spec.name not in taken or spec in others


# ------------------------------------------------------------------ with which category it is consented to

LISTED, DUE, MONTHS = (stream(name) for name in ("listed_items", "delinquency", "account_status"))
VERIFIED, REPORTS = FACTS.where(event="verified"), DEALINGS.where(kind="report")
WITH_WHOM = "so that its category must be social, got 'behaviour'"


@pytest.mark.parametrize(("expression", "message"), [
    (Total(stream("contacts"), "change"), f"it reads interactions, {WITH_WHOM}"),
    (Count(REPORTS.where(direction="received", value=1)), f"it reads interactions, {WITH_WHOM}"),
    (Distinct(PAYMENTS.where(kind="transfer"), "counterparty_id"), f"it reads payments.counterparty_id, {WITH_WHOM}"),
    (Distinct(OUT.within(365), "counterparty_id"), WITH_WHOM),
    (Scaled(Sum(Count(OUT), Distinct(OUT.where(kind="bill"), "counterparty_id")), 2.0), WITH_WHOM),
    (Count(PAYMENTS.known("counterparty_id")), WITH_WHOM),
])  # fmt: skip
def test_with_whom_one_deals_is_read_by_social_features_alone(expression: Expression, message: str) -> None:
    refused(replace(COUNT, name="some_feature", expression=expression), message)


@pytest.mark.parametrize(("expression", "message"), [
    (Count(INCOMES), "it reads incomes, so that its category must be ability, got 'social'"),
    (Count(VERIFIED), "it reads verifications, so that its category must be personal_information"),
    (Total(LISTED, "change"), "it reads adverse_items, so that its category must be credit_history"),
    (Count(DUE), "it reads dues, so that its category must be credit_history or behaviour or ability"),
    (Count(stream("balances")), "it reads balances, so that its category must be behaviour or ability"),
])  # fmt: skip
def test_what_is_withheld_with_one_category_is_not_read_by_another(expression: Expression, message: str) -> None:
    refused(replace(SOCIAL, name="some_feature", expression=expression), message)


# ------------------------------------------------------------------ the same under another name

P30 = PAYMENTS.within(30)
SAME = [
    (Count(P30), Count(PAYMENTS.between(0, 30))),
    (Sum(Count(OUT), Count(IN.within(9))), Sum(Count(IN.within(9)), Count(OUT))),
    (Sum(Count(OUT), Sum(Count(IN), Count(P30))), Sum(Sum(Count(P30), Count(OUT)), Count(IN))),
    (Difference(Count(OUT), Count(P30)), Difference(Count(P30), Count(OUT))),
    (Count(OUT), Count(PAYMENTS.excluding(direction="in"))),
    (Count(OUT), Scaled(Count(OUT), 3.0)),
    (Ratio(Scaled(Count(OUT), 3.0), Count(IN)), Ratio(Count(OUT), Scaled(Count(IN), 6.0))),
    (Count(PAYMENTS.where(status="failed", kind="bill")), Count(PAYMENTS.where(kind="bill").where(status="failed"))),
    (Count(OUT.at_least(amount=1).at_least(amount=0)), Count(OUT.at_least(amount=1))),
    (Count(PAYMENTS.known("status")), Count(PAYMENTS.where(status=("settled", "failed", "reversed")))),
    (Total(OUT.known("amount"), "amount"), Total(OUT, "amount")),
]
DIFFERENT = [
    (Count(P30), Count(PAYMENTS.within(60))),
    (Count(OUT), Count(IN)),
    (Count(OUT), Count(OUT.known("status"))),
    (Count(OUT.excluding(status="failed")), Count(OUT.where(status=("settled", "reversed")))),
    (Largest(OUT, "amount"), Smallest(OUT, "amount")),
    (Sum(Count(OUT), Count(IN.within(9))), Sum(Count(OUT), Scaled(Count(IN.within(9)), 2.0))),
    (ActivePeriods(OUT), ActivePeriods(OUT, 30, 12)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_under_another_name_is_refused(one: Expression, other: Expression) -> None:
    spec = replace(COUNT, name="some_feature", expression=one, minimum=-9.0, direction=0)
    if possible(one).nullable:
        spec = replace(spec, null_means="nothing to divide by")
    spec = replace(spec, minimum=max(possible(one).low, -9.0))
    refused(replace(spec, name="another", label="Something else entirely", expression=other),
            "it computes the same as 'some_feature'", spec)  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_is_not_taken_for_the_same(one: Expression, other: Expression) -> None:
    assert canonical(one) != canonical(other)


# ------------------------------------------------------------------ what it says


@pytest.mark.parametrize(("changes", "message"), [
    *(({text: None}, f"its {text.replace('_', ' ')} is missing") for text in ("label", "rationale", "source", "owner")),
    ({"actionable": " "}, "it must say what a member can do, or None where nothing"),
    ({"gaming": "hard"}, "its ease of gaming must be one of low, medium, high, got 'hard'"),
    ({"label": "Payments"}, "its label must be at least 2 words"),
    ({"adverse_reason": "Too many"}, "its adverse reason must be at least 3 words, got 'Too many'"),
    ({"rationale": "It works"}, "its rationale must be at least 4 words"),
    ({"source": "Somebody, some journal or other"}, "its source must be one that can be looked up"),
    ({"adverse_reason": "High revolving utilisation on lines"}, "its adverse reason must be plain for members"),
    ({"label": "Ratio of failures"}, "its label must be plain for members"),
    ({"unit": "standard deviations"}, "its unit must be plain for members"),
    ({"null_means": "NaN in the window"}, "its null means must be plain for members"),
    ({"label": "share that failed"}, "its label must begin with a capital"),
    ({"label": "Share that failed."}, "its label must begin with a capital, without full stop"),
    ({"adverse_reason": "Payments_failed again and again"}, "without full stop or underscore"),
    ({"favourable_reason": GOOD.adverse_reason}, "its adverse and its favourable reason must differ"),
    ({"adverse_reason": "Various reasons of ours"}, "its adverse reason must say what it is about"),
    ({"adverse_reason": "For general reasons of ours"}, "its adverse reason must say what it is about"),
    ({"adverse_reason": "General credit criteria unmet"}, "its adverse reason must say what it is about"),
    ({"actionable": "Spend more on the platform"}, "its actionable must not ask a member to buy or borrow"),
    ({"actionable": "Shop here every month"}, "its actionable must not ask|touches the forbidden topic 'shop'"),
    ({"actionable": "Use the account more often"}, "its actionable must not ask a member to buy or borrow"),
    ({"actionable": "Take out another loan"}, "its actionable must not ask a member to buy or borrow"),
    ({"actionable": "Open a credit line"}, "its actionable must not ask a member to buy or borrow"),
    ({"label": "Payments that failed", "direction": -1}, "more lowers the risk, but its label names a fault"),
    ({"label": "Bills paid on time", "direction": 1}, "more raises the risk, but its label names a merit"),
    ({"name": "failed_payment_share_90d"}, "its name says 90 days, but no window"),
    ({"jurisdictions_off": ("mars",)}, r"its jurisdictions must be among cn, eu, us, default, got \('mars',\)"),
    ({"jurisdictions_off": "eu"}, "its jurisdictions must be among"),
    ({"jurisdictions_off": ("eu", "eu")}, "its jurisdictions must be named once each"),
])  # fmt: skip
def test_a_text_with_a_fault_is_refused(changes: dict[str, Any], message: str) -> None:
    refused(replace(GOOD, **changes), message)


def test_a_word_that_only_sounds_vague_is_not() -> None:
    assert Registry([replace(GOOD, adverse_reason="Few bills are generally paid")])


def test_a_social_feature_must_be_off_in_the_eu() -> None:
    refused(replace(SOCIAL, jurisdictions_off=()), "its jurisdictions must leave out eu")
    refused(replace(SOCIAL, jurisdictions_off=("us",)), "its jurisdictions must leave out eu")


def test_the_jurisdictions_are_those_that_consent_knows() -> None:
    assert set(JURISDICTIONS) == set(get_args(Jurisdiction))


def test_a_label_is_used_once_whatever_its_capitals() -> None:
    twin = replace(COUNT, name="some_feature", label=GOOD.label.upper().capitalize())
    refused(twin, "its label is that of 'bill_share_180d'", GOOD)


def test_a_reason_group_stays_in_one_category() -> None:
    twin = replace(registry["income_months_180d"], reason_group=GOOD.reason_group)
    refused(twin, "its reason group is one of behaviour, by 'bill_share_180d'", GOOD)


def test_all_that_is_wrong_is_said_at_once() -> None:
    refused(replace(GOOD, label="Failed. ", source="Somebody"), "its source .* Also its label")


# ------------------------------------------------------------------ what it promises of its values


@pytest.mark.parametrize(("changes", "message"), [
    ({"maximum": math.inf}, "its range must be of finite numbers"),
    ({"minimum": math.nan}, "its range must be of finite numbers"),
    ({"minimum": -1.0}, "its minimum must be one it can reach: it is never below 0, got -1"),
    ({"maximum": 100.0}, "its maximum must be one it can reach: it is never above 1, got 100"),
    ({"null_means": None}, "it must say what null means: its expression can be null"),
])  # fmt: skip
def test_a_range_or_a_null_that_the_expression_contradicts_is_refused(changes: dict[str, Any], message: str) -> None:
    refused(replace(GOOD, **changes), message)


def test_a_count_is_never_null_and_may_be_zero() -> None:
    refused(replace(COUNT, null_means="no payments"), "it must have None for what null means")
    refused(replace(COUNT, minimum=1.0), "its range must hold 0, what a member without any rows has")


@pytest.mark.parametrize(("expression", "expected"), [
    (Count(OUT), Possible(0, math.inf, False)),
    (Total(OUT, "amount"), Possible(0, math.inf, False)),
    (Total(stream("balances"), "amount"), Possible(-math.inf, math.inf, False)),
    (Largest(MONTHS, "months_past_due"), Possible(0, 120, True)),
    (Latest(stream("account_months"), "utilisation_bp"), Possible(-math.inf, math.inf, True)),
    (Largest(stream("delinquency"), "days_past_due"), Possible(0, math.inf, True)),
    (Distinct(INCOMES, "kind"), Possible(0, 6, False)),
    (Distinct(INCOMES.where(kind=("salary", "pension", "benefit")), "kind"), Possible(0, 3, False)),
    (ActivePeriods(OUT), Possible(0, 6, False)),
    (Variation(OUT, "amount", 30, 5), Possible(0, 2, True)),
    (DaysSinceFirst(stream("members")), Possible(0, math.inf, False)),
    (DaysSinceFirst(stream("members").where(adult=1)), Possible(0, math.inf, True)),
    (DaysSinceLast(OUT), Possible(0, math.inf, True)),
    (Difference(Count(OUT), Count(IN)), Possible(-math.inf, math.inf, False)),
    (Difference(Count(OUT), Latest(IN, "amount")), Possible(-(2**40), math.inf, True)),
    (Scaled(ActivePeriods(OUT), 2.0), Possible(0, 3, False)),
    (Ratio(Count(OUT), Count(IN)), Possible(0, math.inf, True)),
    (Ratio(Count(OUT.within(30)), Count(PAYMENTS.within(90))), Possible(0, 1, True)),
    (Ratio(Count(OUT.within(90)), Count(PAYMENTS.within(30))), Possible(0, math.inf, True)),
    (Total(stream("listed_items"), "change"), Possible(0, math.inf, False)),
    (Total(stream("listed_items").within(30), "change"), Possible(-math.inf, math.inf, False)),
])  # fmt: skip
def test_possible_values_follow_from_the_expression(expression: Expression, expected: Possible) -> None:
    found = possible(expression)
    assert found.nullable == expected.nullable
    assert found.low == pytest.approx(expected.low)
    assert found.high == pytest.approx(expected.high)


# ------------------------------------------------------------------ how long events are needed


@pytest.mark.parametrize(("name", "days"), [
    ("bill_share_180d", 180), ("spending_trend_90d", 180), ("income_months_180d", 180),
    ("on_time_share_90d", 546),  # a year of paying ahead, 90 days of being late
    ("unpaid_months_180d", 242),  # and the statement before
    ("bills_on_time_share_365d", None), ("on_time_share_5y", 2282), ("adverse_items_live", None),
    ("verified_fields", None), ("paid_early_share_365d", None),
])  # fmt: skip
def test_retention_reaches_as_far_back_as_what_a_value_is_made_of(name: str, days: int | None) -> None:
    assert registry[name].retention_days == days
