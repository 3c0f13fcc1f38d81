"""The shadow: seen by nobody, kept of nobody, and never in anybody's way."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pandas as pd
import pytest

from benne.errors import InsufficientEvidence
from benne.features.categories import CATEGORIES
from benne.scoring.rollout import shadow as shadow_module
from benne.scoring.rollout.shadow import Shadow
from benne.scoring.rollout.shadow_counts import CELLS, cells_of
from benne.scoring.store.database import Store
from tests.scoring.rollout.conftest import OPS, Failing, put_in_place_of, value_of
from tests.scoring.service.conftest import TWO

COLUMNS = [f"x_{c}" for c in CATEGORIES]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(shadow_module, "_GATHER_SECONDS", 0.01)


def rows_of(rolling):
    return pd.DataFrame([[value_of(k)] * 5 for k in range(len(rolling.names))], columns=COLUMNS)


@pytest.mark.parametrize("where", ["rolling", "rolling_on_postgres"])
def test_what_is_counted_is_what_both_models_make_of_the_same_rows(where, request):
    rolling = request.getfixturevalue(where)
    rolling.begin()
    answers = rolling.ask()
    before, after = (one.model.explain(rows_of(rolling)) for one in (rolling.champion, rolling.challenger))
    assert [answer.score for answer in answers] == before.score.tolist()
    change = after.score - before.score
    joint = [row for row in rolling_rows(rolling) if row["name"] == "shadow.joint"]
    assert sum(row["n"] for row in joint) == len(rolling.names)
    assert sum(row["amount"] for row in joint) == pytest.approx(change.sum())
    cells = cells_of(before.score) * CELLS + cells_of(after.score)
    assert {row["cell"]: row["n"] for row in joint} == dict(zip(*np.unique(cells, return_counts=True), strict=True))
    for name, models in (("champion", before), ("challenger", after)):
        pds = [row["amount"] for row in rolling_rows(rolling) if row["name"] == f"shadow.pd.{name}"]
        assert sum(pds) == pytest.approx(models.pd.sum())
    moved = {c: (after.category_points[c] - before.category_points[c]).to_numpy() for c in CATEGORIES}
    for category, own in moved.items():
        assert rolling.counted(f"shadow.change.{category}") == (len(own), pytest.approx(own.sum()))
        assert rolling.counted(f"shadow.moved.{category}") == (len(own), pytest.approx(np.abs(own).sum()))
    parts = sum(rolling.counted(f"shadow.change.{part}")[1] for part in ("base", "clipping", *CATEGORIES))
    assert parts == pytest.approx(change.sum())


def rolling_rows(rolling):
    assert rolling.service.rollouts.shadow.settle()
    return rolling.running.rows("live_counts")


def test_the_challenger_sees_no_more_of_a_member_than_entered_the_answer(rolling):
    """The vector on hand holds all five categories; the member lets two be used."""
    rolling.running.grant("quiet", TWO)
    rolling.running.know("quiet", 0.7)
    seen = []
    challenger = Failing(rolling.challenger.model, RuntimeError)
    challenger.broken = False
    put_in_place_of(rolling, challenger)
    rolling.begin()
    challenger.explain = lambda X, withheld=(): (
        seen.append((X.copy(), withheld)) or rolling.champion.model.explain(X, withheld=withheld)
    )
    rolling.ask(["quiet"])
    assert rolling.counted("shadow.change.base")[0] == 1
    ((table, withheld),) = seen
    assert withheld == [frozenset(CATEGORIES) - set(TWO)]
    assert table.columns[table.notna().iloc[0]].tolist() == [f"x_{c}" for c in TWO]


def test_whoever_does_not_consent_is_shown_to_no_challenger(rolling):
    rolling.running.know("silent")
    rolling.begin()
    (refusal,) = rolling.ask(["silent"])
    assert refusal.reason == "consent-required"
    assert rolling.counted("shadow.joint") == (0, 0)
    assert rolling.running.rows("live_counts") == []


def test_nothing_of_the_shadow_is_in_an_answer_and_no_member_is_in_a_count(rolling):
    plain = [answer.as_dict() for answer in rolling.ask()]
    rolling.begin()
    shadowed = [answer.as_dict() for answer in rolling.ask()]
    changing = {"decision_id", "decided_at_us", "valid_until_us"}
    assert [{k: v for k, v in one.items() if k not in changing} for one in shadowed] == [
        {k: v for k, v in one.items() if k not in changing} for one in plain
    ]
    text = json.dumps(rolling_rows(rolling))
    assert text != "[]"
    assert not any(rolling.running.member(name) in text for name in rolling.names)
    assert rolling.challenger.model_id not in json.dumps(shadowed)
    waiting = rolling.service.rollouts.shadow._waiting
    assert len(waiting) == 0


def test_an_answer_waits_for_the_challenger_without_whose_it_is(rolling):
    shadow, taken = rolling.service.rollouts.shadow, []
    rolling.begin()
    shadow._score = taken.extend
    rolling.ask()
    shadow.settle()
    assert len(taken) == len(rolling.names)
    assert {one.vector.subject_id for one in taken} == {""}


def test_a_challenger_that_raises_is_counted_and_named_by_its_class_only(rolling, caplog):
    put_in_place_of(rolling, Failing(rolling.challenger.model, lambda: ValueError(rolling.running.member("m0"))))
    rolling.begin()
    assert {answer.model_id for answer in rolling.ask()} == {rolling.champion.model_id}
    assert rolling.counted("shadow.failed")[0] == len(rolling.names)
    assert "the challenger in the shadow failed: ValueError" in caplog.text
    assert rolling.running.member("m0") not in caplog.text
    rolling.challenger.model.broken = False
    rolling.ask()
    assert rolling.counted("shadow.change.base")[0] == len(rolling.names)  # its thread goes on


def test_whom_the_challenger_alone_would_refuse_is_counted_as_refused(rolling):
    class Choosy(Failing):
        def explain(self, X, withheld=()):
            if (X["x_ability"] > 0.5).any():
                raise InsufficientEvidence("too little")
            return self._model.explain(X, withheld=withheld)

        def refusals(self, X, withheld=()):
            thin = (X["x_ability"] > 0.5).to_numpy()
            return thin, np.zeros(len(X), dtype=bool)

    put_in_place_of(rolling, Choosy(rolling.challenger.model, RuntimeError))
    rolling.begin()
    rolling.ask()
    thin = int((rows_of(rolling)["x_ability"] > 0.5).sum())
    assert 0 < thin < len(rolling.names)
    assert rolling.counted("shadow.refused")[0] == thin
    assert rolling.counted("shadow.change.base")[0] == len(rolling.names) - thin


def test_a_slow_challenger_keeps_nobody_waiting_and_what_it_cannot_take_is_counted(rolling):
    go, slow = threading.Event(), Failing(rolling.challenger.model, RuntimeError)
    slow.broken = False
    put_in_place_of(rolling, slow)
    rolling.begin()
    slow.explain = lambda X, withheld=(): go.wait(30) and rolling.champion.model.explain(X, withheld=withheld)
    shadow = rolling.service.rollouts.shadow
    shadow._most_waiting = 40
    began = time.monotonic()
    for _ in range(5):
        assert {answer.model_id for answer in rolling.ask()} == {rolling.champion.model_id}
    took = time.monotonic() - began
    waiting = len(shadow._waiting)
    go.set()
    assert took < 10  # the challenger never came back meanwhile
    assert waiting <= 40
    dropped, compared = rolling.counted("shadow.dropped")[0], rolling.counted("shadow.change.base")[0]
    assert dropped > 0
    assert dropped + compared == 5 * len(rolling.names)


def test_counts_outlast_a_store_that_is_busy_when_they_are_written(rolling, monkeypatch):
    rolling.begin()
    honest = Store.write

    def busy(_):
        raise OSError("disk full")

    rolling.ask()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", busy)
        assert rolling.service.rollouts.shadow.settle()
    assert Store.write is honest
    assert rolling.running.rows("live_counts") == []
    assert rolling.counted("shadow.change.base")[0] == len(rolling.names)


def test_without_a_roll_out_there_is_no_thread_and_after_one_nothing_is_taken(rolling):
    assert "benne-shadow" not in {thread.name for thread in threading.enumerate()}
    rolling.begin()
    rolling.service.rollouts.end("enough_seen", OPS)
    rolling.service.rollouts.follow()
    rolling.ask()
    assert rolling_rows(rolling) == []


def test_it_ends_twice_and_before_it_began():
    shadow = Shadow(None)
    shadow.close()
    shadow.close()
    shadow([])
