"""The demo's governance: gates before the training, a validation by somebody else, and a promotion that rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benne.experiments.tracking import Tracking
from benne.experiments.validation import Evidence, candidate_of_run, write_verdict
from benne.experiments.validation.findings import write_findings
from benne.experiments.validation.judging import Result
from benne.experiments.validation.promoting import promote_champion
from benne.experiments.validation.recording import Validation, validate_on_record
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import declare_gates
from benne.scoring.governance.gates_file import default_text
from benne.scoring.governance.opening import opened_governance
from benne.scoring.wiring import random_id, system_clock

__all__ = ["AUTHOR", "OPERATOR", "VALIDATOR", "declare_gates_in", "let_serve"]

AUTHOR: Final = "demo-author"
VALIDATOR: Final = "demo-validator"
OPERATOR: Final = "demo-operator"
_APPROVER: Final = "demo-approver"


def declare_gates_in(store: Path) -> None:
    """Declare the gates that come with Benne, before anything is known of the model."""
    with opened_governance(store) as governance:
        work = declare_gates(
            default_text(), approver=_APPROVER, actor=Actor(_APPROVER, "compliance"), event_id=random_id(),
            policy_version=governance.policy_version,
        )  # fmt: skip
        governance.group.submit(work)


def let_serve(tracked: Mapping[str, str], evidence: Evidence, store: Path, folder: Path) -> dict[str, Any]:
    """Validate the run on members it was not trained on, and make it the champion if it passed.

    Parameters
    ----------
    tracked : mapping of str to str
        ``mlflow_run`` and ``tracking_uri``.
    evidence : Evidence
        Its rows are of all; those trained on are left out by the validation.
    store : Path
        The demo's ledger, which holds its governance too.
    folder : Path
        Gets ``validation/``.

    Returns
    -------
    dict
        ``passed``, the state of each gate (``gates``); of those that were not passed, which stop the model
        (``missed``) and which hinder nothing (``worth_a_look``).
    """
    tracking, run_id = Tracking(tracked["tracking_uri"]), tracked["mlflow_run"]
    with opened_governance(store) as governance, candidate_of_run(tracking, run_id) as candidate:
        validation = Validation(
            candidate=candidate, evidence=evidence, validator=VALIDATOR, made_at=system_clock(), ids=random_id,
            tracking=tracking,
        )  # fmt: skip
        made, _ = validate_on_record(validation, governance)
        write_verdict(made, folder / "validation")
        write_findings(made, folder / "validation")
        if made.passed:
            promote_champion(tracking, governance, Actor(OPERATOR, "admin"), ids=random_id, which=run_id)
    return {
        "passed": made.passed,
        "gates": {result.gate.metric: result.state for result in made.results},
        "missed": _not_passed(made.results, required=True),
        "worth_a_look": _not_passed(made.results, required=False),
    }


def _not_passed(results: Sequence[Result], *, required: bool) -> list[str]:
    missed = [one for one in results if one.state != "passed" and one.gate.required is required]
    return [f"{one.gate.metric} {one.state}" for one in missed]
