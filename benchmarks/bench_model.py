"""The score model: accuracy, exactness, speed and fit, beside LightGBM, OptBinning, InterpretML and shap, in one run.

Accuracy on Taiwan's cards (docs/datasets.md): everybody learns from the same columns of the same members, and is
measured on the same others. Speed on random rows of sixty columns in five categories. Read the ratios: seconds
depend on the machine and on who else uses it. What is compared is measured in turns, and the best of several counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from measuring import JobFailed
from running import Answer, Run, add_choice, carry_out, machine, positive, say
from targets import Row, Target

_EPILOG = """examples:
  python benchmarks/bench_model.py                               # some five minutes
  python benchmarks/bench_model.py --skip accuracy,patterns      # without these
  python benchmarks/bench_model.py --peers ebm --rows 1000000    # make bench-large: half an hour
Exit code 1 where our points differ from anybody's, or something fails; not where a target is missed."""

_JOBS: Final = Path(__file__).with_name("model_jobs.py")
_PARTS: Final = ("accuracy", "points", "depths", "oracles", "estimator", "first", "fit", "patterns", "rows")
_FREE, _HELD = "ours, weights free", "ours, τ = 0"
_UNCONSTRAINED: Final = ("LightGBM, same options", "LightGBM, best size")
_OURS: Final = ("Benne's features, free", "Benne's features, τ = 0", _HELD, _FREE)
_TREES, _GROWN_ON = 600, 30_000
_DEEPER: Final = {4: 4_096, 5: 4_096, 6: 2_048, 8: 256}
_EXACT: Final = Target(at_most=1e-9, form=".0e")
_MICROSECONDS: Final = Target(unit=" µs", form=".0f")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the ratios."""
    options = _parser().parse_args(arguments)
    say(f"The score model; {machine()}", "")
    return carry_out(lambda folder: Run(options, folder, _JOBS), _all)


def _all(run: Run) -> None:
    steps = (_accuracy, _points, _depths, _oracles, _estimator, _first_call, _fit, _patterns, _many_rows)
    for part, step in zip(_PARTS, steps, strict=True):
        if run.wants(part):
            step(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=positive, default=100_000, help="rows of the large fit (default 100000)")
    parser.add_argument("--repeats", type=positive, default=3, help="fits of which the best counts (default 3)")
    add_choice(parser, "--peers", ("ebm",), "peers that take minutes")
    add_choice(parser, "--skip", _PARTS, "parts left out")
    return parser


# ------------------------------------------------------------------- accuracy


def _accuracy(run: Run) -> None:
    folder = run.folder / "taiwan"
    folder.mkdir()
    # One thread for LightGBM's own cross-validation: with more, it waits for itself on a busy machine.
    one_thread = {"OMP_NUM_THREADS": "1"}
    try:
        columns = run.ask("fit_on_columns", "Taiwan: everybody on the same columns", environment=one_thread,
                          folder=folder, peers=sorted(run.options.peers))  # fmt: skip
        own = run.ask("fit_on_features", "Taiwan: Benne's own features", environment=one_thread, folder=folder)
    except JobFailed as problem:
        _without_taiwan(run, problem)
        return
    found = run.quietly("figures", folder=folder)
    train, test = columns["rows"]
    say(
        f"Taiwan, {train:,} members to learn from and {test:,} held out; {columns['columns']} columns for everybody,",
        f"{own['columns']} features of Benne's own. Brackets: 95 % intervals by paired bootstrap, 1,000 resamples.",
        "",
        *_figures(found, columns["seconds"] | own["seconds"]),
        *(f"  {name} is not here. {why}" for name, why in columns["missing"].items()),
    )
    run.rows += _accuracy_rows(found)


def _without_taiwan(run: Run, problem: JobFailed) -> None:
    missing = "DatasetError" in str(problem)
    say(f"Taiwan is {'skipped' if missing else 'not measured'}: {problem}")
    run.failed |= not missing


def _figures(found: Answer, seconds: dict[str, float]) -> list[str]:
    lines = [f"  {'':26}{'AUC':24}{'KS':8}{'Brier':8}{'ECE':8}{'AUC of ours, free, less this':30}fit"]
    others = sorted(set(found) - set(_OURS), key=lambda name: -found[name]["auc"])
    for name in (*others, *_OURS):
        of = found[name]
        auc = f"{of['auc']:.4f} [{of['auc_low']:.4f}, {of['auc_high']:.4f}]"
        less = f"{of['auc_difference']:+.4f} [{of['auc_difference_low']:+.4f}, {of['auc_difference_high']:+.4f}]"
        lines.append(
            f"  {name:26}{auc:24}{of['ks']:<8.4f}{of['brier']:<8.4f}{of['ece']:<8.4f}"
            f"{'' if name == _FREE else less:30}{seconds[name]:.1f} s"
        )
    return lines


def _accuracy_rows(found: Answer) -> list[Row]:
    free, held = found[_FREE], found[_HELD]
    near = Target(at_least=-0.004, form=".4f")
    others = [name for name in found if name not in (*_OURS, *_UNCONSTRAINED)]
    return [
        *(Row.accuracy("AUC, free", free["auc"], name, found[name]["auc"], near) for name in _UNCONSTRAINED),
        *(Row.accuracy("AUC, free", free["auc"], name, found[name]["auc"]) for name in others),
        *(Row.accuracy("AUC, τ = 0", held["auc"], name, found[name]["auc"]) for name in others),
        Row.alone("AUC, τ = 0", held["auc"], Target(at_least=0.7675, form=".4f")),
        Row.alone("Brier, free", free["brier"], Target(at_most=0.136, form=".4f")),
        Row.alone("ECE, free", free["ece"], Target(at_most=0.010, form=".4f")),
        *(Row.accuracy(f"AUC, {name}", found[name]["auc"], _UNCONSTRAINED[1], found[_UNCONSTRAINED[1]]["auc"])
          for name in _OURS[:2]),
    ]  # fmt: skip


# ------------------------------------------------------------------- points


def _grown(run: Run, depth: int = 3, trees: int = _TREES) -> Path:
    """A booster of so many trees; the first one is used by several parts."""
    text = run.folder / f"depth-{depth}.txt"
    if not text.exists():
        doing = f"{trees} trees of depth {depth} on 60 columns in five categories"
        run.ask("grow", doing, out=text, depth=depth, trees=trees, rows=_GROWN_ON)
    return text


def _points(run: Run) -> None:
    text = _grown(run)
    found = run.ask("speed", "points", text=text, rows=20_000, rows_of_theirs=1_000, single=3_000)
    one, theirs = found["one_row"], found["one_row_contrib"]
    say(
        "", f"Points of 60 columns, {_TREES} trees of depth 3, 5 % missing; one thread each, rows/s",
        f"  ours: categories alone {found['categories']:,.0f}, with every feature's points {found['points']:,.0f}",
        f"  LightGBM: predict {found['predict']:,.0f}, pred_contrib {found['pred_contrib']:,.0f}",
        f"  one row: ours p50 {one['p50']:.0f} µs, p99 {one['p99']:.0f} µs; "
        f"pred_contrib p50 {theirs['p50']:.0f} µs, p99 {theirs['p99']:.0f} µs",
        f"  tables and trees: {found['table_mb']:.1f} MB",
    )  # fmt: skip
    run.rows += [
        Row.rates("points", found["points"], "pred_contrib", found["pred_contrib"], Target(at_least=60, unit="x")),
        Row.rates("points", found["points"], "plain predict", found["predict"], Target(at_least=4, unit="x")),
        Row.alone("points of one row, p50", one["p50"], Target(at_most=60, unit=" µs", form=".0f")),
        Row.alone("points of one row, p99", one["p99"], _MICROSECONDS),
        Row.times("points of one row, p50", one["p50"], "pred_contrib", theirs["p50"], unit="µs"),
    ]


def _depths(run: Run) -> None:
    say("", "Deeper trees, 100 of them, one thread, rows/s (for information)")
    for depth, rows in _DEEPER.items():
        text = _grown(run, depth, 100)
        found = run.ask("speed", f"points of depth {depth}", text=text, rows=rows, rows_of_theirs=rows // 16, single=0)
        more, plain = found["points"] / found["pred_contrib"], found["points"] / found["predict"]
        say(
            f"  depth {depth}: points {found['points']:,.0f}, {more:.1f}x pred_contrib, {plain:.2f}x plain predict; "
            f"{found['table_mb']:.1f} MB, made in {found['made']:.2f} s"
        )


def _oracles(run: Run) -> None:
    doing = "points beside pred_contrib, shap and brute force"
    found = run.ask("agreement", doing, text=_grown(run), rows=1_000, few=3)
    run.rows += [Row.alone(f"largest difference, {name}", gap, _EXACT) for name, gap in found.items()]
    run.failed |= any(_EXACT.met(gap) == "NO" for gap in found.values())


def _estimator(run: Run) -> None:
    found = run.ask("explain", "the whole estimator, one row", rows=_GROWN_ON, trees=_TREES, single=1_000)
    say(
        "",
        f"CreditScoreModel on one row of a frame of 60 columns, {found['trees']} trees, checks included: "
        + "; ".join(f"{name} {_milliseconds(found[name])}" for name in ("score", "explain")),
    )
    run.rows += [
        Row.alone("explain of one row, p50", found["explain"]["p50"] / 1e3, Target(at_most=1.0, unit=" ms")),
        Row.alone("score less the sum of its lines", found["largest_gap"], _EXACT),
    ]
    run.failed |= _EXACT.met(found["largest_gap"]) == "NO"


def _milliseconds(of: dict[str, float]) -> str:
    return f"p50 {of['p50'] / 1e3:.2f} ms, p99 {of['p99'] / 1e3:.2f} ms"


def _first_call(run: Run) -> None:
    text, cache = _grown(run), {"BENNE_CACHE": str(run.folder / "cache")}
    cold, warm = (
        run.ask("first_call", f"first call, cache {state}", environment=cache, text=text) for state in ("cold", "warm")
    )
    say(
        "",
        f"First points in a fresh process, importing not counted: cache warm {warm['made'] + warm['first']:.2f} s "
        f"(reading the model and making its tables {warm['made']:.2f} s), cold {cold['made'] + cold['first']:.1f} s.",
    )
    run.rows.append(Row.alone("first points, fresh process", warm["made"] + warm["first"], Target(unit=" s")))


# ------------------------------------------------------------------- fit


def _fit(run: Run) -> None:
    try:
        found = run.ask("fit", "Taiwan: our fit and LightGBM's", repeats=run.options.repeats)
    except JobFailed as problem:
        _without_taiwan(run, problem)
        return
    ours, theirs = found["ours"], found["theirs"]
    say(
        "", f"Fit on Taiwan, {found['rows']:,} rows, five folds and a refit of {found['trees']} trees",
        f"  ours, with contract, calibration and report: {_seconds(ours)}",
        f"  LightGBM, the same folds side by side, parameters and stopping: {_seconds(theirs)}; ours takes "
        f"{ours['seconds'] / theirs['seconds']:.2f}x the time, {ours['cpu_seconds'] / theirs['cpu_seconds']:.2f}x "
        "of processors",
        f"  and with its price against LightGBM without constraints, a second cross-fit: {_seconds(found['priced'])}, "
        f"{found['priced']['seconds'] / theirs['seconds']:.2f}x",
    )  # fmt: skip
    at_most_1_3 = Target(at_least=1 / 1.3, unit="x")
    run.rows.append(Row.times("fit", ours["seconds"], "LightGBM", theirs["seconds"], at_most_1_3))


def _seconds(of: Any) -> str:
    return f"{of['seconds']:.2f} s ({of['cpu_seconds']:.2f} s of processors)"


def _patterns(run: Run) -> None:
    try:
        found = run.ask("patterns", "Taiwan: a booster tried for every pattern", repeats=1)
    except JobFailed as problem:
        _without_taiwan(run, problem)
        return
    none, tried = found["none"], found["all"]
    say(
        f"  trying a booster for every pattern of consent ({found['patterns']}): {_seconds(tried)}, "
        f"{tried['cpu_seconds'] / none['cpu_seconds']:.2f}x of processors"
    )
    run.rows.append(Row.times("fit", none["seconds"], "every pattern tried", tried["seconds"]))


def _many_rows(run: Run) -> None:
    rows = run.options.rows
    found = run.ask("many_rows", f"fit, score and explain {rows:,} rows", rows=rows)
    say("", f"{rows:,} rows of {found['columns']} columns in one process ({found['data_mb']:,.0f} MB of values; "
        f"{found['before_mb']:,.0f} MB before the fit), at most 300 trees ({found['trees']} taken)")  # fmt: skip
    for name in ("fit", "predict_score", "explain"):
        of = found[name]
        say(f"  {name:14}{_seconds(of)}, {rows / of['seconds']:,.0f} rows/s; peak so far {of['peak_mb']:,.0f} MB")
    run.rows.append(Row.alone(f"peak memory, {rows:,} rows", found["explain"]["peak_mb"] / 1e3, Target(unit=" GB")))


if __name__ == "__main__":
    raise SystemExit(main())
