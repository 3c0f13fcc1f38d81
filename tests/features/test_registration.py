"""The door of the registry, tried by a hostile author: each kind of fault is refused by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import pytest

from benne.errors import RegistrationError
from benne.features import FeatureSpec, Registry, registry
from benne.features.equivalence import canonical
from benne.features.forbidden_rows import lineage
from benne.features.forbidden_topics import strange_signs, topics_in
from benne.features.kernel.derived import DERIVED
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
    Rows,
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


# ------------------------------------------------------------------ forbidden topics

TEXTS = [field.name for field in fields(FeatureSpec) if field.type == "str" and field.name not in ("name", "category")]


@pytest.mark.parametrize("field", [*TEXTS, "actionable", "null_means"])
@pytest.mark.parametrize("said", ["religion", "nappies", "video games", "gifts to charity", "changes of address"])
def test_a_forbidden_topic_is_found_in_every_text(field: str, said: str) -> None:
    refused(replace(GOOD, **{field: f"Share of it that says {said} 2017"}), f"its {field.replace('_', ' ')} touches")


@pytest.mark.parametrize("said", [
    # the paper's examples, spelled otherwise
    "nappy", "Nappies", "NAPPIES", "diapers", "baby products", "videogames", "video-games", "VideoGames", "videoGame",
    "video_games", "gamer hours", "online games", "Playstation", "charities", "charitable", "donated", "donor",
    "address changes", "changed addresses", "changed their address", "previous address", "moving house", "moved flat",
    "times moved", "relocations", "years of residence", "zip code", "zip",
    # other forms of one word
    "religions", "Religious", "nonreligious", "irreligious", "interfaith", "unmarried", "grandchildren", "transgender",
    "multiracial", "inter-ethnic", "races", "wives", "familial", "parental leave",
    # spelled out, with digits, with marks
    "r.e.l.i.g.i.o.n", "s-e-x", "g e n d e r", "r3ligion", "g3nder", "s3x", "n4ppies", "5ex", "ré1igion", "réligion",
    # synonyms
    "faith", "Muslim", "Jewish", "kosher", "DNA", "genes", "sick leave and illness", "diabetes", "cancer", "patient",
    "handicap", "voters", "activists", "union dues", "labour union", "lesbian", "tribe", "tone of skin or skin tone",
    "women", "female", "male", "husband", "widows", "divorced", "kids", "toddlers", "mothers", "household size",
    "immigrants", "foreigners", "age", "Age in years", "age group", "how old", "years old", "older than most, elderly",
    "retirees", "students", "universities", "first name", "e-mail domain", "iPhone", "shopping", "casino", "wine",
    # loopholes of what is harmless
    "age of the account holder", "age of loan applicants", "age of the debtor",
    # rights
    "opted out", "withdrawals", "disputes", "complaints", "appeals", "objections", "look-ups", "looked up", "enquiry",
])  # fmt: skip
def test_a_forbidden_topic_is_found_in_every_spelling(said: str) -> None:
    assert topics_in(f"Share of {said} in a year")
    refused(replace(GOOD, rationale=f"It tells of {said} in a year"), "its rationale touches the forbidden topic")


@pytest.mark.parametrize("said", [
    "r\u0435ligion", "se\u200bx", "gen\u00adder", "r\u0301eligion", "ｇｅｎｄｅｒ", "𝐬𝐞𝐱", "nap\u2060pies",
    "ɡender", "ᴀge", "gend\u202eer", "ⓢⓔⓧ", "αge",
])  # fmt: skip
def test_signs_that_hide_a_word_are_refused(said: str) -> None:
    assert strange_signs(said)
    refused(replace(GOOD, label=f"Share of {said} in a year"), "which hides what it says")


@pytest.mark.parametrize("said", [
    "Age of the oldest contract", "Average age of accounts", "Age of all contracts", "Average balance",
    "Relationship age", "Essex bank transfers", "Trace of it", "Settled in good faith", "Financial health",
    "A healthier balance", "Percentage of limit", "Usage of the limit", "Message sent", "Managed well",
    "Template of payment", "Selection of days", "Bracelets", "Engender trust", "Familiar counterparties",
    "Forgetful payer", "Accented months", "Addressed in time", "Supplemental income", "Fundamental cover",
    "Apparent cover", "Parenthesis", "Grace period", "Therefore late", "Unionized transfers",
    "Credit union transfers", "Senior debt", "Foreign currency", "Embrace", "Sextant", "Malevolent",
    "Pattern of repayment", "Much moves in cash", "Between the houses of banks", "Betterment", "Beta", "Winery-free",
])  # fmt: skip
def test_a_word_that_only_sounds_forbidden_is_not(said: str) -> None:
    assert topics_in(said) == ()


@pytest.mark.parametrize("name", list(registry))
def test_nothing_registered_sounds_forbidden(name: str) -> None:
    assert Registry([registry[name]])[name] is registry[name]


# ------------------------------------------------------------------ lineage


@pytest.mark.parametrize(("expression", "message"), [
    (Count(stream("adverse_items")), "it reads adverse_items whose event is disputed"),
    (Count(stream("adverse_items").where(event="disputed")), "it reads adverse_items whose event is disputed"),
    (Count(stream("adverse_items").where(event="upheld")), "event is upheld: it only tells of a disp"),
    (Count(stream("adverse_items").where(event="removed")), "adverse_items whose event is removed"),
    (Scaled(Sum(Count(OUT), Count(stream("adverse_items").where(event="disputed"))), 2.0), "event is disputed"),
    (Count(FACTS.where(event="changed")), "whose field is address and event is changed: changes of address are no"),
    (Count(FACTS.where(event="changed", field="address")), "changes of address are no evidence"),
    (Count(FACTS.where(field="address", event="verified")), "it reads only verifications whose field is address"),
    (DaysSinceLast(FACTS.where(field="address", event="verified")), "where somebody lives, and since when"),
    (Count(DEALINGS.where(kind="report", direction="given")), "it reads only interactions whose direction is given"),
    (Count(DEALINGS.where(kind=("report", "block"), direction="given")), "exercising a right is no evidence"),
    (Count(INCOMES.where(kind="benefit")), "it sets incomes apart by kind: salary, pension, benefit must count alike"),
    (Count(INCOMES.excluding(kind="benefit")), "it sets incomes apart by kind"),
    (Total(INCOMES.where(kind=("salary", "self_employment")), "amount"), "it sets incomes apart by kind"),
    (Count(PAYMENTS.where(counterparty_id=7)), "it picks out counterparty_id of payments"),
    (Count(PAYMENTS.at_least(counterparty_id=7)), "it picks out counterparty_id of payments"),
    (Latest(INCOMES, "kind"), "it must not take kind of incomes, a column of category values, for a number"),
    (Largest(PAYMENTS, "counterparty_id"), "it must not take counterparty_id of payments, a column of id values"),
    (Largest(FACTS.where(event="verified"), "expires_at"), "a column of time values"),
    (Latest(stream("delinquency"), "kind"), "a column of category values"),
    (Distinct(PAYMENTS, "amount"), "it must count different ids or categories"),
    (Largest(PAYMENTS, "price"), "it must read a column of payments, got 'price'"),
])  # fmt: skip
def test_rows_that_are_no_evidence_are_refused(expression: Expression, message: str) -> None:
    refused(replace(COUNT, name="some_feature", category="personal_information", expression=expression), message)


def test_lineage_names_what_conditions_and_derived_streams_read() -> None:
    assert ("payments", "kind") in lineage(Count(PAYMENTS.excluding(kind="fee")))
    assert ("adverse_items", "lawfully_public") in lineage(Total(stream("listed_items"), "change"))


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_no_derived_stream_reads_what_has_a_forbidden_name(name: str) -> None:
    assert not [f for table, columns in DERIVED[name].reads.items() for c in columns for f in topics_in(f"{table}.{c}")]


def test_interactions_are_read_by_social_features_alone() -> None:
    hidden = replace(COUNT, name="contact_count", expression=Total(stream("contacts"), "change"))
    refused(hidden, "it reads interactions, so that its category must be social, got 'behaviour'")


@dataclass(frozen=True)
class Sly(Expression):
    """Reads disputes and says that it does not."""

    rows: Rows

    def lower(self, to: Any) -> int:
        """Never asked."""
        raise AssertionError

    def selections(self) -> tuple[Rows, ...]:
        """A lie."""
        return (stream("payments"),)


@dataclass(frozen=True)
class SlyRows(Rows):
    """Holds disputes and says that it does not."""

    def may_hold(self, column: str, value: str) -> bool:
        """A lie."""
        return False


@pytest.mark.parametrize(("expression", "message"), [
    (Sly(stream("adverse_items")), "its expression must be made of the kernel's own, got Sly"),
    (Sum(Count(OUT), Sly(stream("adverse_items"))), "its expression must be made of the kernel's own, got Sly"),
    (Count(SlyRows("adverse_items")), "its expression must be made of the kernel's own, got other rows"),
    (Sum(), "its expression must read some rows"),
    (Count(OUT.within(0)), "its windows must end farther back than they begin"),
    (Ratio(Count(OUT), Count(IN), at_least=0.0), "it must divide by more than 0, got 0.0. Correct Ratio"),
    (Scaled(Count(OUT), math.nan), "it must divide by more than 0, got nan. Correct Scaled"),
])  # fmt: skip
def test_an_expression_that_cannot_be_trusted_is_refused(expression: Expression, message: str) -> None:
    refused(replace(COUNT, name="some_feature", expression=expression), message)


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


MONTHS = stream("account_status")


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
    ("bills_on_time_share_365d", None), ("on_time_share_life", None), ("adverse_items_live", None),
    ("verified_fields", None), ("paid_early_share_365d", None),
])  # fmt: skip
def test_retention_reaches_as_far_back_as_what_a_value_is_made_of(name: str, days: int | None) -> None:
    assert registry[name].retention_days == days
