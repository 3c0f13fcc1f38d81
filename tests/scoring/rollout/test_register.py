"""The register: one roll-out at a time, on record, and over when the champion changes."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from benne.errors import ModelDirectoryError, NotValidated, PromotionConflict, RolloutError, StoreError
from benne.scoring.audit.chain import verify
from benne.scoring.decisions.promotion import promote
from benne.scoring.housekeeping import Housekeeper
from benne.scoring.rollout.fitting import require_fit
from benne.scoring.rollout.register import _outcome, newest_rollout
from benne.scoring.rollout.rollout import Rollout
from benne.scoring.rollout.shadow_counts import COMPARED
from benne.scoring.store.database import Store
from benne.scoring.store.governance_tables import model_rollouts
from benne.scoring.wiring import random_id
from tests.scoring.rollout.conftest import OPS
from tests.scoring.service.conftest import fitted_into
from tests.scoring.validated import validated


@pytest.fixture(scope="module")
def third(tmp_path_factory):
    return fitted_into(tmp_path_factory.mktemp("third") / "model", 2)


def newest(rolling):
    with rolling.service.store.read() as connection:
        return newest_rollout(connection)


@pytest.mark.parametrize("where", ["rolling", "rolling_on_postgres"])
def test_every_step_is_on_record_and_the_chain_holds(where, request):
    rolling = request.getfixturevalue(where)
    begun = rolling.begin()
    rolling.stage(500)
    rolling.stage(2_500)
    rolling.service.rollouts.end("too_many_move", OPS)
    assert rolling.service.rollouts.follow()
    assert rolling.outcomes() == [
        "shadow", "staged:500:compared:0:least:0", "staged:2500:compared:0:least:0", "ended:too_many_move",
    ]  # fmt: skip
    rows = rolling.running.rows("model_rollouts")
    assert {(row["rollout_id"], row["salt"], row["model_id"]) for row in rows} == {
        (begun.rollout_id, begun.salt, rolling.challenger.model_id)
    }
    assert [row["share_basis_points"] for row in rows] == [0, 500, 2_500, 0]
    with rolling.service.store.read() as connection:
        assert verify(connection).intact


def test_one_roll_out_at_a_time_and_of_many_who_begin_at_once_one_does(rolling):
    rollouts = rolling.service.rollouts

    def begins(_):
        try:
            return rollouts.begin(rolling.challenger, OPS)
        except RolloutError as error:
            return error

    with ThreadPoolExecutor(6) as together:
        came = list(together.map(begins, range(6)))
    refused = [one for one in came if isinstance(one, RolloutError)]
    assert len(refused) == 5
    assert all("One roll-out may be under way" in str(one) for one in refused)
    assert rolling.outcomes() == ["shadow"]


def test_a_challenger_that_nobody_validated_serves_nobody(rolling):
    rolling.begin()
    with pytest.raises(NotValidated, match="verdict"):
        rolling.service.rollouts.stage(500, OPS)
    assert newest(rolling).state == "shadow"
    assert not rolling.service.rollouts.follow()
    assert {answer.model_id for answer in rolling.ask()} == {rolling.champion.model_id}


def test_a_step_written_past_the_register_lets_no_unvalidated_challenger_serve(rolling):
    begun = rolling.begin()
    with rolling.service.store.write() as connection:
        forged = replace(begun, seq=begun.seq + 1, state="staged", share_basis_points=10_000)
        connection.execute(model_rollouts.insert(), {name: getattr(forged, name) for name in forged.__slots__})
    with pytest.raises(NotValidated, match="verdict"):
        rolling.service.rollouts.follow()
    assert {answer.model_id for answer in rolling.ask()} == {rolling.champion.model_id}


def test_a_store_that_does_not_answer_changes_nothing(rolling, monkeypatch):
    rolling.begin()
    rolling.stage(10_000)

    def lost(_):
        raise StoreError("The store must be reachable and readable, got OperationalError.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", lost)
        with pytest.raises(StoreError, match="reachable"):
            rolling.service.rollouts.follow()
    assert {answer.model_id for answer in rolling.ask()} == {rolling.challenger.model_id}


def test_a_promoted_model_that_cannot_be_loaded_ends_a_roll_out_all_the_same(rolling, third):
    rolling.begin()
    rolling.stage(10_000)
    service = rolling.service
    served = type(service.shelf)(service.settings.path("models")).put(third)
    validated(service.store, service.group, third)
    service.group.submit(promote(served, OPS, event_id=random_id(), policy_version="test"))
    shutil.rmtree(service.settings.path("models") / served.model_id.removeprefix("benne/"))
    with pytest.raises(ModelDirectoryError, match="model"):
        Housekeeper(service)._follow()
    assert rolling.outcomes()[-1] == "ended:champion_changed"
    assert {answer.model_id for answer in rolling.ask()} == {rolling.champion.model_id}


def seen_in_the_shadow(rolling, answers):
    """As if so many answers had been compared."""
    rolling.service.rollouts.counts.add(newest(rolling).rollout_id, COMPARED, 0, n=answers)


def test_a_challenger_serves_nobody_before_it_was_compared_on_enough_answers(rolling):
    rolling.begin()
    validated(rolling.service.store, rolling.service.group, rolling.folder)
    rollouts = rolling.service.rollouts
    with pytest.raises(RolloutError, match=r"compared on 100 answers.*got fewer than 10\. Leave it there"):
        rollouts.stage(500, OPS)
    seen_in_the_shadow(rolling, 99)
    with pytest.raises(RolloutError, match="got some 90"):
        rollouts.stage(500, OPS)
    with pytest.raises(RolloutError, match="compared on 1,000 answers"):
        rollouts.stage(500, OPS, least_compared=1_000)
    with pytest.raises(RolloutError, match="0 or more"):
        rollouts.stage(500, OPS, least_compared=-1)
    assert rolling.outcomes() == ["shadow"]
    seen_in_the_shadow(rolling, 8)
    staged = rollouts.stage(500, OPS)
    assert (staged.compared, staged.least_compared) == (100, 100)  # of 107
    assert rolling.outcomes()[-1] == "staged:500:compared:100:least:100"
    with pytest.raises(RolloutError, match=r"compared on 200 answers.*got some 100"):
        rollouts.stage(2_500, OPS, least_compared=200)
    ended = rollouts.end("too_many_move", OPS)
    assert (ended.compared, ended.least_compared) == (None, None)


def test_answers_of_another_roll_out_are_not_counted(rolling):
    rolling.begin()
    seen_in_the_shadow(rolling, 500)
    rolling.service.rollouts.end("begin_anew", OPS)
    rolling.begin()
    validated(rolling.service.store, rolling.service.group, rolling.folder)
    with pytest.raises(RolloutError, match="got fewer than 10"):
        rolling.service.rollouts.stage(500, OPS)


def test_answers_that_were_really_compared_count_and_whoever_asks_for_none_is_on_record(rolling):
    rolling.begin()
    rolling.ask()
    assert rolling.service.rollouts.shadow.settle()
    staged = rolling.stage(500)
    assert (staged.compared, staged.least_compared) == (20, 0)  # of 24 members
    assert rolling.outcomes()[-1] == "staged:500:compared:20:least:0"


def test_a_step_of_before_this_was_counted_stands_as_its_record_says():
    step = Rollout(2, "r-1", "staged", "benne/2", "cd" * 32, 500, "ab" * 16, 1, None, 0, "ann")
    assert _outcome(step) == "staged:500"


def test_a_share_only_grows(rolling):
    rolling.begin()
    rolling.stage(500)
    for share in (500, 499, 0):
        with pytest.raises(RolloutError, match=r"only grow.*after 5 %"):
            rolling.service.rollouts.stage(share, OPS, least_compared=0)
    for share in (-1, 10_001):
        with pytest.raises(RolloutError, match="0 to 100 %"):
            rolling.service.rollouts.stage(share, OPS, least_compared=0)


def test_whoever_looked_before_somebody_else_changed_it_changes_nothing(rolling):
    seen = rolling.begin()
    rolling.stage(500)
    register, group = rolling.service.rollouts._register(OPS), rolling.service.group
    with pytest.raises(PromotionConflict, match="somebody else"):
        group.submit(register.end(seen, "late"))
    with pytest.raises(PromotionConflict, match="somebody else"):
        group.submit(register.stage(seen, 9_000, lambda *_: None, 0))
    assert newest(rolling).share_basis_points == 500


def test_nothing_is_staged_or_ended_where_nothing_is_under_way(rolling):
    rollouts = rolling.service.rollouts
    for act in (lambda: rollouts.stage(500, OPS), lambda: rollouts.end("late", OPS)):
        with pytest.raises(RolloutError, match="under way"):
            act()
    rolling.begin()
    for reason in ("", "Anna defaulted", "x" * 60):
        with pytest.raises(RolloutError, match="one word"):
            rollouts.end(reason, OPS)


def test_the_champion_is_no_challenger(rolling):
    with pytest.raises(RolloutError, match="another model than the champion"):
        rolling.service.rollouts.begin(rolling.champion, OPS)


def test_a_promoted_challenger_ends_its_roll_out(rolling, another_model):
    rolling.begin()
    rolling.stage(5_000)
    rolling.running.promote(another_model)
    assert rolling.service.rollouts.follow()
    assert not rolling.service.rollouts.follow()
    assert rolling.outcomes()[-1] == "ended:challenger_promoted"
    assert rolling.service.models.serving.challenger is None
    assert rolling.service.rollouts.shadow.watched is None
    assert {answer.model_id for answer in rolling.ask()} == {rolling.challenger.model_id}


def test_another_champion_ends_a_roll_out_also_where_it_is_the_same_model_again(rolling, third, model_folder):
    rolling.begin()
    for folder in (third, model_folder):
        rolling.running.promote(folder)
    assert rolling.service.models.current.model_id == rolling.champion.model_id
    assert rolling.service.rollouts.follow()
    assert rolling.outcomes() == ["shadow", "ended:champion_changed"]


def test_whoever_begins_after_a_promotion_ends_what_was_under_way_first(rolling, third):
    rolling.begin()
    rolling.running.promote(third)
    rolling.service.rollouts.begin(rolling.challenger, OPS)
    assert rolling.outcomes() == ["shadow", "ended:champion_changed", "shadow"]


def test_a_challenger_must_take_what_is_there_under_the_same_categories(rolling):
    challenger, champion = rolling.challenger, rolling.champion
    stranger = replace(challenger, names=("x_other", *challenger.names[1:]))
    with pytest.raises(RolloutError, match="1 that are not, the first being x_other"):
        require_fit(stranger, champion, {})
    require_fit(stranger, champion, {"x_other": "credit_history"})
    swapped = dict(zip(challenger.columns, reversed(list(challenger.columns.values())), strict=True))
    with pytest.raises(RolloutError, match="x_credit_history among social instead of credit_history"):
        require_fit(replace(challenger, columns=swapped), champion, {})
