"""What is to be validated: a tracked run, or a saved model by itself, with what is known of its training."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from benne.errors import GovernanceError
from benne.experiments.model_registry import saved_within
from benne.experiments.tracking import AUTHOR, Tracking, began_us, store_in_use
from benne.experiments.trained_members import FILE, SEAL, Digests, read_digests, seal_of
from benne.experiments.training_record import TrainingRecord, read_training_record
from benne.models.model_directory import MANIFEST, TRAINING, found_model
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.people import named, same_person

__all__ = ["Candidate", "candidate_of_directory", "candidate_of_run", "logged_model"]

_MICROSECONDS: Final = 1_000
_SALT: Final = "train_fingerprint"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that somebody trained, before anybody else has looked at it.

    Parameters
    ----------
    directory : Path
        Its files.
    model_id, config_hash : str
        Of those files.
    author : str
        Who trained it.
    training_began_us : int
        Microseconds since 1970-01-01 UTC. Of a directory without a record of its training when its manifest was
        written, which is later, and may be much later: a copy is written anew.
    run_id : str or None
        MLflow's.
    salt : str or None
        Of ``trained``: the fingerprint of the training rows.
    trained : ndarray of uint32, or None
        Digests of the members trained on; None where nobody kept them.
    """

    directory: Path
    model_id: str
    config_hash: str
    author: str
    training_began_us: int
    run_id: str | None = None
    salt: str | None = None
    trained: Digests | None = field(default=None, repr=False)

    @property
    def rests_on_record(self) -> bool:
        """Whether the training itself said who, since when and on whom; else nothing can be shown of the model."""
        return self.salt is not None and self.trained is not None


def candidate_of_directory(directory: Path, author: str | None = None) -> Candidate:
    """A saved model, with the record of its training that lies beside it, where there is one.

    Parameters
    ----------
    directory : Path
    author : str, optional
        Must be whom the record names; needed where there is none.

    Raises
    ------
    GovernanceError
        If nobody says who trained it, the record names somebody else, or is damaged or of another model.
    ModelDirectoryError
        If there is no saved model.
    """
    record = read_training_record(directory)
    if record is None:
        return _without_record(directory, author)
    who = named(record.author, f"The author that {TRAINING} names")
    if author is not None and not same_person(named(author, "The author"), who):
        raise GovernanceError(f"The author must be the one that {TRAINING} names, {who}, got another. Leave it out.")
    model_id, config_hash = identity_of(directory)
    return Candidate(
        directory=directory, model_id=model_id, config_hash=config_hash, author=who,
        training_began_us=_since(record), salt=record.fingerprint, trained=record.members,
    )  # fmt: skip


def _without_record(directory: Path, author: str | None) -> Candidate:
    """What an older Benne saved, a bare fit, or a folder whose record somebody took away: no verdict on it passes."""
    if author is None:
        raise GovernanceError(
            f"The author of a model must be known, got a folder without {TRAINING}. Name them: --author"
        )
    who = named(author, "The author")
    model_id, config_hash = identity_of(directory)
    written_ns = (found_model(directory) / MANIFEST).stat().st_mtime_ns
    return Candidate(
        directory=directory, model_id=model_id, config_hash=config_hash, author=who,
        training_began_us=written_ns // _MICROSECONDS,
    )  # fmt: skip


@contextmanager
def candidate_of_run(tracking: Tracking, run_id: str, author: str | None = None) -> Iterator[Candidate]:
    """The model of a tracked run, its files brought here for as long as the block lasts.

    Parameters
    ----------
    tracking : Tracking
    run_id : str
    author : str, optional
        Must be whom the run names, where it is given.

    Raises
    ------
    GovernanceError
        If there is no such run, it has not ended well, logged no model, names no author, or another than the model
        that it logged, or the record of its training was taken away from that model.
    """
    with store_in_use(tracking), tempfile.TemporaryDirectory() as folder:
        run = _run(run_id)
        who = named(run.data.tags.get(AUTHOR), "The author that a run is tagged with (benne.author)")
        if author is not None and not same_person(named(author, "The author"), who):
            raise GovernanceError(f"The author must be the one that the run names, {who}, got another. Leave it out.")
        directory = logged_model(run, Path(folder))
        model_id, config_hash = identity_of(directory)
        digests = _digests(run, Path(folder))
        candidate = Candidate(
            directory=directory, model_id=model_id, config_hash=config_hash, author=who,
            training_began_us=_began(run), run_id=run_id,
            salt=run.data.params.get(_SALT), trained=digests,
        )  # fmt: skip
        yield _as_recorded(candidate, read_training_record(directory))


def _as_recorded(candidate: Candidate, record: TrainingRecord | None) -> Candidate:
    """A run's candidate, held against what lies beside the model it logged: tags can be changed without a trace.

    Whatever Benne logs digests of the members logs the record with the model; only an older one's run has neither.
    """
    if record is None:
        if candidate.rests_on_record:
            raise GovernanceError(
                f"The model that a run logged must have {TRAINING} beside it, which says who trained it, got a run "
                "with digests of its members and none. Train anew."
            )
        return candidate
    if record.author is None or not same_person(record.author, candidate.author):
        raise GovernanceError(
            "The author that a run is tagged with must be whom the model that it logged names, got another. Put the "
            "tag back: benne.author"
        )
    return replace(candidate, training_began_us=min(candidate.training_began_us, _since(record)))


def _since(record: TrainingRecord) -> int:
    return to_microseconds(record.began_at, "began_at")


def logged_model(run: Any, folder: Path) -> Path:
    """Files of the model that a run logged, brought into a folder.

    Raises
    ------
    GovernanceError
        If it logged none.
    """
    place = mlflow.artifacts.download_artifacts(f"models:/{_logged_id(run)}", dst_path=str(folder / "model"))
    return saved_within(Path(place))


def _logged_id(run: Any) -> str:
    outputs = [] if run.outputs is None else run.outputs.model_outputs
    if not outputs:
        raise GovernanceError("The run must have logged a model, got one without. Name another, or train it again.")
    return str(outputs[-1].model_id)


def _began(run: Any) -> int:
    """Since when it was worked on: when the run was opened, or before that where it says so.

    Whoever opens a run may say when that was, but its model was there when MLflow took it in, whatever the run says.
    """
    taken_in = MlflowClient().get_logged_model(_logged_id(run)).creation_timestamp
    return began_us(min(int(run.info.start_time), int(taken_in)), run.data.tags)


def _run(run_id: str) -> Any:
    try:
        run = MlflowClient().get_run(run_id)
    except MlflowException:
        raise GovernanceError(
            "The run must be one that is tracked, got an id of none. See: benne models list"
        ) from None
    if run.info.status != "FINISHED":
        raise GovernanceError(f"The run must have ended well, got one that is {run.info.status}. Train again.")
    return run


def _digests(run: Any, folder: Path) -> Digests | None:
    """Runs of an older Benne have none, and no seal of them."""
    run_id, sealed = run.info.run_id, run.data.params.get(SEAL)
    if any(one.path == FILE for one in MlflowClient().list_artifacts(run_id, str(Path(FILE).parent))):
        place = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=FILE, dst_path=str(folder))
        found = read_digests(Path(place))
    else:
        found = None
    if sealed is not None and (found is None or seal_of(found) != sealed):
        raise GovernanceError(
            "Digests of the members trained on must be those that the run logged, got others or none. Train anew."
        )
    return found
