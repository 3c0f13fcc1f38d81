"""The simulated members' consents, taken over into a real ledger."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import count
from pathlib import Path

from benne.experiments.simulator import RECIPIENT, SCORING_PURPOSE, TRAINING_PURPOSE, Simulation
from benne.features import SubjectKey
from benne.scoring import Capture, ConsentLedger, open_store
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsDraft, read_all_terms, write_terms

__all__ = ["simulated_ledger", "write_simulated_terms"]

_VALIDITY_DAYS = 20 * 365
_FOLDER = "terms"


def write_simulated_terms(world: Simulation) -> Path:
    """Write what the simulated members were asked into the world's folder, and say where."""
    folder = world.folder / _FOLDER
    folder.mkdir()
    for purpose in (SCORING_PURPOSE, TRAINING_PURPOSE):
        draft = TermsDraft(purpose, RECIPIENT, "A simulated platform", "exact", _VALIDITY_DAYS)
        write_terms(folder / f"{purpose}.toml", draft)
    return folder


def simulated_ledger(world: Simulation, key: SubjectKey, database: Path, clock: datetime) -> ConsentLedger:
    """Open a ledger at ``database`` that holds what the simulated members have chosen.

    Parameters
    ----------
    world : Simulation
    key : SubjectKey
    database : Path
        Of a new SQLite file.
    clock : datetime
        The moment at which the simulated world stands still.
    """
    numbers = count(1)
    ledger = ConsentLedger(open_store(database), clock=lambda: clock, ids=lambda: f"demo-{next(numbers):012d}")
    session = hashlib.sha256(b"simulated session").hexdigest()
    capture = Capture(channel="simulator", method="toggle_switched_on", steps=1, session_hash=session)
    history = world.consents()
    import_history(ledger, history, read_all_terms([write_simulated_terms(world)]), capture, key=key)
    return ledger
