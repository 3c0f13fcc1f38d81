"""The process that scores is killed without warning, at every step and at any moment; the next one goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.features.categories import CATEGORIES
from benne.scoring import Store, open_store
from benne.scoring.batch.job import begun
from benne.scoring.batch.proofs import check_proof, prove
from benne.scoring.batch.run import score_batch
from benne.scoring.policy import default_policies
from benne.scoring.wiring import random_id, system_clock
from tests.scoring.batch.conftest import Batches
from tests.scoring.conftest import HandMadeModel, Platform

MEMBERS = 9
AT_MOST = 200
"""More than there are steps."""


def scoring(url: str, folder: Path, pause: float = 0.0) -> None:
    """One run over members of whom nine consent and one does not."""
    model = HandMadeModel()
    model.before_answering = lambda: time.sleep(pause)
    platform: Any = Platform(open_store(url), system_clock, None, None, model)  # type: ignore[arg-type]
    batches = Batches(platform, folder)
    live = type(batches.live)(platform.store, system_clock, os.urandom, random_id)
    score_batch(batches.batch(folder / "features.parquet", chunk_rows=3), batches.model, live, default_policies())
    platform.store.close()


def scoring_until_step(url: str, folder: Path, step: int, steps: Any) -> None:
    """The same; the process dies just before its step of that number that leaves something on a disk."""
    counted = 0

    def about_to_last() -> None:
        nonlocal counted
        if counted == step:
            os.kill(os.getpid(), signal.SIGKILL)
        counted += 1

    def dying(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **more: Any) -> Any:
            about_to_last()
            return work(*arguments, **more)

        return done

    os.fsync, pq.write_table, Path.replace = dying(os.fsync), dying(pq.write_table), dying(Path.replace)
    Path.unlink, pq.ParquetWriter.write_table = dying(Path.unlink), dying(pq.ParquetWriter.write_table)
    write = Store.write
    Store.write = _dying_around(write, about_to_last)  # type: ignore[method-assign]
    scoring(url, folder)
    steps.value = counted


def _dying_around(write: Any, about_to_last: Callable[[], None]) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def writing(store: Store) -> Any:
        with write(store) as connection:
            yield connection
            about_to_last()  # before the commit
        about_to_last()  # after it

    return writing


@pytest.fixture
def scene(batches: Batches) -> tuple[str, Batches]:
    """Ten members in a file, one of whom does not consent; the clock is the machine's."""
    platform = batches.platform
    platform.clock.now = system_clock()
    for number in range(MEMBERS):
        platform.grant(number, granularity="exact")
    batches.write(platform.features(dict.fromkeys(range(MEMBERS + 1), CATEGORIES)))
    time.sleep(0.001)  # features of a later moment than any clock's are refused
    return platform.store.engine.url.render_as_string(hide_password=False), batches


def finished(processes: Any, work: Any, *arguments: Any) -> bool:
    """Run something in a process of its own; whether it was not killed."""
    process = processes.Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return bool(process.exitcode == 0)


def check_whole(batches: Batches, gone: set[int], before: int = 0) -> None:
    """Every row once, every chunk once on record, and a proof for each that holds; ``before`` records are of others."""
    platform = batches.platform
    staying = {platform.member(number) for number in range(MEMBERS) if number not in gone}
    assert set(batches.scores()["subject_id"]) == staying
    assert len(batches.scores()) == len(staying)
    assert set(batches.refusals()) == {platform.member(number) for number in (*gone, MEMBERS)}
    assert (batches.scores()["score"] == 650.0).all()
    made = batches.records()[before:]
    records = [row["event_id"] for row in made]
    assert len(records) == len(set(records))
    proofs = pd.read_parquet(batches.folder / "scores.proofs.parquet")
    assert set(proofs["event_id"]) == set(records)
    assert len(proofs) == MEMBERS + 1 + sum(int(row["outcome"].rpartition(":")[2]) for row in made[4:])
    with platform.store.read() as connection:
        for number in range(MEMBERS + 1):
            checked = check_proof(prove(batches.out, platform.member(number)), connection)
            assert (checked.decision == "granted") == (platform.member(number) in staying)
    assert batches.chain_is_intact()
    assert not begun(batches.job)


def killed_at(step: int, scene: tuple[str, Batches], processes: Any) -> bool:
    """Kill at a step, go on to the end, and look; whether there was such a step."""
    url, batches = scene
    steps, before = processes.Value("i", -1), len(batches.records())
    batches.out.unlink(missing_ok=True)
    killed = not finished(processes, scoring_until_step, url, batches.folder, step, steps)
    if killed and (begun(batches.job) or not batches.out.exists()):
        assert finished(processes, scoring, url, batches.folder)
    check_whole(batches, set(), before)
    return killed


SEEDED = sorted(random.Random(5).sample(range(60), 4))


@pytest.mark.parametrize("step", SEEDED)
def test_a_batch_survives_being_killed_at_a_step(step, scene, processes):
    assert killed_at(step, scene, processes)


@pytest.mark.slow
def test_a_batch_survives_being_killed_at_every_step(scene, processes):
    """Each time it dies one step later, until it ends; each run after it makes the same files anew."""
    step = 0
    while killed_at(step, scene, processes):
        step += 1
        assert step < AT_MOST
    assert step > 60, "the steps that are counted must be all there are"


def killed_at_random(scene: tuple[str, Batches], processes: Any, seed: int, withdrawing: bool) -> int:
    """Kill again and again at random moments, members withdrawing between the runs, until a run comes to its end."""
    (url, batches), rng = scene, random.Random(seed)
    gone, killed = set[int](), 0
    while True:
        process = processes.Process(target=scoring, args=(url, batches.folder, 0.02))
        process.start()
        process.join(rng.uniform(0.05, 0.6 + 0.1 * killed))
        if process.exitcode is None:
            process.kill()
            process.join()
            killed += 1
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        if batches.out.exists() and not begun(batches.job):  # it had ended, and only its folder was left to remove
            break
        if withdrawing and not batches.out.exists() and len(gone) < MEMBERS - 1:
            number = rng.choice(sorted(set(range(MEMBERS)) - gone))
            batches.platform.clock.now = system_clock()
            batches.platform.ledger.withdraw(batches.platform.member(number), "lending", "shop", None)
            gone.add(number)
    check_whole(batches, gone)
    return killed


@pytest.mark.parametrize("seed", range(2))
def test_a_batch_survives_being_killed_at_any_moment(seed, scene, processes):
    killed_at_random(scene, processes, seed, withdrawing=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_batch_survives_being_killed_at_many_moments(seed, scene, processes):
    killed_at_random(scene, processes, seed, withdrawing=bool(seed % 2))
