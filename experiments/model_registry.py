"""Versions of the model in MLflow's registry: which one challenges, which one decides, which one did before.

An alias names a version: ``challenger`` the newest that was trained, ``champion`` the one in use, so
that a service loads ``models:/benne@champion`` and never a number. Former champions stand in a tag
of the registered model, oldest first. What a challenger must have shown before it is promoted is
not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from benne.errors import ParameterError, StoreError
from benne.experiments.tracking import Tracking, default_store, store_in_use

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "MODEL_NAME",
    "Registered",
    "check_model_name",
    "existing_store",
    "promote",
    "register_challenger",
    "roll_back",
    "versions",
]

CHALLENGER: Final = "challenger"
CHAMPION: Final = "champion"
MODEL_NAME: Final = "benne"
_NAME: Final = re.compile(r"\w[\w -]*")
_FORMER: Final = "benne.former_champions"
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


def promote(tracking: Tracking, version: int | None = None, name: str = MODEL_NAME) -> Registered:
    """Make a version the champion, once it has been loaded and so checked.

    Parameters
    ----------
    tracking : Tracking
    version : int, optional
        By default the challenger, which is none after that.
    name : str

    Raises
    ------
    ParameterError
        If there is no such version, or it is the champion already.
    ModelDirectoryError
        If its files are corrupted or from a newer Benne.
    """
    with _client(tracking, name) as client:
        aliases = _aliases(client, name)
        chosen = aliases.get(CHALLENGER) if version is None else version
        if chosen is None:
            raise ParameterError(
                f"A version of model {name!r} must be the challenger, got none. Name a version, or train one."
            )
        promoted = _version(client, name, chosen)
        champion = aliases.get(CHAMPION)
        if champion == chosen:
            raise ParameterError(f"Version {chosen} of {name} must not be the champion yet, and it is.")
        former = [*_former(client, name), *([] if champion is None else [champion])]
        return _crowned(client, promoted, former)


def roll_back(tracking: Tracking, name: str = MODEL_NAME) -> Registered:
    """Make the champion before this one the champion again.

    Raises
    ------
    ParameterError
        If there was none before.
    ModelDirectoryError
        If its files are corrupted or from a newer Benne.
    """
    with _client(tracking, name) as client:
        _aliases(client, name)
        former = _former(client, name)
        if not former:
            raise ParameterError(
                f"Model {name!r} must have had a champion before this one, got none. Promote a version."
            )
        return _crowned(client, _version(client, name, former[-1]), former[:-1])


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


def _crowned(client: MlflowClient, version: Registered, former: list[int]) -> Registered:
    """Load the version, which checks it, and only then name it the champion."""
    mlflow.pyfunc.load_model(version.uri)
    client.set_registered_model_tag(version.name, _FORMER, ",".join(map(str, former)))
    client.set_registered_model_alias(version.name, CHAMPION, str(version.version))
    if CHALLENGER in version.aliases:
        client.delete_registered_model_alias(version.name, CHALLENGER)
    return _version(client, version.name, version.version)


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


def _former(client: MlflowClient, name: str) -> list[int]:
    return [int(version) for version in _model(client, name).tags.get(_FORMER, "").split(",") if version]


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


def _registered(found: Any, aliases: dict[str, int]) -> Registered:
    number = int(found.version)
    return Registered(
        name=str(found.name),
        version=number,
        aliases=tuple(sorted(alias for alias, of in aliases.items() if of == number)),
        run_id=str(found.run_id),
        registered_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )
