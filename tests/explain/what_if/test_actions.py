"""Each action lets happen what it says, on histories one can check by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benne.errors import WhatIfNotPossible
from benne.explain.what_if import action_of
from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.baseline import baseline
from benne.explain.what_if.catalogue import carried_out, offered
from tests.explain.what_if.by_hand import EVERY, day, due, history, paid, row
from tests.explain.what_if.test_baseline import report, times

LATE = [due("a", 10), due("b", 20), due("c", 30)]
PAID_LATE = [paid("a", 14), paid("b", 24), paid("c", 34)]


def begun(until: float = 130, **tables: list[dict[str, Any]]) -> Ahead:
    return baseline(history(60, **tables), day(60), day(until), EVERY)


def does(ahead: Ahead, action: str, **parameters: Any) -> dict[str, list[dict[str, Any]]]:
    done = carried_out(ahead, [action_of({"action": action, **parameters})])
    return {name: rows.to_pylist() for name, rows in done.tables().items()}


def names(ahead: Ahead) -> list[str]:
    return [action.name for action in offered(ahead)]


def test_the_next_instalments_are_paid_on_their_day_and_the_rest_by_habit():
    ahead = begun(dues=[*LATE, due("d", 70), due("e", 80), due("f", 90)], repayments=PAID_LATE)
    assert times(ahead, "repayments") == [74, 84, 94]
    assert times(carried_out(ahead, [action_of({"action": "pay_instalments", "count": 2})]), "repayments") == [
        70,
        80,
        94,
    ]
    early = [action_of({"action": "pay_instalments", "count": 3, "days_ahead": 15})]
    assert times(carried_out(ahead, early), "repayments") == [60, 65, 75], "nobody pays before today"


def test_whoever_pays_earlier_by_habit_still_does():
    ahead = begun(dues=[due("a", 10), due("d", 70)], repayments=[paid("a", 4)])
    assert times(carried_out(ahead, [action_of({"action": "pay_instalments", "count": 1})]), "repayments") == [64]


def test_what_is_overdue_is_paid_now_in_full_and_late_accounts_are_settled():
    ahead = begun(dues=[*LATE, due("over", 40, 300)], repayments=[*PAID_LATE, paid("over", 45, 100)],
                  account_status=[report(59, months_past_due=2, status="late")])  # fmt: skip
    done = does(ahead, "pay_overdue")
    assert [(one["event_time"], one["amount"]) for one in done["repayments"]] == [(day(60), 200)]
    told = [
        (one["months_past_due"], one["status"], one["balance"], one["amount_paid"]) for one in done["account_status"]
    ]
    assert told == [(0, "current", 0, 500)] * 2
    assert "pay_overdue" not in names(begun(dues=LATE, repayments=PAID_LATE))


def test_a_loan_is_completed_only_where_its_whole_schedule_is_known_and_ends_before_the_day():
    opened = row(1, obligation_id="c", kind="loan", event="opened", principal=400)
    dues = [*LATE, due("d", 70), due("e", 100)]
    ahead = begun(dues=dues, repayments=PAID_LATE, obligation_events=[opened])
    done = does(ahead, "complete_contracts")
    assert [one["event_time"] for one in done["repayments"]] == [day(70), day(100)]
    assert [(one["event"], one["event_time"]) for one in done["obligation_events"]] == [("closed", day(100))]
    assert "complete_contracts" not in names(begun(90, dues=dues, repayments=PAID_LATE, obligation_events=[opened]))
    larger = [opened | {"principal": 600}]
    assert "complete_contracts" not in names(begun(dues=dues, repayments=PAID_LATE, obligation_events=larger))


def test_open_items_end_and_those_that_have_ended_or_gone_do_not_end_again():
    items = [
        row(number, item_id=item, kind="collection", event=event)
        for number, (item, event) in enumerate([
            ("open", "notified"), ("open", "reported"), ("over", "reported"), ("over", "ended"), ("gone", "reported"),
            ("gone", "removed"),
        ])
    ]  # fmt: skip
    done = does(begun(adverse_items=items), "settle_items")
    assert [(one["item_id"], one["event"], one["event_time"]) for one in done["adverse_items"]] == [
        ("open", "ended", day(60))
    ]


def test_utilisation_is_brought_down_by_paying_what_is_above_and_kept_there():
    ahead = begun(155, account_status=[report(59), report(59, obligation_id="low", statement_amount=100, balance=90)])
    done = does(ahead, "lower_utilisation", percent=30, months=2)["account_status"]
    card = [one for one in done if one["obligation_id"] == "card"]
    assert [(one["statement_amount"], one["balance"], one["amount_paid"]) for one in card] == [
        (300, 300, 200), (300, 300, 100), (500, 400, 100),
    ]  # fmt: skip
    assert {one["statement_amount"] for one in done if one["obligation_id"] == "low"} == {100}
    unknown = begun(account_status=[report(59, limit=None)])
    assert not {"lower_utilisation"} & set(names(unknown))


def test_statements_are_paid_in_full_for_so_many_months():
    done = does(begun(155, account_status=[report(59)]), "pay_statements", months=2)["account_status"]
    assert [(one["status"], one["balance"], one["amount_paid"]) for one in done] == [
        ("current", 0, 500), ("current", 0, 500), ("revolving", 400, 100),
    ]  # fmt: skip


@pytest.mark.parametrize(("against_register", "method", "strength"), [(False, "deposit", 2), (True, "registry", 3)])
def test_a_detail_is_verified_now(against_register: bool, method: str, strength: int):
    done = does(begun(), "verify", field="bank_account", against_register=against_register)["verifications"]
    assert [(one["field"], one["event"], one["method"], one["strength"], one["event_time"]) for one in done] == [
        ("bank_account", "verified", method, strength, day(60))
    ]


def test_details_that_hold_until_the_day_are_not_offered_and_may_be_confirmed_again():
    known = begun(verifications=[
        row(5, field="phone", event="verified"), row(6, field="email", event="verified", expires_at=day(100)),
        row(7, field="employer", event="verified"), row(8, field="employer", event="changed"),
    ])  # fmt: skip
    details = {action.subject for action in offered(known) if action.name == "verify"}
    assert details == {"identity_document", "email", "address", "bank_account", "employer", "income_proof"}
    assert len(does(known, "verify", field="phone")["verifications"]) == 1


def money(at: float, kind: str, amount: int, direction: str = "out", status: str = "settled") -> dict[str, Any]:
    return row(at, direction=direction, kind=kind, amount=amount, status=status)


def test_spending_less_leaves_bills_and_what_comes_in_alone():
    payments = [money(50, "purchase", 201), money(51, "bill", 80), money(52, "transfer", 90, "in")]
    done = does(begun(90, payments=[money(1, "cash", 1), *payments]), "spend_less", percent=20)["payments"]
    assert [one["amount"] for one in done] == [160, 80, 90]


def test_a_covered_account_fails_no_payment_pays_no_fee_and_stays_above_zero():
    payments = [money(1, "cash", 1), money(50, "bill", 80, status="failed"), money(51, "fee", 5),
                money(52, "transfer", 9, "in", "reversed")]  # fmt: skip
    balances = [row(53, kind="account", amount=-7), row(54, kind="savings", amount=-1)]
    done = does(begun(90, payments=payments, balances=balances), "keep_covered")
    assert [(one["kind"], one["status"]) for one in done["payments"]] == [("bill", "settled"), ("transfer", "reversed")]
    assert [one["amount"] for one in done["balances"]] == [0, -1]
    assert "keep_covered" not in names(begun(90, payments=payments[:1]))


def test_a_reserve_is_kept_from_now_on_where_an_account_is_read():
    balances = [row(1, kind="account", amount=900), row(53, kind="account", amount=40)]
    done = does(begun(90, balances=balances), "keep_reserve", amount=500)["balances"]
    assert [(one["event_time"], one["amount"]) for one in done] == [(day(60), 500), (day(83), 500)]
    with pytest.raises(WhatIfNotPossible, match="An action must have something to change"):
        does(begun(90, balances=balances), "keep_reserve", amount=40)
    with pytest.raises(WhatIfNotPossible, match="An action must have something to change"):
        does(begun(90), "keep_reserve", amount=40)


def test_income_and_savings_that_are_told_are_recorded():
    done = does(begun(121), "record_income", monthly=700, regular=False)["incomes"]
    assert [(one["event_time"], one["amount"], one["regular"]) for one in done] == [
        (day(60), 700, False), (day(90), 700, False), (day(120), 700, False),
    ]  # fmt: skip
    known = begun(95, balances=[row(1, kind="savings", amount=5), row(33, kind="savings", amount=9)])
    done = does(known, "record_savings", amount=7)["balances"]
    assert [(one["event_time"], one["kind"], one["amount"]) for one in done] == [
        (day(60), "savings", 7), (day(63), "savings", 9), (day(93), "savings", 9),
    ]  # fmt: skip
