from __future__ import annotations

import pytest

from benne.errors import GatesChanged, GatesError, NotValidated
from benne.scoring.audit.chain import verify
from benne.scoring.governance.declaring import every_declared, gates_before
from tests.scoring.validated import GATES, declared_in, now_us


def test_gates_are_on_record_with_their_hash_and_approver(store, group):
    declared = declared_in(group)
    with store.read() as connection:
        assert every_declared(connection) == [declared]
        assert gates_before(connection, now_us()) == declared
        row = connection.exec_driver_sql("SELECT type, output_digest, reviewer, outcome FROM audit_records").one()
        assert tuple(row) == ("gates_declared", declared.gates_hash, "carol", "declared")
        assert verify(connection).intact


def test_the_newest_gates_before_a_training_stand_for_it(store, group):
    first = declared_in(group)
    second = declared_in(group, GATES.replace("toys", "toys-2"))
    with store.read() as connection:
        assert gates_before(connection, second.declared_at_us - 1) == first
        assert gates_before(connection, second.declared_at_us) == second


def test_gates_after_the_beginning_of_a_training_do_not_stand_for_it(store, group):
    with store.read() as connection, pytest.raises(NotValidated, match=r"got none\. Declare them, then train"):
        gates_before(connection, now_us())
    began = now_us()
    declared_in(group)
    with store.read() as connection, pytest.raises(GatesChanged, match="must be declared before the training begins"):
        gates_before(connection, began - 1)


def test_a_version_is_declared_once(store, group):
    declared_in(group)
    for text in (GATES, GATES.replace("1e-9", "1.0")):
        with pytest.raises(GatesChanged, match="must be declared once, got toys again"):
            declared_in(group, text)
    with store.read() as connection:
        assert len(every_declared(connection)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "content = replace(content, '1e-9', '1e+9')",
        "approver = 'mallory'",
        "declared_at_us = 1",
        "version = 'other'",
        "event_id = 'none'",
    ],
)
def test_gates_edited_in_the_database_are_noticed(store, group, tampered, change):
    declared_in(group)
    tampered("declared_gates", f"UPDATE declared_gates SET {change}")
    with store.read() as connection, pytest.raises(GatesChanged, match="that the audit chain says were declared"):
        gates_before(connection, now_us())


def test_gates_edited_with_their_hash_and_record_are_noticed_by_the_records_own_hash(store, group, tampered):
    from benne.scoring.governance.on_chain import text_hash

    declared = declared_in(group)
    lax = GATES.replace("1e-9", "1e+9")
    tampered("declared_gates", f"UPDATE declared_gates SET content = '{lax}', gates_hash = '{text_hash(lax)}'")
    tampered("audit_records", f"UPDATE audit_records SET output_digest = '{text_hash(lax)}'")
    with store.read() as connection, pytest.raises(GatesChanged, match="that the audit chain says were declared"):
        gates_before(connection, declared.declared_at_us)


def test_somebody_must_approve_and_it_must_be_whom_the_file_names(group):
    with pytest.raises(GatesError, match="An approver must be named, got none"):
        declared_in(group, GATES, approver=None)
    named = 'approver = "dora"\n' + GATES
    with pytest.raises(GatesError, match="the one that the file names, dora, got carol"):
        declared_in(group, named, approver="carol")
    assert declared_in(group, named, approver="DORA").approver == "DORA"
