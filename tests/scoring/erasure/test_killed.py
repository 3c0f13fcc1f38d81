"""The process that erases is killed without warning at every step, before and after it; the next one goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from benne.errors import Erased
from benne.scoring import ConsentLedger, open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.erasure import erasing
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.erasing import Erasure
from benne.scoring.erasure.exports import ExportFolder
from benne.scoring.erasure.parts import EventStorePart
from benne.scoring.wiring import open_keyring, open_vault, random_id, system_clock

STEPS = ("consent_withdrawn", "key_destroyed", "payloads_deleted", "erased_from:event_store", "erased_from:exports",
         "files_compacted")  # fmt: skip
BESIDE = ("event_store", "exports", "compacting")
POINTS = [*(f"{when} {step}" for step in STEPS for when in ("before", "after")), *(f"after {act}" for act in BESIDE)]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killing:
    """Commits like a group commit, and kills the process before or after the commit of one step."""

    def __init__(self, audit: GroupCommit, point: str) -> None:
        self._audit = audit
        self._when, _, self._step = point.partition(" ")

    def submit(self, work: Any) -> Any:
        def dying(connection: Any, now_us: int) -> Any:
            entries, result = work(connection, now_us)
            if self._when == "before" and entries[0].outcome == self._step:
                die()
            return entries, result

        done = self._audit.submit(dying)
        if self._when == "after" and done.records[0].entry.outcome == self._step:
            die()
        return done


def dying_after(act: Any) -> Any:
    def done(*arguments: Any) -> Any:
        act(*arguments)
        die()

    return done


def parts_in(folder: Path, events: str) -> list[Any]:
    return [EventStorePart(events), ExportFolder(folder / "exports")]


def erase(url: str, folder: Path, events: str, subject: str, point: str) -> None:
    """Ask for an erasure and run it; the process dies at the point."""
    store, vault, parts = open_store(url), open_vault(open_keyring(folder / "ring.json")), parts_in(folder, events)
    if point == "after compacting":
        erasing.compact = dying_after(erasing.compact)
    for part in parts:
        if point == f"after {part.name}":
            part.erase = dying_after(part.erase)
    ledger = ConsentLedger(store, clock=system_clock, ids=random_id)
    audit = Killing(GroupCommit(store, clock=system_clock), point)
    erasure = Erasure(store, vault, consents=ledger, audit=audit, ids=random_id, parts=parts)
    erasure.request(subject, by=Actor("member"))
    erasure.run()


@pytest.fixture
def scene(desk: Any, tmp_path: Path, database: Any, make_event_store: Any, subject_key: Any) -> dict[str, Any]:
    """A member with payloads, consent, events and exports; what a process needs to erase them."""
    anna, bert = (str(one) for one in subject_key.subject_ids(["anna", "bert"]))
    events = str(database())
    make_event_store(events, ["anna", "bert"])
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "told.csv").write_text(f"subject_id,score\n{anna},612\n{bert},700\n")
    desk.platform.ledger.grant(desk.platform.request(int(anna, 16)))
    url = desk.store.engine.url.render_as_string(hide_password=False)
    return {"url": url, "folder": tmp_path, "events": events, "subject": anna,
            "refs": [desk.keep(anna), desk.keep(anna, kind="features")], "other": desk.keep(bert)}  # fmt: skip


def killed_at(processes: Any, scene: dict[str, Any], point: str) -> None:
    arguments = (*(scene[name] for name in ("url", "folder", "events", "subject")), point)
    process = processes.Process(target=erase, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"it came through {point}"


def finish(desk: Any, scene: dict[str, Any]) -> None:
    """What the next process does: ask again, as the caller does who had no answer, and go on."""
    desk.parts[:] = parts_in(scene["folder"], scene["events"])
    erasure_id = desk.erasure.request(scene["subject"], by=Actor("member")).erasure_id
    report = desk.erasure.run()
    assert (report.finished, report.failed, report.waiting) == ((erasure_id,), {}, ())
    assert set(STEPS) == desk.steps(erasure_id)


def everything_is_as_it_should(desk: Any, scene: dict[str, Any]) -> None:
    from benne.features.engines.event_store import EventStore

    store = EventStore.open(scene["events"])
    assert store.rows(scene["subject"]) == {}
    store.close()
    assert scene["subject"] not in (scene["folder"] / "exports" / "told.csv").read_text()
    assert [path.name for path in (scene["folder"] / "exports").iterdir()] == ["told.csv"]
    assert desk.platform.ledger.active(scene["subject"], "lending", "shop") == frozenset()
    with desk.store.read() as connection:
        for ref in scene["refs"]:
            with pytest.raises(Erased, match="got a member who was"):
                desk.vault.get(connection, ref)
        assert desk.vault.get(connection, scene["other"]).content == b"612"
    assert desk.verified().intact


def consistent_in_between(desk: Any, scene: dict[str, Any]) -> None:
    """Right after the kill: consent is gone as soon as anything is, and no half of a step is there."""
    begun = bool(desk.platform.rows("erasures"))
    assert (desk.platform.ledger.active(scene["subject"], "lending", "shop") == frozenset()) == begun
    steps = [row["step"] for row in desk.platform.rows("erasure_steps")]
    assert set(steps) == set(STEPS[: len(steps)]), "in their order, without a gap"
    outcomes = [row["outcome"] for row in desk.records()]
    assert outcomes == list(STEPS[: len(steps)]), "each is on record if it was done, and only then"
    member = next(row for row in desk.platform.rows("members") if row["subject_id"] == scene["subject"])
    assert (member["wrapped_key"] is None) == ("key_destroyed" in steps)
    left = {row["payload_ref"] for row in desk.platform.rows("member_payloads")} & set(scene["refs"])
    assert left == (set() if "payloads_deleted" in steps else set(scene["refs"]))
    assert desk.verified().intact


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_an_erasure_that_is_killed_anywhere_is_finished_by_the_next_process(desk, scene, processes, point):
    killed_at(processes, scene, point)
    consistent_in_between(desk, scene)
    finish(desk, scene)
    everything_is_as_it_should(desk, scene)


@pytest.mark.parametrize("point", ["before key_destroyed", "after event_store", "after compacting"])
def test_an_erasure_that_is_killed_is_finished_by_the_next_process(desk, scene, processes, point):
    killed_at(processes, scene, point)
    consistent_in_between(desk, scene)
    finish(desk, scene)
    everything_is_as_it_should(desk, scene)


def test_an_erasure_killed_again_and_again_is_finished_in_the_end(desk, scene, processes):
    for point in ("before consent_withdrawn", "after consent_withdrawn", "after payloads_deleted", "after exports"):
        killed_at(processes, scene, point)
    finish(desk, scene)
    everything_is_as_it_should(desk, scene)
