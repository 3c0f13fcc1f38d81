"""Rows written past the record, files under another's name, verdicts that come later: what serves stays what may."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select

from benne.errors import ModelDirectoryError, NotValidated, PromotionConflict, StoreError
from benne.scoring.decisions.promotion import Promotion, promote, promoted
from benne.scoring.decisions.served_model import ModelShelf, identity_of
from benne.scoring.housekeeping import follow_promotion
from benne.scoring.rollout import rollouts as rollouts_module
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.store.governance_tables import model_rollouts
from benne.scoring.store.service_tables import model_promotions
from benne.scoring.wiring import random_id
from tests.scoring.rollout.conftest import OPS
from tests.scoring.validated import validated, validated_bare


def written_past_the_record(rolling, **changes):
    """A promotion as somebody writes it who may write to the database."""
    with rolling.service.store.write() as connection:
        row = promoted(connection)
        forged = replace(row, seq=row.seq + 1, **changes)
        connection.execute(insert(model_promotions), {name: getattr(forged, name) for name in Promotion.__slots__})


def who_answers(rolling):
    return {answer.model_id for answer in rolling.ask()}


def refuses_to_start(rolling, error, match):
    with pytest.raises(error, match=match):
        open_service(read_settings(rolling.service.settings.home))


def test_a_row_that_names_one_model_with_the_hash_of_a_validated_one_lets_it_not_serve(rolling):
    written_past_the_record(rolling, model_id=rolling.challenger.model_id)
    assert not follow_promotion(rolling.service)  # of the files that serve already
    refuses_to_start(rolling, PromotionConflict, "that the audit chain says was promoted last")
    assert who_answers(rolling) == {rolling.champion.model_id}


def test_a_promotion_written_past_the_record_does_not_serve_though_the_model_was_validated(rolling):
    verdict = validated(rolling.service.store, rolling.service.group, rolling.folder)
    challenger = rolling.challenger
    written_past_the_record(
        rolling, model_id=challenger.model_id, config_hash=challenger.config_hash, validation_id=verdict.validation_id
    )
    with pytest.raises(PromotionConflict, match="that the audit chain says was promoted last"):
        follow_promotion(rolling.service)
    refuses_to_start(rolling, PromotionConflict, "that the audit chain says was promoted last")
    assert who_answers(rolling) == {rolling.champion.model_id}


def test_a_promotion_that_was_deleted_does_not_bring_the_model_before_it_back(rolling):
    service = rolling.service
    validated(service.store, service.group, rolling.folder)
    work = promote(rolling.challenger, OPS, event_id=random_id(), policy_version="test")
    service.group.submit(work)
    assert follow_promotion(service)
    with service.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER model_promotions_no_delete")
        connection.exec_driver_sql("DELETE FROM model_promotions WHERE seq = 2")
    with pytest.raises(PromotionConflict, match="that the audit chain says was promoted last"):
        follow_promotion(service)
    assert who_answers(rolling) == {rolling.challenger.model_id}


def test_of_two_models_that_share_an_id_only_the_one_that_was_validated_is_loaded(rolling):
    shelf = ModelShelf(rolling.service.settings.path("models"))
    found = rolling.challenger
    assert shelf.get(found.model_id, found.config_hash).config_hash == found.config_hash
    for config_hash in ("0" * 64, found.config_hash[:16] + "0" * 48):
        with pytest.raises(ModelDirectoryError, match="the one its name is the hash of"):
            shelf.get(found.model_id, config_hash)


def test_two_processes_put_the_same_model_on_the_shelf_at_once(rolling, tmp_path, monkeypatch):
    folder, model_id = tmp_path / "models", identity_of(rolling.folder)[0]
    copytree = shutil.copytree

    def slower(source, target, **how):  # the other one comes to an end meanwhile
        monkeypatch.setattr(shutil, "copytree", copytree)
        ModelShelf(folder).put(rolling.folder)
        return copytree(source, target, **how)

    monkeypatch.setattr(shutil, "copytree", slower)
    assert ModelShelf(folder).put(rolling.folder).model_id == model_id
    assert [one.name for one in folder.iterdir()] == [model_id.removeprefix("benne/")]


def test_files_that_are_swapped_while_they_are_put_on_the_shelf_leave_nothing_there(rolling, tmp_path, monkeypatch):
    copytree = shutil.copytree
    other = rolling.service.settings.path("models") / rolling.champion.model_id.removeprefix("benne/")
    monkeypatch.setattr(shutil, "copytree", lambda _, target, **how: copytree(other, target, **how))
    with pytest.raises(ModelDirectoryError, match="the one its name is the hash of"):
        ModelShelf(tmp_path / "models").put(rolling.folder)
    assert list((tmp_path / "models").iterdir()) == []


# ------------------------------------------------------------------ roll-outs


def forged_step(rolling, **changes):
    with rolling.service.store.write() as connection:
        newest = rollouts_module.newest_rollout(connection)
        last = connection.execute(select(func.max(model_rollouts.c.seq))).scalar_one()
        forged = replace(newest, seq=last + 1, **changes)
        connection.execute(insert(model_rollouts), {name: getattr(forged, name) for name in forged.__slots__})


def test_a_larger_share_written_past_the_register_serves_nobody(rolling):
    rolling.begin()
    rolling.stage(100)
    forged_step(rolling, share_basis_points=9_000)
    with pytest.raises(PromotionConflict, match="must stand as the audit chain says"):
        rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.champion.model_id}
    with pytest.raises(PromotionConflict, match="must stand as the audit chain says"):
        rolling.service.rollouts.stage(10_000, OPS)
    assert rolling.service.rollouts.end("forged", OPS).state == "ended"
    assert not rolling.service.rollouts.follow()


def test_what_is_on_record_of_answers_compared_cannot_be_bettered_afterwards(rolling):
    rolling.begin()
    rolling.stage(10_000)
    with rolling.service.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER model_rollouts_no_update")
        connection.exec_driver_sql("UPDATE model_rollouts SET compared = 900, least_compared = 100 WHERE seq = 2")
    with pytest.raises(PromotionConflict, match="must stand as the audit chain says"):
        rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.champion.model_id}


def test_a_step_that_names_another_model_under_the_hash_of_a_validated_one_serves_nobody(rolling):
    rolling.begin()
    forged_step(rolling, state="staged", share_basis_points=10_000, config_hash=rolling.champion.config_hash)
    with pytest.raises(PromotionConflict, match="must stand as the audit chain says"):
        rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.champion.model_id}


def test_an_end_that_was_deleted_does_not_let_the_challenger_serve_again(rolling):
    rolling.begin()
    rolling.stage(10_000)
    rolling.service.rollouts.end("too_many_move", OPS)
    assert rolling.service.rollouts.follow()
    with rolling.service.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER model_rollouts_no_delete")
        connection.exec_driver_sql("DELETE FROM model_rollouts WHERE state = 'ended'")
    with pytest.raises(PromotionConflict, match="must stand as the audit chain says"):
        rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.champion.model_id}


def test_a_challenger_whose_newest_verdict_failed_serves_nobody_from_then_on_and_in_every_process(rolling):
    rolling.begin()
    rolling.stage(10_000)
    assert who_answers(rolling) == {rolling.challenger.model_id}
    validated(rolling.service.store, rolling.service.group, rolling.folder, state="failed")
    for _ in range(2):
        with pytest.raises(NotValidated, match="a verdict that failed"):
            rolling.service.rollouts.follow()
        assert who_answers(rolling) == {rolling.champion.model_id}
    again = open_service(read_settings(rolling.service.settings.home))
    try:
        assert again.models.serving.challenger is None
    finally:
        again.close()
    validated(rolling.service.store, rolling.service.group, rolling.folder)
    assert rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.challenger.model_id}


def test_a_challenger_is_staged_and_goes_on_serving_though_somebody_validates_a_bare_copy_of_it(rolling):
    store, group = rolling.service.store, rolling.service.group
    rolling.begin()
    validated(store, group, rolling.folder)
    rolling.validated = True
    validated_bare(store, group, rolling.folder)
    rolling.stage(10_000)
    validated_bare(store, group, rolling.folder)
    rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.challenger.model_id}


def test_members_keep_their_model_where_the_store_is_lost_in_the_middle_of_looking(rolling, monkeypatch):
    rolling.begin()
    rolling.stage(10_000)

    def lost(*_):
        raise StoreError("The store must be reachable and readable, got OperationalError.")

    monkeypatch.setattr(rollouts_module, "require_on_record", lost)
    with pytest.raises(StoreError, match="reachable"):
        rolling.service.rollouts.follow()
    assert who_answers(rolling) == {rolling.challenger.model_id}
