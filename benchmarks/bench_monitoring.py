"""Monitoring: a year of rows against a model's reference, beside pandas that puts them into the same bins.

Read the ratios: seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from running import Run, carry_out, cost, machine, positive, say
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_monitoring.py                     # a million rows of seventy features: two minutes
  python benchmarks/bench_monitoring.py --rows 100000
Exit code 1 where pandas finds another index, or something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("monitoring_jobs.py")
_SAME: Final = 1e-9


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=positive, default=1_000_000, help="rows of twelve months (default 1000000)")
    parser.add_argument("--columns", type=positive, default=70, help="features (default 70)")
    options = parser.parse_args(arguments)
    say(f"Monitoring; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _all(run: Run) -> None:
    rows, columns = run.options.rows, run.options.columns
    run.ask("world", f"{rows:,} rows of {columns} features", folder=run.folder, rows=rows, columns=columns)
    ours = run.ask("ours", "ours: features by month", folder=run.folder)
    peer = run.ask("peer", "pandas: features by month", folder=run.folder)
    whole = run.ask("whole", "ours: everything", folder=run.folder)
    say(
        f"{rows:,} rows of {columns} features, twelve months",
        f"  features by month, ours: {cost(ours)}",
        f"  the index alone, pandas cut and crosstab: {cost(peer)}; differs by {peer['differs']:.0e}",
        f"  everything, with told scores and outcomes: {cost(whole)}; {whole['alarms']} alarms, "
        f"{whole['warnings']} warnings",
    )
    run.failed |= not peer["differs"] < _SAME
    run.rows += [
        Row.times("every feature by month", ours["seconds"], "pandas cut and crosstab", peer["seconds"]),
        Row.alone("everything that is monitored", whole["seconds"], Target(at_most=30.0, unit=" s", form=".1f")),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
