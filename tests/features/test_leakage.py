"""Nothing at or after ``as_of``, and nothing not yet known, moves a feature."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benne.errors import ObservationError
from benne.features import ConsentMask, Registry, build_features
from benne.features.events.tables import TABLES

DAY = 86_400_000_000
AS_OF_DAY = 400
Row = dict[str, Any]


def _features(world: dict[str, list[Row]], load: Any, observe: Any, days: Any, specs: Registry | None) -> pd.DataFrame:
    mask = ConsentMask.all_granted(reason="test data without people in it")
    members = sorted({r["member_id"] for r in world["members"] if r["event_time"] < days(60)})
    given_ = observe([(member, days(AS_OF_DAY)) for member in members])
    return build_features(load(world), given_, consents=mask, registry=specs)


def _future(world: dict[str, list[Row]], change: str, seed: int, as_of: int) -> dict[str, list[Row]]:
    """Another future of the same world: the past as it was known at ``as_of`` stays word for word."""
    other = copy.deepcopy(world)
    repaid = {r["due_id"] for r in world["repayments"] if r["known_at"] < as_of}
    for table, rows in other.items():
        if table == "members":
            continue
        superseded = {r["supersedes"] for r in rows}
        later = [r for r in rows if r["known_at"] >= as_of and r["record_id"] not in superseded]
        if change == "deleted":
            # What is left of an adverse item without its report would not pass the door.
            # A due that something known before as_of repays cannot go either.
            free = [r for r in later if r.get("event") not in ("reported", "notified")
                    and (table != "dues" or r["due_id"] not in repaid)]  # fmt: skip
            gone = {r["record_id"] for r in free if r["supersedes"] is None or seed % 2}
            other[table] = [r for r in rows if r["record_id"] not in gone]
        elif change == "changed":
            for row in later:
                row.update(_distorted(table, row))
        else:
            other[table] = rows + [
                _added(table, r, as_of, seed, i) for i, r in enumerate(rows[:: max(len(rows) // 12, 1)])
            ]
    if change == "deleted":
        dues = {r["due_id"] for r in other["dues"]}
        other["repayments"] = [r for r in other["repayments"] if r["due_id"] in dues]
        known = {r["record_id"] for r in other["repayments"]} | {None}
        other["repayments"] = [r for r in other["repayments"] if r["supersedes"] in known]
    return other


def _distorted(table: str, row: Row) -> Row:
    money = {c.name for c in TABLES[table].columns if c.kind == "money"}
    return {name: 1 + (value * 7 + 13) % 100_000 for name, value in row.items() if name in money and value is not None}


def _added(table: str, like: Row, as_of: int, seed: int, number: int) -> Row:
    """A copy that happens at or after ``as_of``, or happened before and becomes known at it or later."""
    happened = (like["event_time"], as_of, as_of + (seed % 300) * DAY)[(seed + number) % 3]
    new = like | {"record_id": f"new-{table}-{number}", "supersedes": None, "event_time": happened}
    new["known_at"] = max(as_of + (seed % 2) * DAY, happened)
    if new.get("expires_at") is not None:
        new["expires_at"] = max(new["expires_at"], happened)
    if table == "adverse_items":
        new["lawfully_public"] = True  # its notice may come too late
    return new | ({"due_id": f"new-{number}", "amount_due": 1} if table == "dues" else {})


@settings(max_examples=8, phases=[Phase.generate])
@given(st.integers(0, 10**6), st.sampled_from(["added", "changed", "deleted"]))
def test_no_other_future_moves_any_feature(
    random_world: Any, load: Any, observe: Any, days: Any, seed: int, change: str
) -> None:
    world = random_world(seed, members=6)
    one = _features(world, load, observe, days, None)
    two = _features(_future(world, change, seed, days(AS_OF_DAY)), load, observe, days, None)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def _with_a_leak(world: dict[str, list[Row]], frame: pd.DataFrame, key: Any) -> pd.DataFrame:
    """What a careless builder might add: a count of all dues there are."""
    owners = key.subject_ids([r["member_id"] for r in world["dues"]])
    return frame.assign(leaky_count=[float((owners == subject).sum()) for subject, _ in frame.index])


@pytest.mark.parametrize("change", ["added", "deleted"])
def test_a_leaky_builder_makes_the_same_check_fail(
    change: str, random_world: Any, load: Any, observe: Any, days: Any, key: Any
) -> None:
    world = random_world(3, members=6)
    other = _future(world, change, 3, days(AS_OF_DAY))
    one, two = (_with_a_leak(w, _features(w, load, observe, days, None), key) for w in (world, other))
    with pytest.raises(AssertionError, match="leaky_count"):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_an_event_at_as_of_is_not_seen_and_one_just_before_is(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    def pay(when: float) -> Row:
        return row("anna", when, direction="out", amount=5, currency="EUR", kind="fee")

    world = {"members": [row("anna", 0, adult=True)], "payments": [pay(100), pay(100 - 1 / 86_400)]}
    frame = build_features(load(world), observe([("anna", days(100)), ("anna", days(280))]), consents=everything)
    assert frame["penalty_fees_180d"].tolist() == [1.0, 1.0], "[as_of - 180 days, as_of)"


def test_a_row_known_at_as_of_is_not_seen_and_one_known_before_is(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    late = row("anna", 10, known=100, direction="out", amount=5, currency="EUR", kind="fee")
    early = row("ben", 1, direction="out", amount=5, currency="EUR", kind="fee")
    world = {"members": [row("anna", 0, adult=True), row("ben", 0, adult=True)], "payments": [late, early]}
    given_ = observe([("anna", days(100)), ("anna", days(100) + 1)])
    assert build_features(load(world), given_, consents=everything)["penalty_fees_180d"].tolist() == [0.0, 1.0]


def test_each_link_of_a_chain_of_corrections_stands_until_the_next_is_known(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    a = row("anna", 10, 10, kind="account", amount=100)
    b = row("anna", 10, 20, kind="account", amount=200) | {"supersedes": a["record_id"]}
    c = row("anna", 10, 30, kind="account", amount=300) | {"supersedes": b["record_id"]}
    world = {"members": [row("anna", 0, adult=True)], "balances": [c, a, b]}
    moments = [("anna", days(n)) for n in (11, 20, 20.5, 30, 30.5)]
    frame = build_features(load(world), observe(moments), consents=everything)
    assert frame["balance_last"].tolist() == [100.0, 100.0, 200.0, 200.0, 300.0]


def test_a_rescheduled_due_stands_as_it_was_until_the_change_is_known(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    due = row("anna", 10, 0, due_id="d", obligation_id="o", amount_due=100)
    moved = row("anna", 50, 30, due_id="d", obligation_id="o", amount_due=80) | {"supersedes": due["record_id"]}
    other = row("anna", 1, 0, due_id="e", obligation_id="o", amount_due=7)
    settles = row("anna", 1, due_id="e", amount=7)
    world = {"members": [row("anna", 0, adult=True)], "dues": [due, moved, other], "repayments": [settles]}
    moments = [("anna", days(n)) for n in (10.5, 20, 30, 31, 51, 51.5)]
    frame = build_features(load(world), observe(moments), consents=everything)
    assert frame["overdue_amount"].tolist() == [0.0, 100.0, 100.0, 0.0, 0.0, 80.0]


def test_a_payment_exactly_on_the_deadline_is_on_time_and_a_moment_later_is_not(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    def world(paid: float) -> dict[str, list[Row]]:
        due = row("anna", 10, 0, due_id="d", obligation_id="o", amount_due=100)
        parts = [row("anna", 5, due_id="d", amount=60), row("anna", paid, due_id="d", amount=40)]
        return {"members": [row("anna", 0, adult=True)], "dues": [due], "repayments": parts}

    moment = observe([("anna", days(40))])
    shares = [build_features(load(world(paid)), moment, consents=everything)["on_time_share_5y"].item()
              for paid in (11.0, 11.0 + 1e-6)]  # fmt: skip
    assert shares == [1.0, 0.0]


def test_a_delay_of_more_than_five_years_ago_is_held_against_nobody(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    due = row("anna", 9, 0, due_id="d", obligation_id="o", amount_due=100)
    late = row("anna", 200, due_id="d", amount=100)
    fine = [
        row("anna", 500, 0, due_id="e", obligation_id="o", amount_due=100),
        row("anna", 490, due_id="e", amount=100),
    ]
    world = {"members": [row("anna", 0, adult=True)], "dues": [due, fine[0]], "repayments": [late, fine[1]]}
    never = world | {"dues": fine[:1], "repayments": fine[1:]}
    asked = observe([("anna", days(99 + 1826)), ("anna", days(200 + 1826) + 1)])  # its 90th day, and its end
    found, clean = (build_features(load(tables), asked, consents=everything) for tables in (world, never))
    against = [c for c in found if c.startswith(("late_", "worst_", "days_since_late", "on_time_share", "days_past_due",
                                                 "settled_after"))]  # fmt: skip
    assert found["late_90_count_5y"].tolist() == [1, 0]
    pd.testing.assert_frame_equal(found.iloc[1:][against], clean.iloc[1:][against], check_exact=True)


def test_an_old_moment_built_again_gives_the_old_features_and_a_corrected_build_the_new_ones(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    first = row("anna", 10, 11, kind="account", amount=100)
    world: dict[str, list[Row]] = {"members": [row("anna", 0, adult=True)], "balances": [first]}
    moment = observe([("anna", days(20))])
    then = build_features(load(world), moment, consents=everything)
    corrected = row("anna", 12, 50, kind="account", amount=90) | {"supersedes": first["record_id"]}
    late = row("anna", 15, 60, kind="account", amount=30)
    world["balances"] += [corrected, late]

    def again(known_by: float | None) -> pd.DataFrame:
        by = None if known_by is None else pd.Timestamp(days(known_by), unit="us", tz="UTC").to_pydatetime()
        return build_features(load(world), moment, consents=everything, known_by=by)

    pd.testing.assert_frame_equal(again(None), then, check_exact=True)
    assert [again(day)["balance_last"].item() for day in (20, 50, 50.5, 60, 61)] == [100.0, 100.0, 90.0, 90.0, 30.0]


def test_a_corrected_build_may_not_know_less_than_its_moment(
    row: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    world = {"members": [row("anna", 0, adult=True)], "balances": [row("anna", 1, kind="account", amount=1)]}
    early = pd.Timestamp(days(5), unit="us", tz="UTC").to_pydatetime()
    with pytest.raises(ObservationError, match="known_by must not lie before an as_of, got 2024-01-06"):
        build_features(load(world), observe([("anna", days(20))]), consents=everything, known_by=early)
