"""The first row that anybody has in a table, or in a column, changes nobody's older features."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features import ConsentMask, build_features, load_events
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures
from benne.features.kernel.finaliser import Floats

Row = dict[str, Any]
World = dict[str, list[Row]]
FIRST_DAY = 400
NEW_TABLES = ("repayments", "interactions", "adverse_items")
NEW_COLUMNS = (("account_status", "limit"), ("payments", "counterparty_id"), ("verifications", "strength"))


def _world(random_world: Any, days: Any, seed: int) -> World:
    """A world in which some tables and columns say nothing before a day."""
    world: World = copy.deepcopy(random_world(seed))
    for table in NEW_TABLES:
        begun = {r["item_id"] for r in world[table] if r["known_at"] < days(FIRST_DAY) and "item_id" in r}
        world[table] = [r for r in world[table] if r["known_at"] >= days(FIRST_DAY) and r.get("item_id") not in begun]
        known = {r["record_id"] for r in world[table]}
        for row in world[table]:
            row["supersedes"] = row["supersedes"] if row["supersedes"] in known else None
    for table, column in NEW_COLUMNS:
        for row in world[table]:
            row[column] = None if row["known_at"] < days(FIRST_DAY) else row[column]
    return world


def _until(world: World, moment: int) -> World:
    """What of it was known at a moment."""
    known = {name: [row for row in rows if row["known_at"] < moment] for name, rows in world.items()}
    return {name: rows for name, rows in known.items() if rows}


def _asked(world: World, days: Any, *at: float) -> list[tuple[str, int]]:
    joined = {r["member_id"]: r["known_at"] for r in world["members"] if r["known_at"] < days(50)}
    return [(member, days(day)) for member in sorted(joined) for day in at]


@pytest.fixture(params=[3, 4, 5])
def world(request: Any, random_world: Any, days: Any) -> World:
    """One of three worlds."""
    return _world(random_world, days, request.param)


def test_a_build_of_old_moments_does_not_show_that_something_new_came(
    world: World, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    asked = observe(_asked(world, days, 200, 399.5, FIRST_DAY))
    then = build_features(load(_until(world, days(FIRST_DAY))), asked, consents=everything)
    now = build_features(load(world), asked, consents=everything)
    pd.testing.assert_frame_equal(now, then, check_exact=True)


def test_a_build_across_the_first_row_is_null_before_it_and_full_after_it(
    world: World, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    old, new = observe(_asked(world, days, 200, 399.5)), observe(_asked(world, days, 450, 700))
    then = build_features(load(_until(world, days(FIRST_DAY))), old, consents=everything)
    after = build_features(load(world), new, consents=everything)
    both = build_features(load(world), pd.concat([old, new], ignore_index=True), consents=everything)
    assert list(both) == list(after)
    assert set(then) < set(both)
    pd.testing.assert_frame_equal(both.iloc[len(old) :], after, check_exact=True)
    pd.testing.assert_frame_equal(both.iloc[: len(old)][list(then)], then, check_exact=True)
    assert both.iloc[: len(old)][[c for c in both if c not in then]].isna().to_numpy().all()


def test_a_corrected_build_knows_what_came_later(
    world: World, load: Any, observe: Any, days: Any, everything: ConsentMask
) -> None:
    asked = observe(_asked(world, days, 399.5))
    later = datetime.fromtimestamp(days(900) / 1e6, UTC)
    corrected = build_features(load(world), asked, consents=everything, known_by=later)
    assert set(corrected) > set(build_features(load(_until(world, days(FIRST_DAY))), asked, consents=everything))


def test_the_store_answers_old_moments_as_before_once_something_new_was_appended(
    world: World, frames: Any, days: Any, key: Any, everything: ConsentMask, tmp_path: Any
) -> None:
    first, end = (datetime.fromtimestamp(days(day) / 1e6, UTC) for day in (FIRST_DAY, 1000))
    known = _until(world, days(FIRST_DAY))
    known["dues"] = [row for row in world["dues"] if row["known_at"] < days(FIRST_DAY)]
    store = EventStore.create(
        tmp_path / "it.db", load_events(frames(known), key=key, ingested_at=first), watermark=first
    )
    online = OnlineFeatures(store)
    asked = [(key.subject_ids([member])[0], at) for member, at in _asked(world, days, 200, 399.5)]
    before = [_vector(online, subject, at, everything) for subject, at in asked]
    new = {name: [row for row in rows if row["known_at"] > days(FIRST_DAY)] for name, rows in world.items()}
    new["adverse_items"] = []  # whose steps become known in any order here, and would not pass the door
    store.append(frames({name: rows for name, rows in new.items() if rows}), key=key, ingested_at=end)
    for (subject, at), (names, values) in zip(asked, before, strict=True):
        again = _vector(online, subject, at, everything)
        assert again[0] == names
        assert again[1].tobytes() == values.tobytes()
    assert len(_vector(online, asked[0][0], days(999), everything)[0]) > len(before[0][0])
    store.close()


def _vector(online: OnlineFeatures, subject: str, at: int, consents: ConsentMask) -> tuple[tuple[str, ...], Floats]:
    made = online.compute(subject, datetime.fromtimestamp(at / 1e6, UTC), consents=consents)
    return made.names, np.asarray(made.values)


def test_unpaid_dues_are_not_known_to_be_unpaid_until_somebody_repays(
    load: Any, observe: Any, days: Any, row: Any, everything: ConsentMask
) -> None:
    tables: World = {
        "members": [row("anna", 1, adult=True), row("ben", 1, adult=True)],
        "dues": [row("anna", day, known=1.5, due_id=f"d{day}", obligation_id="loan", amount_due=100)
                 for day in (30, 60, 90)],
        "account_status": [row("anna", 40, period_start=days(10), obligation_id="card", months_past_due=0,
                               status="open")],
    }  # fmt: skip
    asked = observe([("anna", days(100)), ("anna", days(130)), ("anna", days(150))])
    without = build_features(load(tables), asked, consents=everything)
    tables["dues"] += [row("ben", 110, known=1.5, due_id="b", obligation_id="other", amount_due=100)]
    tables["repayments"] = [row("ben", 120, due_id="b", obligation_id="other", amount=100)]
    found = build_features(load(tables), asked, consents=everything)
    late = [name for name in found if name.startswith("late_30_count_5")]
    assert late
    assert set(late) <= set(without)
    pd.testing.assert_frame_equal(found.iloc[:1][list(without)], without.iloc[:1], check_exact=True)
    assert (found[late].iloc[0] == 0).all()
    assert found["late_30_count_5y"].tolist() == [0, 6, 6], "each due at 30, 60 and 90 days"
