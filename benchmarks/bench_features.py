"""Features: time, memory, growth and latency, beside pandas, Polars, DuckDB's SQL and Spark, in one run.

47 windowed aggregates of random payments (five windows × count, sum, mean, max, min, different
counterparties, failed, count and sum of bills; days since the last and the first), for every
member at one and at five moments. Every peer reads the same stored Parquet file, and must give
the same values: whole numbers exactly, others to 1e-9. Each measured thing runs in a process of
its own, warm. Read the ratios: seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# Nothing heavy is imported here: a child's peak memory would begin with ours.
from measuring import JobFailed, run_job
from targets import Row, Target, table

_EPILOG = """examples:
  python benchmarks/bench_features.py                            # 2,000,000 payments, growth to 10,000,000
  python benchmarks/bench_features.py --events 200000            # a quick look
  python benchmarks/bench_features.py --skip spark,pandas        # without these
  python benchmarks/bench_features.py --events 20000000          # make bench-large: growth to 100,000,000
Exit code 1 where a peer's values differ from ours or something fails; not where a target is missed.
Data goes to a temporary folder (TMPDIR), about 70 bytes a payment, and is removed afterwards."""

_PARTS: Final = (
    "ingest", "compile", "pandas", "polars", "ring", "unclustered", "late", "spark", "growth", "online",
)  # fmt: skip
_PEERS: Final = {"pandas": "pandas", "polars": "Polars", "ring": "ring SQL"}
_INGEST_AT_MOST: Final = 5_000_000
_TINY: Final = {"events": 2_000, "members": 40}
_LATE: Final = ((0.25, 1), (0.25, 30))
_LARGE: Final = 100_000_000

Answer = dict[str, Any]


@dataclass
class Run:
    """One run: where its data lies, what has been found, and what differed.

    Parameters
    ----------
    options : Namespace
    folder : Path
        Temporary.
    """

    options: argparse.Namespace
    folder: Path
    rows: list[Row] = field(default_factory=list)
    ours: dict[tuple[str, int], Answer] = field(default_factory=dict)
    failed: bool = False
    started: float = field(default_factory=time.monotonic)

    def wants(self, part: str) -> bool:
        """Whether a part is not skipped."""
        return part not in self.options.skip

    def ask(self, job: str, doing: str, **arguments: Any) -> Answer:
        """Run a job in a fresh process."""
        sys.stderr.write(f"[{time.monotonic() - self.started:5.0f} s] {doing}\n")
        paths = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        return run_job(job, **paths)

    def compare(self, ours: Path, theirs: Path, exactly: bool = False) -> str:
        """Say whether two results are the same, and remember where not."""
        found = run_job("compare", ours=str(ours), theirs=str(theirs), exactly=exactly)
        if not found["wrong"]:
            return "same values"
        self.failed = True
        return f"DIFFERENT values in {', '.join(found['wrong'])}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    options.members = options.members or max(options.events // 100, 1)
    with tempfile.TemporaryDirectory(prefix="benne-bench-") as folder:
        run = Run(options, Path(folder))
        _header(options)
        try:
            _all(run)
        except JobFailed as problem:
            _say(f"Stopped: {problem}")
            run.failed = True
        _say("", *table(run.rows))
    return int(run.failed)


def _all(run: Run) -> None:
    base = _data(run)
    for part in (_compiling, _side_by_side, _unclustered, _late, _spark, _growth, _online):
        part(run, base)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=_positive, default=2_000_000, help="payments, N (default 2000000)")
    parser.add_argument("--members", type=_positive, help="members at N (default one per 100 payments)")
    parser.add_argument("--growth", type=_positive, default=5, help="factor by which N grows (default 5)")
    parser.add_argument("--simulated", type=_positive, default=5_000, help="members of the simulated platform (5000)")
    parser.add_argument("--skip", type=_parts, default=frozenset(), help=f"any of {','.join(_PARTS)}, by commas")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be positive, got {number}")
    return number


def _parts(text: str) -> frozenset[str]:
    wanted = frozenset(text.lower().replace("ring sql", "ring").split(",")) - {""}
    if wanted - set(_PARTS):
        raise argparse.ArgumentTypeError(f"must be among {','.join(_PARTS)}, got {','.join(wanted - set(_PARTS))}")
    return wanted


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _header(options: argparse.Namespace) -> None:
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    _say(
        f"{options.events:,} payments of {options.members:,} members, 47 aggregates; {os.cpu_count()} processors{load}",
        *_HOW.splitlines(),
        "",
    )


_HOW: Final = """\
Everybody reads the same Parquet file as ingest stores it (sorted by member and time; it is in the page cache), gets the
observations in their own form, and sees what happened and was known before as_of. pandas gets texts as categories,
Polars a lazy query on its streaming engine, DuckDB the ring SQL; all three go by rings, the fastest way we found.
Ours also checks that each observation may be made, and masks by consent. Best of up to three runs where one takes less
than 5 s. Memory is the peak of the process."""


# ------------------------------------------------------------------- the data


def _data(run: Run) -> Path:
    """The stored world of N payments: through the door, or straight in its form where that takes too long."""
    options, base = run.options, run.folder / "base"
    run.ask("data", "a tiny world, to warm up on", folder=run.folder / "tiny", form="stored", **_TINY)
    small = min(options.events, _INGEST_AT_MOST)
    if run.wants("ingest"):
        _ingest(run, small, base if small == options.events else run.folder / "ingested")
    if not base.exists():
        made = run.ask("data", f"{options.events:,} payments in their stored form", folder=base, form="stored",
                       events=options.events, members=options.members)  # fmt: skip
        _say(f"N is made directly in the stored form, not through the door ({made['bytes'] / 1e6:,.0f} MB).")
    return base


def _ingest(run: Run, events: int, folder: Path) -> None:
    raw, tiny = run.folder / "raw", run.folder / "raw-tiny"
    members = max(run.options.members * events // run.options.events, 1)
    run.ask("data", "a tiny raw world", folder=tiny, form="raw", **_TINY)
    run.ask("data", f"{events:,} raw payments", folder=raw, form="raw", events=events, members=members)
    done = run.ask("ingest", f"ingest of {events:,} raw payments", raw=raw, folder=folder, tiny=tiny)
    _say(f"Ingest, once for {events:,} payments in no order: {_cost(done)}, {events / done['seconds']:,.0f} rows/s.")
    shutil.rmtree(raw)
    if folder.name != "base":
        shutil.rmtree(folder)


def _cost(found: Answer) -> str:
    return f"{found['seconds']:.2f} s ({found['cpu_seconds']:.2f} s of processors), {found['peak_mb']:,.0f} MB"


# ------------------------------------------------------------------- measured


def _compiling(run: Run, _: Path) -> None:
    """The only place where compiling is measured; afterwards the user's own cache is full."""
    run.ask("first_build", "filling the cache of machine code", folder=run.folder / "tiny")
    if not run.wants("compile"):
        return
    cache = {"BENNE_CACHE": str(run.folder / "cache")}
    cold, warm = (
        run.ask("first_build", f"first build, cache {state}", folder=run.folder / "tiny", environment=cache)["seconds"]
        for state in ("cold", "warm")
    )
    _say(f"First build in a fresh process: cache warm {warm:.2f} s, cold {cold:.1f} s (numba compiles the kernel).")


