"""What is on file is shown whether or not it is still what was filed, and what was changed is told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import file_document
from benne.scoring.governance.filings import Filing, filings_of, newest_verdict
from tests.scoring.conftest import Platform
from tests.scoring.validated import validated, validated_bare

MODEL = ("benne/1234567890abcdef", "cd" * 32)


@pytest.fixture
def group(platform: Platform) -> Iterator[GroupCommit]:
    with GroupCommit(platform.store, clock=platform.clock) as opened:
        yield opened


def document(kind: str = "fairness", **more: Any) -> dict[str, Any]:
    named = {"model_id": MODEL[0], "config_hash": MODEL[1]}
    return {"format": 1, "kind": kind, "model": named, "made_at": "2026-03-01T00:00:00Z", "by": "ann",
            "measures": {}, "tables": {}, "notes": [], **more}  # fmt: skip


def filed(group: GroupCommit, event_id: str, **more: Any) -> None:
    work = file_document(document(**more), actor=Actor("ann", "data_scientist"), event_id=event_id, policy_version="1")
    group.submit(work)


def on_file(platform: Platform) -> dict[str, Filing]:
    with platform.store.read() as connection:
        return {one.filing_id: one for one in filings_of(connection, MODEL[1])}


def test_the_newest_verdict_is_the_one_that_rests_on_a_record_and_a_bare_copys_where_there_is_no_other(
    platform: Platform, group: GroupCommit
) -> None:
    found = []
    for record in (validated_bare, validated, validated_bare):
        made = record(platform.store, group, MODEL)
        newest = newest_verdict(list(on_file(platform).values()))
        assert newest is not None
        found.append((newest.filing_id == made.validation_id, newest.filed_by))
    assert found == [(True, "eve"), (True, "bob"), (False, "bob")]
    assert newest_verdict([]) is None


def test_verdicts_and_documents_are_on_file_and_whole(platform: Platform, group: GroupCommit) -> None:
    verdict = validated(platform.store, group, MODEL)
    filed(group, "f-1", seed=7)
    found = on_file(platform)
    assert {one.kind for one in found.values()} == {"verdict", "fairness"}
    assert all(one.whole for one in found.values())
    assert found["f-1"].content["seed"] == 7
    assert found[verdict.validation_id].filed_by == "bob"


def test_a_document_that_was_edited_is_told_apart_even_with_a_hash_that_fits(
    platform: Platform, group: GroupCommit
) -> None:
    import hashlib

    filed(group, "f-1")
    filed(group, "f-2", kind="gaming")
    changed = json.dumps(document(notes=["all is well"]), sort_keys=True)
    digest = hashlib.sha256(changed.encode()).hexdigest()
    platform.tamper(
        f"UPDATE model_documents SET content = '{changed}', content_hash = '{digest}' WHERE document_id = 'f-1'"
    )
    found = on_file(platform)
    assert (found["f-1"].whole, found["f-2"].whole) == (False, True)


@pytest.mark.parametrize("change", ["passed = NOT passed", "validator = 'mallory'", "author = 'mallory'",
                                    "verdict = '{}'", "verdict = 'no json'"])  # fmt: skip
def test_a_verdict_that_was_edited_is_told_apart(platform: Platform, group: GroupCommit, change: str) -> None:
    verdict = validated(platform.store, group, MODEL)
    platform.tamper(f"UPDATE model_validations SET {change}")
    assert not on_file(platform)[verdict.validation_id].whole


def test_what_was_slipped_in_beside_the_chain_is_told_apart(platform: Platform) -> None:
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    platform.tamper(
        "INSERT INTO model_documents (seq, document_id, model_id, config_hash, kind, content_hash, content, "
        f"filed_at_us, filed_by) VALUES (1, 'f-9', '{MODEL[0]}', '{MODEL[1]}', 'card', '{digest}', '{{}}', 0, 'ann')"
    )
    assert not on_file(platform)["f-9"].whole


def test_nothing_is_on_file_of_other_files(platform: Platform, group: GroupCommit) -> None:
    filed(group, "f-1")
    with platform.store.read() as connection:
        assert filings_of(connection, "ee" * 32) == []
