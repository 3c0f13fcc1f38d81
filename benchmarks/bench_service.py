"""The scoring service beside MLflow's own scoring server: the same model, one worker each on one processor, in turns.

MLflow gets the features in the request and answers with a bare prediction. Ours gets a member's id, and does all it
always does: credentials, policy, consent twice, features decrypted out of the store, score with points, what is kept
encrypted under the member's key, and a record in the audit chain on the disk before the answer leaves. Requests come
from another processor, each connection sending the next as soon as it has its answer.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from running import Answer, Run, carry_out, machine, positive, say
from servers import wait_until_up
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_service.py                      # some three minutes
  python benchmarks/bench_service.py --connections 64 --rounds 5
Exit code 1 where an answer is not a score, or something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("service_jobs.py")
_OURS, _THEIRS = "Benne", "MLflow"
_THROUGHPUT: Final = Target(at_least=1.5)
_TAIL: Final = Target(at_least=1.0)
_MILLISECONDS: Final = Target(unit=" ms", form=".1f")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    say(f"The scoring service; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=positive, default=5_000, help="members who are asked about (default 5000)")
    parser.add_argument("--connections", type=positive, default=32, help="at a time (default 32)")
    parser.add_argument("--seconds", type=positive, default=6, help="a round lasts (default 6)")
    parser.add_argument("--rounds", type=positive, default=3, help="of each, in turns (default 3)")
    parser.set_defaults(skip=frozenset())
    return parser


def _all(run: Run) -> None:
    made = run.ask("prepare", "a model, a service's folder, and the same model for MLflow", folder=run.folder,
                   members=run.options.members)  # fmt: skip
    say(f"{made['features']} features in five categories, {made['trees']} trees; {run.options.members:,} members.")
    with _server(run, _OURS, made) as ours, _server(run, _THEIRS, made) as theirs:
        for name, port in ((_OURS, ours), (_THEIRS, theirs)):  # the first requests load what is lazy
            _load(run, made, name, port, connections=4, seconds=2)
        single = {name: _load(run, made, name, port, 1, 3) for name, port in ((_OURS, ours), (_THEIRS, theirs))}
        rounds: dict[str, list[Answer]] = {_OURS: [], _THEIRS: []}
        for _ in range(run.options.rounds):
            for name, port in ((_OURS, ours), (_THEIRS, theirs)):
                found = _load(run, made, name, port, run.options.connections, run.options.seconds)
                rounds[name].append(found)
                say(f"  {name:<7}{found['rate']:>8,.0f}/s   p50 {found['p50']:>6.1f} ms   p99 {found['p99']:>6.1f} ms")
    _tell(run, single, rounds)
    checked = run.ask("look_over", "whether everything answered is on record", folder=run.folder)
    answered, kept, records = checked["answered"], checked["payloads"], checked["records"]
    say(f"{answered:,} answers on record, {kept:,} kept; the chain of {records:,} records verifies.")
    run.failed |= not checked["intact"] or answered != kept


def _tell(run: Run, single: dict[str, Answer], rounds: dict[str, list[Answer]]) -> None:
    ours, theirs = rounds[_OURS], rounds[_THEIRS]
    at = f"{run.options.connections} connections"

    def middle(found: list[Answer], what: str) -> float:
        return statistics.median(one[what] for one in found)

    run.rows += [
        Row.rates(f"requests, {at}", middle(ours, "rate"), _THEIRS, middle(theirs, "rate"), _THROUGHPUT),
        Row.times(f"p50, {at}", middle(ours, "p50"), _THEIRS, middle(theirs, "p50"), unit="ms"),
        Row.times(f"p99, {at}", middle(ours, "p99"), _THEIRS, middle(theirs, "p99"), _TAIL, unit="ms"),
        Row.times("p50, one connection", single[_OURS]["p50"], _THEIRS, single[_THEIRS]["p50"], unit="ms"),
        Row.times("p99, one connection", single[_OURS]["p99"], _THEIRS, single[_THEIRS]["p99"], unit="ms"),
    ]


def _load(run: Run, made: Answer, name: str, port: int, connections: int, seconds: int) -> Answer:
    return run.quietly("load", name=name, port=port, folder=run.folder, connections=connections, seconds=seconds,
                       key=made["key"], members=run.options.members)  # fmt: skip


@contextmanager
def _server(run: Run, name: str, made: Answer) -> Iterator[int]:
    """A server on the first processor, up and answering; its port."""
    port, binaries = made["ports"][name], Path(sys.executable).parent
    here = str(Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": here, "MLFLOW_DISABLE_TELEMETRY": "true", "BENNE_RATE_PER_SECOND": "0",
                                "PATH": f"{binaries}:{os.environ['PATH']}"}  # fmt: skip
    command = {
        _OURS: [str(binaries / "benne"), "serve", str(run.folder / "service"), "--port", str(port)],
        _THEIRS: [str(binaries / "mlflow"), "models", "serve", "--env-manager", "local", "--host", "127.0.0.1",
                  "--port", str(port), "--model-uri", str(run.folder / "mlflow"), "--workers", "1"],
    }[name]  # fmt: skip
    with (run.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own servers
            command,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_on_the_first_processor,
        )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/{'readyz' if name == _OURS else 'ping'}", process)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _on_the_first_processor() -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {0})


if __name__ == "__main__":
    sys.exit(main())
