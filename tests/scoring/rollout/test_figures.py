"""What metrics say of a roll-out: its step, and how its challenger bears up."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from benne.errors import StoreError
from benne.scoring.api.app import create_app
from benne.scoring.rollout.figures import RolloutFigures, rollout_figures
from benne.scoring.rollout.staged import StagedChallenger
from benne.scoring.store.database import Store
from tests.scoring.rollout.conftest import MEMBERS, OPS, Failing, put_in_place_of


def figures(rolling):
    with rolling.service.store.read() as connection:
        return rollout_figures(connection)


def gauges(text: str) -> dict[str, float]:
    lines = [line.split(" ") for line in text.splitlines() if line.startswith("benne_rollout")]
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize("where", ["rolling", "rolling_on_postgres"])
def test_each_step_and_what_the_shadow_saw_is_told(where, request):
    rolling = request.getfixturevalue(where)
    assert figures(rolling) is None
    rolling.begin()
    rolling.ask()
    assert rolling.service.rollouts.shadow.settle()
    assert figures(rolling) == RolloutFigures("shadow", 0.0, {"compared": MEMBERS, "failed": 0, "dropped": 0}, 0)
    rolling.stage(2_500)
    assert (figures(rolling).state, figures(rolling).share) == ("staged", 0.25)
    rolling.service.rollouts.end("too_many_move", OPS)
    assert figures(rolling) is None


def test_what_the_challenger_fails_at_is_told(rolling):
    put_in_place_of(rolling, Failing(rolling.challenger.model, ArithmeticError))
    rolling.begin()
    rolling.ask()
    assert rolling.service.rollouts.shadow.settle()
    rollout = rolling.stage(5_000)
    staged = StagedChallenger(rollout, rolling.challenger, rolling.service.rollouts.counts)
    staged.failed(ArithmeticError())
    staged.failed(ArithmeticError())
    assert rolling.service.rollouts.shadow.settle()
    found = figures(rolling)
    assert (found.shadow, found.failures) == ({"compared": 0, "failed": MEMBERS, "dropped": 0}, 2)


def test_metrics_have_a_roll_out_while_one_is_under_way_and_nothing_of_members(rolling, monkeypatch):
    client = TestClient(create_app(rolling.service, close=False))
    measures = client.app.state.measures
    measures.count_stored()
    assert gauges(client.get("/metrics").text) == {}
    rolling.begin()
    rolling.ask()
    assert rolling.service.rollouts.shadow.settle()
    rolling.stage(500)
    measures.count_stored()
    assert gauges(client.get("/metrics").text) == {
        'benne_rollout{state="staged"}': 1, "benne_rollout_share": 0.05, "benne_rollout_failures": 0,
        'benne_rollout_shadow_answers{kind="compared"}': MEMBERS,
        'benne_rollout_shadow_answers{kind="failed"}': 0, 'benne_rollout_shadow_answers{kind="dropped"}': 0,
    }  # fmt: skip
    monkeypatch.setattr(Store, "read", broken)
    with pytest.raises(StoreError, match="must answer"):
        measures.count_stored()
    assert gauges(client.get("/metrics").text) == {}, "rather nothing than what was"


def broken(store: Store) -> None:
    raise StoreError("The store must answer, got nothing.")
