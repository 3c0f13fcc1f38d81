"""Two worlds that never were, on rows one can follow by hand: only older, and only with what is new."""

from __future__ import annotations

import numpy as np
import pytest

from benne.explain.two_moments import only_newer, only_older
from benne.explain.what_if.recomputing import features_of
from benne.features.consent_mask import ConsentMask
from benne.features.events.moments import microseconds
from tests.explain.what_if.by_hand import day, due, history, paid, row
from tests.explain.what_if.small_platform import Platform

FIRST, SECOND = 100.0, 130.0


def moments(found, table, column="event_time"):
    rows = found.tables.get(table)
    return [] if rows is None else [(one - day(0)) / (86_400 * 1e6) for one in rows.column(column).to_pylist()]


def test_only_older_knows_nothing_new_and_leaves_out_what_fell_due_in_between():
    known = history(
        140,
        dues=[due("before", 90), due("between", 110), due("ahead", 135), due("later", 136, known=120)],
        repayments=[paid("before", 91), paid("between", 112)],
        incomes=[row(95, 105, amount=1), row(99, amount=2), row(120, amount=3)],
    )
    older = only_older(known, day(FIRST), day(SECOND))
    assert moments(older, "dues") == [90, 135]
    assert moments(older, "repayments") == [91]
    assert moments(older, "incomes") == [99]


def test_only_newer_puts_what_happened_in_between_as_far_back_as_it_is_later():
    known = history(140, incomes=[row(95, amount=1), row(120, amount=3), row(131, amount=4)],
                    verifications=[row(125, field="phone", event="verified", expires_at=day(490))])  # fmt: skip
    newer = only_newer(known, day(FIRST), day(SECOND))
    assert moments(newer, "incomes") == [95, 90]
    assert moments(newer, "verifications") == [95]
    assert moments(newer, "verifications", "expires_at") == [460]


def test_a_payment_moves_with_its_due_and_a_late_one_stays_late():
    known = history(
        140,
        dues=[due("late", 95), due("early", 102), due("both", 110), due("ahead", 135)],
        repayments=[paid("late", 115), paid("early", 98), paid("both", 112), paid("ahead", 125)],
    )
    newer = only_newer(known, day(FIRST), day(SECOND))
    assert moments(newer, "dues") == [95, 72, 80, 135]
    just_before = (day(FIRST) - 1 - day(0)) / (86_400 * 1e6)
    assert moments(newer, "repayments") == [just_before, 68, 82, just_before]


@pytest.mark.parametrize(("table", "said"), [
    ("account_status", {"obligation_id": "card", "months_past_due": 0, "status": "current"}),
    ("obligation_events", {"obligation_id": "card", "event": "limit_changed"}),
    ("verifications", {"field": "phone", "event": "verified"}),
    ("balances", {"kind": "account", "amount": 5}),
    ("adverse_items", {"item_id": "item", "kind": "default", "event": "disputed"}),
])  # fmt: skip
def test_what_concerns_one_thing_keeps_its_order(table, said):
    newer = only_newer(
        history(140, **{table: [row(98, **said), row(105, **said), row(129, **said)]}), day(FIRST), day(SECOND)
    )
    times = newer.tables[table].column("event_time").to_pylist()
    assert times == [day(98), day(98) + 1, day(99)]


@pytest.mark.parametrize("world", [only_older, only_newer])
def test_where_no_time_passes_a_world_between_is_the_world_itself(world, platform: Platform):
    for member in platform.members[:10]:
        known = platform.history(member)
        same = world(known, known.until, known.until)
        told = {"as_of": known.until, "known_by": known.until}
        one, other = (features_of(each, platform.consents, **told) for each in (known, same))
        assert one.values.tobytes() == other.values.tobytes()


def test_the_worlds_between_differ_from_the_ends_as_they_say(platform: Platform):
    """Nothing new: the count of what is on record stays. No time passed: what is past its window is there still."""
    second = microseconds(platform.now)
    first = second - 60 * 86_400_000_000
    everybody = ConsentMask.all_granted(reason="test")
    seen = 0
    for member in platform.members[:40]:
        known = platform.history(member)
        values = {}
        for name, history_, as_of, known_by in (
            ("first", known, first, first), ("second", known, second, second),
            ("older", only_older(known, first, second), second, first),
            ("newer", only_newer(known, first, second), first, second),
        ):  # fmt: skip
            vector = features_of(history_, everybody, as_of=as_of, known_by=known_by)
            values[name] = dict(zip(vector.names, vector.values.tolist(), strict=True))
        assert values["older"]["days_since_joining"] == values["second"]["days_since_joining"]
        assert values["newer"]["days_since_joining"] == values["first"]["days_since_joining"]
        for ever in ("months_assessed", "obligations_closed", "verification_methods"):
            assert values["older"][ever] <= values["second"][ever]
            assert values["newer"][ever] == pytest.approx(values["second"][ever]), ever
        seen += any(values["older"][name] != values["second"][name] for name in values["second"]
                    if not np.isnan(values["second"][name]))  # fmt: skip
    assert seen > 10
