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


@pytest.mark.parametrize(
    ("events", "listed"),
    [
        (["notified", "reported", "disputed", "upheld"], 1),
        (["reported", "disputed", "removed"], 0),
        (["reported", "ended", "removed"], 0),
        (["notified"], 0),
    ],
)
def test_ending_and_removing_one_item_hides_no_other(
    events: list[str], listed: int, row: Any, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    rows = [row("anna", 1 + n, item_id="a", kind="default", event=event) for n, event in enumerate(events)]
    rows.append(row("anna", 1, item_id="b", kind="default", event="reported"))
    world = {"members": [row("anna", 0, adult=True)], "adverse_items": rows}
    frame = build_features(load(world), observe([("anna", days(20))]), consents=everything)
    assert frame["adverse_items_live"].tolist() == [listed + 1]


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
