"""Versions of the model in MLflow's registry: which one challenges, which one decides, which one did before.

An alias names a version: ``challenger`` the newest that was trained, ``champion`` the one in use, so
that a service loads ``models:/benne@champion`` and never a number. Which one is in use is decided, and
put on record, elsewhere: here the alias only follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from benne.errors import BenneError, GovernanceError, ParameterError, StoreError
from benne.experiments.tracking import AUTHOR, Tracking, default_store, store_in_use
from benne.models.model_directory import MANIFEST
from benne.scoring.decisions.served_model import identity_of

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "MODEL_NAME",
    "Registered",
    "author_of",
    "check_model_name",
    "existing_store",
    "files_of",
    "mark",
    "marked",
    "name_champion",
    "register_challenger",
    "saved_within",
    "version_of",
    "versions",
]

CHALLENGER: Final = "challenger"
CHAMPION: Final = "champion"
MODEL_NAME: Final = "benne"
_NAME: Final = re.compile(r"\w[\w -]*")
_FILES: Final = "benne.config_hash"
_ABSENT: Final = "RESOURCE_DOES_NOT_EXIST"
_PRESENT: Final = "RESOURCE_ALREADY_EXISTS"


@dataclass(frozen=True)
class Registered:
    """One version of a registered model.

    Parameters
    ----------
    name : str
    version : int
    aliases : tuple of str
    run_id : str
        The training run.
    registered_at : datetime
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str
    registered_at: datetime

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.name}/{self.version}"


def existing_store(place: str) -> Tracking:
    """A tracking server by its URI, or a local store that is there already: looking must not make one.

    Raises
    ------
    StoreError
    """
    if "://" in place:
        return Tracking(place)
    if not (Path(place) / "mlflow.db").is_file():
        raise StoreError(f"The store of models must exist, got none in {place}. Train one first: benne train")
    return default_store(place)


