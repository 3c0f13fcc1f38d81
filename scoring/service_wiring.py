"""A service put together from its settings: with :mod:`benne.scoring.wiring` the only place that does so."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from benne.errors import SettingsError
from benne.explain.report import Routes
from benne.features import SubjectKey, registry
from benne.features.engines.event_store import EventStore
from benne.features.events.key_files import read_key_file
from benne.scoring.access.api_keys import ApiKeys
from benne.scoring.access.authenticator import Authenticator
from benne.scoring.access.key_sources import JwksFile, JwksSource, JwksUrl
from benne.scoring.access.limits import RateLimits
from benne.scoring.access.recent import RecentPrincipals
from benne.scoring.access.token_keys import TokenKeys
from benne.scoring.access.tokens import TokenRules, TokenVerifier
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.terms_file import TermsFile, read_terms
from benne.scoring.decisions.case import Case
from benne.scoring.decisions.decide import DecisionMaker, Parts
from benne.scoring.decisions.desk import Desk
from benne.scoring.decisions.promotion import promoted, require_may_serve
from benne.scoring.decisions.replay import Replayer
from benne.scoring.decisions.served_model import ModelShelf, ModelSlot, ServedModel
from benne.scoring.decisions.stored_vectors import StoredVectors
from benne.scoring.decisions.vectors import EventVectors, FeatureSource
from benne.scoring.erasure.parts import Erasable, EventStorePart
from benne.scoring.governance.earlier import binding
from benne.scoring.governance.verdicts import require_validated, verdicts_of
from benne.scoring.jurisdictions import profile_of
from benne.scoring.members.consenting import Consenting
from benne.scoring.members.counterfactuals import Counterfactuals
from benne.scoring.members.explanations import Explanations
from benne.scoring.members.fonts import system_fonts
from benne.scoring.members.free_reports import FreeReportCount
from benne.scoring.members.proving import Proving
from benne.scoring.members.recording import MemberRecorder
from benne.scoring.members.records import MemberRecords
from benne.scoring.members.reports import Reports, ReportTerms
from benne.scoring.members.what_if import WhatIf
from benne.scoring.members.what_if_asking import Asking
from benne.scoring.members.what_if_change import ScoreChanges
from benne.scoring.monitoring.alerts import AlertSink, LogSink, WebhookSink
from benne.scoring.monitoring.live import LiveMonitoring, LiveParts
from benne.scoring.monitoring.thresholds import Thresholds
from benne.scoring.policy import Policies, read_policies
from benne.scoring.proof.keys import ProofKeyFile
from benne.scoring.protected import ProtectedPart
from benne.scoring.rights.rights import Rights
from benne.scoring.rights_wiring import RightsParts, open_rights
from benne.scoring.rollout.rollouts import RolloutParts, Rollouts, follow_at_the_start
from benne.scoring.service import Service
from benne.scoring.settings import Settings
from benne.scoring.signing import Ed25519Signer, read_signer
from benne.scoring.store.database import Store, open_store
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.store.vault import MemberVault
from benne.scoring.wiring import open_erasure, open_keyring, open_vault, random_id, system_clock

__all__ = ["open_service", "opened_service"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What everything else of a service stands on."""

    store: Store
    group: GroupCommit
    vault: MemberVault
    vectors: StoredVectors
    events: EventStore | None
    shelf: ModelShelf
    models: ModelSlot
    policies: Policies
    ledger: ConsentLedger
    signer: Ed25519Signer


def open_service(settings: Settings) -> Service:
    """Open everything a service is made of.

    Raises
    ------
    BenneError
        If a part is missing, damaged, open to others, or of another version; nothing stays open.
    """
    subject_key = read_key_file(settings.path("subject_key"))
    with ExitStack() as opened:
        service = _service(settings, subject_key, _core(settings, opened))
        follow_at_the_start(service.rollouts)
        opened.pop_all()  # from here on they are the service's own to close
    return service


