"""A validation from beginning to end: the gates that stand, the figures, the verdict on record and in MLflow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mlflow import MlflowClient

from benne.experiments.tracking import store_in_use
from benne.experiments.validation.candidate import Candidate
from benne.experiments.validation.carding import refile_card
from benne.experiments.validation.evidence import Evidence
from benne.experiments.validation.findings import file_findings
from benne.experiments.validation.verdict import MadeVerdict, validate
from benne.experiments.validation.writing import write_verdict
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import DeclaredGates, gates_before
from benne.scoring.governance.earlier import began_on_record, related, require_author_on_record
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.people import named, require_gates_of_another, require_independent
from benne.scoring.governance.refusals import Refused, word_for
from benne.scoring.governance.verdicts import (
    Verdict,
    every_verdict,
    record_verdict,
    validation_refused,
    verdicts_of,
)

if TYPE_CHECKING:
    from benne.experiments.tracking import Tracking

__all__ = ["FOLDER", "Validation", "log_verdict", "validate_on_record"]

FOLDER: Final = "validation"
_ROLE: Final = "compliance"


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Who validates what they were given, when and where.

    Parameters
    ----------
    candidate : Candidate
    evidence : Evidence
    validator : str
    made_at : datetime
        With its timezone.
    ids : callable returning str
    tracking : Tracking or None
        Where the run is, if there is one.
    """

    candidate: Candidate
    evidence: Evidence
    validator: str
    made_at: datetime
    ids: Callable[[], str]
    tracking: Tracking | None = None


def validate_on_record(
    validation: Validation, governance: GovernanceStore, *, on_stage: Callable[[str], None] = lambda _: None
) -> tuple[MadeVerdict, Verdict]:
    """Validate a candidate and put the verdict on record, whether it passed or not.

    What the validation found about fairness and gaming is filed too, and the run's card with the decision. Of a
    candidate of whose training nothing is on record, what was found is not filed: of each kind the newest counts, and
    it would stand in the card in place of figures that rest on something.

    Parameters
    ----------
    validation : Validation
    governance : GovernanceStore
    on_stage : callable
        See :func:`benne.experiments.validation.measuring.measure`.

    Returns
    -------
    MadeVerdict, Verdict
        As it was made, and as it is on record.

    Raises
    ------
    NotIndependent
        If whoever validates or approved the gates made the model, or the record names another author for these files;
        that they tried is on record.
    GatesChanged, NotValidated
        If no gates were declared before the training began, or they are not those that were declared; on record too.
    """
    candidate, validator = validation.candidate, named(validation.validator, "The validator")
    actor, write = Actor(validator, _ROLE), governance.group.submit
    about = {"event_id": validation.ids(), "policy_version": governance.policy_version}
    try:
        candidate, declared, earlier = _as_it_stands(candidate, validator, governance)
        made = validate(
            candidate, validation.evidence, declared, validator=validator, made_at=validation.made_at, earlier=earlier,
            tracking=validation.tracking, on_stage=on_stage,
        )  # fmt: skip
        verdict = write(record_verdict(made.content, actor=actor, **about)).result
    except Refused as error:
        write(validation_refused(candidate.model_id, candidate.config_hash, actor, word_for(error), **about))
        raise
    if validation.tracking is not None and candidate.run_id is not None:
        log_verdict(validation.tracking, candidate.run_id, made)
    if candidate.rests_on_record:
        file_findings(made, governance, actor, ids=validation.ids)
    refile_card(
        candidate.config_hash, governance, actor, ids=validation.ids, tracking=validation.tracking,
        run_id=candidate.run_id,
    )  # fmt: skip
    return made, verdict


def _as_it_stands(
    candidate: Candidate, validator: str, governance: GovernanceStore
) -> tuple[Candidate, DeclaredGates, list[Verdict]]:
    """The candidate as old as the record has its files, the gates that stand for it, and the verdicts before."""
    require_independent(candidate.author, validator)
    with governance.store.read() as connection:
        on_these = verdicts_of(connection, candidate.config_hash)
        require_author_on_record(candidate.author, on_these)
        began_us = began_on_record(on_these, candidate.training_began_us)
        declared = gates_before(connection, began_us)
        earlier = related(every_verdict(connection), candidate.config_hash, candidate.salt)
    require_gates_of_another(candidate.author, declared.approver)
    return replace(candidate, training_began_us=began_us), declared, earlier


def log_verdict(tracking: Tracking, run_id: str, made: MadeVerdict) -> None:
    """Put a verdict beside the run it is about: its files in ``validation/``, and tags.

    The tags are for people to look at; what lets a model serve is the record in the store.
    """
    tags = {"validation": "passed" if made.passed else "failed", "validator": made.content["validator"],
            "gates": made.content["gates"]["version"]}  # fmt: skip
    with store_in_use(tracking), tempfile.TemporaryDirectory() as folder:
        client = MlflowClient()
        write_verdict(made, folder)
        client.log_artifacts(run_id, folder, FOLDER)
        for name, value in tags.items():
            client.set_tag(run_id, f"benne.{name}", value)
