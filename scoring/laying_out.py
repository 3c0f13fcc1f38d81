"""A new service's folder laid out: keys, database, policies, consent terms, and the model that is to serve."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benne.errors import NotValidated, SettingsError, StoreError
from benne.features.events.key_files import read_key_file, write_key_file
from benne.scoring.access.administration import Administration
from benne.scoring.access.api_keys import ApiKeys
from benne.scoring.access.principal import Principal
from benne.scoring.audit.chain import head
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.key_files import write_key_pair
from benne.scoring.consent.terms_file import read_terms
from benne.scoring.decisions.promotion import promote
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ModelShelf, identity_of
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.governance.taking_over import Brought, bring_over, to_bring_over
from benne.scoring.policy import read_policies
from benne.scoring.policy.policy_file import default_text
from benne.scoring.proof.keys import ProofKeyFile
from benne.scoring.settings import FILE_NAME, Settings
from benne.scoring.store.database import Store, open_store
from benne.scoring.wiring import create_keyring, random_id, system_clock

__all__ = ["LaidOut", "lay_out"]

_OWNER_ONLY: Final = 0o700
_SETTINGS: Final = """\
# Settings of this service; docs/service.md lists them all. The environment stands above this file: BENNE_PORT=9000.

# port = 8350
# events = "events.store"
"""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What a new service's folder needs to be told its owner once.

    Attributes
    ----------
    home : Path
    admin_key : str
        Opens everything an administrator may; shown once, and left out of the ``repr``.
    """

    home: Path
    admin_key: str = field(repr=False)


def lay_out(
    home: Path,
    model: Path | None = None,
    *,
    validated_in: str | Path | None = None,
    subject_key: Path | None = None,
    terms: Path | None = None,
    database: str | None = None,
    events: str | None = None,
    by: str = "benne-cli",
) -> LaidOut:
    """Make a service's folder: keys, database, policies, consent terms and the model that is to serve.

    Parameters
    ----------
    home : Path
        A new or empty folder.
    model : Path, optional
        A saved model; without one the service answers nothing until one is promoted.
    validated_in : str or Path, optional
        Database that holds the verdict on the model, which is taken over with its gates and what is on file about the
        model; needed with a model.
    subject_key : Path, optional
        The key that events and features were keyed with; by default a new one.
    terms : Path, optional
        A folder of consent terms, or one file; without any there is nothing to consent to yet.
    database : str, optional
        Address of an empty PostgreSQL database; by default a SQLite file in the folder.
    events : str, optional
        Event store to compute features from, there already or yet to be made: an address, or a file in the folder
        unless its path is absolute. Without it, features that are loaded serve.

    by : str
        Who does it, as the audit chain names them.

    Raises
    ------
    SettingsError
        If the folder holds anything.
    NotValidated
        If no verdict lets the model serve.
    BenneError
        If model, key or terms are not what they must be; then the folder is left as it was.
    """
    if home.exists() and any(home.iterdir()):
        raise SettingsError(f"A new service's folder must be empty, got {home} with something in it. Name another.")
    ready = None if model is None else _validated(model, validated_in)
    home = home.resolve()
    partial = home.with_name(f".{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=_OWNER_ONLY)
    try:
        _write_settings(partial / FILE_NAME, database=database, events=events)
        admin_key = _fill(Settings(home=partial), ready, subject_key, terms, Actor(by, "admin"))
        if home.exists():
            home.rmdir()
        partial.rename(home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return LaidOut(home, admin_key)


@dataclass(frozen=True, slots=True)
class _Validated:
    """A saved model, and on whose word it may serve."""

    model: Path
    brought: Brought


def _validated(model: Path, validated_in: str | Path | None) -> _Validated:
    _, config_hash = identity_of(model)
    if validated_in is None:
        raise NotValidated(
            "A model must be validated before it serves, got none of its verdicts. Name the store that holds it "
            "(--validated-in), or lay the service out without a model."
        )
    if "://" not in str(validated_in) and not Path(validated_in).is_file():
        raise StoreError(
            f"The store of the model's verdict must exist, got no file {validated_in}. Name the one that benne "
            "validate wrote it to: --validated-in"
        )
    store = open_store(validated_in)
    try:
        with store.read() as connection:
            return _Validated(model, to_bring_over(connection, config_hash))
    finally:
        store.close()


def _fill(
    settings: Settings, ready: _Validated | None, subject_key: Path | None, terms: Path | None, actor: Actor
) -> str:
    settings.path("policies").write_text(default_text(), encoding="utf-8")
    create_keyring(settings.path("keyring"))
    write_key_pair(settings.path("signing_key"), Ed25519PrivateKey.generate())
    ProofKeyFile(settings.path("proof_keys")).create(Ed25519PrivateKey.generate(), system_clock())
    _copy_or_draw(subject_key, settings.path("subject_key"))
    _copy_terms(terms, settings.path("terms"))
    served = None if ready is None else ModelShelf(settings.path("models")).put(ready.model)
    policies = read_policies(settings.path("policies"))
    store = open_store(settings.database_address)
    try:
        _require_nobodys(store)
        with GroupCommit(store, clock=system_clock) as group:
            version = policies.version
            if ready is not None and served is not None:
                bring_over(ready.brought, GovernanceStore(store, group, version, None), actor, ids=random_id)
                group.submit(promote(served, actor, event_id=random_id(), policy_version=version))
            administration = Administration(Principal(id=actor.id, role="admin"), random_id, version)
            keys = ApiKeys(secrets.token_bytes)
            return group.submit(administration.new_key(keys, "admin")).result.text
    finally:
        store.close()


def _require_nobodys(store: Store) -> None:
    """A new service's keys open nothing in the database of another, and must not be put beside what is there."""
    with store.read() as connection:
        if head(connection).seq:
            raise SettingsError("A new service's database must be empty, got another's. Name an empty one.")


def _write_settings(file: Path, **said: str | None) -> None:
    given = "".join(f"\n{name} = {json.dumps(value)}\n" for name, value in said.items() if value is not None)
    file.touch(mode=0o600)  # a database's address holds its password
    file.write_text(_SETTINGS + given, encoding="utf-8")


def _copy_or_draw(given: Path | None, target: Path) -> None:
    if given is None:
        write_key_file(target, secrets.token_bytes(32))
        return
    read_key_file(given)
    shutil.copyfile(given, target)
    os.chmod(target, 0o600)


def _copy_terms(given: Path | None, target: Path) -> None:
    target.mkdir()
    files = [] if given is None else sorted(given.glob("*.toml")) if given.is_dir() else [given]
    for file in files:
        read_terms(file)
        shutil.copyfile(file, target / file.name)
