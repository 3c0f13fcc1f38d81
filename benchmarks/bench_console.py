"""Every page of the console at a hundred thousand members: through HTTP, from a server process of its own.

The service is filled first: everybody consents twice and has features on hand, some thousand were scored, dispute
something, were answered and told. Each page is asked for as a browser does, one at a time, in turns over twenty members
with 25 decisions each. Every page that shows something about a member writes its audit record to the disk before it
answers, and that is in the time. What-ifs need events; they are measured on a smaller simulated platform.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from running import Answer, Run, add_choice, carry_out, machine, positive, say
from servers import free_port, wait_until_up
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_console.py                      # some four minutes
  python benchmarks/bench_console.py --members 5000 --cases 300 --skip what-if
Exit code 1 where a page is not answered, or something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("console_jobs.py")
_AT_MOST: Final = Target(at_most=200.0, unit=" ms", form=".0f")
_FREE: Final = Target(unit=" ms", form=".0f")
_SEARCHES: Final = frozenset({"what if, the least that reaches 800"})
"""Not a page that is opened but a search that somebody starts; it has no target."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the times."""
    options = _parser().parse_args(arguments)
    say(f"The console's pages; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=positive, default=100_000, help="in the service (default 100000)")
    parser.add_argument("--cases", type=positive, default=3_000, help="members who dispute something (default 3000)")
    parser.add_argument("--trees", type=positive, default=200, help="of the model (default 200)")
    parser.add_argument("--rounds", type=positive, default=60, help="over all pages (default 60)")
    parser.add_argument("--platform", type=positive, default=300, help="members with events (default 300)")
    add_choice(parser, "--skip", ("pages", "what-if"), "parts to leave out")
    return parser


def _all(run: Run) -> None:
    options = run.options
    if run.wants("pages"):
        made = run.ask("prepare", f"a service with {options.members:,} members", folder=run.folder,
                       members=options.members, cases=options.cases, trees=options.trees)  # fmt: skip
        say(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in made["counted"].items()) + ".")
        with _server(run.folder) as port:
            _tell(run, run.ask("ask", "pages", port=port, keys=made["keys"], rounds=options.rounds))
    if run.wants("what-if"):
        found = run.ask("try_actions", f"what-ifs on a platform of {options.platform:,} members", folder=run.folder,
                        members=options.platform, rounds=max(3, options.rounds // 3))  # fmt: skip
        _tell(run, found)


def _tell(run: Run, found: Answer) -> None:
    for name, times in found.items():
        say(f"  {name:<38}{times['p50']:>7.1f} ms   p95 {times['p95']:>7.1f} ms   at most {times['most']:>7.1f} ms")
        target = _FREE if name in _SEARCHES else _AT_MOST
        run.rows.append(Row.alone(f"{name}, p95", times["p95"], target))


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    """The service as it is served, up and answering; its port."""
    port = free_port()
    environment = os.environ | {"BENNE_RATE_PER_SECOND": "0"}
    command = [sys.executable, "-m", "benne", "serve", str(folder / "service"), "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own server
    try:
        wait_until_up(f"http://127.0.0.1:{port}/readyz", process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
