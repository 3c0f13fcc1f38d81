"""``benne demo``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import quiet_mlflow
from benne.cli.options import Seed, WantJson

if TYPE_CHECKING:
    from benne.experiments.demo import DemoResult

__all__ = ["demo"]


def demo(
    folder: Annotated[Path, typer.Option(help="Folder to write; an earlier demo in it is replaced.")] = Path(
        "build/demo"
    ),
    members: Annotated[int, typer.Option(min=500, help="How many members the platform has.")] = 20_000,
    seed: Seed = 0,
    want_json: WantJson = False,
) -> None:
    """Go the whole way on simulated members: from raw events to explained, consented scores and a report.

    It fails if a score does not add up, a weight does not hold, or somebody is scored without consent.

    \b
    Example:
      benne demo --members 2000
    """
    quiet_mlflow()
    began = time.perf_counter()
    note("Loading …")
    from benne.experiments.demo import STEPS, DemoOptions, run_demo

    with Steps(STEPS) as steps:
        result = run_demo(folder, DemoOptions(members, seed), lambda number, _: steps.begin(number))
    if want_json:
        answer_json(result.summary | {"seconds": steps.seconds})
        return
    _tell(result)
    note(f"\nDone in {time.perf_counter() - began:.0f} s. {result.summary['data'].capitalize()}.")


def _tell(result: DemoResult) -> None:
    summary = result.summary
    answer(f"\n{summary['scored']:,} members scored, {sum(summary['refused'].values()):,} not. One score, explained:\n")
    answer(result.explanation.as_text())
    answer(f"\nA member who never opted in:\n  {result.refusal}\n")
    table(
        ("share of influence", "alone", "natural", "declared", "realised", "test members"),
        [(name, f"AUC {summary['category_auc'][name]:.3f}", f"{summary['shares_natural'][name]:.2%}",
          f"{declared:.2%}", f"{summary['shares_reference'][name]:.4%}", f"{summary['shares_test'][name]:.2%}")
         for name, declared in summary["weights"].items()],
    )  # fmt: skip
    free, test = summary["price"]["unconstrained"], summary["test"]
    answer(f"\nAUC on members not trained on: {test['auc']:.3f}. Price of the weights (ours less free LightGBM): "
           f"{free['auc_price']:+.4f} ({free['auc_price_low']:+.4f} to {free['auc_price_high']:+.4f}).")  # fmt: skip
    answer(f"Calibration error against the simulator's known PD: {summary['ece_against_known_pd']:.4f} "
           f"({summary['ece_against_known_pd_self_selected']:.4f} with members who chose what to withhold). "
           f"Largest gap between a score and its explanation: {summary['largest_gap']:.0e} points.\n")  # fmt: skip
    answer(f"Report:   {result.report}")
    answer(f"Compared: {result.report.with_name('evaluation') / 'evaluation.html'}")
    answer(f"Verdict:  {result.report.with_name('validation') / 'verdict.html'}  {_served(summary['verdict'])}")
    answer(f"Figures:  {result.report.with_name('summary.json')}")
    answer(f"Model:    {result.model}")
    answer(f"MLflow:   mlflow ui --backend-store-uri {summary['tracking_uri']}")


def _served(verdict: dict[str, Any]) -> str:
    """Whether the model passed, and what stopped it; a gate that is only worth a look stops nothing."""
    missed, beside = (", ".join(verdict[which]) for which in ("missed", "worth_a_look"))
    said = "passed, and promoted" if verdict["passed"] else f"not passed, so that it may not serve ({missed})"
    return said + (f"; worth a look: {beside}" if beside else "")
