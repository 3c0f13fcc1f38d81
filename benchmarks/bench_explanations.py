"""Explanations: points, reasons and key factors of every member beside LightGBM's `pred_contrib`: values alone.

Random rows of sixty columns in five categories and twenty reason groups. Ours does all that an explanation takes:
checks of the rows, score, points, intervals and percentile, each reason group neutralised and the row scored again, all
of it held against the score, and an object for each member. Rates are of one thread. Read the ratios: seconds depend on
the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from running import Run, add_choice, carry_out, machine, positive, say
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_explanations.py                     # a minute
  python benchmarks/bench_explanations.py --members 1000000
Exit code 1 where something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("explanation_jobs.py")
_PARTS: Final = ("reasons", "one", "documents")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    say(f"Explanations; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=positive, default=100_000, help="members explained (default 100000)")
    parser.add_argument("--trees", type=positive, default=300, help="trees of the model at most (default 300)")
    add_choice(parser, "--skip", _PARTS, "parts left out")
    return parser


def _all(run: Run) -> None:
    made = run.ask("world", "a model", folder=run.folder, trees=run.options.trees)
    say(f"60 columns, {made['groups']} reason groups, {made['trees']} trees; {run.options.members:,} members.")
    if run.wants("reasons"):
        _reasons(run)
    if run.wants("one"):
        _one(run)
    if run.wants("documents"):
        documents(run)


def _reasons(run: Run) -> None:
    found = run.ask("reasons", "reasons of everybody", folder=run.folder, members=run.options.members)
    say(
        f"In turns, one thread: points {found['points']:,.0f}/s, key factors {found['key_factors']:,.0f}/s, points, "
        f"reasons and key factors {found['everything']:,.0f}/s; LightGBM's pred_contrib {found['pred_contrib']:,.0f}/s",
        f"  {found['reasons']:.2f} reasons and {found['factors']:.2f} key factors a member; largest gap between score "
        f"and lines {found['gap']:.1e}; the strongest Shapley value moves the score less than the second one of "
        f"{found['swapped']:.1%} of members",
    )
    peer, theirs = "LightGBM's pred_contrib", found["pred_contrib"]
    run.rows += [
        Row.rates("points, reasons, key factors", found["everything"], peer, theirs, Target(at_least=1.0, unit="x")),
        Row.rates("points alone, checked", found["points"], peer, theirs),
    ]


def _one(run: Run) -> None:
    found: dict[str, Any] = run.ask("one", "one member at a time", folder=run.folder)
    say(f"One member: reasons p50 {found['p50']:,.0f} µs, p99 {found['p99']:,.0f} µs")
    run.rows.append(Row.alone("one member's reasons, p50", found["p50"] / 1e3, Target(unit=" ms")))


def documents(run: Run) -> None:
    """What written explanations take: objects, pages and PDFs a second, made one after the other."""
    found = run.ask("documents", "reports as page and PDF", folder=run.folder)
    say(
        f"A report of {found['features']} features, one core: explanations {found['explanations']:,.0f}/s, pages "
        f"{found['html']:,.0f}/s ({found['html_kb']:,.0f} kB), PDFs {found['pdf']:,.0f}/s ({found['pdf_kb']:,.0f} kB, "
        f"{found['pages']} pages); in Chinese {found['zh']}"
    )
    run.rows += [
        Row.alone("one report as page", 1e3 / found["html"], Target(unit=" ms")),
        Row.alone("one report as PDF", 1e3 / found["pdf"], Target(unit=" ms")),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
