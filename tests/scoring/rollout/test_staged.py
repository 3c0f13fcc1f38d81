"""A share of members is served by the challenger, everywhere the same; where it cannot, the champion answers."""

from __future__ import annotations

import numpy as np
import pytest

from benne.errors import FeatureColumnsError, InsufficientEvidence, WhatIfNotPossible
from benne.scoring.decisions.routing import tried
from benne.scoring.members.recording import Doing
from benne.scoring.rollout.staged import MOST_FAILURES
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.scoring.rollout.conftest import OPS, Failing, put_in_place_of, value_of


def models_of(rolling, service=None):
    maker = (service or rolling.service).maker
    answers = maker.decide([rolling.request(name) for name in rolling.names])
    return {name: answer.model_id for name, answer in zip(rolling.names, answers, strict=True)}


def served_by(rolling, models):
    return {name for name, model_id in models.items() if model_id == rolling.challenger.model_id}


def test_at_none_of_the_members_the_champion_serves_and_at_all_of_them_the_challenger(rolling):
    rolling.begin()
    rolling.stage(0)
    assert served_by(rolling, models_of(rolling)) == set()
    rolling.stage(10_000)
    assert served_by(rolling, models_of(rolling)) == set(rolling.names)


def test_members_keep_their_model_as_the_share_grows_after_a_restart_and_in_another_instance(rolling):
    rolling.begin()
    before: set[str] = set()
    for share in (1_000, 3_000, 6_000):
        step = rolling.stage(share)
        now = served_by(rolling, models_of(rolling))
        assert now == {name for name in rolling.names if step.serves(rolling.running.member(name))}
        assert before <= now
        before = now
    assert 0 < len(before) < len(rolling.names)
    again = open_service(read_settings(rolling.service.settings.home))
    try:
        assert served_by(rolling, models_of(rolling, again)) == before
        assert served_by(rolling, models_of(rolling)) == before
    finally:
        again.close()


def test_the_record_names_the_model_that_answered_and_the_decision_replays_with_it(rolling):
    rolling.begin()
    rolling.stage(5_000)
    answers = rolling.ask()
    on_record = {row["event_id"]: row["model_id"] for row in rolling.running.rows("audit_records")}
    assert len({answer.model_id for answer in answers}) == 2
    for name, answer in zip(rolling.names, answers, strict=True):
        assert on_record[answer.decision_id] == answer.model_id
        made = rolling.service.replay(answer.decision_id, Doing(OPS, "audit"))
        assert (made.outcome, made.model_id) == ("identical", answer.model_id)
        told, _ = rolling.service.explanations.explain(rolling.running.member(name), Doing(OPS, "audit"))
        assert told == answer.decision_id
    rolling.service.rollouts.end("enough_seen", OPS)
    rolling.service.rollouts.follow()
    for answer in answers:  # its challenger stays on the shelf
        assert rolling.service.replay(answer.decision_id, Doing(OPS, "audit")).outcome == "identical"


def test_the_others_are_still_shown_to_the_challenger(rolling):
    rolling.begin()
    rolling.stage(5_000)
    mine = served_by(rolling, models_of(rolling))
    assert rolling.counted("staged.served")[0] == len(mine)
    assert rolling.counted("shadow.change.base")[0] == len(rolling.names) - len(mine)


def test_a_challenger_that_crashes_is_stood_in_for_and_ends_its_roll_out_when_it_keeps_crashing(rolling, caplog):
    failing = Failing(rolling.challenger.model, lambda: RuntimeError(rolling.running.member("m0")))
    put_in_place_of(rolling, failing)
    failing.broken = False
    rolling.begin()
    rolling.stage(10_000)
    failing.broken = True
    for _ in range(MOST_FAILURES):
        answers = rolling.ask()
        assert {answer.model_id for answer in answers} == {rolling.champion.model_id}
        made = rolling.service.replay(answers[0].decision_id, Doing(OPS, "audit"))
        assert made.outcome == "identical"
    failing.broken = False
    assert served_by(rolling, models_of(rolling)) == set()  # at once, before anybody has put it on record
    assert rolling.service.rollouts.follow()
    assert rolling.outcomes()[-1] == "ended:challenger_failed"
    assert rolling.counted("staged.failed")[0] == MOST_FAILURES
    assert "the challenger failed (RuntimeError), and the champion answered" in caplog.text
    assert rolling.running.member("m0") not in caplog.text
    assert not rolling.service.rollouts.follow()


