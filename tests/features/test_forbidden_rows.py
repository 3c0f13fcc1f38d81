"""Rows that no feature may be made of, whether they are named or are what is left of others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benne.errors import RegistrationError
from benne.features import Registry, registry
from benne.features.forbidden_rows import FIVE_YEARS, forbidden_rows, lineage
from benne.features.forbidden_topics import topics_in
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
    Scaled,
    Sum,
    Total,
    stream,
)
from benne.features.set_apart import set_apart
from benne.features.well_formed import malformed

COUNT = registry["penalty_fees_180d"]
PAYMENTS, FACTS, INCOMES, DEALINGS = (stream(n) for n in ("payments", "verifications", "incomes", "interactions"))
OUT, IN = PAYMENTS.where(direction="out"), PAYMENTS.where(direction="in")
LISTED, CONTRACTS, DUE = (stream(n) for n in ("listed_items", "obligation_events", "delinquency"))
MONTHS, USED = stream("account_status"), stream("account_months")
VERIFIED, REPORTS = FACTS.where(event="verified"), DEALINGS.where(kind="report")

RAW = "it reads raw adverse_items, to which neither notice, dispute nor expiry was applied. Read listed_items"
GONE = "it must take of listed_items only what stands now, a Total without conditions or a window: that an item left"
FIELDS = "it sets verifications apart by field: address must count like identity_document, phone, .* or leave the first"
INCOME = "it sets incomes apart by kind: pension and benefit must count like salary: income is income"
REFUNDS = (
    "it sets payments apart by kind: refund and chargeback must count like purchase, transfer: asking for one's money"
)


@pytest.mark.parametrize(("expression", "message"), [
    # adverse items: only what is on the list now
    (Count(stream("adverse_items")), RAW),
    *((Count(stream("adverse_items").where(event=event)), RAW)
      for event in ("reported", "notified", "disputed", "upheld", "removed", "ended")),
    (DaysSinceLast(stream("adverse_items").where(event="ended").within(9)), RAW),
    (Scaled(Sum(Count(OUT), Count(stream("adverse_items").where(kind="default", event="reported"))), 2.0), RAW),
    (Count(LISTED), GONE),
    (Count(LISTED.where(change=-1)), GONE),
    (Count(LISTED.at_most(change=-1)), GONE),
    (Count(LISTED.at_least(change=-1)), GONE),
    (Count(LISTED.at_most(open_change=-1)), GONE),
    (Total(LISTED.where(change=-1), "change"), GONE),
    (Total(LISTED.within(365), "change"), GONE),
    (Total(LISTED.between(365, 730), "change"), GONE),
    (DaysSinceLast(LISTED.where(change=-1)), GONE),
    (DaysSinceFirst(LISTED.where(change=1)), GONE),
    (Largest(LISTED, "change"), GONE),
    (ActivePeriods(LISTED), GONE),
    (Difference(Total(LISTED, "change"), Count(LISTED.where(change=1))), GONE),
    (Total(stream("verified_facts").at_most(change=-1), "change"), "may tell of a change of address"),
    (Total(stream("running_contracts").within(90), "change"), "when a contract began or ended may tell of moving"),
    # where somebody lives and how often they move
    (Count(FACTS.where(event="changed")), "whose field is address and event is changed: moving house is no evidence"),
    (Count(FACTS.where(event="changed", field="address")), "moving house is no evidence. Leave them out"),
    (Count(FACTS), "whose field is address and event is changed"),
    (Difference(Count(FACTS), Count(VERIFIED)), "whose field is address and event is changed"),
    (Count(VERIFIED.where(field="address")), FIELDS),
    (DaysSinceLast(VERIFIED.where(field="address")), "where somebody lives, and since when, is no evidence"),
    (Count(VERIFIED.where(field=("address", "phone"))), FIELDS),
    (Difference(Count(VERIFIED), Count(VERIFIED.excluding(field="address"))), FIELDS),
    (Difference(DaysSinceLast(VERIFIED.excluding(field="address")), DaysSinceLast(VERIFIED)), FIELDS),
    (Ratio(Count(VERIFIED.excluding(field="address").within(99)), Count(VERIFIED.within(100))), FIELDS),
    (Difference(Count(VERIFIED), Sum(*(Count(VERIFIED.where(field=field)) for field in (
        "identity_document", "phone", "email", "bank_account", "employer", "income_proof")))), FIELDS),
    (Difference(Count(VERIFIED), Total(stream("verified_facts"), "confirmed")), "it sets verified_facts against the v"),
    (Count(CONTRACTS.where(kind="rent", event="opened")), "it reads obligation_events whose kind is rent: moving"),
    (Count(CONTRACTS.where(event="opened")), "it reads obligation_events whose kind is utility: moving house"),
    (Difference(Count(CONTRACTS), Count(CONTRACTS.excluding(kind=("rent", "utility")))), "whose kind is rent"),
    (DaysSinceFirst(DUE.where(kind="rent")), "since when somebody lives somewhere is no evidence"),
    (ActivePeriods(stream("settlements").where(kind=("utility", "rent"))), "since when rent or utilities are paid"),
    # rights exercised
    (Count(DEALINGS), "it reads interactions whose direction is given and kind is report: exercising a right"),
    (Count(DEALINGS), "it reads interactions whose kind is block: nobody has examined why, and blocking somebody"),
    (Count(REPORTS.where(direction="given")), "direction is given and kind is report"),
    (Count(DEALINGS.where(kind=("report", "block"), direction="given")), "direction is given and kind is report"),
    (Count(DEALINGS.where(kind="block", direction="received")), "whose kind is block: nobody has examined why"),
    (Count(REPORTS.where(direction="received")), "reports that may not have been upheld: an accusation is no evidence"),
    (Count(REPORTS.where(direction="received", value=0)), "reports that may not have been upheld"),
    (Ratio(Count(REPORTS.where(direction="received", value=1)), Count(REPORTS.where(direction="received"))),
     "reports that may not have been upheld"),
    (Distinct(DEALINGS.where(direction="given"), "other_id"), "exercising a right is no evidence. Leave them out"),
    (Difference(Count(DEALINGS), Count(DEALINGS.excluding(kind=("report", "block")))), "exercising a right is no"),
    (Sum(Count(REPORTS), Scaled(Count(REPORTS.where(direction="received")), 2.0)), "direction is given and kind is re"),
    (Ratio(Count(REPORTS), Count(REPORTS.where(direction="received"))), "exercising a right is no evidence"),
    (Count(IN.where(kind="refund")), REFUNDS),
    (Ratio(Count(IN.where(kind=("refund", "chargeback"))), Count(IN)), REFUNDS),
    (Difference(Count(PAYMENTS), Count(PAYMENTS.excluding(kind="chargeback"))), REFUNDS),
    (Count(IN.where(kind=("purchase", "refund"))), REFUNDS),  # nothing is bought by what comes in
    # what would never expire, and whether somebody is a child
    (Count(CONTRACTS.where(event="written_off", kind="loan")), "whose event is written_off: it never expires there"),
    (Count(MONTHS.where(status="written_off")), "it sets account_status apart by status: written_off must"),
    (Difference(Count(MONTHS), Count(MONTHS.excluding(status="written_off"))), "apart from delays it never expires"),
    (Ratio(Count(USED.where(status="written_off")), Count(USED)), "it sets account_months apart by status"),
    (Count(DUE.at_least(days_past_due=30)), "it holds delays against members for more than five years"),
    (Count(DUE.at_least(days_past_due=1).within(FIVE_YEARS + 1)), "Give delinquency 1826 days"),
    (Latest(DUE.where(assessed=1), "days_past_due"), "it holds delays against members for more than five years"),
    (DaysSinceLast(DUE.where(days_past_due=90)), "it holds delays against members for more than five years"),
    (Count(stream("settlements").at_most(lead_days=-90)), "Give settlements 1826 days"),
    (Count(stream("members").where(adult=0)), "it reads whether a member is adult: .*, and age is no evidence"),
    (Total(stream("members"), "adult"), "it reads whether a member is adult"),
    # public assistance
    (Count(INCOMES.where(kind="benefit")), INCOME),
    (Count(INCOMES.excluding(kind="benefit")), INCOME),
    (Total(INCOMES.where(kind=("salary", "self_employment")), "amount"), INCOME),
    (Difference(Count(INCOMES), Count(INCOMES.excluding(kind="pension"))), INCOME),
    (Ratio(Count(INCOMES.excluding(kind=("pension", "benefit"))), Count(INCOMES)), INCOME),
    # somebody, or something, in particular
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
    with pytest.raises(RegistrationError, match=f"Feature 'some_feature' cannot be registered: .*{message}"):
        Registry([replace(COUNT, name="some_feature", expression=expression)])


def test_lineage_names_what_conditions_and_derived_streams_read() -> None:
    assert ("payments", "kind") in lineage(Count(PAYMENTS.excluding(kind="fee")))
    assert ("adverse_items", "lawfully_public") in lineage(Total(stream("listed_items"), "change"))


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_no_derived_stream_reads_what_has_a_forbidden_name(name: str) -> None:
    assert not [f for table, columns in DERIVED[name].reads.items() for c in columns for f in topics_in(f"{table}.{c}")]


@pytest.mark.parametrize("expression", [
    Total(LISTED, "change"), Total(LISTED, "open_change"), Total(stream("verified_facts"), "change"),
    Ratio(Count(VERIFIED.where(field="phone")), Count(VERIFIED.excluding(field="address"))),
    Difference(Count(VERIFIED.within(90)), Count(VERIFIED.between(90, 180))),
    Count(FACTS.where(event="changed").excluding(field="address")),
    Ratio(Count(OUT.where(kind="bill")), Count(OUT)),
    Count(PAYMENTS.excluding(kind=("refund", "chargeback"))),
    Count(INCOMES.where(kind=("salary", "pension", "benefit"))), Count(INCOMES.where(kind="self_employment")),
    Count(CONTRACTS.excluding(kind=("rent", "utility"), event="written_off")),
    DaysSinceLast(DUE.where(kind="rent").at_least(days_past_due=1).within(FIVE_YEARS)),
    Count(DUE.at_most(days_past_due=0)), Largest(DUE, "on_time_streak"),
    Count(stream("settlements").at_least(lead_days=1)),
])  # fmt: skip
def test_what_is_taken_whole_or_left_out_throughout_is_no_harm(expression: Expression) -> None:
    assert not list(malformed(expression))
    assert not [*forbidden_rows(expression), *set_apart(expression)]
