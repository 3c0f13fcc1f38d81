"""Callers who do not wait for ever: what they handed in is never done once they have given up."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from benne.errors import AuditError, AuditWriteError
from tests.scoring.audit.test_group_commit import Served


def test_whoever_waits_too_long_is_told_so_and_their_work_is_never_done(chain):
    served = Served(chain, patience=timedelta(milliseconds=50))
    with served.held_back(), pytest.raises(AuditWriteError, match="not free in time; nothing was kept"):
        served.group.submit(served.work(event_id="too-late"))
    served.group.submit(served.work())
    served.group.close()
    assert "too-late" not in served.recorded() | served.payloads()
    assert len(served.recorded()) == 2


def test_work_that_has_begun_is_waited_for_however_long_it_takes(chain):
    served = Served(chain, patience=timedelta(milliseconds=20))
    entry = served.chain.entry()

    def slow(connection: Any, now_us: int) -> Any:
        threading.Event().wait(0.2)
        return [entry], "done"

    assert served.group.submit(slow).result == "done"
    served.group.close()


def test_the_writer_goes_on_where_a_whole_group_has_given_up_and_the_database_fails(chain, monkeypatch):
    served = Served(chain, patience=timedelta(milliseconds=50))
    write, failing = served.chain.store.write, threading.Event()

    @contextmanager
    def fails() -> Any:
        failing.wait(0.3)
        raise AuditError("no database")
        yield

    monkeypatch.setattr(served.chain.store, "write", fails)
    with pytest.raises(AuditWriteError, match="not free in time"):
        served.group.submit(served.work())
    monkeypatch.setattr(served.chain.store, "write", write)
    failing.set()
    assert served.group.submit(served.work(event_id="later")).result == "later"
    served.group.close()
