"""``benne fairness``: who passes, whether PDs come true in every group, and what tells a protected attribute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.audited_rows import consented_rows, outcomes_of_rows, protected_attributes, unseen_by
from benne.cli.console import Steps, answer, note, table
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import (
    FileIn,
    HeldOut,
    KeyFile,
    LedgerBehind,
    OutcomesFile,
    OutFolder,
    ProtectedPurpose,
    SavedModel,
    Seed,
    WantJson,
)

if TYPE_CHECKING:
    from benne.experiments.fairness import FairnessReport

__all__ = ["fairness"]

_STEPS = ("read model, features, outcomes and attributes", "measure", "write")
_WITH_SEARCH = (*_STEPS[:2], "search for alternatives", *_STEPS[2:])


def fairness(
    model: SavedModel,
    features: Annotated[Path, typer.Argument(help="Features of members it was not trained on, built for training.")],
    outcomes: OutcomesFile,
    protected: Annotated[
        Path, typer.Option("--protected", help="Store of protected attributes, or a Parquet or CSV file of them.")
    ],
    cutoff: Annotated[list[float], typer.Option("--cutoff", help="Lowest score that passes; again for more.")],
    by: Annotated[str, typer.Option("--by", help="Who audits, as a store's chain names them; no address.")],
    out: OutFolder,
    purpose: ProtectedPurpose = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", help="Attribute to look at; by default all; again for more.")
    ] = None,
    together: Annotated[
        list[str] | None, typer.Option("--together", metavar="A,B", help="Two attributes to look at together.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", metavar="NAME=GROUP", help="Group to compare with; by default the largest."),
    ] = None,
    ledger: LedgerBehind = None,
    held_out: HeldOut = False,
    search: Annotated[
        int, typer.Option("--search", min=0, help="Draws of the search for a less discriminatory alternative.")
    ] = 0,
    tracking: Annotated[
        str | None, typer.Option(help="MLflow, to log the search to: a folder, or a tracking URI.")
    ] = None,
    store: FileIn = None,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Audit a model: who passes, whether PDs come true in every group, and what tells a protected attribute.

    Rows must be of members on whom it was not trained: --held-out leaves the others out, by the record of its training.
    Attributes are read from a store of their own, on record there and for a stated purpose, or from a file. Groups with
    too little known are INSUFFICIENT, which is no pass. With --search, models that even out more are looked for, and
    each is kept or rejected with the reason.

    \b
    Example:
      benne fairness model training_features.parquet --held-out --outcomes world/outcomes.parquet --cutoff 600 \\
        --cutoff 650 --protected protected --purpose fairness_audit:2026-q4 --by counsel-1 --out audit
    """
    from benne.experiments.fairness import AboutAudit, assess_fairness, fairness_document, write_fairness_report
    from benne.models import CreditScoreModel
    from benne.scoring.wiring import system_clock

    options = _options(together, reference)
    with Steps(_WITH_SEARCH if search else _STEPS) as steps:
        steps.begin(0)
        loaded = CreditScoreModel.load(model)
        rows, known = unseen_by(consented_rows(features, ledger), [model], held_out=held_out, filed=store is not None)
        bad = outcomes_of_rows(rows, outcomes, key_file)
        attributes = protected_attributes(
            protected, rows.index.unique("subject_id"), by=by, purpose=purpose, key_file=key_file, names=attribute
        )
        steps.begin(1)
        report = assess_fairness(loaded, rows, bad, attributes, cutoffs=cutoff, seed=seed, options=options)
        about = AboutAudit.of(model, made_at=system_clock(), by=by, purpose=purpose or "", trained_on=known)
        found = None
        if search:
            from benne.experiments.fairness.alternatives import AlternativeSearch, search_alternatives

            steps.begin(2)
            found = search_alternatives(
                loaded, rows, bad, attributes, cutoffs=cutoff, options=options,
                search=AlternativeSearch(draws=search, seed=seed), on_candidate=lambda one: steps.detail(one.name),
            )  # fmt: skip
            if tracking is not None:
                _log(found, tracking)
        steps.begin(3 if search else 2)
        written = write_fairness_report(report, out, about, alternatives=found)
        file_in_store(store, fairness_document(report, about, alternatives=found), by, role="compliance")
    answer_written(written, _told(report, found), lambda: _tell(report, found), want_json=want_json)