def _core(settings: Settings, opened: ExitStack) -> _Core:
    """Files are read first; what is open is closed again where a later part fails."""
    policies = read_policies(settings.path("policies"))
    signer = read_signer(settings.path("signing_key"))
    vault = open_vault(open_keyring(settings.path("keyring")))
    shelf = ModelShelf(settings.path("models"))
    store = open_store(settings.database_address, migrate=settings.migrate)
    opened.callback(store.close)
    with store.read() as connection:
        models = ModelSlot(_model_to_serve(connection, shelf))
    events = None if settings.events_address is None else EventStore.open(settings.events_address)
    if events is not None:
        opened.callback(events.close)
    return _Core(
        store=store,
        group=opened.enter_context(
            GroupCommit(store, clock=system_clock, patience=timedelta(seconds=settings.timeout_seconds))
        ),
        vault=vault,
        vectors=StoredVectors(vault, _category_of(models)),
        events=events,
        shelf=shelf,
        models=models,
        policies=policies,
        ledger=ConsentLedger(
            store, clock=system_clock, ids=random_id, signer=signer, jurisdiction=policies.jurisdiction
        ),
        signer=signer,
    )


def _service(settings: Settings, subject_key: SubjectKey, core: _Core) -> Service:
    """The desk, whose clerks are threads, comes last: nothing can fail after it."""
    store, group, vault = core.store, core.group, core.vault
    recorder, replayer = MemberRecorder(vault, random_id, core.policies.version), Replayer(vault, core.shelf)
    proof_keys, offered = ProofKeyFile(settings.path("proof_keys")), _offered(core.ledger, settings)
    rollouts, monitoring = _rollouts(core), _monitoring(settings, core)
    maker, explanations = (
        _maker(core, (rollouts.shadow, monitoring.watch)),
        Explanations(store, group, vault, replayer, recorder),
    )
    what_if = _what_if(core, recorder)
    return Service(
        settings=settings, store=store, ledger=core.ledger, group=group, vault=vault, vectors=core.vectors,
        pseudonyms=Pseudonyms(vault.keyring), subject_key=subject_key, maker=maker, models=core.models,
        shelf=core.shelf, rollouts=rollouts, monitoring=monitoring, policies=core.policies, terms=offered,
        authenticator=_authenticator(settings, subject_key),
        recent=RecentPrincipals(settings.access_cache_seconds, time.monotonic),
        limits=RateLimits(settings.rate_per_second, settings.burst, time.monotonic),
        consenting=Consenting(core.ledger, group, recorder, core.vectors, offered),
        records=MemberRecords(store, group, vault, core.vectors, core.shelf, recorder),
        explanations=explanations,
        reports=Reports(explanations, core.ledger, _report_terms(settings, core), system_clock),
        proving=Proving(
            maker, group, recorder, lambda: proof_keys.keys().signer(system_clock()), settings.issuer, system_clock
        ),
        what_if=what_if,
        rights=_rights(settings, subject_key, core, maker, Counterfactuals(what_if, replayer, core.ledger)),
        replayer=replayer, erasure=open_erasure(store, vault, group, _erasable(settings)), signer=core.signer,
        proof_keys=proof_keys, events=core.events, clock=system_clock, ids=random_id,
        desk=Desk(maker.decide, clerks=settings.clerks, most_waiting=settings.most_waiting),
    )  # fmt: skip


def _report_terms(settings: Settings, core: _Core) -> ReportTerms:
    """What members' reports say of where to go: their own pages, and what settings and policies name."""
    policies, a_year = core.policies, profile_of(core.policies.jurisdiction).free_reports_a_year
    reviews = (purpose.review_route for purpose in policies.purposes.values() if purpose.review_route is not None)
    routes = Routes(
        withdraw="/me/consents", dispute="/me/disputes", review=next(reviews, None), complaint=settings.complaints,
        export="/me/export", erasure="/me/erase",
    )  # fmt: skip
    free = FreeReportCount(core.vault, a_year)
    return ReportTerms(issuer=settings.issuer, routes=routes, fonts=system_fonts, free_reports=free)


