"""The process is killed under load, again and again; whatever it acknowledged is in the chain."""

from __future__ import annotations

import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from benne.scoring import open_store
from benne.scoring.audit.chain import AuditReport, verify
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.wiring import random_id, system_clock

KILLS = 5
ACKNOWLEDGED_BEFORE = 300

Acknowledged = tuple[str, int, str]


def serve(path: Path, answers: Connection) -> None:
    """Record without end in eight threads, and acknowledge each record once it is committed."""
    group, one_at_a_time = GroupCommit(open_store(path), clock=system_clock), threading.Lock()

    def work(*_: object) -> tuple[list[AuditEntry], None]:
        entry = AuditEntry(event_id=random_id(), type="model_promoted", actor_id="ops-3", actor_role="admin",
                           service="registry", policy_version="2026-03")  # fmt: skip
        return [entry], None

    def call() -> None:
        while True:
            (record,) = group.submit(work).records
            with one_at_a_time:
                answers.send((record.entry.event_id, record.seq, record.hash))

    for _ in range(8):
        threading.Thread(target=call).start()


def acknowledged_until_killed(path: Path, processes) -> list[Acknowledged]:
    """Serve until enough is acknowledged, kill without warning, and read what was said until then."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=serve, args=(path, theirs))
    process.start()
    theirs.close()
    told = [ours.recv() for _ in range(ACKNOWLEDGED_BEFORE)]
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    try:
        while True:
            told.append(ours.recv())
    except (EOFError, OSError):  # the last one was cut off in the middle
        ours.close()
    return told


def found_afterwards(path: Path) -> tuple[AuditReport, set[Acknowledged]]:
    store = open_store(path)
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT event_id, seq, hash FROM audit_records").fetchall()
        report = verify(connection)
    store.close()
    return report, {tuple(row) for row in rows}


def test_whatever_was_acknowledged_is_in_the_chain_after_each_kill(tmp_path, processes):
    path = tmp_path / "benne.db"
    open_store(path).close()
    before: set[Acknowledged] = set()
    for _ in range(KILLS):
        told = acknowledged_until_killed(path, processes)
        report, kept = found_afterwards(path)
        assert report.intact, report.why
        assert report.records == len(kept)
        assert set(told) | before <= kept
        assert len(kept - before) >= ACKNOWLEDGED_BEFORE
        before = kept
