"""Batch scoring: points from Parquet beside LightGBM, then consents, scores, audit, output and proofs, in one run.

Random rows of sixty columns in five categories, one for each member; of a hundred members 78 consent to everything,
others to less, two withdrew, two never consented. Rates are of one core: rows to the seconds of all threads together.
Read the ratios: seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from running import Run, add_choice, carry_out, cost, machine, positive, say
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_batch.py                         # a minute or two
  python benchmarks/bench_batch.py --members 10000000      # make bench-large: half an hour, 40 GB on disk
Exit code 1 where something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("batch_jobs.py")
_PARTS: Final = ("kernel", "whole", "growth", "proof")
_KERNEL_ROWS: Final = 200_000
_GROWTH: Final = 5
_PROOFS: Final = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    say(f"Batch scoring; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=positive, default=500_000, help="members of the batch (default 500000)")
    parser.add_argument("--trees", type=positive, default=300, help="trees of the model at most (default 300)")
    add_choice(parser, "--skip", _PARTS, "parts left out")
    return parser


def _all(run: Run) -> None:
    members = run.options.members
    folder = _world(run, "large", members)
    if run.wants("kernel"):
        _kernel(run, folder, min(members, _KERNEL_ROWS))
    found = run.ask("whole", f"{members:,} members end to end", folder=folder) if run.wants("whole") else None
    if found is not None:
        _whole(run, found)
    if run.wants("growth") and found is not None:
        _growth(run, found)
    if run.wants("proof") and found is not None:
        _proof(run, folder)


def _world(run: Run, name: str, members: int) -> Path:
    folder = run.folder / name
    folder.mkdir()
    made = run.ask("world", f"a world of {members:,} members", folder=folder, members=members, trees=run.options.trees)
    seconds, sizes = made["seconds"], made["megabytes"]
    say(
        f"{members:,} members: features {sizes['features.parquet']:,.0f} MB in {seconds['features']:.1f} s, "
        f"ledger {sizes['ledger.db']:,.0f} MB in {seconds['ledger']:.1f} s "
        f"({members / seconds['ledger']:,.0f} members a second)"
    )
    return folder


def _kernel(run: Run, folder: Path, rows: int) -> None:
    found = run.ask("kernel", "points from Parquet", folder=folder, rows=rows)
    say(
        "",
        f"Points of 60 columns and everything beside them from Parquet, {found['trees']} trees, one thread each: ours "
        f"{found['points']:,.0f}/s; LightGBM's predict {found['predict']:,.0f}/s, pred_contrib "
        f"{found['pred_contrib']:,.0f}/s on the same file",
    )
    ours = found["points"]
    run.rows += [
        Row.alone("points from Parquet, a core", ours, Target(at_least=100_000, unit="/s", form=",.0f")),
        Row.rates("points from Parquet", ours, "LightGBM's pred_contrib", found["pred_contrib"]),
        Row.rates("points from Parquet", ours, "LightGBM's plain predict", found["predict"]),
    ]


def _whole(run: Run, found: dict[str, Any]) -> None:
    a_core = found["rows"] / found["cpu_seconds"]
    sizes = ", ".join(f"{name} {size:,.0f} MB" for name, size in sorted(found["megabytes"].items()))
    say(
        "",
        f"From end to end, {found['rows']:,} members: {cost(found)}; {found['rows'] / found['seconds']:,.0f}/s, "
        f"{a_core:,.0f}/s a core; {found['scored']:,} scored, {sum(found['refused'].values()):,} refused, "
        f"{found['records']:,} audit records",
        f"  {sizes}",
    )
    target = Target(at_least=20_000, unit="/s", form=",.0f")
    run.rows.append(Row.alone("consent, score, audit, output, a core", a_core, target))


def _growth(run: Run, large: dict[str, Any]) -> None:
    """Whether memory grows with the members."""
    members = max(1, run.options.members // _GROWTH)
    folder = _world(run, "small", members)
    small = run.ask("whole", f"{members:,} members end to end", folder=folder)
    say("", f"{small['rows']:,} members: {cost(small)}")
    name, times = f"peak memory, {large['rows']:,} members", large["peak_mb"] / small["peak_mb"]
    run.rows += [
        Row.memory(name, large["peak_mb"], f"{small['rows']:,} members", small["peak_mb"]),
        Row.alone("memory for five times the members", times, Target(at_most=1.3, unit="x")),
    ]


def _proof(run: Run, folder: Path) -> None:
    found = run.ask("proof", "one member's proof", folder=folder, proofs=_PROOFS)
    say("", f"A proof of {found['path']} hashes: made in {found['made'] * 1e3:.0f} ms, "
        f"checked in {found['checked'] * 1e3:.1f} ms")  # fmt: skip
    run.rows += [
        Row.alone("a proof made", found["made"] * 1e3, Target(unit=" ms", form=".0f")),
        Row.alone("a proof checked", found["checked"] * 1e3, Target(unit=" ms")),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