def test_failures_are_remembered_when_the_share_grows(rolling):
    failing = Failing(rolling.challenger.model, RuntimeError)
    put_in_place_of(rolling, failing)
    failing.broken = False
    rolling.begin()
    rolling.stage(9_000)
    failing.broken = True
    for _ in range(MOST_FAILURES - 1):
        rolling.ask()
    rolling.stage(10_000)
    rolling.ask()
    assert rolling.service.rollouts.follow()
    assert rolling.outcomes()[-1] == "ended:challenger_failed"


class Choosy(Failing):
    """Refuses whoever has much ability."""

    def explain(self, X, withheld=()):
        if (X["x_ability"] > 0.5).any():
            raise InsufficientEvidence("too little")
        return self._model.explain(X, withheld=withheld)

    def refusals(self, X, withheld=()):
        return (X["x_ability"] > 0.5).to_numpy(), np.zeros(len(X), dtype=bool)


def test_whom_only_the_challenger_refuses_the_champion_answers(rolling):
    put_in_place_of(rolling, Choosy(rolling.challenger.model, RuntimeError))
    rolling.begin()
    rolling.stage(10_000)
    models = models_of(rolling)
    able = {name for k, name in enumerate(rolling.names) if value_of(k) > 0.5}
    assert served_by(rolling, models) == set(rolling.names) - able
    assert rolling.counted("staged.gave_way")[0] == len(able)
    assert not rolling.service.rollouts.follow()  # refusing is no failure


def test_whom_both_refuse_the_champions_refusal_is_told(rolling):
    rolling.begin()
    rolling.stage(10_000)
    rolling.running.grant("empty")
    rolling.running.know("empty", float("inf"))
    (refusal,) = rolling.ask(["empty"])
    assert refusal.reason == "value-not-scorable"


def test_a_damaged_challenger_keeps_no_service_from_starting(rolling, caplog):
    rolling.begin()
    rolling.stage(10_000)
    folder = rolling.service.settings.path("models") / rolling.challenger.model_id.removeprefix("benne/")
    (folder / "manifest.json").write_text("{}")
    again = open_service(read_settings(rolling.service.settings.home))
    try:
        assert served_by(rolling, models_of(rolling, again)) == set()
        assert "does not stand beside the champion" in caplog.text
    finally:
        again.close()


# ------------------------------------------------------------------ what is tried for a member


def test_what_is_tried_is_tried_with_the_members_own_model_and_else_with_the_champion(rolling):
    rolling.begin()
    rolling.stage(10_000)
    serving, anna = rolling.service.models.serving, rolling.running.member("m0")
    served, _ = tried(serving, anna, lambda model: 1)
    assert served is rolling.challenger
    assert rolling.service.what_if.bands(anna) == rolling.challenger.model.scale_.bands

    def only_by_the_champion(error):
        def attempt(model):
            if model is rolling.challenger:
                raise error
            return model.model_id

        return attempt

    for error in (InsufficientEvidence("thin"), FeatureColumnsError("none"), RuntimeError("broken")):
        served, told = tried(serving, anna, only_by_the_champion(error))
        assert (served, told) == (rolling.champion, rolling.champion.model_id)
    assert serving.challenger.failures == 1
    with pytest.raises(WhatIfNotPossible, match="no such action"):
        tried(serving, anna, only_by_the_champion(WhatIfNotPossible("no such action")))