def _side_by_side(run: Run, base: Path) -> None:
    for moments in (1, 5):
        ours = _ours(run, base, moments)
        _say("", f"{moments} as_of, {ours['observations']:,} observations", f"  benne     {_cost(ours)}")
        for part in (p for p in _PEERS if run.wants(p)):
            _peer(run, base, part, moments, ours)


def _ours(run: Run, folder: Path, moments: int) -> Answer:
    """Our engine; what has been measured once is not measured again."""
    if (folder.name, moments) not in run.ours:
        doing, out = f"benne, {moments} as_of, {folder.name}", _result(run, "benne", folder, moments)
        run.ours[folder.name, moments] = run.ask("ours", doing, folder=folder, moments=moments, out=out)
    return run.ours[folder.name, moments]


def _result(run: Run, name: str, folder: Path, moments: int) -> Path:
    return run.folder / f"{name}-{folder.name}-{moments}.parquet"


def _peer(run: Run, base: Path, part: str, moments: int, ours: Answer) -> None:
    name, out = _PEERS[part], _result(run, part, base, moments)
    try:
        found = run.ask("peer", f"{name}, {moments} as_of", peer=name, folder=base, moments=moments, out=out)
    except JobFailed as problem:
        _say(f"  {name:9} could not do it: {problem}")
        run.failed |= "out of memory" not in str(problem)
        return
    same = run.compare(_result(run, "benne", base, moments), out)
    times, memory = found["seconds"] / ours["seconds"], found["peak_mb"] / ours["peak_mb"]
    _say(f"  {name:9} {_cost(found)}: {times:.2f}x our time, {memory:.2f}x our memory, {same}")
    target = _TARGETS.get((part, moments))
    run.rows.append(Row.times(f"time, {moments} as_of", ours["seconds"], name, found["seconds"], target))
    run.rows.append(Row.memory(f"peak memory, {moments} as_of", ours["peak_mb"], name, found["peak_mb"]))


_TARGETS: Final = {
    ("pandas", 1): Target(at_least=1.5, unit="x"),
    ("ring", 1): Target(at_least=1 / 1.5, unit="x"),
    ("ring", 5): Target(at_least=1.0, unit="x"),
}


def _unclustered(run: Run, base: Path) -> None:
    """What sorting at ingest is worth to us: nobody shall be fooled."""
    if not run.wants("unclustered"):
        return
    folder = run.folder / "unclustered"
    run.ask("unclustered", "the same payments in no order", source=base, folder=folder)
    sorted_one, ours = _ours(run, base, 1), _ours(run, folder, 1)
    same = run.compare(_result(run, "benne", base, 1), _result(run, "benne", folder, 1), exactly=True)
    times = ours["seconds"] / sorted_one["seconds"]
    _say("", f"From rows in no order, 1 as_of: {_cost(ours)}, {times:.2f}x the time from sorted ones; {same}.")
    run.rows.append(Row.times("rows in no order, 1 as_of", sorted_one["seconds"], "unsorted", ours["seconds"]))
    shutil.rmtree(folder)


def _late(run: Run, base: Path) -> None:
    """Rows known late: observations in whose reach they are get a copy of just what was known."""
    if not run.wants("late"):
        return
    prompt = _ours(run, base, 1)
    _say("", f"Late knowledge, 1 as_of: 0 % late rows {_cost(prompt)}, {_copied(prompt)}")
    for share, days in _LATE:
        folder = run.folder / f"late-{days}d"
        run.ask(
            "late",
            f"{share:.0%} of payments known {days} days late",
            source=base,
            folder=folder,
            share=share,
            days=days,
        )
        ours = _ours(run, folder, 1)
        times, same = ours["seconds"] / prompt["seconds"], _oracle(run, folder)
        _say(f"  {share:.0%} known {days} d late {_cost(ours)}, {_copied(ours)}: {times:.2f}x the time; {same}")
        run.rows.append(Row.times(f"{share:.0%} known {days} d late", prompt["seconds"], "late", ours["seconds"]))
        shutil.rmtree(folder)


def _copied(found: Answer) -> str:
    return f"{found['late'] / found['observations']:.1%} of observations take the copy path"


def _oracle(run: Run, folder: Path) -> str:
    """Late rows are where it is easy to be wrong: the SQL decides."""
    if not run.wants("ring"):
        return "not checked, as the ring SQL is skipped"
    out = _result(run, "ring", folder, 1)
    run.ask("peer", f"ring SQL, 1 as_of, {folder.name}", peer="ring SQL", folder=folder, moments=1, out=out)
    return run.compare(_result(run, "benne", folder, 1), out) + " as the ring SQL"


