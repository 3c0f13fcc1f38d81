from __future__ import annotations

from dataclasses import replace

import pytest

from benne.errors import GatesChanged, GovernanceError, NotIndependent, NotValidated
from benne.scoring import open_store
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import documents_of
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.taking_over import bring_over, to_bring_over
from benne.scoring.governance.verdicts import record_verdict, require_validated, verdict_from
from benne.scoring.wiring import random_id, system_clock
from tests.scoring.validated import GATES, declared_in, validated, validated_bare, verdict_content

MODEL = ("benne/" + "ab" * 8, "ab" * 32)
HASH = MODEL[1]
OPS = Actor("ops", "admin")


def document(kind, note, config_hash=HASH):
    return {"format": 1, "kind": kind, "model": {"model_id": MODEL[0], "config_hash": config_hash}, "by": "bob",
            "made_at": "2026-11-30T09:00:00+00:00", "measures": {}, "tables": {}, "notes": [note]}  # fmt: skip


@pytest.fixture
def here(store, group):
    """Where it was validated: an older card, a newer one, an audit, and a card of another model."""
    governance = GovernanceStore(store, group, "test", None)
    validated(store, group, MODEL)
    for content in (document("card", "old"), document("fairness", "fair"), document("card", "new"),
                    document("card", "another's", "cd" * 32)):  # fmt: skip
        governance.file(content, OPS, event_id=random_id())
    return governance


@pytest.fixture
def there(tmp_path):
    store = open_store(tmp_path / "there.db")
    with GroupCommit(store, clock=system_clock) as group:
        yield GovernanceStore(store, group, "test", None)
    store.close()


def found(governance):
    with governance.store.read() as connection:
        return to_bring_over(connection, HASH)


def test_a_verdict_comes_with_the_newest_document_of_each_kind_and_once(here, there):
    for _ in range(2):
        bring_over(found(here), there, OPS, ids=random_id)
    with there.store.read() as connection:
        assert require_validated(connection, HASH).validator == "bob"
        filed = documents_of(connection, HASH)
        assert [(one.kind, one.content["notes"], one.content["by"], one.filed_by) for one in filed] == [
            ("card", ["new"], "bob", "ops"), ("fairness", ["fair"], "bob", "ops"),
        ]  # fmt: skip
        assert documents_of(connection, "cd" * 32) == []
        assert verify(connection).intact


@pytest.mark.parametrize(
    ("own", "refusal", "word"),
    [("author", NotIndependent, "not_independent"), ("beginning", GatesChanged, "gates_changed")],
)
def test_a_verdict_that_says_otherwise_than_one_here_is_not_taken_over_and_the_refusal_is_on_record(
    here, there, own, refusal, word
):
    brought = found(here)
    bring_over(brought, there, OPS, ids=random_id)
    later = {"training_began_us": brought.verdict.training_began_us + 1} if own == "beginning" else {"author": "zed"}
    another = verdict_from(brought.verdict.content | later, random_id(), brought.verdict.validated_at_us + 1)
    with pytest.raises(refusal, match="the record"):
        bring_over(replace(brought, verdict=another), there, OPS, ids=random_id)
    with there.store.read() as connection:
        query = "SELECT type, deny_reason FROM audit_records WHERE decision = 'denied'"
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == [("model_validated", word)]
        assert require_validated(connection, HASH).author == "ann"


def test_what_was_typed_of_a_bare_copy_hinders_no_older_verdict_from_being_taken_over(here, there):
    other, brought = ("benne/" + "ef" * 8, "ef" * 32), found(here)
    validated(here.store, here.group, other)
    with here.store.read() as connection:
        bring_over(to_bring_over(connection, other[1]), there, OPS, ids=random_id)  # gates are there, taken over
    bare = validated_bare(there.store, there.group, MODEL)
    assert bare.validated_at_us > brought.verdict.validated_at_us
    bring_over(brought, there, OPS, ids=random_id)
    with there.store.read() as connection:
        assert require_validated(connection, HASH).validation_id == brought.verdict.validation_id
    again = replace(brought.verdict, validation_id=random_id(), validated_at_us=brought.verdict.validated_at_us - 1)
    with pytest.raises(NotValidated, match="must be newer than those that are here"):  # there is one that binds now
        bring_over(replace(brought, verdict=again), there, OPS, ids=random_id)


def test_what_was_typed_of_a_bare_copy_hinders_no_newer_gates_from_being_taken_over(here, there):
    bring_over(found(here), there, OPS, ids=random_id)
    newer = declared_in(here.group, GATES.replace("toys", "toys-2"))
    other = ("benne/" + "ef" * 8, "ef" * 32)
    work = record_verdict(
        verdict_content(other, newer), actor=Actor("bob", "compliance"), event_id=random_id(), policy_version="test"
    )
    here.group.submit(work)
    copied = ("benne/" + "cd" * 8, "cd" * 32)
    validated_bare(there.store, there.group, copied, training_began_us=newer.declared_at_us + 1)  # under the older ones
    with here.store.read() as connection:
        brought = to_bring_over(connection, other[1])
    bring_over(brought, there, OPS, ids=random_id)
    with there.store.read() as connection:
        assert require_validated(connection, other[1]).gates_version == "toys-2"


def test_a_document_that_was_edited_is_not_brought_over(here, tampered):
    tampered("model_documents", "UPDATE model_documents SET content = '{}' WHERE kind = 'fairness'")
    with pytest.raises(GovernanceError, match="must be the one on record in the audit chain"):
        found(here)
