"""What no registered feature may answer to, tried on values: spending more (M5), and exercising a right (C6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from benne.errors import RegistrationError
from benne.features import Registry, build_features, registry
from benne.features.kernel.expressions import (
    ActivePeriods,
    Count,
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
from benne.features.possible_values import possible
from benne.features.spending import effect_of_spending, reads_spending

OUT, IN = (stream("payments").where(direction=direction) for direction in ("out", "in"))
BOUGHT = OUT.excluding(status="failed")


def improved(name: str, by: Any) -> bool:
    spec = registry[name]
    effect = effect_of_spending(spec.expression, by, never_negative=spec.minimum >= 0)
    return any(sign * spec.direction < 0 for sign in effect)


@pytest.mark.parametrize(("expression", "amounts", "counts"), [
    (Count(BOUGHT), [0], [0, 1]),
    (Count(OUT.where(status="failed")), [0], [0]),
    (Count(OUT.where(kind="fee")), [0], [0]),
    (Count(OUT.where(kind="bill")), [0], [0, 1]),
    (Count(OUT.excluding(status=("settled", "failed", "reversed"))), [0], [0, 1]),  # who does not say may have settled
    (Count(OUT.where(kind="transfer").where(status="reversed")), [0], [0]),
    (Ratio(Count(OUT.where(kind="purchase")), Count(OUT)), [0], [-1, 0, 1]),
    (Count(IN), [0], [0]),
    (Count(OUT.at_least(amount=100)), [-1, 0, 1], [-1, 0, 1]),
    (Total(BOUGHT, "amount"), [0, 1], [0, 1]),
    (Largest(OUT, "amount"), [0, 1], [0, 1]),
    (Smallest(OUT, "amount"), [0, 1], [-1, 0]),
    (Latest(OUT, "amount"), [0, 1], [-1, 0, 1]),
    (DaysSinceLast(OUT), [0], [-1, 0]),
    (ActivePeriods(OUT), [0], [0, 1]),
    (Variation(OUT, "amount"), [-1, 0, 1], [-1, 0, 1]),
    (Sum(Count(IN), Total(OUT, "amount")), [0, 1], [0, 1]),
    (Difference(Total(IN, "amount"), Total(OUT, "amount")), [-1, 0], [-1, 0]),
    (Ratio(Total(IN, "amount"), Total(OUT, "amount")), [-1, 0], [-1, 0]),
    (Ratio(Latest(stream("balances"), "amount"), Total(OUT, "amount")), [-1, 0, 1], [-1, 0, 1]),
    (Count(stream("delinquency")), [0], [0]),
])  # fmt: skip
def test_what_spending_does_follows_from_the_expression(
    expression: Expression, amounts: list[int], counts: list[int]
) -> None:
    assert sorted(effect_of_spending(expression, "amounts")) == amounts
    assert sorted(effect_of_spending(expression, "counts")) == counts


@pytest.mark.parametrize(("expression", "nothing"), [
    (Total(BOUGHT.within(180), "amount"), None),
    (Largest(BOUGHT.within(180), "amount"), "nothing went out"),
    (Ratio(Total(OUT, "amount"), Total(IN, "amount")), "nothing came in"),
])  # fmt: skip
def test_a_feature_by_which_spending_more_would_be_better_is_refused(expression: Expression, nothing: str) -> None:
    like = replace(registry["balance_last"], expression=expression, minimum=0.0, null_means=nothing)
    with pytest.raises(RegistrationError, match="spending more on the platform could lower the risk"):
        Registry([like])
    assert Registry([replace(like, direction=1)])
    assert Registry([replace(like, direction=0)])


@pytest.mark.parametrize(("expression", "direction"), [
    (Count(BOUGHT), -1),
    (Count(OUT.where(kind="purchase").within(90)), -1),
    (Count(OUT.where(kind=("purchase", "bill"), status="settled")), -1),
    (Count(stream("payments")), -1),
    (ActivePeriods(OUT), -1),
    (Distinct(OUT, "kind"), -1),
    (Scaled(Sum(Count(IN), Count(OUT)), 12.0), -1),
    (Difference(Count(IN), Count(OUT)), 1),
    (Ratio(Count(OUT.where(kind="purchase")), Count(OUT.excluding(kind=("refund", "chargeback")))), -1),
    (Ratio(Count(OUT.where(kind="bill")), Count(stream("payments"))), -1),
    (Ratio(Count(OUT.where(status="failed")), Count(OUT)), 1),
    (DaysSinceLast(OUT), 1),
])  # fmt: skip
def test_a_feature_by_which_paying_more_often_would_be_better_is_refused(
    expression: Expression, direction: Literal[-1, 1]
) -> None:
    ends = possible(expression)
    like = replace(
        registry["penalty_fees_180d"], name="movements", expression=expression, label="Movements on the account",
        minimum=max(ends.low, -6.0), maximum=min(ends.high, 6.0), direction=direction,
        null_means="nothing moved" if ends.nullable else None)  # fmt: skip
    with pytest.raises(RegistrationError, match=r"'movements' .* more payments on the platform could lower the risk"):
        Registry([like])
    assert Registry([replace(like, direction=0)])


@pytest.mark.parametrize("name", list(registry))
def test_larger_purchases_better_no_registered_feature(name: str) -> None:
    assert not improved(name, "amounts")


def test_more_purchases_better_no_registered_feature() -> None:
    assert not [name for name in registry if improved(name, "counts")]


def test_features_that_read_spending_and_learn_their_direction_are_the_gates_to_watch() -> None:
    assert {n for n in registry if reads_spending(registry[n].expression) and registry[n].direction == 0} == {
        "cash_share_180d", "bill_share_180d", "in_out_ratio_180d", "in_out_ratio_life",
        "spending_variation_180d", "spending_trend_90d", "active_months_180d", "counterparties_365d",
    }  # fmt: skip


# ------------------------------------------------------------------ the same on values


@pytest.fixture(scope="module")
def world(random_world: Any) -> dict[str, list[dict[str, Any]]]:
    """Members of whom all is known as it happens, so that rows can be put beside their own."""
    found = random_world(20261124, 30)
    return {name: [r | {"known_at": min(r["known_at"], r["event_time"])} for r in rows if r["supersedes"] is None]
            for name, rows in found.items()}  # fmt: skip


@pytest.fixture(scope="module")
def build(load: Any, observe: Any, everything: Any, days: Any) -> Any:
    """From a world to the features of every member at some moments."""

    def built(world: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
        members = sorted({r["member_id"] for r in world["members"]})
        pairs = [(member, days(day)) for member in members for day in (420.3, 560.7, 700.1)]
        return build_features(load(world), observe(pairs), consents=everything)[list(registry)]

    return built


def bettered(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """Features of which some value moved where their direction says that the risk is lower."""
    moved = (after - before).mul([registry[name].direction for name in before.columns])
    return set(moved.columns[(moved < -1e-9).any()])


def _spends(row: dict[str, Any]) -> bool:
    return bool(row["direction"] == "out")


def test_twice_the_spending_moves_no_value_for_the_better(world: Any, build: Any) -> None:
    half = [r | {"amount": r["amount"] // 2} for r in world["payments"]]
    twice = [r | {"amount": 2 * r["amount"]} if _spends(r) else r for r in half]
    before, after = build(world | {"payments": half}), build(world | {"payments": twice})
    assert not bettered(before, after)
    assert not np.array_equal(before.to_numpy(), after.to_numpy(), equal_nan=True)


def test_three_times_the_purchases_move_no_value_for_the_better(world: Any, build: Any) -> None:
    bought = [r | {"record_id": f"{r['record_id']}-{k}", "kind": "purchase", "status": "settled"}
              for r in world["payments"] if _spends(r) for k in range(2)]  # fmt: skip
    found = bettered(build(world), build(world | {"payments": world["payments"] + bought}))
    assert not found


def test_disputing_moves_no_value(world: Any, build: Any) -> None:
    items = [r | {"record_id": f"{r['record_id']}-{event}", "event": event, "event_time": r["event_time"] + 1,
                  "known_at": r["event_time"] + 1, "expires_at": None, "lawfully_public": None}
             for r in world["adverse_items"] if r["event"] == "reported"
             for event in ("disputed", "upheld")]  # fmt: skip
    assert items
    before, after = build(world), build(world | {"adverse_items": world["adverse_items"] + items})
    pd.testing.assert_frame_equal(before, after)
