"""A member's erasure reaches their protected attributes, and stays."""

from __future__ import annotations

import pytest

from benne.errors import ErasureError, FairnessError
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.erasure.acts import Actor as Asker
from benne.scoring.protected import ProtectedPart, opened_protected
from benne.scoring.protected.folder import opened_parts
from benne.scoring.protected.part import erase_protected
from benne.scoring.store.database import open_store
from benne.scoring.wiring import create_keyring, open_erasure, open_vault, system_clock

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"
AUDIT = "fairness_audit:2026-q4"


def test_an_erasure_from_the_service_takes_the_attributes_along(home, counsel, attributes, tmp_path):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
    store, vault = open_store(tmp_path / "live.db"), open_vault(create_keyring(tmp_path / "ring.json"))
    with GroupCommit(store, clock=system_clock) as group:
        erasure = open_erasure(store, vault, group, [ProtectedPart(home)])
        erasure.request(ANNA, by=Asker("compliance", "counsel-1"))
        report = erasure.run()
    store.close()
    assert len(report.finished) == 1
    assert not report.failed
    with opened_protected(home) as protected:
        left = protected.read(["sex", "age"], actor=counsel, purpose=AUDIT)
        again = protected.add(attributes, actor=counsel)
        still = protected.read(["age"], actor=counsel, purpose=AUDIT)
    assert sorted(left.index) == [BERT, CARL]
    assert again.erased == 1
    assert sorted(still.index) == [BERT, CARL]
    with opened_parts(home) as parts, parts.store.read() as connection:
        assert verify(connection, ()).intact


def test_erasing_somebody_twice_or_of_whom_nothing_is_known_is_no_failure(home):
    part = ProtectedPart(home)
    for _ in range(2):
        part.erase(CARL)
        assert part.compact()


def test_an_erasure_is_not_finished_while_the_store_cannot_be_reached(home, counsel, tmp_path):
    store, vault = open_store(tmp_path / "live.db"), open_vault(create_keyring(tmp_path / "ring.json"))
    with GroupCommit(store, clock=system_clock) as group:
        erasure = open_erasure(store, vault, group, [ProtectedPart(tmp_path / "not there")])
        asked = erasure.request(ANNA, by=Asker("compliance", "counsel-1"))
        report = erasure.run()
        assert asked.erasure_id in report.failed
        assert not report.finished
        assert "must say what the store may hold" in report.failed[asked.erasure_id]
    store.close()


def test_whoever_may_not_ask_for_an_erasure_is_refused(home):
    with pytest.raises(ErasureError, match="must be asked for by one of"):
        erase_protected(home, ANNA, by=Asker("data_scientist", "analyst-7"))


def test_no_store_is_no_erasure(tmp_path):
    with pytest.raises(FairnessError, match="benne protected init"):
        ProtectedPart(tmp_path).erase(ANNA)
