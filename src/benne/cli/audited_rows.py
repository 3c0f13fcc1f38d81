"""Rows that a model is looked at on: features, what became of them, and what is protected about their members."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benne.cli.console import note
from benne.cli.edge import existing_ledger, key_from

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from benne.experiments.labelling import LabelledRows
    from benne.experiments.report.model_document import TrainedOn
    from benne.experiments.training_record import TrainingRecord

__all__ = [
    "RowsToJudgeOn",
    "consented_rows",
    "labelled_rows",
    "outcomes_of_rows",
    "protected_attributes",
    "record_of",
    "unseen_by",
]

_OR_OTHERS: Final = ", or bring rows of other members and leave --held-out out"
_TO_FILE: Final = ", or leave --store out: what is on record about a model must say that it was judged on others"


class RowsToJudgeOn(NamedTuple):
    """Rows, and how many of their members the models were trained on, as documents about them say it."""

    rows: pd.DataFrame
    trained_on: TrainedOn


def consented_rows(features: Path, ledger: str | None) -> pd.DataFrame:
    """Features of members who consented to training, and by the ledger still do."""
    rows, stands = _consented(features, ledger)
    return rows[stands]


def outcomes_of_rows(rows: pd.DataFrame, outcomes: Path, key_file: Path | None) -> npt.NDArray[np.float64]:
    """What became of each row, NaN where it is not known."""
    from benne.experiments.fairness.scored_members import outcomes_of
    from benne.features.frames import read_observations

    return outcomes_of(rows, read_observations(outcomes, key_from(key_file)))


def unseen_by(
    rows: pd.DataFrame, models: Sequence[Path], *, held_out: bool, judged: bool = True, filed: bool = False
) -> RowsToJudgeOn:
    """Rows that models may be judged on, by the records of their trainings.

    Parameters
    ----------
    rows : DataFrame, indexed by (subject_id, as_of)
    models : sequence of Path
        Folders of saved models.
    held_out : bool
        Leave out everybody on whom one of them was trained, whatever split and seed it had; else refuse them.
    judged : bool, default=True
        Whether figures would flatter a model; where not, rows it was trained on are kept, with a note.
    filed : bool, default=False
        Whether what is found goes on record, for which each model must have its own.

    Raises
    ------
    LabelError
        If rows of members trained on are there and not left out, a record is needed and is not there, or fewer than ten
        rows are left.
    """
    from benne.experiments.training_record import read_training_record
    from benne.experiments.unseen_rows import require_unseen, share_seen, unseen_rows

    read = {folder: read_training_record(folder) for folder in models}
    if held_out or filed:
        # With both, neither way round a record that is not there is open.
        or_else = "" if held_out and filed else _OR_OTHERS if held_out else _TO_FILE
        for folder, record in read.items():
            _recorded(folder, record, or_else)
    records = [record for record in read.values() if record is not None]
    if held_out:
        return RowsToJudgeOn(rows[unseen_rows(rows.index, records)], "none")
    bare = [folder for folder, record in read.items() if record is None]
    for folder in bare:
        note(f"No record of the training lies in {folder}, so nobody can say whether it learned from these rows.")
    if judged:
        require_unseen(rows.index, records, _way_out(bare))
    elif share := share_seen(rows.index, records):
        note(f"Trained on members of these rows: {share}. What is shown of them is no test of a model.")
        return RowsToJudgeOn(rows, "some")
    return RowsToJudgeOn(rows, "unknown" if bare else "none")


def record_of(model: Path) -> TrainingRecord:
    """The record of a model's training.

    Raises
    ------
    LabelError
        If there is none.
    """
    from benne.experiments.training_record import read_training_record

    return _recorded(model, read_training_record(model), "")


def labelled_rows(features: Path, outcomes: Path, ledger: str | None, key_file: Path | None) -> LabelledRows:
    """Rows as `benne train` takes them from these files."""
    from benne.experiments.labelling import label_rows
    from benne.features.frames import read_observations

    rows, stands = _consented(features, ledger)
    return label_rows(rows, read_observations(outcomes, key_from(key_file)), stands=stands)


def protected_attributes(
    place: Path,
    subject_ids: Collection[str],
    *,
    by: str,
    purpose: str | None,
    key_file: Path | None = None,
    names: list[str] | None = None,
) -> pd.DataFrame:
    """Protected attributes of members, one row for each, indexed by ``subject_id``.

    Parameters
    ----------
    place : Path
        Their store, where the read goes on record; or a file of them, with a note that it does not.
    subject_ids : collection of str
    by : str
        Who reads.
    purpose : str or None
        What for, such as ``fairness_audit:2026-q4``; a store gives nothing without.
    key_file : Path, optional
        Where ids of a file are raw.
    names : list of str, optional
        By default every attribute.

    Raises
    ------
    FairnessError
        If a file lacks an attribute that was asked for, or cannot be read.
    ProtectedAccessDenied
        If the store does not let it be read.
    """
    if not place.is_dir():
        found = _from_file(place, names, key_file)
        return found[found.index.isin(list(subject_ids))]
    from benne.scoring.decisions.request import Actor
    from benne.scoring.protected import opened_protected

    with opened_protected(place) as protected:
        asked = list(protected.declared.legal_basis) if names is None else names
        return protected.read(asked, actor=Actor(by, "compliance"), purpose=purpose or "", subject_ids=set(subject_ids))


def _consented(features: Path, ledger: str | None) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Every row of a file for training, and whose consent still stands."""
    from benne.experiments.labelling import require_training_consent, still_consented
    from benne.features.frames import read_features

    file = require_training_consent(read_features(features))
    return file.features, still_consented(file, None if ledger is None else existing_ledger(ledger))


def _way_out(bare: Sequence[Path]) -> str:
    """What to do about rows trained on; --held-out needs the record of every model."""
    if not bare:
        return "Leave them out: --held-out"
    return f"Bring rows of other members, or train {bare[0]} again, for --held-out to leave them out."


def _recorded(model: Path, record: TrainingRecord | None, or_else: str) -> TrainingRecord:
    from benne.errors import LabelError

    if record is None:
        raise LabelError(
            f"{model} must hold the record of its training, training.json, got none. Train it again with "
            f"`benne train`{or_else}."
        )
    return record


def _from_file(place: Path, names: list[str] | None, key_file: Path | None) -> pd.DataFrame:
    from benne.cli.protected import read_attributes
    from benne.errors import FairnessError

    note("Attributes are read from a file, so no read is on record. Keep them in a store: benne protected init")
    found = read_attributes(place, key_from(key_file))
    absent = [name for name in names or [] if name not in found.columns]
    if absent:
        raise FairnessError(f"{place} must hold every attribute asked for, got no {absent[0]!r}. Leave it out.")
    return found if names is None else found[names]
