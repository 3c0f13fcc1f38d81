"""``benne validate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import existing_ledger, key_from, quiet_mlflow
from benne.cli.exit_codes import NOT_ADMITTED
from benne.cli.governance_store import GovernancePlace, opened_governance_store
from benne.cli.options import KeyFile, Seed, WantJson

if TYPE_CHECKING:
    import pandas as pd

    from benne.experiments.labelling import LabelledRows
    from benne.experiments.tracking import Tracking
    from benne.experiments.validation import Candidate, Evidence, MadeVerdict

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
    outcomes: Annotated[
        Path, typer.Option("--outcomes", help="Parquet: subject_id (or member_id and a key), as_of, bad.")
    ],
    by: Annotated[str, typer.Option("--by", help="Who validates; not who trained it.")],
    tracking: Annotated[str, typer.Option("--tracking", help="MLflow, where a run is named.")] = "mlflow",
    author: Annotated[str | None, typer.Option("--author", help="Who trained it, where a folder is named.")] = None,
    ledger: Annotated[
        str | None, typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger: who withdrew since?")
    ] = None,
    protected: Annotated[
        Path | None,
        typer.Option("--protected", help="Store of protected attributes, which records who reads it, or a file."),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="What a store's attributes are read for: fairness_audit:2026-q4.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="Folder of events, for the test of spending on the platform.")
    ] = None,
    key_file: KeyFile = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the verdict as a page and as JSON.")] = Path(
        "validation"
    ),
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
    from benne.experiments.model_registry import existing_store
    from benne.experiments.validation import write_verdict
    from benne.experiments.validation.recording import Validation, validate_on_record
    from benne.scoring.wiring import random_id, system_clock

    is_folder = Path(candidate).is_dir()
    where = None if is_folder else existing_store(tracking)
    with Steps(list(_STEPS.values())) as steps, opened_governance_store(store) as governance:
        stages = list(_STEPS)
        steps.begin(0)
        with _candidate(candidate, where, author) as found:
            evidence = _evidence(
                _rows(features, ledger, outcomes, key_file), events, seed,
                protected=None if protected is None else lambda rows: _attributes(
                    protected, rows, by, purpose, key_file
                ),
            )  # fmt: skip
            validation = Validation(
                candidate=found, evidence=evidence, validator=by, made_at=system_clock(), ids=random_id, tracking=where
            )
            made, verdict = validate_on_record(
                validation, governance, on_stage=lambda stage: steps.begin(stages.index(stage))
            )
    write_verdict(made, out)
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


def _rows(features: Path, ledger: str | None, outcomes: Path, key_file: Path | None) -> LabelledRows:
    from benne.experiments.labelling import label_rows, require_training_consent, still_consented
    from benne.features.frames import read_features, read_observations

    file = require_training_consent(read_features(features))
    stands = still_consented(file, None if ledger is None else existing_ledger(ledger))
    return label_rows(file.features, read_observations(outcomes, key_from(key_file)), stands=stands)


def _evidence(
    rows: LabelledRows, events: Path | None, seed: int, *, protected: Callable[[LabelledRows], pd.DataFrame] | None
) -> Evidence:
    from benne.experiments.validation import Evidence
    from benne.features import Events

    return Evidence(
        rows=rows, seed=seed, protected=None if protected is None else protected(rows),
        events=None if events is None else Events.open(events),
    )  # fmt: skip


def _attributes(place: Path, rows: LabelledRows, by: str, purpose: str | None, key_file: Path | None) -> pd.DataFrame:
    """Of these members, on record where they come from a store."""
    if not place.is_dir():
        from benne.cli.protected import read_attributes

        return read_attributes(place, key_from(key_file))
    from benne.scoring.decisions.request import Actor
    from benne.scoring.protected import opened_protected

    subjects = set(rows.features.index.get_level_values("subject_id"))
    with opened_protected(place) as protected:
        names = list(protected.declared.legal_basis)
        return protected.read(names, actor=Actor(by, "compliance"), purpose=purpose or "", subject_ids=subjects)


def _tell(made: MadeVerdict, out: Path) -> None:
    content = made.content
    answer(f"{content['model']['model_id']}: {'passed' if made.passed else 'not passed'}, under gates "
           f"{content['gates']['version']}, on {content['rows']['rows']:,} rows of members not trained on")  # fmt: skip
    rows = [_line(one) for one in content["results"]]
    table(("gate", "verdict", "figure", "must be", "rests on"), rows, left=4)
    for told in content["notes"]:
        note(told)
    note(f"Look at the verdict: {out / 'verdict.html'}")
    if made.passed:
        note("Next: benne promote")


def _line(result: dict[str, Any]) -> tuple[object, ...]:
    mark = result["state"] if result["required"] else f"({result['state']})"
    figure = "-" if result["value"] is None else f"{result['value']:.6g}"
    if result["low"] is not None:
        figure += f" ({result['low']:.4g} to {result['high']:.4g})"
    return result["metric"], mark, figure, result["threshold"], f"{result['n']:,}"
