"""The simulated members' consents, taken over into a real ledger."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import cast

import pandas as pd

from benne.experiments.simulator import RECIPIENT, SCORING_PURPOSE, TRAINING_PURPOSE, Simulation, grant_periods
from benne.features import SubjectKey
from benne.scoring import Capture, ConsentLedger, ConsentTerms, Notice, open_store
from benne.scoring.consent.vocabulary import Purpose

__all__ = ["simulated_ledger"]

_VALIDITY = timedelta(days=5 * 365)
_TEXTS = {
    SCORING_PURPOSE: "May the platform compute your score from the categories you switch on, to offer you credit?",
    TRAINING_PURPOSE: "May your pseudonymous records in the categories you switch on help to build the score model?",
}


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
    ledger = ConsentLedger(
        open_store(database),
        clock=lambda: clock,
        ids=lambda: f"demo-{next(numbers):012d}",
    )
    history = world.consents()
    subjects = dict(zip(history["member_id"].unique(), key.subject_ids(history["member_id"].unique()), strict=True))
    for purpose, text in _TEXTS.items():
        notice = ledger.register_notice(Notice(notice_id=f"demo_{purpose}", version="1", language="en", text=text))
        terms = ConsentTerms(
            notice=notice,
            purpose=cast(Purpose, purpose),
            recipient=RECIPIENT,
            controller="simulated platform",
            validity=_VALIDITY,
            retention_days=_VALIDITY.days,
            storage_location="this machine",
            withdrawal_method="the switch it was given with",
            granularity="exact",
        )
        ledger.import_periods(_periods(history, purpose, subjects), terms, _capture())
    return ledger


def _periods(history: pd.DataFrame, purpose: str, subjects: dict[str, str]) -> pd.DataFrame:
    periods = grant_periods(history, purpose=purpose)
    return periods.assign(subject_id=periods.pop("member_id").map(subjects))


def _capture() -> Capture:
    session = hashlib.sha256(b"simulated session").hexdigest()
    return Capture(channel="simulator", method="toggle_switched_on", steps=1, session_hash=session)
