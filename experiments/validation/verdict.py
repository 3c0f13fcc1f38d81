"""From a candidate and evidence to a verdict: gates that stood before, figures measured anew, one document."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benne.errors import ModelDirectoryError
from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.labelling import LabelledRows
from benne.experiments.validation.candidate import Candidate
from benne.experiments.validation.earlier import earlier_notes, earlier_table
from benne.experiments.validation.evidence import Evidence, independent_rows
from benne.experiments.validation.judging import Result, judge_all
from benne.experiments.validation.measuring import Measured, measure
from benne.experiments.validation.unrecorded import what_counts
from benne.models import CalibrationReport, CreditScoreModel
from benne.models.model_directory import found_model
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.declaring import DeclaredGates
from benne.scoring.governance.people import named, require_independent

if TYPE_CHECKING:
    from benne.experiments.tracking import Tracking
    from benne.scoring.governance.verdicts import Verdict

__all__ = ["FORMAT", "KIND", "MadeVerdict", "validate"]

FORMAT: Final = 1
KIND: Final = "verdict"


@dataclass(frozen=True)
class MadeVerdict:
    """A verdict before it is on record.

    Parameters
    ----------
    content : dict
        The document: see ``docs/governance.md``.
    results : list of Result
    measured : Measured
    purpose : str
        For which protected attributes were read; '' where none was stated.
    """

    content: dict[str, Any] = field(repr=False)
    results: list[Result]
    measured: Measured = field(repr=False)
    purpose: str = ""

    @property
    def calibration(self) -> CalibrationReport | None:
        """Of the rows; None where too few could be scored."""
        return self.measured.calibration

    @property
    def passed(self) -> bool:
        """Whether every required gate was passed."""
        return bool(self.content["passed"])


def validate(
    candidate: Candidate,
    evidence: Evidence,
    declared: DeclaredGates,
    *,
    validator: str,
    made_at: datetime,
    earlier: Sequence[Verdict] = (),
    tracking: Tracking | None = None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> MadeVerdict:
    """Measure a model anew and hold it against the gates that stand for its training.

    Parameters
    ----------
    candidate : Candidate
    evidence : Evidence
    declared : DeclaredGates
        Of :func:`benne.scoring.governance.declaring.gates_before`.
    validator : str
        Who validates.
    made_at : datetime
        With its timezone.
    earlier : sequence of Verdict
        That whoever reads this one must know of: see :func:`benne.scoring.governance.earlier.related`.
    tracking : Tracking, optional
        Where the run is, for its card.
    on_stage : callable
        See :func:`benne.experiments.validation.measuring.measure`.

    Raises
    ------
    NotIndependent
        If the validator made the model.
    GovernanceError
        If the rows are of members who were trained on.
    LabelError
        If too few rows can be scored, or all became the same.
    ModelDirectoryError
        If the model cannot be loaded, or its files change meanwhile.
    """
    who = named(validator, "The validator")
    require_independent(candidate.author, who)
    rows, said = independent_rows(candidate, evidence.rows)
    model = _exactly(candidate)
    other = replace(evidence, rows=rows, protected=evidence.attributes_of(rows))
    measured = measure(candidate, model, other, tracking, cutoffs=declared.gates.cutoffs, on_stage=on_stage)
    if identity_of(candidate.directory)[1] != candidate.config_hash:
        raise ModelDirectoryError("A model must stay the same while it is validated, got other files. Validate again.")
    counting, unrecorded = what_counts(candidate, measured.measures)
    measured = replace(measured, measures=counting)
    results = judge_all(declared.gates, counting)
    content = _content(candidate, declared, results, measured, rows)
    content |= {"validator": who, "by": who, "made_at": made_at.isoformat(), "seed": evidence.seed}
    content["tables"] = content["tables"] | {"validation.earlier": earlier_table(earlier, candidate.config_hash)}
    told = [*earlier_notes(earlier, candidate.config_hash), *_of_attributes(evidence, measured), *_of_costs(evidence)]
    content["notes"] = [*unrecorded, *said, *told, *measured.notes]
    return MadeVerdict(content, results, measured, evidence.purpose)


def _exactly(candidate: Candidate) -> CreditScoreModel:
    """The model of the candidate's files: of a copy nobody else knows of, so that none is swapped while it is read."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            copied = shutil.copytree(found_model(candidate.directory), Path(folder) / "model")
        except OSError:
            raise ModelDirectoryError("A model must be there to be validated, got none that can be read.") from None
        if identity_of(copied)[1] != candidate.config_hash:
            raise ModelDirectoryError("A model must stay as it was looked up, got other files. Validate again.")
        return CreditScoreModel.load(copied)


def _of_attributes(evidence: Evidence, measured: Measured) -> list[str]:
    if measured.fairness is None:
        return []
    at = ", ".join(f"{cutoff:g}" for cutoff in measured.fairness.cutoffs)
    why = f", for {evidence.purpose}, which is on record in their store" if evidence.purpose else ""
    return [f"Protected attributes were read{why}; fairness is at the cut-offs {at}."]


def _of_costs(evidence: Evidence) -> list[str]:
    if evidence.costs is None:
        return []
    return [f"What moves cost is the validator's table {evidence.costs.version}, digest {evidence.costs.digest}."]


def _content(
    candidate: Candidate,
    declared: DeclaredGates,
    results: list[Result],
    measured: Measured,
    rows: LabelledRows,
) -> dict[str, Any]:
    passed = all(result.state == "passed" for result in results if result.gate.required)
    return {
        "format": FORMAT,
        "kind": KIND,
        "model": {"model_id": candidate.model_id, "config_hash": candidate.config_hash},
        "run_id": candidate.run_id,
        "author": candidate.author,
        "training_began_us": candidate.training_began_us,
        "training": {"recorded": candidate.rests_on_record, "fingerprint": candidate.salt},
        "gates": {"version": declared.version, "hash": declared.gates_hash, "approver": declared.approver,
                  "declared_at_us": declared.declared_at_us},
        "passed": passed,
        "results": [result.as_dict() for result in results],
        "rows": {"rows": len(rows.bad), "members": int(rows.features.index.get_level_values("subject_id").nunique()),
                 "bad_rate": round(float(rows.bad.mean()), 6), "fingerprint": fingerprint_of(rows)},
        "measures": {name: one.as_dict() for name, one in sorted(measured.measures.items())},
        "tables": measured.tables,
    }  # fmt: skip