def check_model_name(name: str) -> None:
    """Refuse a name that cannot be registered, before anything is trained for it.

    Raises
    ------
    ParameterError
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(f"A model's name must be letters, digits, blanks, '_' and '-', got {name!r}. Rename it.")


def register_challenger(tracking: Tracking, run_id: str, name: str = MODEL_NAME) -> Registered:
    """Register the model of a run as the newest version, and let it be the challenger.

    Parameters
    ----------
    tracking : Tracking
    run_id : str
        Of :func:`benne.experiments.tracking.log_run`.
    name : str
        Of the registered model; made if it is new.

    Raises
    ------
    ParameterError
        If there is no such run, or it has logged no model.
    """
    with _client(tracking, name) as client:
        model_id = _logged_model(client, run_id)
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != _PRESENT:
                raise
        made = client.create_model_version(name, f"models:/{model_id}", run_id=run_id, model_id=model_id)
        client.set_registered_model_alias(name, CHALLENGER, made.version)
        return _version(client, name, int(made.version))


def versions(tracking: Tracking, name: str = MODEL_NAME) -> list[Registered]:
    """Every version, the newest first.

    Raises
    ------
    ParameterError
        If no model of that name is registered.
    """
    with _client(tracking, name) as client:
        aliases = _aliases(client, name)
        found = [_registered(version, aliases) for version in client.search_model_versions(f"name = '{name}'")]
    return sorted(found, key=lambda version: -version.version)


def version_of(tracking: Tracking, which: str | None, name: str = MODEL_NAME) -> Registered:
    """A version by its number or by its run.

    Parameters
    ----------
    tracking : Tracking
    which : str or None
        None: the challenger, or where there is none the champion.
    name : str

    Raises
    ------
    ParameterError
        If there is no such version.
    """
    with _client(tracking, name) as client:
        if which is not None and not which.isdigit():
            return _of_run(client, name, which)
        aliases = _aliases(client, name)
        chosen = aliases.get(CHALLENGER, aliases.get(CHAMPION)) if which is None else int(which)
        if chosen is None:
            raise ParameterError(
                f"A version of model {name!r} must be the challenger, got none. Name a version, or train one."
            )
        return _version(client, name, chosen)


@contextmanager
def files_of(tracking: Tracking, version: Registered) -> Iterator[Path]:
    """The saved model of a version, brought here for as long as the block lasts.

    Raises
    ------
    GovernanceError
        If the version is no saved model of Benne.
    """
    with _client(tracking, version.name), TemporaryDirectory() as folder:
        place = mlflow.artifacts.download_artifacts(version.uri, dst_path=folder)
        yield saved_within(Path(place))


def mark(tracking: Tracking, version: Registered, config_hash: str) -> None:
    """Tag a version with the hash of its files, by which the record of promotions knows it."""
    with _client(tracking, version.name) as client:
        client.set_model_version_tag(version.name, str(version.version), _FILES, config_hash)


def marked(tracking: Tracking, config_hash: str, name: str = MODEL_NAME) -> Registered | None:
    """The newest version that is tagged with this hash of its files, and has them; None if there is none.

    A tag is written by whoever may write to MLflow: it is where to look, and the files say whether it is so.
    """
    with _client(tracking, name) as client:
        aliases = _aliases(client, name)
        found = client.search_model_versions(f"name = '{name}'")
        known = [_registered(version, aliases) for version in found if version.tags.get(_FILES) == config_hash]
    newest_first = sorted(known, key=lambda version: -version.version)
    return next((version for version in newest_first if _has_files(tracking, version, config_hash)), None)


def author_of(tracking: Tracking, version: Registered) -> str | None:
    """Who trained a version, by the tag of its run; None where the run says nothing, or is not there."""
    with _client(tracking, version.name) as client:
        try:
            return client.get_run(version.run_id).data.tags.get(AUTHOR) if version.run_id else None
        except MlflowException as error:
            if error.error_code not in (_ABSENT, "INVALID_PARAMETER_VALUE"):
                raise
            return None


def _has_files(tracking: Tracking, version: Registered, config_hash: str) -> bool:
    try:
        with files_of(tracking, version) as directory:
            return identity_of(directory)[1] == config_hash
    except (BenneError, OSError):
        return False


def name_champion(tracking: Tracking, version: Registered) -> Registered:
    """Let the alias ``champion`` name a version, once MLflow has loaded it; the record of promotions says which.

    This decides nothing: see :mod:`benne.experiments.validation.promoting`.

    Raises
    ------
    ModelDirectoryError
        If its files are corrupted or from a newer Benne.
    """
    with _client(tracking, version.name) as client:
        mlflow.pyfunc.load_model(version.uri)
        client.set_registered_model_alias(version.name, CHAMPION, str(version.version))
        if CHALLENGER in _version(client, version.name, version.version).aliases:
            client.delete_registered_model_alias(version.name, CHALLENGER)
        return _version(client, version.name, version.version)


def saved_within(folder: Path) -> Path:
    """Where a model's own files are within what MLflow keeps of it.

    Raises
    ------
    GovernanceError
        If they are nowhere.
    """
    manifests = sorted(folder.rglob(MANIFEST))
    if len(manifests) != 1:
        raise GovernanceError("The run must have logged a saved model of Benne, got something else. Train one.")
    return manifests[0].parent


@contextmanager
def _client(tracking: Tracking, name: str) -> Iterator[MlflowClient]:
    check_model_name(name)
    with store_in_use(tracking):
        try:
            yield MlflowClient()
        except MlflowException as error:
            raise StoreError(
                f"The registry of models must be there and allow it, got {error.error_code}. Check the address."
            ) from error


def _logged_model(client: MlflowClient, run_id: str) -> str:
    try:
        outputs = client.get_run(run_id).outputs
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        raise ParameterError("The run to register must exist, got an id of none. Check the id and the store.") from None
    logged = [] if outputs is None else outputs.model_outputs
    if not logged:
        raise ParameterError("The run to register must have logged a model, got one without. Log it anew.")
    return str(logged[-1].model_id)


def _aliases(client: MlflowClient, name: str) -> dict[str, int]:
    return {alias: int(version) for alias, version in _model(client, name).aliases.items()}


def _model(client: MlflowClient, name: str) -> Any:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        raise ParameterError(f"The model must be registered, got {name!r}, which is not. Train one first.") from None


def _version(client: MlflowClient, name: str, version: int) -> Registered:
    try:
        found = client.get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        raise ParameterError(f"Model {name!r} has no version {version}. See which it has: benne models list") from None
    return _registered(found, _aliases(client, name))


def _of_run(client: MlflowClient, name: str, run_id: str) -> Registered:
    aliases = _aliases(client, name)
    found = [one for one in client.search_model_versions(f"name = '{name}'") if one.run_id == run_id]
    if not found:
        raise ParameterError(f"Model {name!r} has no version of that run. See which it has: benne models list")
    return _registered(max(found, key=lambda one: int(one.version)), aliases)


def _registered(found: Any, aliases: dict[str, int]) -> Registered:
    number = int(found.version)
    return Registered(
        name=str(found.name),
        version=number,
        aliases=tuple(sorted(alias for alias, of in aliases.items() if of == number)),
        run_id=str(found.run_id),
        registered_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )
