"""Features: time, memory, growth and latency, beside pandas, Polars, DuckDB's SQL and Spark, in one run.

47 windowed aggregates of random payments (five windows × count, sum, mean, max, min, different
counterparties, failed, count and sum of bills; days since the last and the first), for every
member at one and at five moments. Every peer reads the same stored Parquet file, and must give
the same values: whole numbers exactly, others to 1e-9. Each measured thing runs in a process of
its own, warm. Read the ratios: seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from measuring import JobFailed
from running import Answer, Run, add_choice, carry_out, cost, machine, positive, say
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_features.py                            # 2,000,000 payments, growth to 10,000,000
  python benchmarks/bench_features.py --events 200000            # a quick look
  python benchmarks/bench_features.py --skip spark,pandas        # without these
  python benchmarks/bench_features.py --events 20000000          # make bench-large: growth to 100,000,000
Exit code 1 where a peer's values differ from ours or something fails; not where a target is missed.
Data goes to a temporary folder (TMPDIR), about 70 bytes a payment, and is removed afterwards."""

_JOBS: Final = Path(__file__).with_name("feature_jobs.py")
_PARTS: Final = (
    "ingest", "compile", "pandas", "polars", "ring", "unclustered", "late", "spark", "growth", "online",
)  # fmt: skip
_PEERS: Final = {"pandas": "pandas", "polars": "Polars", "ring": "ring SQL"}
_INGEST_AT_MOST: Final = 5_000_000
_TINY: Final = {"events": 2_000, "members": 40}
_LATE: Final = ((0.25, 1), (0.25, 30))
_LARGE: Final = 100_000_000


@dataclass
class FeatureRun(Run):
    """Remembers what has been measured of ours, and compares values."""

    ours: dict[tuple[str, int], Answer] = field(default_factory=dict)

    def compare(self, ours: Path, theirs: Path, exactly: bool = False) -> str:
        """Say whether two results are the same, and remember where not."""
        found = self.quietly("compare", ours=ours, theirs=theirs, exactly=exactly)
        if not found["wrong"]:
            return "same values"
        self.failed = True
        return f"DIFFERENT values in {', '.join(found['wrong'])}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    options.members = options.members or max(options.events // 100, 1)
    _header(options)
    return carry_out(lambda folder: FeatureRun(options, folder, _JOBS), _all)


def _all(run: FeatureRun) -> None:
    base = _data(run)
    for part in (_compiling, _side_by_side, _unclustered, _late, _spark, _growth, _online):
        part(run, base)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=positive, default=2_000_000, help="payments, N (default 2000000)")
    parser.add_argument("--members", type=positive, help="members at N (default one per 100 payments)")
    parser.add_argument("--growth", type=positive, default=5, help="factor by which N grows (default 5)")
    parser.add_argument("--simulated", type=positive, default=5_000, help="members of the simulated platform (5000)")
    add_choice(parser, "--skip", _PARTS, "parts left out")
    return parser


def _header(options: argparse.Namespace) -> None:
    say(f"{options.events:,} payments of {options.members:,} members, 47 aggregates; {machine()}", _HOW, "")


_HOW: Final = """\
Everybody reads the same Parquet file as ingest stores it (sorted by member and time; it is in the page cache), gets the
observations in their own form, and sees what happened and was known before as_of. pandas gets texts as categories,
Polars a lazy query on its streaming engine, DuckDB the ring SQL; all three go by rings, the fastest way we found.
Ours also checks that each observation may be made, and masks by consent. Best of up to three runs where one takes less
than 5 s. Memory is the peak of the process."""


# ------------------------------------------------------------------- the data


def _data(run: FeatureRun) -> Path:
    """The stored world of N payments: through the door, or straight in its form where that takes too long."""
    options, base = run.options, run.folder / "base"
    run.ask("data", "a tiny world, to warm up on", folder=run.folder / "tiny", form="stored", **_TINY)
    small = min(options.events, _INGEST_AT_MOST)
    if run.wants("ingest"):
        _ingest(run, small, base if small == options.events else run.folder / "ingested")
    if not base.exists():
        made = run.ask("data", f"{options.events:,} payments in their stored form", folder=base, form="stored",
                       events=options.events, members=options.members)  # fmt: skip
        say(f"N is made directly in the stored form, not through the door ({made['bytes'] / 1e6:,.0f} MB).")
    return base


