"""Two processes on one database, of either kind: one promotes, one rolls out, and no count is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benne.errors import PromotionConflict, RolloutError
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.promotion import every_promotion, promote
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.governance.verdicts import require_validated
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.register import Register, newest_rollout, steps_of
from benne.scoring.store.database import open_store
from benne.scoring.wiring import random_id, system_clock
from tests.scoring.validated import validated

OPS = Actor("ops", "admin")
MODELS = {name: (f"benne/{name * 16}", name * 64) for name in "abc"}
ROUNDS, CELLS = 40, 25


def named(name: str) -> ServedModel:
    """As much of a model as promotion looks at."""
    return ServedModel(*MODELS[name], (), {}, None)  # type: ignore[arg-type]


def promotes(address: Any, name: str, after: int) -> str:
    def act(store: Any, group: GroupCommit) -> str:
        work = promote(named(name), OPS, event_id=random_id(), policy_version="test", after=after)
        return group.submit(work).result.model_id

    return acted(address, act)


def begins(address: Any, name: str) -> str:
    def act(store: Any, group: GroupCommit) -> str:
        return group.submit(Register(OPS, random_id, "test").begin(named(name), "ab" * 16)).result.model_id

    return acted(address, act)


def stages(address: Any, share: int) -> str:
    """Of the step that this process saw before the other took another."""

    def act(store: Any, group: GroupCommit) -> str:
        with store.read() as connection:
            seen = steps_of(connection, newest_rollout(connection).rollout_id)[0]
        register = Register(OPS, random_id, "test")
        return str(group.submit(register.stage(seen, share, require_validated, 0)).result.share_basis_points)

    return acted(address, act)


def counts(address: Any, scope: str) -> str:
    store = open_store(address)
    live = LiveCounts(store, system_clock)
    for turn in range(ROUNDS):
        live.add_cells(scope, "x", np.arange(CELLS), np.full(CELLS, 2), np.full(CELLS, 0.5), day=turn % 2)
        live.flush()
    store.close()
    return "done"


def acted(address: Any, act: Callable[[Any, GroupCommit], str]) -> str:
    """What came of it in a process of its own: an answer, or the refusal's class."""
    store = open_store(address)
    try:
        with GroupCommit(store, clock=system_clock) as group:
            return act(store, group)
    except (PromotionConflict, RolloutError) as refused:
        return type(refused).__name__
    finally:
        store.close()


def at_once(processes: Any, act: Callable[..., str], *arguments: tuple[Any, ...]) -> list[str]:
    """What came of the same act in processes that begin together."""
    with processes.Pool(len(arguments)) as pool:
        return pool.starmap(act, arguments, chunksize=1)


@pytest.fixture
def address(database):
    """A database in which three models have passed, and the first serves."""
    place = database()
    store = open_store(place)
    with GroupCommit(store, clock=system_clock) as group:
        for model in MODELS.values():
            validated(store, group, model)
        group.submit(promote(named("a"), OPS, event_id=random_id(), policy_version="test"))
    store.close()
    return place


def whole(address):
    store = open_store(address)
    with store.read() as connection:
        assert verify(connection).intact
        found = every_promotion(connection), newest_rollout(connection)
    store.close()
    return found


def test_of_two_promotions_decided_on_the_same_champion_one_stands(address, processes):
    came = at_once(processes, promotes, (address, "b", 1), (address, "c", 1))
    won = [one for one in came if one != "PromotionConflict"]
    assert len(won) == 1
    promotions, _ = whole(address)
    assert [one.model_id for one in promotions] == [MODELS["a"][0], *won]


def test_of_two_roll_outs_begun_at_once_one_is_under_way_and_takes_one_step_at_a_time(address, processes):
    came = at_once(processes, begins, (address, "b"), (address, "c"))
    assert sorted(one == "RolloutError" for one in came) == [False, True]
    _, begun = whole(address)
    assert begun.model_id in came
    came = at_once(processes, stages, (address, 500), (address, 2_500))
    assert sorted(one == "PromotionConflict" for one in came) == [False, True]
    _, staged = whole(address)
    assert (staged.state, str(staged.share_basis_points) in came, staged.seq) == ("staged", True, 2)


def test_counts_of_two_processes_add_up(address, processes):
    assert at_once(processes, counts, (address, "benne/1"), (address, "benne/1")) == ["done", "done"]
    store = open_store(address)
    with store.read() as connection:
        found = LiveCounts.read(connection, "benne/1")
        total = LiveCounts.totals(connection, "benne/1", ["x", "never"])
    store.close()
    assert len(found) == 2 * CELLS
    assert set(found["n"]) == {2 * 2 * ROUNDS // 2}
    assert set(found["amount"]) == {0.5 * 2 * ROUNDS / 2}
    assert total == {"x": 2 * 2 * ROUNDS * CELLS}