def _options(together: list[str] | None, reference: list[str] | None) -> Any:
    from benne.experiments.fairness import FairnessOptions

    pairs = [one.partition(",") for one in together or []]
    if any(not comma or "," in other for _, comma, other in pairs):
        raise typer.BadParameter("--together must name two attributes, such as sex,age.")
    named = [one.partition("=") for one in reference or []]
    if any(not equals for _, equals, _ in named):
        raise typer.BadParameter("--reference must be NAME=GROUP, such as sex=male.")
    joint = [(first.strip(), second.strip()) for first, _, second in pairs]
    return FairnessOptions(intersections=joint, reference={name: group for name, _, group in named})


def _log(found: Any, tracking: str) -> None:
    from benne.cli.edge import quiet_mlflow

    quiet_mlflow()
    from benne.experiments.fairness.alternatives_tracking import log_alternatives
    from benne.experiments.tracking import tracking_at

    note(f"Logged to MLflow as run {log_alternatives(found, tracking_at(tracking))}")


def _told(report: FairnessReport, found: Any) -> dict[str, Any]:
    from benne.experiments.fairness import fairness_measures

    told: dict[str, Any] = {
        "rows": report.rows, "members": report.members, "left_out": report.left_out,
        "measures": {name: one.as_dict() for name, one in fairness_measures(report).items()},
    }  # fmt: skip
    return told if found is None else told | {"alternatives": found.as_records()}


def _tell(report: FairnessReport, found: Any) -> None:
    from benne.experiments.fairness import fairness_measures

    answer(
        f"{report.rows:,} rows of {report.members:,} members at cut-offs {', '.join(f'{c:g}' for c in report.cutoffs)}"
    )
    for reason, count in report.left_out.items():
        if count:
            answer(f"  {reason}: {count:,}")
    rows = [(name.replace("_", " "), one.note, one.state if one.value is None else f"{one.value:.4f}",
             "" if one.low is None or one.high is None else f"{one.low:.4f} to {one.high:.4f}", f"{one.n:,}")
            for name, one in fairness_measures(report).items()]  # fmt: skip
    table(("worst of", "where", "value", "95 % interval", "n"), rows, left=2)
    review = report.disparities.by_cutoff
    review = review[review["finding"] == "review"]
    for row in review.itertuples():
        answer(f"Review: {row.attribute} {row.group} at {row.cutoff:g}, ratio {row.adverse_impact_ratio:.2f} "
               f"({row.adverse_impact_ratio_low:.2f} to {row.adverse_impact_ratio_high:.2f})")  # fmt: skip
    if found is not None:
        _tell_alternatives(found)


def _tell_alternatives(found: Any) -> None:
    lines = found.table
    answer(f"\n{len(lines) - 1} alternatives, on {found.test_rows:,} held-out rows:")
    told = ("auc", "adverse_impact_ratio", "equal_opportunity_gap", "standardised_mean_difference")
    table(
        ("candidate", "AUC", "least ratio", "change, 95 % interval", "opportunity gap", "SMD", "verdict"),
        [(one["candidate"], *cells[:2], _change(one, "adverse_impact_ratio"), *cells[2:], one["verdict"])
         for one in lines.to_dict("records")
         for cells in [["–" if one[name] != one[name] else f"{one[name]:.4f}" for name in told]]],
    )  # fmt: skip
    for one in lines.to_dict("records"):
        if one["why"]:
            answer(f"  {one['candidate']}: {one['why']}")


def _change(line: dict[Any, Any], name: str) -> str:
    value, low, high = (line[f"{name}_change{end}"] for end in ("", "_low", "_high"))
    return "–" if value != value else f"{value:+.4f} ({low:+.4f} to {high:+.4f})"
