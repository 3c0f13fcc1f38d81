"""The model that serves: verified when it is loaded, kept under the hash of its files, swapped whole."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FeatureColumnsError, ModelDirectoryError, ModelError
from benne.explain.reasons import Explains
from benne.features.engines.online import FeatureVector
from benne.models import CreditScoreModel
from benne.models.model_directory import MANIFEST, TRAINING, found_model

__all__ = [
    "Challenger",
    "ModelShelf",
    "ModelSlot",
    "Scores",
    "ServedModel",
    "Serving",
    "identity_of",
    "served",
]

_DIGITS: Final = 16  # of the manifest's hash; enough that two models never share them by accident


class Scores(Explains, Protocol):
    """What serving needs of a model; :class:`benne.models.CreditScoreModel` has it."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model, what it is called on record, and what it needs to know.

    Parameters
    ----------
    model_id : str
        Of its files, such as ``benne/3f6c…``: another file, another id.
    config_hash : str
        SHA-256 of its manifest, which holds the SHA-256 of every file.
    names : tuple of str
        Features in the model's order.
    columns : mapping of str to ndarray of int
        Places of each category's features.
    model : Scores
    """

    model_id: str
    config_hash: str
    names: tuple[str, ...]
    columns: Mapping[str, npt.NDArray[np.intp]]
    model: Scores

    def table(self, vectors: Sequence[FeatureVector], withheld: Sequence[frozenset[str]]) -> pd.DataFrame:
        """Feature vectors as the model takes them, one row each; what is withheld is null.

        Raises
        ------
        FeatureColumnsError
            If a vector lacks a feature of the model.
        """
        order: dict[tuple[str, ...], npt.NDArray[np.intp]] = {}
        values = np.empty((len(vectors), len(self.names)))
        for row, vector in enumerate(vectors):
            if vector.names not in order:
                order[vector.names] = self._order(vector.names)
            values[row] = vector.values[order[vector.names]]
            for category in withheld[row] & self.columns.keys():
                values[row, self.columns[category]] = np.nan
        return pd.DataFrame(values, columns=list(self.names))

    def takes(self, names: tuple[str, ...]) -> bool:
        """Whether features of these names hold all that the model needs."""
        return names == self.names or frozenset(self.names).issubset(names)

    def warm(self) -> None:
        """Have the model do once what it will do, so that compiled code is loaded before anybody waits for it."""
        row = pd.DataFrame(np.zeros((1, len(self.names))), columns=list(self.names))
        with contextlib.suppress(ModelError):  # zeros may be no values it takes
            self.model.explain(row, withheld=[frozenset()])

    def _order(self, names: tuple[str, ...]) -> npt.NDArray[np.intp]:
        if names == self.names:
            return np.arange(len(names))
        place = {name: k for k, name in enumerate(names)}
        missing = [name for name in self.names if name not in place]
        if missing:
            raise FeatureColumnsError(
                f"Feature vectors must hold every feature of the model, got none of {len(missing)}, the first being "
                f"{missing[0]}. Build them with the features the model was fitted on."
            )
        return np.array([place[name] for name in self.names], dtype=np.intp)


def identity_of(directory: Path) -> tuple[str, str]:
    """Model id and configuration hash of a saved model, by its manifest.

    Raises
    ------
    ModelDirectoryError
        If there is no manifest.
    """
    try:
        digest = hashlib.sha256((found_model(directory) / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        raise ModelDirectoryError(
            f"A saved model must be a directory with {MANIFEST}, got none. Check the path."
        ) from None
    return f"benne/{digest[:_DIGITS]}", digest


def served(model: CreditScoreModel, model_id: str, config_hash: str) -> ServedModel:
    """A fitted model under its name on record."""
    names = tuple(map(str, model.feature_names_in_))
    category_of = model.category_of
    columns = {
        category: np.array([k for k, name in enumerate(names) if category_of[name] == category], dtype=np.intp)
        for category in dict.fromkeys(category_of.values())
    }
    return ServedModel(model_id, config_hash, names, columns, model)


class ModelShelf:
    """A folder of saved models, each under its id, so that any decision can be replayed with its own.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, ServedModel] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._alone = threading.Lock()

    def put(self, directory: Path) -> ServedModel:
        """Copy a saved model onto the shelf, once it has been verified; again changes nothing.

        Raises
        ------
        ModelDirectoryError
            If it is missing, corrupted or of another version.
        """
        CreditScoreModel.load(directory)
        model_id, config_hash = identity_of(directory)
        target = self._path(model_id)
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._copy(directory, target)
        return self.get(model_id, config_hash)

    def get(self, model_id: str, config_hash: str | None = None) -> ServedModel:
        """A model by its id; loaded and verified once.

        Parameters
        ----------
        model_id : str
        config_hash : str, optional
            What its files must have: an id is the beginning of it, and of two models that share one, or of a row
            that names one model's id with another's hash, only that which was validated may serve.

        Raises
        ------
        ModelDirectoryError
            If it is not there, or its files are no longer those its id is the hash of.
        """
        with self._alone:
            turn = self._turns.setdefault(model_id, threading.Lock())
        with turn:  # of this model alone: decisions are replayed with others while a large one is loaded
            if model_id not in self._loaded:
                self._loaded[model_id] = self._load(model_id)
            found = self._loaded[model_id]
        if config_hash not in (None, found.config_hash):
            raise _another()
        return found

    def _copy(self, directory: Path, target: Path) -> None:
        """Put a whole copy in place, where nobody else has meanwhile."""
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=self._folder) as scratch:
            # Who trained, and on whom, is nothing that serving needs.
            without = shutil.ignore_patterns(TRAINING)
            copied = shutil.copytree(found_model(directory), Path(scratch) / "model", ignore=without)
            if self._path(identity_of(copied)[0]) != target:
                raise _another()
            with contextlib.suppress(OSError):  # another process may have been faster; what is there is verified
                copied.rename(target)

    def _load(self, model_id: str) -> ServedModel:
        directory = self._path(model_id)
        found, config_hash = identity_of(directory)
        model = CreditScoreModel.load(directory)
        if found != model_id or identity_of(directory)[1] != config_hash:
            raise _another()
        return served(model, model_id, config_hash)

    def _path(self, model_id: str) -> Path:
        digits = model_id.removeprefix("benne/")
        if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
            raise ModelDirectoryError("A model id must be benne/ and 16 hexadecimal digits, got something else.")
        return self._folder / digits


