"""A service put together from its settings: with :mod:`benne.scoring.wiring` the only place that does so."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from benne.errors import SettingsError
from benne.features import SubjectKey, registry
from benne.features.engines.event_store import EventStore
from benne.features.events.key_files import read_key_file, write_key_file
from benne.scoring.access.administration import Administration
from benne.scoring.access.api_keys import ApiKeys
from benne.scoring.access.authenticator import Authenticator
from benne.scoring.access.key_sources import JwksFile, JwksSource, JwksUrl
from benne.scoring.access.limits import RateLimits
from benne.scoring.access.principal import Principal
from benne.scoring.access.recent import RecentPrincipals
from benne.scoring.access.token_keys import TokenKeys
from benne.scoring.access.tokens import TokenRules, TokenVerifier
from benne.scoring.audit.chain import head
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.key_files import write_key_pair
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.terms_file import TermsFile, read_terms
from benne.scoring.decisions.decide import DecisionMaker, Parts
from benne.scoring.decisions.desk import Desk
from benne.scoring.decisions.promotion import promote, promoted
from benne.scoring.decisions.replay import Replayer
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ModelShelf, ModelSlot, ServedModel
from benne.scoring.decisions.stored_vectors import StoredVectors
from benne.scoring.decisions.vectors import EventVectors, FeatureSource
from benne.scoring.erasure.parts import Erasable, EventStorePart
from benne.scoring.members.consenting import Consenting
from benne.scoring.members.explanations import Explanations
from benne.scoring.members.proving import Proving
from benne.scoring.members.recording import MemberRecorder
from benne.scoring.members.records import MemberRecords
from benne.scoring.policy import read_policies
from benne.scoring.policy.policy_file import default_text
from benne.scoring.proof.keys import ProofKeyFile
from benne.scoring.service import Service
from benne.scoring.settings import FILE_NAME, Settings
from benne.scoring.signing import read_signer
from benne.scoring.store.database import Store, open_store
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.wiring import create_keyring, open_erasure, open_keyring, open_vault, random_id, system_clock

__all__ = ["LaidOut", "lay_out", "open_service", "opened_service"]

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
    model: Path,
    *,
    subject_key: Path | None = None,
    terms: Path | None = None,
    database: str | None = None,
    events: str | None = None,
) -> LaidOut:
    """Make a service's folder: keys, database, policies, consent terms and the model that is to serve.

    Parameters
    ----------
    home : Path
        A new or empty folder.
    model : Path
        A saved model.
    subject_key : Path, optional
        The key that events and features were keyed with; by default a new one.
    terms : Path, optional
        A folder of consent terms, or one file; without any there is nothing to consent to yet.
    database : str, optional
        Address of an empty PostgreSQL database; by default a SQLite file in the folder.
    events : str, optional
        Event store to compute features from, there already or yet to be made: an address, or a file in the folder
        unless its path is absolute. Without it, features that are loaded serve.

    Raises
    ------
    SettingsError
        If the folder holds anything.
    BenneError
        If model, key or terms are not what they must be; then the folder is left as it was.
    """
    if home.exists() and any(home.iterdir()):
        raise SettingsError(f"A new service's folder must be empty, got {home} with something in it. Name another.")
    home = home.resolve()
    partial = home.with_name(f".{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=_OWNER_ONLY)
    try:
        _write_settings(partial / FILE_NAME, database=database, events=events)
        admin_key = _fill(Settings(home=partial), model, subject_key, terms)
        if home.exists():
            home.rmdir()
        partial.rename(home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return LaidOut(home, admin_key)


def _fill(settings: Settings, model: Path, subject_key: Path | None, terms: Path | None) -> str:
    settings.path("policies").write_text(default_text(), encoding="utf-8")
    create_keyring(settings.path("keyring"))
    write_key_pair(settings.path("signing_key"), Ed25519PrivateKey.generate())
    ProofKeyFile(settings.path("proof_keys")).create(Ed25519PrivateKey.generate(), system_clock())
    _copy_or_draw(subject_key, settings.path("subject_key"))
    _copy_terms(terms, settings.path("terms"))
    served = ModelShelf(settings.path("models")).put(model)
    policies = read_policies(settings.path("policies"))
    store = open_store(settings.database_address)
    try:
        _require_nobodys(store)
        with GroupCommit(store, clock=system_clock) as group:
            actor = Actor("benne-cli", "admin")
            group.submit(promote(served, actor, event_id=random_id(), policy_version=policies.version))
            administration = Administration(Principal(id=actor.id, role="admin"), random_id, policies.version)
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


def open_service(settings: Settings) -> Service:
    """Open everything a service is made of.

    Raises
    ------
    BenneError
        If a part is missing, damaged, open to others, or of another version; nothing stays open.
    """
    subject_key = read_key_file(settings.path("subject_key"))
    policies = read_policies(settings.path("policies"))
    signer = read_signer(settings.path("signing_key"))
    vault = open_vault(open_keyring(settings.path("keyring")))
    shelf = ModelShelf(settings.path("models"))
    store = open_store(settings.database_address, migrate=settings.migrate)
    group = events = None
    try:
        with store.read() as connection:
            models = ModelSlot(_model_to_serve(connection, shelf))
        vectors, replayer = StoredVectors(vault, _category_of(models)), Replayer(vault, shelf)
        recorder = MemberRecorder(vault, random_id, policies.version)
        proof_keys = ProofKeyFile(settings.path("proof_keys"))
        events = None if settings.events_address is None else EventStore.open(settings.events_address)
        source: FeatureSource = vectors if events is None else EventVectors(events)
        group = GroupCommit(store, clock=system_clock)
        parts = Parts(
            store=store, group=group, vault=vault, features=source, models=models,
            policies=lambda: policies, clock=system_clock, ids=random_id,
        )  # fmt: skip
        maker = DecisionMaker(parts)
        ledger = ConsentLedger(
            store, clock=system_clock, ids=random_id, signer=signer, jurisdiction=policies.jurisdiction
        )
        offered, authenticator = _offered(ledger, settings), _authenticator(settings, subject_key)
        return Service(
            settings=settings,
            store=store,
            ledger=ledger,
            group=group,
            vault=vault,
            vectors=vectors,
            pseudonyms=Pseudonyms(vault.keyring),
            subject_key=subject_key,
            maker=maker,
            desk=Desk(maker.decide, clerks=settings.clerks, most_waiting=settings.most_waiting),
            models=models,
            shelf=shelf,
            policies=policies,
            terms=offered,
            authenticator=authenticator,
            recent=RecentPrincipals(settings.access_cache_seconds, time.monotonic),
            limits=RateLimits(settings.rate_per_second, settings.burst, time.monotonic),
            consenting=Consenting(ledger, group, recorder, vectors, offered),
            records=MemberRecords(store, group, vault, vectors, shelf, recorder),
            explanations=Explanations(store, group, vault, replayer, recorder),
            proving=Proving(
                maker, group, recorder, lambda: proof_keys.keys().signer(system_clock()), settings.issuer, system_clock
            ),
            replayer=replayer,
            erasure=open_erasure(store, vault, group, _erasable(settings)),
            signer=signer,
            proof_keys=proof_keys,
            events=events,
            clock=system_clock,
            ids=random_id,
        )
    except BaseException:
        if group is not None:
            group.close()
        if events is not None:
            events.close()
        store.close()
        raise


@contextmanager
def opened_service(settings: Settings) -> Iterator[Service]:
    """A service for the length of a command."""
    service = open_service(settings)
    try:
        yield service
    finally:
        service.close()


def _model_to_serve(connection: Connection, shelf: ModelShelf) -> ServedModel:
    newest = promoted(connection)
    if newest is None:
        raise SettingsError("A service must have a model to serve, got none. Promote one: benne service promote")
    return shelf.get(newest.model_id)


def _category_of(models: ModelSlot) -> Callable[[str], str]:
    """By the model that serves, else by the registry; '' for a feature of neither."""

    def category_of(feature: str) -> str:
        served = models.current
        for category, places in served.columns.items():
            if feature in {served.names[k] for k in places}:
                return category
        return registry[feature].category if feature in registry else ""

    return category_of


def _erasable(settings: Settings) -> list[Erasable]:
    return [] if settings.events_address is None else [EventStorePart(settings.events_address)]


def _offered(ledger: ConsentLedger, settings: Settings) -> dict[str, TermsFile]:
    """Consents that members may give here; their notices are registered, so that the text can be rebuilt."""
    folder = settings.path("terms")
    offered = {file.stem: read_terms(file) for file in sorted(folder.glob("*.toml"))}
    for one in offered.values():
        ledger.register_notice(one.notice)
    return offered


def _authenticator(settings: Settings, subject_key: SubjectKey) -> Authenticator:
    keys = ApiKeys(secrets.token_bytes)
    if settings.jwks is None:
        return Authenticator(keys, clock=system_clock)
    if settings.token_issuer is None or settings.token_audience is None:
        raise SettingsError("token_issuer and token_audience must be given with jwks, got one missing. Add it.")
    source: JwksSource = JwksFile(settings.home / settings.jwks)
    if "://" in settings.jwks:
        source = JwksUrl(settings.jwks, clock=system_clock)
    tokens = TokenVerifier(
        TokenKeys(source, clock=system_clock),
        TokenRules(issuer=settings.token_issuer, audience=settings.token_audience),
        clock=system_clock,
        subject_of=subject_key.subject_id,
    )
    return Authenticator(keys, clock=system_clock, tokens=tokens)
