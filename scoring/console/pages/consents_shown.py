"""Consents as pages show them: which stand now, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benne.features.categories import CATEGORIES
from benne.scoring.consent.vocabulary import GIVING_STATES

__all__ = ["ConsentShown", "consents_shown", "standing"]


@dataclass(frozen=True, slots=True)
class ConsentShown:
    """One consent record, with what of it stands now.

    Attributes
    ----------
    record : dict
        As :func:`benne.scoring.consent.plain_values.consent_as_dict` gives it.
    stands : tuple of str
        Categories whose consent stands, in the categories' own order.
    state : str
        The last thing that became of it.
    """

    record: dict[str, Any]
    stands: tuple[str, ...]
    state: str


def consents_shown(records: Iterable[dict[str, Any]], now: datetime) -> list[ConsentShown]:
    """Every record, the newest first."""
    return [_shown(record, now) for record in records][::-1]


def standing(consents: Iterable[ConsentShown]) -> list[ConsentShown]:
    """Those of which something stands now."""
    return [consent for consent in consents if consent.stands]


def _shown(record: dict[str, Any], now: datetime) -> ConsentShown:
    last = {event["category"]: event["state"] for event in record["events"]}
    over = datetime.fromisoformat(record["valid_until"]) <= now
    stands = tuple(category for category in CATEGORIES if not over and last.get(category) in GIVING_STATES)
    states = [event["state"] for event in record["events"]]
    state = states[-1] if states else "given"
    return ConsentShown(record, stands, "expired" if over and state in GIVING_STATES else state)
