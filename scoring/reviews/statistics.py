"""How often reviewers overturn what was decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from benne.errors import RightsError
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.store.rights_tables import rights_cases

__all__ = ["FEWEST", "OverturnRate", "Period", "overturn_rates"]

FEWEST: Final = 20
"""Reviews below which there is no rate: one more or less would change it by more than five points."""

_C: Final = rights_cases.c


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to but not including another, both with a time zone.

    Raises
    ------
    RightsError
        If it does not end after it begins.
    """

    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None or self.begin >= self.end:
            raise RightsError("A period must end after it begins, both with a time zone, got another. Correct it.")

    @property
    def us(self) -> tuple[int, int]:
        """Both ends in microseconds since 1970-01-01 UTC."""
        return to_microseconds(self.begin, "A period"), to_microseconds(self.end, "A period")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverturnRate:
    """Reviews of one month, policy version and recipient, or of all of them.

    Attributes
    ----------
    month : str or None
        Such as ``2026-11`` (UTC); None for the whole period.
    policy_version, recipient : str or None
        None for all.
    decided, overturned : int
    """

    month: str | None
    policy_version: str | None
    recipient: str | None
    decided: int
    overturned: int

    @property
    def rate(self) -> float | None:
        """Share that was overturned; None where fewer than :data:`FEWEST` were decided."""
        return self.overturned / self.decided if self.decided >= FEWEST else None


def overturn_rates(connection: Connection, period: Period) -> list[OverturnRate]:
    """Rates by month, policy version and recipient, in that order; the first line is the whole period.

    Reviews count when they were decided, whoever was erased since.
    """
    begin_us, end_us = period.us
    asked = select(_C.ended_at_us, _C.policy_version, _C.recipient, _C.state).where(
        _C.kind == "review", _C.state.in_(("upheld", "overturned")), _C.ended_at_us >= begin_us, _C.ended_at_us < end_us
    )
    decided: Counter[tuple[str | None, str | None, str | None]] = Counter()
    overturned: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for ended_at_us, policy, recipient, state in connection.execute(asked):
        for key in ((None, None, None), (f"{from_microseconds(ended_at_us):%Y-%m}", policy, recipient)):
            decided[key] += 1
            overturned[key] += state == "overturned"
    keys = sorted(decided, key=lambda key: tuple(part or "" for part in key))
    return [
        OverturnRate(month=key[0], policy_version=key[1], recipient=key[2], decided=decided[key],
                     overturned=overturned[key])
        for key in keys
    ]  # fmt: skip
