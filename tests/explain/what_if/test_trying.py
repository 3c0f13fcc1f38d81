"""A what-if is what appending those events and scoring on the day would give, bit for bit, and leaves no trace."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from benne.errors import WhatIfNotPossible
from benne.explain.texts import texts_of
from benne.explain.what_if import Action, History, WhatIfs, action_of
from benne.explain.what_if.catalogue import carried_out
from benne.features import ConsentMask, load_events
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures
from benne.features.events.moments import moment_of
from benne.scoring.members.what_if_asking import SettledConsents
from tests.explain.what_if.small_platform import KEY, Platform

DAYS = (7, 30, 61, 90, 180, 366)


def begun(platform: Platform, member: str, days: int) -> WhatIfs:
    until = platform.now + timedelta(days=days)
    return WhatIfs(platform.history(member), platform.consents, platform.scoring, platform.now, until)


def some_actions(what_ifs: WhatIfs, rng: np.random.Generator) -> list[Action]:
    """A few offered actions that agree with one another, with parameters of their own now and then."""
    chosen: dict[tuple[str, str], Action] = {}
    offered = what_ifs.offered()
    for place in rng.permutation(len(offered))[: rng.integers(1, 6)].tolist():
        chosen.setdefault((offered[place].name, offered[place].subject), offered[place])
    return list(chosen.values())


def ingested(
    platform: Platform, member: str, what_ifs: WhatIfs, actions: list[Action], store: EventStore
) -> np.ndarray:
    """The features on the day once the imagined rows are really appended and the watermark has moved on."""
    rows = carried_out(what_ifs.ahead, actions).tables()
    if rows:
        store.append(platform.raw(rows, prefix="new"), key=KEY, ingested_at=what_ifs.until)
    else:
        store.advance(what_ifs.until)
    subject = KEY.subject_id(member)
    return OnlineFeatures(store).compute(subject, what_ifs.until, consents=platform.consents).values


@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 150))])
def test_a_what_if_is_what_ingesting_those_events_and_scoring_on_the_day_gives(
    seed: int, platform: Platform, tmp_path
) -> None:
    rng = np.random.default_rng(seed)
    member = platform.members[int(rng.integers(len(platform.members)))]
    what_ifs = begun(platform, member, int(rng.choice(DAYS)))
    actions = some_actions(what_ifs, rng)
    imagined = what_ifs.vectors([actions])[-1]
    shutil.copy(platform.path, tmp_path / "copy.db")
    store = EventStore.open(tmp_path / "copy.db")
    try:
        really = ingested(platform, member, what_ifs, actions, store)
    finally:
        store.close()
    assert imagined.values.tobytes() == really.tobytes(), [action.as_dict() for action in actions]


def test_it_holds_where_the_platform_sees_a_column_for_the_first_time(tmp_path) -> None:
    """Nobody's verifications say how strong they are: the first that does makes features that were not there."""
    moments = pd.to_datetime(["2026-01-01", "2026-02-01"], utc=True)
    tables = {
        "members": pd.DataFrame({"record_id": ["m"], "member_id": ["anna"], "event_time": moments[:1],
                                 "known_at": moments[:1], "adult": [True]}),
        "verifications": pd.DataFrame({"record_id": ["v"], "member_id": ["anna"], "event_time": moments[1:],
                                       "known_at": moments[1:], "field": ["phone"], "event": ["verified"]}),
    }  # fmt: skip
    clock, subject = datetime(2026, 3, 1, tzinfo=UTC), KEY.subject_id("anna")
    everything = ConsentMask.all_granted(reason="test")
    events = load_events(tables, key=KEY, ingested_at=clock)
    store = EventStore.create(tmp_path / "events.db", events, watermark=clock)
    found = store.member(subject)
    history = History(subject, store.rows(subject), found.known_since, found.watermark)
    until = clock + timedelta(days=45)
    what_ifs = WhatIfs(history, everything, None, moment_of(found.watermark), until)
    action = action_of({"action": "verify", "field": "email", "against_register": True})
    today, _, imagined = what_ifs.vectors([[action]])
    row = {"record_id": ["w"], "member_id": ["anna"], "event_time": [moment_of(found.watermark)], "field": ["email"],
           "event": ["verified"], "method": ["registry"], "strength": [3]}  # fmt: skip
    known = {"known_at": [moment_of(found.watermark)]}
    store.append({"verifications": pd.DataFrame(row | known)}, key=KEY, ingested_at=until)
    really = OnlineFeatures(store).compute(subject, until, consents=everything)
    store.close()
    assert set(imagined.names) - set(today.names) >= {"verified_against_register"}
    assert (imagined.names, imagined.values.tobytes()) == (really.names, really.values.tobytes())


