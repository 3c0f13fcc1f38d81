"""One batch of a raw table on its way through the door, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa

from benne.errors import EventSchemaError, EventValueError
from benne.features.events.keys import SubjectKey
from benne.features.events.moments import microseconds
from benne.features.events.refusals import Findings, Place, Refusal, Rule
from benne.features.events.sources import Peers
from benne.features.events.tables import EventTable

__all__ = ["MAXIMUM_SKEW", "Batch", "Door"]

MAXIMUM_SKEW = timedelta(hours=1)
"""How far two systems' clocks may be apart: beyond it stand mistaken dates, not clocks."""


@dataclass(frozen=True)
class Door:
    """What every batch is held against.

    Parameters
    ----------
    key : SubjectKey
    ingested_at : datetime
        The ingest clock (aware).
    clock_skew : timedelta
        How long before its event a row may be known, because two clocks differ.
    currency : str, optional
        The one currency of the load; by default whichever its rows name.
    findings : Findings
        Takes what is refused.

    Raises
    ------
    EventSchemaError
        If the key is no key, or the clock no aware datetime.
    EventValueError
        If the skew is negative or longer than :data:`MAXIMUM_SKEW`.
    """

    key: SubjectKey
    ingested_at: datetime
    clock_skew: timedelta = timedelta(0)
    currency: str | None = None
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        """Check what was given."""
        if not isinstance(self.key, SubjectKey):
            raise EventSchemaError(
                f"key must be a SubjectKey, got {type(self.key).__name__}. Make it with SubjectKey(secret)."
            )
        microseconds(self.ingested_at)
        if not isinstance(self.clock_skew, timedelta):
            raise EventSchemaError(
                f"clock_skew must be a timedelta, got {type(self.clock_skew).__name__}. Use timedelta(seconds=…)."
            )
        if not timedelta(0) <= self.clock_skew <= MAXIMUM_SKEW:
            raise EventValueError(
                f"clock_skew must be between 0 and {MAXIMUM_SKEW.seconds} seconds, "
                f"got {self.clock_skew.total_seconds():g}. Correct the source's times where they differ by more."
            )

    @property
    def clock(self) -> int:
        """The ingest clock in microseconds."""
        return microseconds(self.ingested_at)

    @property
    def skew(self) -> int:
        """The tolerated skew in microseconds."""
        return self.clock_skew // timedelta(microseconds=1)


@dataclass(frozen=True)
class Batch:
    """Rows of one file.

    Parameters
    ----------
    table : EventTable
    raw : pyarrow.Table
        With raw ids and timezone-aware timestamps.
    place : Place
    peers : Peers
        The table's files.
    findings : Findings
    """

    table: EventTable
    raw: pa.Table
    place: Place
    peers: Peers
    findings: Findings

    def refuse_rows(self, wrong: pa.Array, rule: Rule) -> None:
        """Refuse the rows where a boolean array is true; null counts as false."""
        self.findings.rows(self.place, wrong, rule)

    def refuse_column(self, rule: Rule, got: str, others: str) -> None:
        """Refuse a column of the file."""
        refusal = Refusal(self.table.name, rule.column, self.place.file, rule.must, rule.advice, got=got)
        self.findings.add([replace(refusal, others=others)])
