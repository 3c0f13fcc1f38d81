from __future__ import annotations

import pytest

from benne.errors import GovernanceError
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import documents_of, file_document
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.wiring import random_id, system_clock

HASH = "ab" * 32
ANN = Actor("ann", "data_scientist")


def document(kind="fairness", **more):
    return {
        "format": 1, "kind": kind, "model": {"model_id": "benne/abababababababab", "config_hash": HASH},
        "made_at": "2026-11-30T12:00:00+00:00", "by": "ann", "measures": {}, "tables": {}, "notes": [], **more,
    }  # fmt: skip


def file(store, content):
    with GroupCommit(store, clock=system_clock) as group:
        return group.submit(file_document(content, actor=ANN, event_id=random_id(), policy_version="test"))


def documents(store, kind=None):
    with store.read() as connection:
        return documents_of(connection, HASH, kind)


def test_documents_are_read_back_the_newest_first_and_by_kind(store):
    for kind, note in (("fairness", "one"), ("gaming", "two"), ("fairness", "three")):
        file(store, document(kind, notes=[note]))
    assert [(one.kind, one.content["notes"]) for one in documents(store)] == [
        ("fairness", ["three"]), ("gaming", ["two"]), ("fairness", ["one"]),
    ]  # fmt: skip
    assert [one.content["notes"] for one in documents(store, "fairness")] == [["three"], ["one"]]


def test_a_filing_is_on_the_chain_with_the_hash_of_its_content(store):
    committed = file(store, document())
    (record,) = committed.records
    assert (record.entry.type, record.entry.output_digest) == ("document_filed", committed.result.content_hash)
    assert (record.entry.event_id, record.entry.outcome) == (committed.result.document_id, "fairness")
    with store.read() as connection:
        assert verify(connection).intact


def test_the_same_content_in_another_order_has_the_same_hash(store):
    first = file(store, document()).result
    again = file(store, dict(reversed(document().items()))).result
    assert first.content_hash == again.content_hash
    assert first.document_id != again.document_id


def test_a_document_that_was_changed_is_noticed(store, tampered):
    file(store, document())
    tampered("model_documents", "UPDATE model_documents SET content = replace(content, 'ann', 'bob')")
    with pytest.raises(GovernanceError, match="must be the one on record in the audit chain"):
        documents(store)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({key: value for key, value in document().items() if key != "by"}, "got no by"),
        (document() | {"format": 2}, "got format 2"),
        (document("k" * 40), "kind of a document must be"),
        (document() | {"model": {}}, "must name its model's"),
        (document(auc=float("nan")), "must be JSON with finite numbers"),
    ],
)
def test_what_is_no_document_about_a_model_is_refused(content, match):
    with pytest.raises(GovernanceError, match=match):
        file_document(content, actor=ANN, event_id=random_id(), policy_version="test")


def test_a_governance_store_files_under_its_own_policies(store):
    with GroupCommit(store, clock=system_clock) as group:
        filed = GovernanceStore(store, group, "test", None).file(document("gaming"), ANN, event_id="e1")
    assert (filed.document_id, filed.filed_by) == ("e1", "ann")
    assert documents(store) == [filed]
