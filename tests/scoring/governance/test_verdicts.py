from __future__ import annotations

import pytest

from benne.errors import GatesChanged, GovernanceError, NotIndependent, NotValidated
from benne.scoring import open_store
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.taking_over import take_over, verdict_to_take_over
from benne.scoring.governance.verdicts import record_verdict, require_validated, verdicts_of
from benne.scoring.wiring import random_id, system_clock
from tests.scoring.validated import GATES, declared_in, validated, validated_bare, verdict_content

MODEL = ("benne/" + "ab" * 8, "ab" * 32)
HASH = MODEL[1]


def standing(store):
    with store.read() as connection:
        return require_validated(connection, HASH)


def test_a_verdict_that_passed_lets_exactly_these_files_serve(store, group):
    verdict = validated(store, group, MODEL)
    assert standing(store) == verdict
    with store.read() as connection:
        assert verify(connection).intact
        with pytest.raises(NotValidated, match="got no verdict on these files"):
            require_validated(connection, "cd" * 32)


def test_the_newest_verdict_counts(store, group):
    validated(store, group, MODEL)
    validated(store, group, MODEL, state="failed")
    with pytest.raises(NotValidated, match=r"a verdict that failed: points\.largest_gap"):
        standing(store)
    newest = validated(store, group, MODEL)
    assert standing(store) == newest
    with store.read() as connection:
        assert [one.passed for one in verdicts_of(connection, HASH)] == [True, False, True]


def test_a_verdict_on_a_copy_without_a_record_takes_the_place_of_none_that_rests_on_one(store, group):
    validated_bare(store, group, MODEL)
    with pytest.raises(NotValidated, match=r"got verdicts on files without a record .* its folder with training\.json"):
        standing(store)
    passed = validated(store, group, MODEL)
    assert standing(store) == passed
    bare = validated_bare(store, group, MODEL)
    assert standing(store) == passed
    with store.read() as connection:
        assert [one.validation_id for one in verdicts_of(connection, HASH)][:2] == [
            bare.validation_id, passed.validation_id,
        ]  # fmt: skip
    validated(store, group, MODEL, state="failed")
    validated_bare(store, group, MODEL)
    with pytest.raises(NotValidated, match=r"a verdict that failed: points\.largest_gap"):
        standing(store)


def test_insufficient_is_no_pass(store, group):
    assert not validated(store, group, MODEL, state="INSUFFICIENT").passed
    with pytest.raises(GovernanceError, match="must say what its gates say"):
        validated(store, group, MODEL, state="INSUFFICIENT", passed=True)


@pytest.mark.parametrize("author", ["bob", "Bob", " BOB "])
def test_the_validator_is_not_the_author(store, group, author):
    with pytest.raises(NotIndependent, match="somebody other than its author, got bob for both"):
        validated(store, group, MODEL, author=author)
    with store.read() as connection:
        assert verdicts_of(connection, HASH) == []


def test_nobody_records_a_verdict_in_anothers_name(store, group):
    content = verdict_content(MODEL, declared_in(group))
    with pytest.raises(NotIndependent, match="must be recorded by its validator"):
        record_verdict(content, actor=Actor("ann", "admin"), event_id=random_id(), policy_version="test")


@pytest.mark.parametrize("missing", ["results", "gates", "author", "run_id", "training_began_us"])
def test_what_is_no_verdict_is_not_recorded(group, missing):
    content = verdict_content(MODEL, declared_in(group))
    del content[missing]
    with pytest.raises(GovernanceError, match=f"got one without '{missing}'"):
        record_verdict(content, actor=Actor("bob", "compliance"), event_id=random_id(), policy_version="test")


def test_a_verdict_on_gates_that_do_not_stand_for_the_training_is_not_recorded(store, group):
    old = declared_in(group)
    newer = declared_in(group, GATES.replace("toys", "toys-2"))
    content = verdict_content(MODEL, old, training_began_us=newer.declared_at_us)
    with pytest.raises(NotValidated, match="gates that stand for its training, toys-2, got toys"):
        group.submit(record_verdict(
            content, actor=Actor("bob", "compliance"), event_id=random_id(), policy_version="test"
        ))  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        'verdict = replace(verdict, \'"author":"ann"\', \'"author":"eve"\')',
        "passed = NOT passed",
        "validator = 'eve'",
        "config_hash = '" + "cd" * 32 + "'",
        "validation_id = 'none'",
    ],
)
def test_a_verdict_edited_in_the_database_lets_nothing_serve(store, group, tampered, change):
    validated(store, group, MODEL)
    tampered("model_validations", f"UPDATE model_validations SET {change}")
    with store.read() as connection, pytest.raises(NotValidated, match="that the audit chain says was recorded"):
        require_validated(connection, "cd" * 32 if "cdcd" in change else HASH)


def test_a_verdict_slipped_in_without_the_chain_lets_nothing_serve(store, group, tampered):
    validated(store, group, MODEL, state="failed")
    verdict = validated(store, group, ("benne/" + "cd" * 8, "cd" * 32))
    tampered("model_validations", f"UPDATE model_validations SET config_hash = '{HASH}' WHERE seq = 2")
    assert verdict.passed
    with pytest.raises(NotValidated, match="that the audit chain says was recorded"):
        standing(store)


def test_a_verdict_is_taken_over_with_its_gates(store, group, tmp_path):
    verdict = validated(store, group, MODEL)
    other = open_store(tmp_path / "other.db")
    with store.read() as connection:
        found = verdict_to_take_over(connection, HASH)
    with GroupCommit(other, clock=system_clock) as elsewhere:
        work = take_over(*found, actor=Actor("ops", "admin"), ids=random_id, policy_version="test")
        assert len(elsewhere.submit(work).records) == 2
    with other.read() as connection:
        assert require_validated(connection, HASH).content == verdict.content
        assert verify(connection).intact
    other.close()


def test_gates_of_one_version_that_differ_are_not_taken_over(store, group, tmp_path):
    validated(store, group, MODEL)
    other = open_store(tmp_path / "other.db")
    with store.read() as connection:
        found = verdict_to_take_over(connection, HASH)
    with GroupCommit(other, clock=system_clock) as elsewhere:
        declared_in(elsewhere, GATES.replace("1e-9", "1.0"))
        with pytest.raises(GatesChanged, match="must say the same in both stores"):
            elsewhere.submit(take_over(*found, actor=Actor("ops", "admin"), ids=random_id, policy_version="test"))
    other.close()
