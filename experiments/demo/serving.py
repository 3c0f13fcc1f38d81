"""A service's folder with members in it: another simulated platform, up to this month, and the demo's model."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from benne.experiments.simulator import RECIPIENT, SCORING_PURPOSE, Simulation, SimulatorOptions, simulate
from benne.features import SubjectKey, ingest
from benne.features.categories import CATEGORIES
from benne.features.engines.event_store import EventStore
from benne.features.events.key_files import write_key_file
from benne.scoring import Capture, ConsentLedger
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsDraft, read_all_terms, write_terms
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import opened_service
from benne.scoring.settings import Settings

__all__ = ["STEPS", "ServedPlatform", "advance", "lay_out_with_members", "served_platform"]

STEPS: Final = (
    "simulate a platform", "validate events and key ids", "lay out the service", "put events into its store",
    "take over consents",
)  # fmt: skip
_OFFERED: Final = {SCORING_PURPOSE: "exact", "own_report": "exact", "deposit_waiver": "threshold"}
_CONTROLLER: Final = "A simulated platform"
_VALIDITY_DAYS: Final = 20 * 365
_EVENTS: Final = "events.db"
_FACTS: Final = "demo.json"
_SHOWN: Final = 50


@dataclass(frozen=True)
class ServedPlatform:
    """Whom a demonstration can be about.

    Attributes
    ----------
    recipient, purpose : str
        For whom and what the simulated members were asked.
    consenting, without : str
        Raw ids: of a member who consents to everything and of whom much is known, and of one who never did.
    """

    recipient: str
    purpose: str
    consenting: str
    without: str


def lay_out_with_members(
    home: Path,
    model: Path,
    *,
    validated_in: str | Path,
    members: int,
    seed: int,
    now: datetime,
    on_step: Callable[[int], object] = lambda _: None,
) -> None:
    """Lay out a service whose features are computed from the events of a simulated platform.

    Parameters
    ----------
    home : Path
        A new folder; it is whole or it is not there.
    model : Path
        A saved model.
    validated_in : str or Path
        Database that holds the verdict on it.
    members, seed : int
        Of the simulation.
    now : datetime
        When it ends, and the ingest clock of the event store.
    on_step : callable, optional
        Told the number of each of :data:`STEPS` as it begins.

    Raises
    ------
    NotValidated
        If no verdict lets the model serve.
    BenneError
        If the model is none, or the folder holds anything.
    """
    partial = home.with_name(f".{home.name}.in-the-making")
    shutil.rmtree(partial, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".platform-") as scratch:
        folder = Path(scratch)
        on_step(0)
        world = simulate(folder / "world", members=members, seed=seed, options=_until(now))
        on_step(1)
        key = write_key_file(folder / "subject.key", secrets.token_bytes(32))
        events = ingest(world.raw, folder / "events", key=key, ingested_at=world.extracted_at.to_pydatetime())
        on_step(2)
        terms = _terms(folder / "terms")
        lay_out(
            partial, model, validated_in=validated_in, subject_key=folder / "subject.key", terms=terms, events=_EVENTS
        )
        on_step(3)
        EventStore.create(partial / _EVENTS, events, watermark=now).close()
        on_step(4)
        with opened_service(Settings(home=partial)) as service:
            _take_over(world, service.ledger, terms / f"{SCORING_PURPOSE}.toml", key)
            _write_facts(partial / _FACTS, world, service.ledger, key)
    partial.rename(home)


def served_platform(home: Path, ledger: ConsentLedger, key: SubjectKey) -> ServedPlatform:
    """Whom to show now: consents may have been withdrawn since, and members erased.

    Parameters
    ----------
    home : Path
    ledger : ConsentLedger
    key : SubjectKey
    """
    facts = json.loads((home / _FACTS).read_text(encoding="utf-8"))
    consenting = next((one for one in facts["consenting"] if _consents(ledger, key, one)), facts["consenting"][0])
    without = next((one for one in facts["without"] if not _consents(ledger, key, one)), facts["without"][0])
    return ServedPlatform(RECIPIENT, SCORING_PURPOSE, consenting, without)


def advance(home: Path, now: datetime) -> None:
    """Say that nothing new came until now, so that features are of now."""
    store = EventStore.open(home / _EVENTS)
    try:
        store.advance(now)
    finally:
        store.close()


def _until(now: datetime) -> SimulatorOptions:
    """A simulation whose members are observed, and whose tables are extracted, now."""
    return SimulatorOptions(as_of=(now,), tail_months=1, extracted_at=now)


def _terms(folder: Path) -> Path:
    folder.mkdir()
    for purpose, granularity in _OFFERED.items():
        draft = TermsDraft(purpose, RECIPIENT, _CONTROLLER, granularity, _VALIDITY_DAYS)
        write_terms(folder / f"{purpose}.toml", draft)
    return folder


def _take_over(world: Simulation, ledger: ConsentLedger, terms: Path, key: SubjectKey) -> None:
    session = hashlib.sha256(b"simulated session").hexdigest()
    capture = Capture(channel="simulator", method="toggle_switched_on", steps=1, session_hash=session)
    import_history(ledger, world.consents(), read_all_terms([terms]), capture, key=key)


def _write_facts(path: Path, world: Simulation, ledger: ConsentLedger, key: SubjectKey) -> None:
    """Some members to show: those of whom most is known first."""
    payments = pd.read_parquet(world.raw / "repayments.parquet", columns=["member_id"])["member_id"].value_counts()
    asked = world.consents().query("purpose == @SCORING_PURPOSE and event == 'given'")["member_id"]
    never = sorted(set(payments.index) - set(asked))
    consenting = [str(one) for one in payments.index if one in set(asked) and _consents(ledger, key, str(one))]
    facts = {"consenting": consenting[:_SHOWN], "without": never[:_SHOWN]}
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _consents(ledger: ConsentLedger, key: SubjectKey, member: str) -> bool:
    return set(ledger.active(key.subject_id(member), SCORING_PURPOSE, RECIPIENT)) >= set(CATEGORIES)