def _ingest(run: FeatureRun, events: int, folder: Path) -> None:
    raw, tiny = run.folder / "raw", run.folder / "raw-tiny"
    members = max(run.options.members * events // run.options.events, 1)
    run.ask("data", "a tiny raw world", folder=tiny, form="raw", **_TINY)
    run.ask("data", f"{events:,} raw payments", folder=raw, form="raw", events=events, members=members)
    done = run.ask("ingest", f"ingest of {events:,} raw payments", raw=raw, folder=folder, tiny=tiny)
    say(f"Ingest, once for {events:,} payments in no order: {cost(done)}, {events / done['seconds']:,.0f} rows/s.")
    shutil.rmtree(raw)
    if folder.name != "base":
        shutil.rmtree(folder)


# ------------------------------------------------------------------- measured


def _compiling(run: FeatureRun, _: Path) -> None:
    """The only place where compiling is measured; afterwards the user's own cache is full."""
    run.ask("first_build", "filling the cache of machine code", folder=run.folder / "tiny")
    if not run.wants("compile"):
        return
    cache = {"BENNE_CACHE": str(run.folder / "cache")}
    cold, warm = (
        run.ask("first_build", f"first build, cache {state}", folder=run.folder / "tiny", environment=cache)["seconds"]
        for state in ("cold", "warm")
    )
    say(f"First build in a fresh process: cache warm {warm:.2f} s, cold {cold:.1f} s (numba compiles the kernel).")


def _side_by_side(run: FeatureRun, base: Path) -> None:
    for moments in (1, 5):
        ours = _ours(run, base, moments)
        say("", f"{moments} as_of, {ours['observations']:,} observations", f"  benne     {cost(ours)}")
        for part in (p for p in _PEERS if run.wants(p)):
            _peer(run, base, part, moments, ours)


def _ours(run: FeatureRun, folder: Path, moments: int) -> Answer:
    """Our engine; what has been measured once is not measured again."""
    if (folder.name, moments) not in run.ours:
        doing, out = f"benne, {moments} as_of, {folder.name}", _result(run, "benne", folder, moments)
        run.ours[folder.name, moments] = run.ask("ours", doing, folder=folder, moments=moments, out=out)
    return run.ours[folder.name, moments]


def _result(run: FeatureRun, name: str, folder: Path, moments: int) -> Path:
    return run.folder / f"{name}-{folder.name}-{moments}.parquet"


def _peer(run: FeatureRun, base: Path, part: str, moments: int, ours: Answer) -> None:
    name, out = _PEERS[part], _result(run, part, base, moments)
    try:
        found = run.ask("peer", f"{name}, {moments} as_of", peer=name, folder=base, moments=moments, out=out)
    except JobFailed as problem:
        say(f"  {name:9} could not do it: {problem}")
        run.failed |= "out of memory" not in str(problem)
        return
    same = run.compare(_result(run, "benne", base, moments), out)
    times, memory = found["seconds"] / ours["seconds"], found["peak_mb"] / ours["peak_mb"]
    say(f"  {name:9} {cost(found)}: {times:.2f}x our time, {memory:.2f}x our memory, {same}")
    target = _TARGETS.get((part, moments))
    run.rows.append(Row.times(f"time, {moments} as_of", ours["seconds"], name, found["seconds"], target))
    run.rows.append(Row.memory(f"peak memory, {moments} as_of", ours["peak_mb"], name, found["peak_mb"]))


_TARGETS: Final = {
    ("pandas", 1): Target(at_least=1.5, unit="x"),
    ("ring", 1): Target(at_least=1 / 1.5, unit="x"),
    ("ring", 5): Target(at_least=1.0, unit="x"),
}


def _unclustered(run: FeatureRun, base: Path) -> None:
    """What sorting at ingest is worth to us: nobody shall be fooled."""
    if not run.wants("unclustered"):
        return
    folder = run.folder / "unclustered"
    run.ask("unclustered", "the same payments in no order", source=base, folder=folder)
    sorted_one, ours = _ours(run, base, 1), _ours(run, folder, 1)
    same = run.compare(_result(run, "benne", base, 1), _result(run, "benne", folder, 1), exactly=True)
    times = ours["seconds"] / sorted_one["seconds"]
    say("", f"From rows in no order, 1 as_of: {cost(ours)}, {times:.2f}x the time from sorted ones; {same}.")
    run.rows.append(Row.times("rows in no order, 1 as_of", sorted_one["seconds"], "unsorted", ours["seconds"]))
    shutil.rmtree(folder)


def _late(run: FeatureRun, base: Path) -> None:
    """Rows known late: observations in whose reach they are get a copy of just what was known."""
    if not run.wants("late"):
        return
    prompt = _ours(run, base, 1)
    say("", f"Late knowledge, 1 as_of: 0 % late rows {cost(prompt)}, {_copied(prompt)}")
    for share, days in _LATE:
        folder = run.folder / f"late-{days}d"
        doing = f"{share:.0%} of payments known {days} days late"
        run.ask("late", doing, source=base, folder=folder, share=share, days=days)
        ours = _ours(run, folder, 1)
        times, same = ours["seconds"] / prompt["seconds"], _oracle(run, folder)
        say(f"  {share:.0%} known {days} d late {cost(ours)}, {_copied(ours)}: {times:.2f}x the time; {same}")
        run.rows.append(Row.times(f"{share:.0%} known {days} d late", prompt["seconds"], "late", ours["seconds"]))
        shutil.rmtree(folder)


def _copied(found: Answer) -> str:
    return f"{found['late'] / found['observations']:.1%} of observations take the copy path"


def _oracle(run: FeatureRun, folder: Path) -> str:
    """Late rows are where it is easy to be wrong: the SQL decides."""
    if not run.wants("ring"):
        return "not checked, as the ring SQL is skipped"
    out = _result(run, "ring", folder, 1)
    run.ask("peer", f"ring SQL, 1 as_of, {folder.name}", peer="ring SQL", folder=folder, moments=1, out=out)
    return run.compare(_result(run, "benne", folder, 1), out) + " as the ring SQL"


def _spark(run: FeatureRun, base: Path) -> None:
    if not run.wants("spark"):
        return
    out, memory = _result(run, "spark", base, 1), "2g" if run.options.events <= _INGEST_AT_MOST else "4g"
    try:
        found = run.ask("spark", "Spark, 1 as_of", folder=base, out=out, memory=memory)
    except JobFailed as problem:
        missing = "EngineUnavailable" in str(problem)
        say("", f"Spark is {'skipped' if missing else 'not measured'}: {problem}")
        run.failed |= not missing
        return
    ours = _ours(run, base, 1)
    same = run.compare(_result(run, "benne", base, 1), out, exactly=True)
    say("", f"Our Spark engine, local[2], a heap of {memory}, 1 as_of: {found['seconds']:.2f} s, "
         f"{found['peak_mb']:,.0f} MB in all its processes, {found['seconds'] / ours['seconds']:.1f}x the embedded "
         f"engine's time; {same}, bit for bit.")  # fmt: skip
    run.rows.append(Row.times("embedded beside Spark, 1 as_of", ours["seconds"], "Spark", found["seconds"]))


def _growth(run: FeatureRun, base: Path) -> None:
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
    say(
        "", f"Growth, 1 as_of, {events:,} payments made directly in the stored form ({made['bytes'] / 1e6:,.0f} MB)",
        f"  {run.options.events:>13,} payments {cost(small)}",
        f"  {events:>13,} payments {cost(large)}: {times:.2f}x the time for {factor}x the payments",
    )  # fmt: skip
    target = Target(at_most=1.1 * factor, unit="x")
    run.rows.append(Row.times(f"growth, {factor}x payments", small["seconds"], f"{factor}N", large["seconds"], target))
    limit = Target(at_most=6.0, unit=" GB") if events >= _LARGE else Target(unit=" GB", note="6 GB at 100M")
    run.rows.append(Row.alone(f"peak memory, {events:,} payments", large["peak_mb"] / 1000, limit))
    shutil.rmtree(folder)


def _online(run: FeatureRun, _: Path) -> None:
    """All registered features, on a simulated platform."""
    if not run.wants("online"):
        return
    folder = run.folder / "simulated"
    folder.mkdir()
    found = run.ask("online", f"a simulated platform of {run.options.simulated:,} members", folder=folder,
                    members=run.options.simulated)  # fmt: skip
    say(
        "", f"All {found['features']} features of {run.options.simulated:,} members of benne.experiments.simulator",
        f"  build: {found['rows']:,} rows, {found['observations']:,} observations in {cost(found)}: "
        f"{found['rows'] / found['seconds']:,.0f} rows/s",
        f"  event store (SQLite): made in {found['store_seconds']:.1f} s",
        f"  online, {found['asked']:,} members one by one, {found['rows_per_member']:,.0f} events each on average",
        *(f"    {title:46} p50 {found[k]['p50']:.2f} ms, p99 {found[k]['p99']:.2f} ms" for k, title in _ASKED.items()),
    )  # fmt: skip
    for what, name, at_most in (("computing", "computing", 1.0), ("with the local store", "store", 2.5)):
        run.rows += [
            Row.alone(f"online p50, {what}", found[name]["p50"], Target(unit=" ms")),
            Row.alone(f"online p99, {what}", found[name]["p99"], Target(at_most=at_most, unit=" ms")),
        ]


_ASKED: Final = {
    "computing": "computing only (features.compute.compute)",
    "store": "with the store (OnlineFeatures.compute)",
    "store_with_consents": "with the store, and the members' own consents",
}


if __name__ == "__main__":
    raise SystemExit(main())