def _what_if(core: _Core, recorder: MemberRecorder) -> WhatIf:
    asking = Asking(core.store, core.group, recorder, lambda: core.policies, system_clock)
    changes = ScoreChanges(asking, core.vault, core.shelf, core.events)
    return WhatIf(asking, core.events, core.models, changes)


def _rights(
    settings: Settings, subject_key: SubjectKey, core: _Core, maker: DecisionMaker, counterfactuals: Counterfactuals
) -> Rights:
    parts = RightsParts(
        store=core.store, group=core.group, recorder=MemberRecorder(core.vault, random_id, core.policies.version),
        replayer=counterfactuals.replayer, maker=maker, events=core.events, subject_key=subject_key,
        policies=core.policies, settings=settings, clock=system_clock, counterfactuals=counterfactuals,
    )  # fmt: skip
    return open_rights(parts)


def _rollouts(core: _Core) -> Rollouts:
    """The features that are computed from events are those of the registry; loaded ones are as the champion's."""
    computed = {} if core.events is None else {name: registry[name].category for name in registry}
    parts = RolloutParts(
        store=core.store, group=core.group, models=core.models, shelf=core.shelf, computed=computed,
        policy_version=core.policies.version, clock=system_clock, ids=random_id, admit=require_validated,
    )  # fmt: skip
    return Rollouts(parts)


def _monitoring(settings: Settings, core: _Core) -> LiveMonitoring:
    webhook = settings.alert_webhook
    sinks: tuple[AlertSink, ...] = (LogSink(),)
    if webhook is not None:
        sinks = (LogSink(), WebhookSink(webhook.get_secret_value()))
    limits = Thresholds.default() if settings.thresholds is None else Thresholds.read(settings.path("thresholds"))
    parts = LiveParts(
        store=core.store, models=core.models, clock=system_clock, ids=random_id, sinks=sinks, thresholds=limits,
        filed_within=settings.monitoring_days,
    )  # fmt: skip
    return LiveMonitoring(parts)


def _maker(core: _Core, observers: tuple[Callable[[Sequence[Case]], None], ...]) -> DecisionMaker:
    source: FeatureSource = core.vectors if core.events is None else EventVectors(core.events)
    parts = Parts(
        store=core.store, group=core.group, vault=core.vault, features=source, models=core.models,
        policies=lambda: core.policies, clock=system_clock, ids=random_id, observers=observers,
    )  # fmt: skip
    return DecisionMaker(parts)


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
        raise SettingsError(
            "A service must have a model to serve, got none. Validate one, then promote it: benne validate, "
            "benne promote (or, without MLflow, benne service promote)"
        )
    require_may_serve(connection, newest)
    if not binding(verdicts_of(connection, newest.config_hash))[0].passed:  # one passed, or it would not serve
        _log.error("the model that serves has failed its newest validation; another serves after: benne rollback")
    return shelf.get(newest.model_id, newest.config_hash)


def _category_of(models: ModelSlot) -> Callable[[str], str]:
    """By the models that serve, else by the registry; '' for a feature of neither."""

    def category_of(feature: str) -> str:
        champion, challenger = models.serving
        for served in (champion,) if challenger is None else (champion, challenger.served):
            for category, places in served.columns.items():
                if feature in {served.names[k] for k in places}:
                    return category
        return registry[feature].category if feature in registry else ""

    return category_of


def _erasable(settings: Settings) -> list[Erasable]:
    events = [] if settings.events_address is None else [EventStorePart(settings.events_address)]
    protected = [] if settings.protected is None else [ProtectedPart(settings.path("protected"))]
    return [*events, *protected]


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
