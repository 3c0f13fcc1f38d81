"""A withheld category is not computed: its events never reach the kernel, nor are they loaded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from benne.features import CATEGORIES, MASK_COLUMNS, ConsentMask, build_features, compute, registry
from benne.features.engines.embedded import RangeReader
from benne.features.kernel.layout import STREAMS

Row = dict[str, Any]
EVER = (-1000.0, None)


@pytest.fixture
def mask(key: Any, days: Any) -> Any:
    """From {(member, category): (from day, until day or None)} to a mask."""

    def made(grants: dict[tuple[str, str], tuple[float, float | None]]) -> ConsentMask:
        def moment(day: float | None) -> pd.Timestamp:
            return pd.NaT if day is None else pd.Timestamp(days(day), unit="us", tz="UTC")

        return ConsentMask(pd.DataFrame({
            "subject_id": key.subject_ids([member for member, _ in grants]),
            "category": [category for _, category in grants],
            "granted_from": pd.to_datetime([moment(since) for since, _ in grants.values()], utc=True),
            "granted_until": pd.to_datetime([moment(until) for _, until in grants.values()], utc=True),
        }), reason="test")  # fmt: skip

    return made


@pytest.mark.parametrize("withheld", CATEGORIES)
def test_a_withheld_category_is_null_and_moves_no_other(
    withheld: str, random_world: Any, load: Any, observe: Any, days: Any, mask: Any, everything: ConsentMask
) -> None:
    events = load(random_world(51, members=4))
    members = [f"person-51-{i}" for i in range(4)]
    given = observe([(member, days(650)) for member in members])
    granted = {(m, c): EVER for m in ["a stranger", *members] for c in CATEGORIES}
    some = dict(granted)
    del some[members[0], withheld]
    whole = build_features(events, given, consents=mask(granted))
    frame = build_features(events, given, consents=mask(some))
    own, others = registry.columns(withheld), [n for n in registry if registry[n].category != withheld]
    assert frame.iloc[0][own].isna().all()
    assert not frame.iloc[0][MASK_COLUMNS[withheld]]
    pd.testing.assert_frame_equal(frame[others], whole[others], check_exact=True)
    if withheld != "social":  # a social consent withheld takes its member out of the others' relationships too
        pd.testing.assert_frame_equal(frame.iloc[1:], whole.iloc[1:], check_exact=True)


class _Spy:
    """Evaluates as the kernel does, and remembers which rows of which members it was given."""

    def __init__(self, real: Any) -> None:
        self._real, self.seen = real, {}

    def __call__(self, program: Any, partition: Any, observations: Any, grants: Any) -> Any:
        ranges = {
            name: {
                (subject, int(time))
                for subject in range(partition.first.shape[1])
                for time in partition.rows.time[partition.first[k, subject] : partition.last[k, subject]]
            }
            for name, k in STREAMS.items()
        }
        self.seen[len(program.results)] = ranges
        return self._real(program, partition, observations, grants)


def test_the_kernel_gets_no_event_that_a_withheld_category_would_read(
    row: Any, load: Any, observe: Any, days: Any, mask: Any, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = ["anna", "ben"]
    world = {
        "members": [row(m, 0, adult=True) for m in members],
        "balances": [row(m, day, kind="account", amount=1) for m in members for day in (1, 50, 90)],
        "payments": [row(m, 1, direction="out", amount=1) for m in members],
        "incomes": [row(m, 1, amount=1) for m in members],
    }
    # Ben withholds ability; Anna withdrew it on day 60; both allow behaviour throughout.
    grants = {("anna", "ability"): (0.0, 60.0), ("anna", "behaviour"): EVER, ("ben", "behaviour"): EVER}
    spy = _Spy(compute.evaluate)
    monkeypatch.setattr(compute, "evaluate", spy)
    pairs = [(m, days(day)) for m in members for day in (40, 100)]
    frame = build_features(load(world), observe(pairs), consents=mask(grants))
    assert frame["consented_ability"].tolist() == [True, False, False, False]
    anna, ben = (sorted(key.subject_ids(members)).index(i) for i in key.subject_ids(members))
    ability, behaviour = (
        spy.seen[sum(name in frame for name in registry.columns(c))] for c in ("ability", "behaviour")
    )
    assert ability["balances"] == {(anna, days(1))}, "not even what Anna did after withdrawing"
    assert ability["incomes"] == {(anna, days(1))}
    assert behaviour["incomes"] == set(), "of what a category does not read it is given nothing"
    assert behaviour["balances"] == {(s, days(d)) for s in (anna, ben) for d in (1, 50, 90)}


def test_tables_that_only_a_withheld_category_reads_are_not_loaded(
    random_world: Any, load: Any, observe: Any, days: Any, mask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: dict[str, int] = {}
    read = RangeReader.read

    def counted(self: RangeReader, first: int, last: int) -> Any:
        loaded = read(self, first, last)
        sizes = (loaded.partition.last - loaded.partition.first).sum(axis=1)
        rows.update({name: int(sizes[k]) for name, k in STREAMS.items()})
        return loaded

    monkeypatch.setattr(RangeReader, "read", counted)
    members = [f"person-52-{i}" for i in range(5)]
    granted = {(m, c): EVER for m in members for c in ("personal_information", "behaviour")}
    given = observe([(member, days(700)) for member in members])
    build_features(load(random_world(52, members=5)), given, consents=mask(granted))
    assert {name for name, count in rows.items() if count} == {
        "members", "verifications", "payments", "balances", "account_status", "dues", "repayments",
        "obligation_events",
    }  # fmt: skip
    assert rows["incomes"] == rows["interactions"] == rows["adverse_items"] == 0


def test_another_member_counts_only_while_they_consent_to_social_features(
    row: Any, load: Any, observe: Any, days: Any, mask: Any
) -> None:
    dealing = row("anna", 5, other_id="ben", direction="received", kind="rating", value=5)
    world = {"members": [row(m, 0, adult=True) for m in ("anna", "ben")], "interactions": [dealing]}
    grants = {("anna", "social"): EVER, ("ben", "social"): (20.0, 40.0)}
    moments = [10.0, 20.0 - 1e-6, 20.0, 40.0 - 1e-6, 40.0, 100.0]
    frame = build_features(load(world), observe([("anna", days(d)) for d in moments]), consents=mask(grants))
    assert frame["relationships_365d"].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    assert frame["positive_rating_share_365d"].isna().tolist() == [True, True, False, False, True, True]


def test_another_members_other_consents_and_ones_own_are_no_substitute(
    row: Any, load: Any, observe: Any, days: Any, mask: Any
) -> None:
    dealing = row("anna", 5, other_id="ben", direction="given", kind="transfer")
    world = {"members": [row(m, 0, adult=True) for m in ("anna", "ben")], "interactions": [dealing]}
    grants = {("anna", "social"): EVER, ("ben", "behaviour"): EVER, ("ben", "credit_history"): EVER}
    frame = build_features(load(world), observe([("anna", days(10))]), consents=mask(grants))
    assert frame["relationships_365d"].tolist() == [0.0]
