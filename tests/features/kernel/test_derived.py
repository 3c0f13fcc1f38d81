"""Derived streams on rows one can check by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benne.features import ConsentMask, build_features


@pytest.mark.parametrize(("events", "running"), [
    ([(1, "a", "opened")], 1),
    ([(1, "a", "opened"), (9, "a", "closed")], 0),
    ([(1, "a", "opened"), (5, "a", "written_off"), (9, "a", "closed"), (2, "b", "opened")], 1),
    ([(1, "a", "closed"), (2, "b", "opened")], 1),
    ([(5, "a", "closed"), (5, "a", "opened")], 0),
    ([(1, "a", "opened"), (5, "a", "closed"), (9, "a", "opened")], 1),
    ([(1, "a", "opened"), (2, "a", "opened"), (3, "a", "limit_changed")], 1),
    ([(1, "a", "limit_changed")], 0),
], ids=["opened", "closed", "written off, then closed", "closed but never opened", "both at one moment", "reopened",
        "opened twice", "never opened"])  # fmt: skip
def test_a_contract_runs_from_its_opening_to_its_first_end(
    events: list[tuple[float, str, str]], running: int, row: Any, load: Any, observe: Any, days: Any,
    everything: ConsentMask,
) -> None:  # fmt: skip
    rows = [row("anna", day, obligation_id=contract, event=event) for day, contract, event in events]
    world = {"members": [row("anna", 0, adult=True)], "obligation_events": rows}
    frame = build_features(load(world), observe([("anna", days(20))]), consents=everything)
    assert frame["obligations_active"].tolist() == [running]


def _listed(events: list[tuple[float, str]], moments: list[float], tools: Any, **reported: Any) -> list[list[float]]:
    row, load, observe, days, everything = tools
    rows = [
        row("anna", day, item_id="a", kind="default", event=event, **(reported if event == "reported" else {}))
        for day, event in events
    ]
    world = {"members": [row("anna", -4000, adult=True)], "adverse_items": rows}
    frame = build_features(load(world), observe([("anna", days(d)) for d in moments]), consents=everything)
    return [frame[name].tolist() for name in ("adverse_items_live", "adverse_items_open")]


@pytest.fixture
def tools(row: Any, load: Any, observe: Any, days: Any, everything: ConsentMask) -> Any:
    return row, load, observe, days, everything


@pytest.mark.parametrize(("events", "live", "open_"), [
    ([(1, "notified"), (2, "reported"), (3, "disputed"), (4, "upheld")], 1, 1),
    ([(1, "notified"), (2, "reported"), (3, "disputed"), (4, "removed")], 0, 0),
    ([(1, "notified"), (2, "reported"), (3, "ended")], 1, 0),
    ([(1, "notified"), (2, "reported"), (3, "ended"), (4, "removed")], 0, 0),
    ([(1, "notified"), (2, "reported"), (3, "removed"), (4, "reported")], 0, 0),
    ([(1, "notified")], 0, 0),
], ids=["confirmed", "dispute sustained", "settled", "settled, then removed", "listed again after removal",
        "only notified"])  # fmt: skip
def test_what_becomes_of_an_item(events: list[tuple[float, str]], live: int, open_: int, tools: Any) -> None:
    assert _listed(events, [20.0], tools) == [[live], [open_]]


def test_an_item_stays_five_years_after_its_conduct_ended_and_is_gone_a_day_later(tools: Any) -> None:
    # Day 0 is 1 January 2024; the conduct ended on 1 March 2019, and five years on is 1 March 2024, day 60.
    events = [(-1800.0, "notified"), (-1790.0, "reported"), (-1767.0, "ended")]
    assert _listed(events, [-1780.0, -1766.0, 60.0, 60.99, 61.0, 400.0], tools) == [
        [1.0, 1.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]  # fmt: skip


def test_an_item_that_ended_long_before_it_was_listed_never_shows(tools: Any) -> None:
    assert _listed([(-2000.0, "ended"), (1.0, "notified"), (2.0, "reported")], [10.0], tools) == [[0.0], [0.0]]


def test_an_item_goes_when_its_public_source_ends_it(tools: Any) -> None:
    got = _listed([(2.0, "reported")], [10.0, 50.0, 50.1], tools, lawfully_public=True, expires_at=tools[3](50))
    assert got == [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]


def test_a_sustained_dispute_hides_the_item_from_the_moment_it_is_known_and_no_earlier_score_changes(
    tools: Any,
) -> None:
    rows, load, observe, days, everything = tools
    told = [rows("anna", 1, item_id="a", kind="default", event="notified"),
            rows("anna", 2, item_id="a", kind="default", event="reported"),
            rows("anna", 30, 33, item_id="a", kind="default", event="removed")]  # fmt: skip
    world = {"members": [rows("anna", 0, adult=True)], "adverse_items": told}
    moments = observe([("anna", days(d)) for d in (31, 33, 33.5)])
    assert build_features(load(world), moments, consents=everything)["adverse_items_live"].tolist() == [1.0, 1.0, 0.0]


def test_a_fact_stands_until_it_lapses_changes_or_runs_out_and_a_renewal_confirms_it(
    row: Any, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    def fact(day: float, event: str, until: float | None = None, field: str = "phone", strength: int = 3) -> Any:
        ends = None if until is None else days(until)
        return row("anna", day, field=field, event=event, strength=strength, expires_at=ends)

    facts = [fact(10, "verified", until=40), fact(30, "verified", until=60), fact(5, "verified", field="email"),
             fact(50, "changed", field="email"), fact(70, "verified")]  # fmt: skip
    world = {"members": [row("anna", 0, adult=True)], "verifications": facts}
    frame = build_features(
        load(world), observe([("anna", days(d)) for d in (11, 45, 55, 60.5, 71)]), consents=everything
    )
    assert frame["verified_fields"].tolist() == [2.0, 2.0, 1.0, 0.0, 1.0]
    assert frame["details_confirmed_again"].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0], "a lapsed one is not confirmed"


def test_what_is_overdue_rises_the_day_after_and_falls_as_it_is_paid(
    row: Any, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    due = row("anna", 10, 0, due_id="d", obligation_id="o", amount_due=100)
    paid = [row("anna", 5, due_id="d", amount=20), row("anna", 30, due_id="d", amount=50),
            row("anna", 45, due_id="d", amount=90)]  # fmt: skip
    world = {"members": [row("anna", 0, adult=True)], "dues": [due], "repayments": paid}
    moments = [("anna", days(d)) for d in (10.5, 11, 11.5, 30.5, 45.5)]
    frame = build_features(load(world), observe(moments), consents=everything)
    assert frame["overdue_amount"].tolist() == [0.0, 0.0, 80.0, 30.0, 0.0]
    assert frame["worst_days_past_due_90d"].fillna(-1).tolist() == [-1.0, -1.0, 1.0, 1.0, 30.0]


def test_use_of_the_limit_and_the_month_before(
    row: Any, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    def month(day: float, **columns: Any) -> Any:
        return row("anna", day, obligation_id="o", months_past_due=0, status="open", **columns)

    months = [month(30, statement_amount=400, limit=1000), month(60, statement_amount=None, balance=250, limit=1000,
              amount_paid=100), month(90, statement_amount=-10, limit=0, amount_paid=50)]  # fmt: skip
    world = {"members": [row("anna", 0, adult=True)], "account_status": months}
    frame = build_features(load(world), observe([("anna", days(100))]), consents=everything)
    got = frame[["utilisation_last", "utilisation_highest_180d", "paid_to_statement_180d"]].iloc[0]
    assert got.tolist() == [0.25, 0.4, 0.25], "no limit, no use; no statement before, no share"