def _spark(run: Run, base: Path) -> None:
    if not run.wants("spark"):
        return
    out, memory = _result(run, "spark", base, 1), "2g" if run.options.events <= _INGEST_AT_MOST else "4g"
    try:
        found = run.ask("spark", "Spark, 1 as_of", folder=base, out=out, memory=memory)
    except JobFailed as problem:
        missing = "EngineUnavailable" in str(problem)
        _say("", f"Spark is {'skipped' if missing else 'not measured'}: {problem}")
        run.failed |= not missing
        return
    ours = _ours(run, base, 1)
    same = run.compare(_result(run, "benne", base, 1), out, exactly=True)
    _say("", f"Our Spark engine, local[2], a heap of {memory}, 1 as_of: {found['seconds']:.2f} s, "
         f"{found['peak_mb']:,.0f} MB in all its processes, {found['seconds'] / ours['seconds']:.1f}x the embedded "
         f"engine's time; {same}, bit for bit.")  # fmt: skip
    run.rows.append(Row.times("embedded beside Spark, 1 as_of", ours["seconds"], "Spark", found["seconds"]))


def _growth(run: Run, base: Path) -> None:
    if not run.wants("growth") or run.options.growth == 1:
        return
    factor, folder = run.options.growth, run.folder / "grown"
    events, members = run.options.events * factor, run.options.members * factor
    small = _ours(run, base, 1)
    shutil.rmtree(base)
    doing = f"{events:,} payments in their stored form"
    made = run.ask("data", doing, folder=folder, form="stored", events=events, members=members)
    large = _ours(run, folder, 1)
    times = large["seconds"] / small["seconds"]
    _say(
        "", f"Growth, 1 as_of, {events:,} payments made directly in the stored form ({made['bytes'] / 1e6:,.0f} MB)",
        f"  {run.options.events:>13,} payments {_cost(small)}",
        f"  {events:>13,} payments {_cost(large)}: {times:.2f}x the time for {factor}x the payments",
    )  # fmt: skip
    target = Target(at_most=1.1 * factor, unit="x")
    run.rows.append(Row.times(f"growth, {factor}x payments", small["seconds"], f"{factor}N", large["seconds"], target))
    limit = Target(at_most=6.0, unit=" GB") if events >= _LARGE else Target(unit=" GB", note="6 GB at 100M")
    run.rows.append(Row.alone(f"peak memory, {events:,} payments", large["peak_mb"] / 1000, limit))
    shutil.rmtree(folder)


def _online(run: Run, _: Path) -> None:
    """All registered features, on a simulated platform."""
    if not run.wants("online"):
        return
    folder = run.folder / "simulated"
    folder.mkdir()
    found = run.ask("online", f"a simulated platform of {run.options.simulated:,} members", folder=folder,
                    members=run.options.simulated)  # fmt: skip
    _say(
        "", f"All {found['features']} features of {run.options.simulated:,} members of benne.experiments.simulator",
        f"  build: {found['rows']:,} rows, {found['observations']:,} observations in {_cost(found)}: "
        f"{found['rows'] / found['seconds']:,.0f} rows/s",
        f"  event store (SQLite): made in {found['store_seconds']:.1f} s",
        f"  online, {found['asked']:,} members one by one, {found['rows_per_member']:,.0f} events each on average",
        *(f"    {title:46} p50 {found[k]['p50']:.2f} ms, p99 {found[k]['p99']:.2f} ms" for k, title in _ASKED.items()),
    )  # fmt: skip
    run.rows.append(Row.alone("online p50, computing", found["computing"]["p50"], Target(unit=" ms")))
    run.rows.append(Row.alone("online p99, computing", found["computing"]["p99"], Target(at_most=1.0, unit=" ms")))
    run.rows.append(Row.alone("online p50, with the local store", found["store"]["p50"], Target(unit=" ms")))
    run.rows.append(
        Row.alone("online p99, with the local store", found["store"]["p99"], Target(at_most=2.5, unit=" ms"))
    )


_ASKED: Final = {
    "computing": "computing only (features.compute.compute)",
    "store": "with the store (OnlineFeatures.compute)",
    "store_with_consents": "with the store, and the members' own consents",
}


if __name__ == "__main__":
    raise SystemExit(main())
