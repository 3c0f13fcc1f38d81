"""What a training was, beside the model that came out of it: by whom, since when, on whom, split how.

The same rows and seed give the same model to the byte, whoever trains it and whenever, so none of this may be in the
files that its hash is of. It stands in ``training.json`` beside them, and says by that hash which files it is about.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import pandas as pd

from benne.errors import BenneError, GovernanceError, ModelDirectoryError
from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.splitting import Splitting
from benne.experiments.trained_members import Digests, digests_of, trained_on
from benne.models.model_directory import TRAINING, found_model
from benne.scoring.decisions.served_model import identity_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from benne.experiments.training import TrainingRun

__all__ = ["FORMAT", "TrainingRecord", "read_training_record", "training_record", "write_training_record"]

FORMAT: Final = 1
_KIND: Final = np.dtype("<u4")
_YEARS: Final = (1970, 9998)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What is known of a training besides the model.

    Parameters
    ----------
    author : str or None
        Who trained; None where nobody said so.
    began_at : datetime
        Since when it was worked on, with its timezone: gates that count were declared before.
    fingerprint : str
        SHA-256 of the training rows; the salt of ``members``.
    members : ndarray of uint32
        Digests of the members trained on: see :mod:`benne.experiments.trained_members`.
    split : Splitting or None
        How the rows were divided, as it was carried out: ``order`` is ``member`` or ``time``. The same rows divided by
        it give the same two sides again. None where they were divided by other means.
    """

    author: str | None
    began_at: datetime
    fingerprint: str
    members: Digests = field(repr=False)
    split: Splitting | None = None

    def trained_on(self, index: pd.Index[Any]) -> npt.NDArray[np.bool_]:
        """Which rows are of members who were trained on, shape (n,)."""
        return trained_on(index, self.members, self.fingerprint)


def training_record(run: TrainingRun, *, author: str | None, began_at: datetime) -> TrainingRecord:
    """The record of a training run.

    Parameters
    ----------
    run : TrainingRun
    author : str or None
        Who trained.
    began_at : datetime
        Since when, with its timezone.
    """
    fingerprint, how = fingerprint_of(run.train), run.split.how
    asked = how.asked
    return TrainingRecord(
        author=author, began_at=began_at, fingerprint=fingerprint,
        members=digests_of(run.train.features.index, fingerprint),
        split=None if asked is None else Splitting(how.order, asked.test_share, asked.seed),
    )  # fmt: skip


def write_training_record(folder: str | Path, record: TrainingRecord) -> Path:
    """Write a record beside a saved model's files; its hash and bytes stay what they are.

    Parameters
    ----------
    folder : path
        Of the saved model. Saving a model there again takes the record away with the files it is about.
    record : TrainingRecord

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ModelDirectoryError
        If there is no saved model.
    """
    _, config_hash = identity_of(Path(folder))
    path = found_model(folder) / TRAINING
    content = {
        "format": FORMAT,
        "config_hash": config_hash,
        "author": record.author,
        "began_at": record.began_at.astimezone(UTC).isoformat(),
        "fingerprint": record.fingerprint,
        "members": base64.b64encode(record.members.astype(_KIND).tobytes()).decode(),
        "split": None if record.split is None else asdict(record.split),
    }
    fresh = path.parent.with_name(f".{path.parent.name}.{TRAINING}")  # beside the folder, should the process die here
    fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def read_training_record(folder: str | Path) -> TrainingRecord | None:
    """The record beside a saved model's files; None where there is none: an older Benne kept none, nor does a bare fit.

    Raises
    ------
    GovernanceError
        If it is damaged, or about other files.
    ModelDirectoryError
        If there is no saved model.
    """
    _, config_hash = identity_of(Path(folder))
    try:
        text = (found_model(folder) / TRAINING).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelDirectoryError(
            f"{TRAINING} must be a file that can be read, got an error: {error.strerror}. Put back the one that the "
            "training wrote, or validate the run."
        ) from None
    except ValueError:
        _refuse_damaged()
    try:
        content = json.loads(text)
        record = _record_from(content)
    except (KeyError, TypeError, ValueError, RecursionError, BenneError):
        _refuse_damaged()
    if content["config_hash"] != config_hash:
        raise GovernanceError(
            f"{TRAINING} must be about the files that it lies beside, got that of another model. Train anew, or "
            "validate the run."
        )
    return record


def _record_from(content: dict[str, Any]) -> TrainingRecord:
    digests = base64.b64decode(content["members"], validate=True)
    members = np.frombuffer(digests, dtype=_KIND).astype(np.uint32)
    began_at, split = _moment(content["began_at"]), content["split"]
    sides = None if split is None else Splitting(**split)
    if sides is not None:
        sides.check()
    known = content["format"] == FORMAT and isinstance(content["config_hash"], str)
    whole = bool(len(members)) and (np.diff(members.astype(np.int64)) > 0).all()
    if not known or not whole or not _SHA256.fullmatch(content["fingerprint"]):
        raise ValueError(TRAINING)
    if not isinstance(content["author"], str | None):
        raise TypeError(TRAINING)
    return TrainingRecord(
        author=content["author"], began_at=began_at,
        fingerprint=content["fingerprint"], members=members, split=sides,
    )  # fmt: skip


def _moment(text: str) -> datetime:
    """A moment in UTC, in years that still are moments in any timezone and as microseconds since 1970."""
    said = datetime.fromisoformat(text)
    if said.tzinfo is None or not _YEARS[0] <= said.year <= _YEARS[1]:
        raise ValueError(TRAINING)
    moment = said.astimezone(UTC)
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise ValueError(TRAINING)
    return moment


def _refuse_damaged() -> NoReturn:
    raise GovernanceError(
        f"{TRAINING} must be as the training wrote it, got a damaged file, or one of a newer Benne. Train anew, or "
        "validate the run."
    ) from None
