"""A batch that was interrupted goes on where it stopped: nothing lost, nothing twice, no score without its record."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from benne.errors import BatchChanged, BatchDamaged, StoreError
from benne.features.categories import CATEGORIES
from benne.scoring.batch import Asked, assembling, publishing, settling
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.job import locked
from tests.scoring.conftest import open_platform


class Stopped(Exception):
    """What ends a run in a test."""


def stop_at(monkeypatch, module, name, call, *, after=False):
    """Let a function end the run at its call of that number, before or after it has done its work."""
    work, calls = getattr(module, name), iter(range(10_000))

    def stopping(*arguments: Any, **more: Any) -> Any:
        number = next(calls)
        if number == call and not after:
            raise Stopped
        done = work(*arguments, **more)
        if number == call:
            raise Stopped
        return done

    monkeypatch.setattr(module, name, stopping)


def check_whole(batches, summary):
    """What a batch of five members must come to, however often it was interrupted."""
    assert batches.scores()["subject_id"].tolist() == [batches.platform.member(n) for n in range(5)]
    assert (summary.scored, summary.refused) == (5, {})
    assert [row["outcome"] for row in batches.records()] == ["scored:2/refused:0"] * 2 + ["scored:1/refused:0"]
    assert len({row["event_id"] for row in batches.records()}) == 3
    assert batches.chain_is_intact()
    assert not batches.job.exists()
    proofs = pd.read_parquet(batches.folder / "scores.proofs.parquet")
    assert proofs["event_id"].tolist() == [row["event_id"] for row in batches.records() for _ in range(2)][:5]


@pytest.mark.parametrize(
    ("module", "name", "call", "after", "done"),
    [
        (settling, "write_partial", 0, False, 0),
        (settling, "write_partial", 1, True, 2),
        (settling, "append", 1, True, 2),
        (settling, "finish", 1, False, 4),  # recorded, and without its name
        (settling, "finish", 2, True, 5),
        (publishing, "assemble", 0, False, 5),
        (publishing, "assemble", 0, True, 5),
        (publishing, "give_names", 0, False, 5),
        (publishing, "give_names", 0, True, 5),
        (assembling, "flush_file", 2, False, 5),
        (assembling, "flush_folder", 0, False, 5),
    ],
)
def test_a_batch_goes_on_from_every_step(batches, five, monkeypatch, module, name, call, after, done):
    with monkeypatch.context() as patched:
        stop_at(patched, module, name, call, after=after)
        with pytest.raises(Stopped):
            batches.run(five)
    summary = batches.run(five, must_resume=True)
    assert summary.resumed_at == done
    check_whole(batches, summary)


def test_a_score_is_made_once_however_often_a_batch_is_interrupted(batches, five, monkeypatch):
    for call in (0, 0, 0):
        with monkeypatch.context() as patched:
            stop_at(patched, settling, "finish", call)
            with pytest.raises(Stopped):
                batches.run(five)
    seen = batches.platform.model.rows_seen
    check_whole(batches, batches.run(five))
    assert batches.platform.model.rows_seen == seen == 5 + 1  # and one blank row that asks about columns


def test_a_batch_that_ended_is_not_gone_on_with(batches, five):
    batches.run(five)
    first = batches.records()
    assert batches.run(five).resumed_at == 0
    assert batches.records()[: len(first)] == first
    assert len(batches.records()) == 2 * len(first)


def interrupted(batches, five, monkeypatch, call=1):
    with monkeypatch.context() as patched:
        stop_at(patched, settling, "write_partial", call)
        with pytest.raises(Stopped):
            batches.run(five)


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("purpose", {"asked": Asked("rental", "shop", "nightly")}),
        ("recipient", {"asked": Asked("lending", "other", "nightly")}),
        ("actor", {"asked": Asked("lending", "shop", "weekly")}),
        ("rows in a chunk", {"chunk_rows": 3}),
    ],
)
def test_another_question_is_another_batch(batches, five, monkeypatch, what, changes):
    interrupted(batches, five, monkeypatch)
    with pytest.raises(BatchChanged, match=f"must go on as it began, got another {what}"):
        batches.run(five, **changes)
    check_whole(batches, batches.run(five))


def test_other_features_are_another_batch(batches, five, monkeypatch):
    interrupted(batches, five, monkeypatch)
    other = batches.write(batches.platform.features(dict.fromkeys(range(5), CATEGORIES), value=2.0), "other.parquet")
    with pytest.raises(BatchChanged, match="got another features"):
        batches.run(other)


def test_another_model_is_another_batch(batches, five, monkeypatch):
    interrupted(batches, five, monkeypatch)
    other = replace(batches.model, config_hash="cd" * 32)
    with pytest.raises(BatchChanged, match="got another model"):
        batches.run(five, model=other)


def test_another_ledger_does_not_take_over_what_it_never_recorded(batches, five, monkeypatch, database):
    interrupted(batches, five, monkeypatch)
    other = open_platform(database())
    with pytest.raises(BatchDamaged, match="Name the ledger that the batch began with"):
        batches.run(five, live=replace(batches.live, store=other.store))
    other.store.close()


def test_a_part_that_is_gone_is_not_made_anew(batches, five, monkeypatch):
    interrupted(batches, five, monkeypatch)
    (batches.job / "part-0000000.parquet").unlink()
    with pytest.raises(BatchDamaged, match=r"is on record, and is not\. Restore it"):
        batches.run(five)


def test_a_part_that_was_damaged_is_noticed(batches, five, monkeypatch):
    interrupted(batches, five, monkeypatch)
    part = batches.job / "part-0000000.parquet"
    content = part.read_bytes()
    part.write_bytes(content[: len(content) // 2])
    with pytest.raises(BatchDamaged, match="must be a whole part of a batch"):
        batches.run(five)


def test_a_part_of_another_batch_is_noticed(batches, five, monkeypatch, tmp_path):
    interrupted(batches, five, monkeypatch, call=2)
    zero, one = (batches.job / f"part-000000{k}.parquet" for k in range(2))
    zero.write_bytes(one.read_bytes())
    with pytest.raises(BatchDamaged, match="must be what is on record"):
        batches.run(five)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"form": 2, "job_id": "x", "terms": {}}'])
def test_a_folder_that_does_not_say_what_it_is_about_is_not_guessed_at(batches, five, monkeypatch, content):
    interrupted(batches, five, monkeypatch)
    (batches.job / "job.json").write_text(content)
    with pytest.raises(BatchDamaged, match="must say what the batch is about"):
        batches.run(five)


def test_one_run_at_a_time(batches, five):
    with locked(batches.job), pytest.raises(BatchDamaged, match="got another at it"):
        batches.run(five)
    check_whole(batches, batches.run(five))


class Unsteady:
    """A store that goes away at one of its writes, before or after the commit."""

    def __init__(self, store: Any, call: int, *, after: bool) -> None:
        self._store, self._after = store, after
        self._left = call

    @contextmanager
    def write(self) -> Any:
        self._left -= 1
        with self._store.write() as connection:
            yield connection
            if self._left < 0 and not self._after:
                raise StoreError("The store must be reachable and readable, got OperationalError.")
        if self._left < 0:
            raise StoreError("The store must be reachable and readable, got OperationalError.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("after", [False, True], ids=["nothing kept", "kept, and nobody told"])
@pytest.mark.parametrize("call", range(4))
def test_a_database_that_goes_away_costs_nothing_but_time(batches, five, call, after):
    unsteady = Unsteady(batches.platform.store, call, after=after)
    with pytest.raises(StoreError, match="must be reachable"):
        batches.run(five, live=replace(batches.live, store=unsteady))
    check_whole(batches, batches.run(five))


@contextmanager
def no_file_above(size: int):
    """As on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("module", "name"), [(settling, "write_partial"), (publishing, "assemble")])
def test_a_full_disk_costs_nothing_but_time(batches, five, monkeypatch, module, name):
    work = getattr(module, name)

    def on_a_full_disk(*arguments: Any) -> Any:
        with no_file_above(1_000):
            return work(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, on_a_full_disk)
        with pytest.raises(OSError, match=r"large|space"):
            batches.run(five)
    assert not batches.out.exists()
    check_whole(batches, batches.run(five))


def test_what_an_interrupted_removal_left_is_nobodys(batches, five, monkeypatch):
    interrupted(batches, five, monkeypatch)
    (batches.job / "job.json").unlink()
    summary = batches.run(five)
    assert summary.resumed_at == 0
    assert len(batches.scores()) == 5


def test_features_that_are_refused_leave_no_folder(batches, five):
    frame = batches.platform.features({1: CATEGORIES, 2: CATEGORIES})
    path = batches.write(pd.concat([frame, frame]))
    with pytest.raises(Exception, match="2 repeated"):
        batches.run(path)
    assert not batches.job.exists()


def test_the_model_is_known_by_its_files(real_model_folder, real_model):
    assert real_model.model_id == f"benne/{real_model.config_hash[:16]}"
    assert BatchModel.load(real_model_folder).config_hash == real_model.config_hash
