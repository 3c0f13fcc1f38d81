"""``benne validate``: a model measured anew by somebody else, and held against gates that stood before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.audited_rows import labelled_rows, protected_attributes
from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import quiet_mlflow
from benne.cli.exit_codes import NOT_ADMITTED
from benne.cli.governance_store import GovernancePlace, opened_governance_store
from benne.cli.options import KeyFile, LedgerBehind, OutcomesFile, ProtectedIfWanted, ProtectedPurpose, Seed, WantJson

if TYPE_CHECKING:
    import pandas as pd

    from benne.experiments.tracking import Tracking
    from benne.experiments.validation import Candidate, MadeVerdict
    from benne.experiments.validation.evidence import ReadAttributes

__all__ = ["validate"]

_STEPS = {
    "read": "read model, features and outcomes",
    "figures": "discrimination, calibration, bands",
    "patterns": "every pattern of consent",
    "promises": "stability, weights, points, latency",
    "fairness": "fairness",
    "gaming": "gaming",
    "documentation": "documentation, and put on record",
}


def validate(
    candidate: Annotated[str, typer.Argument(metavar="RUN|MODEL", help="MLflow's run, or a saved model's folder.")],
    store: GovernancePlace,
    features: Annotated[Path, typer.Option("--features", help="Features with purpose model_training, of others.")],
    outcomes: OutcomesFile,
    by: Annotated[str, typer.Option("--by", help="Who validates; not who trained it.")],
    tracking: Annotated[str, typer.Option("--tracking", help="MLflow, where a run is named.")] = "mlflow",
    author: Annotated[
        str | None,
        typer.Option("--author", help="Who trained it, of a folder without training.json; none such passes."),
    ] = None,
    ledger: LedgerBehind = None,
    protected: ProtectedIfWanted = None,
    purpose: ProtectedPurpose = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="Folder of events, for the test of spending on the platform.")
    ] = None,
    costs: Annotated[
        Path | None, typer.Option("--costs", help="What moves cost (TOML), for attacks on features of your own.")
    ] = None,
    key_file: KeyFile = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the verdict and its findings.")] = Path("validation"),
    seed: Seed = 0,
    want_json: WantJson = False,
) -> None:
    """Validate a model that somebody else trained: measured anew, held against the gates declared before its training.

    The verdict is put on record whether it passes or not. A gate that cannot be measured is INSUFFICIENT, which is no
    pass. Members who were trained on are left out. Ends with exit code 11 where the model did not pass.

    \b
    Example:
      benne validate 4f2a9c --store governance.db --tracking mlflow --features features.parquet \\
        --outcomes outcomes.parquet --by bob
    """
    quiet_mlflow()
    from benne.experiments.gaming import CostTable
    from benne.experiments.model_registry import existing_store
    from benne.experiments.validation import Evidence, write_verdict
    from benne.experiments.validation.findings import write_findings
    from benne.experiments.validation.recording import Validation, validate_on_record
    from benne.features import Events
    from benne.scoring.wiring import random_id, system_clock

    is_folder = Path(candidate).is_dir()
    where = None if is_folder else existing_store(tracking)
    with Steps(list(_STEPS.values())) as steps, opened_governance_store(store) as governance:
        stages = list(_STEPS)
        steps.begin(0)
        with _candidate(candidate, where, author) as found:
            evidence = Evidence(
                rows=labelled_rows(features, outcomes, ledger, key_file), seed=seed,
                protected=None if protected is None else _reader(protected, by, purpose, key_file),
                purpose=purpose if purpose and protected is not None and protected.is_dir() else "",
                events=None if events is None else Events.open(events),
                costs=None if costs is None else CostTable.read(costs),
            )  # fmt: skip
            validation = Validation(
                candidate=found, evidence=evidence, validator=by, made_at=system_clock(), ids=random_id, tracking=where
            )
            made, verdict = validate_on_record(
                validation, governance, on_stage=lambda stage: steps.begin(stages.index(stage))
            )
    write_verdict(made, out)
    write_findings(made, out)
    if want_json:
        answer_json(made.content | {"validation_id": verdict.validation_id, "seconds": steps.seconds})
    else:
        _tell(made, out)
    if not made.passed:
        raise typer.Exit(NOT_ADMITTED)


@contextmanager
def _candidate(named: str, where: Tracking | None, author: str | None) -> Iterator[Candidate]:
    from benne.experiments.validation import candidate_of_directory, candidate_of_run

    if where is None:
        yield candidate_of_directory(Path(named), author)
        return
    with candidate_of_run(where, named, author) as found:
        yield found


def _reader(place: Path, by: str, purpose: str | None, key_file: Path | None) -> ReadAttributes:
    """Reads attributes of the members that are validated on, once it is known who they are."""

    def read(subject_ids: Collection[str]) -> pd.DataFrame:
        return protected_attributes(place, subject_ids, by=by, purpose=purpose, key_file=key_file)

    return read


def _tell(made: MadeVerdict, out: Path) -> None:
    content = made.content
    answer(f"{content['model']['model_id']}: {'passed' if made.passed else 'not passed'}, under gates "
           f"{content['gates']['version']}, on {content['rows']['rows']:,} rows of members not trained on")  # fmt: skip
    rows = [_line(one) for one in content["results"]]
    table(("gate", "verdict", "figure", "must be", "rests on"), rows, left=4)
    if not all(one["required"] for one in content["results"]):
        note("In brackets: worth a look, hinders nothing.")
    for told in content["notes"]:
        note(told)
    note(f"Look at the verdict: {out / 'verdict.html'}")
    if made.passed:
        note("Next: benne promote --store … --by …")
        return
    missed = [f"{one['metric']} {one['state']}" for one in content["results"]
              if one["required"] and one["state"] != "passed"]  # fmt: skip
    answer(f"It may not serve: {', '.join(missed)}.")


def _line(result: dict[str, Any]) -> tuple[object, ...]:
    mark = result["state"] if result["required"] else f"({result['state']})"
    figure = "-" if result["value"] is None else f"{result['value']:.6g}"
    if result["low"] is not None:
        figure += f" ({result['low']:.4g} to {result['high']:.4g})"
    return result["metric"], mark, figure, result["threshold"], f"{result['n']:,}"