def _another() -> ModelDirectoryError:
    return ModelDirectoryError(
        "A model on the shelf must be the one its name is the hash of, got another. Restore it from a backup."
    )


class Challenger(Protocol):
    """A model that serves some members in the champion's place, and gives way where it cannot.

    :class:`benne.scoring.rollout.staged.StagedChallenger` is one.
    """

    @property
    def served(self) -> ServedModel: ...
    def serves(self, subject_id: str) -> bool: ...
    def failed(self, error: Exception) -> None: ...
    def gave_way(self, members: int) -> None: ...


class Serving(NamedTuple):
    """The models of one moment: the champion, and a challenger where one serves a share of members."""

    champion: ServedModel
    challenger: Challenger | None = None

    def of(self, subject_id: str) -> ServedModel:
        """Which model serves a member."""
        challenger = self.challenger
        return self.champion if challenger is None or not challenger.serves(subject_id) else challenger.served


class ModelSlot:
    """Which models serve now; others take their place between two decisions, never within one.

    Parameters
    ----------
    served : ServedModel
    """

    def __init__(self, served: ServedModel) -> None:
        self._serving = Serving(served)

    @property
    def serving(self) -> Serving:
        """The models to use for the whole of a pass."""
        return self._serving

    @property
    def current(self) -> ServedModel:
        """The champion."""
        return self._serving.champion

    def swap(self, served: ServedModel) -> None:
        """Let another champion serve from the next decision on, and no challenger beside it."""
        self._serving = Serving(served)

    def stage(self, challenger: Challenger | None) -> None:
        """Let a challenger serve its share of members from the next decision on; None takes everybody back."""
        self._serving = Serving(self._serving.champion, challenger)