def test_nothing_imagined_is_ever_stored(platform: Platform) -> None:
    before = hashlib.sha256(platform.path.read_bytes()).hexdigest()
    held = platform.store.rows(KEY.subject_id(platform.members[9]))
    what_ifs = begun(platform, platform.members[9], 90)
    for action in what_ifs.offered():
        what_ifs.attempt([action])
    after = platform.store.rows(KEY.subject_id(platform.members[9]))
    assert {name: table.num_rows for name, table in after.items()} == {n: t.num_rows for n, t in held.items()}
    assert hashlib.sha256(platform.path.read_bytes()).hexdigest() == before


def test_every_answer_adds_up_exactly_and_as_shown(platform: Platform) -> None:
    seen = 0
    for member in platform.members[:14]:
        what_ifs = begun(platform, member, 120)
        for action in what_ifs.offered()[:4]:
            answer = what_ifs.attempt([action])
            assert answer.gap < 1e-9
            assert sum(line.shown for line in answer.lines) + answer.clipped_shown == answer.effect_shown
            assert sum(x.shown for x in answer.moved) + answer.rest_shown + answer.clipped_shown == answer.effect_shown
            told = answer.as_text(texts_of("en"))
            assert sum(" → " in line for line in told.splitlines()) == len(answer.moved)
            assert answer.effect == answer.with_actions.score - answer.baseline.score
            assert answer.with_actions.shown == answer.baseline.shown + answer.effect_shown
            seen += 1
    assert seen > 30


def test_the_order_in_which_actions_are_given_changes_nothing(platform: Platform) -> None:
    what_ifs = begun(platform, platform.members[9], 120)
    actions = some_actions(what_ifs, np.random.default_rng(2))
    one, other = what_ifs.attempt(actions), what_ifs.attempt(actions[::-1])
    assert one.as_dict() == other.as_dict()


def test_what_is_withheld_is_neither_looked_at_nor_computed(platform: Platform) -> None:
    own = frozenset({"credit_history", "behaviour", "ability"})
    for member in platform.members[:6]:
        until = platform.now + timedelta(days=90)
        what_ifs = WhatIfs(platform.history(member), SettledConsents(own, None), platform.scoring, platform.now, until)
        assert "verifications" not in what_ifs.ahead.visible
        assert "interactions" not in what_ifs.ahead.history.tables
        assert "verify" not in {action.name for action in what_ifs.offered()}
        for vector in what_ifs.vectors([[]]):
            assert {c for c, there in vector.consented.items() if there} == own
        with pytest.raises(WhatIfNotPossible, match="An action must have something to change"):
            what_ifs.attempt([action_of({"action": "verify", "field": "phone"})])


@pytest.mark.parametrize(("days", "message"), [
    (-1.0, "The day must lie ahead"), (0.0, "The day must lie ahead"), (367.0, "The day must be within 366 days"),
])  # fmt: skip
def test_a_day_in_the_past_or_too_far_ahead_is_refused(days: float, message: str, platform: Platform) -> None:
    until = platform.now + timedelta(days=days)
    with pytest.raises(WhatIfNotPossible, match=message):
        WhatIfs(platform.history(platform.members[0]), platform.consents, platform.scoring, platform.now, until)


def test_no_action_and_an_action_without_anything_to_change_are_refused(platform: Platform) -> None:
    what_ifs = begun(platform, platform.members[0], 30)
    with pytest.raises(WhatIfNotPossible, match="A what-if must try at least one action"):
        what_ifs.attempt([])
    never = next(member for member in platform.members if not platform.history(member).reporting)
    with pytest.raises(WhatIfNotPossible, match="An action must have something to change before the day, got lower_"):
        begun(platform, never, 30).attempt([action_of({"action": "lower_utilisation", "percent": 30})])
