"""The hash chain of audit records: appending to it, and finding where it was broken.

An edit, a deletion in the middle, an insertion and a changed order show by themselves. Whoever recomputes
all later hashes, or cuts off the end, is found out by anchors (:mod:`benne.scoring.audit.anchor`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, select

from benne.errors import AnchorError
from benne.scoring.audit.links import SCHEMA_VERSION, START, Head, Link, digest, fault, is_record
from benne.scoring.audit.record import AuditEntry, AuditRecord
from benne.scoring.store.audit_tables import audit_records

__all__ = ["START", "AuditReport", "Head", "Link", "append", "head", "verify"]

_COLUMNS: Final = tuple(audit_records.columns.keys())
_OF_THE_ENTRY: Final = {field.name for field in fields(AuditEntry)}
_ENTRY_VALUES: Final = attrgetter(*(name for name in _COLUMNS if name in _OF_THE_ENTRY))
_INSERT: Final = f"INSERT INTO {audit_records.name} ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 - names of our own
_STRETCH: Final = 2_000  # records


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found.

    Attributes
    ----------
    records : int
        Records that verified, in order, before any break.
    head : Head
        The last of them.
    broken_at : int or None
        Place of the first record that is not as it must be; None if all are.
    why : str or None
        What is wrong with it.
    anchored_up_to : int
        Last record that an anchor vouches for; later ones may have been cut off or made anew.
    """

    records: int
    head: Head
    broken_at: int | None
    why: str | None
    anchored_up_to: int

    @property
    def intact(self) -> bool:
        """Whether nothing is broken."""
        return self.broken_at is None


def head(connection: Connection) -> Head:
    """The last record; :data:`START` if there is none."""
    table = audit_records.c
    query = select(table.seq, table.hash, table.time_us).order_by(table.seq.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return START if row is None else Head(*row)


def append(
    connection: Connection, entries: Iterable[AuditEntry], *, now_us: int, after: Head | None = None
) -> tuple[AuditRecord, ...]:
    """Put entries at the end of the chain, in the transaction of what they record.

    Parameters
    ----------
    connection : Connection
        From ``Store.write()``: both commit, or neither. It holds the writers' lock, so the end stays the end.
    entries : iterable of AuditEntry
    now_us : int
        Microseconds since 1970-01-01 UTC. If the clock runs backwards, the chain's time stands still.
    after : Head, optional
        The last record, if the caller has it; by default it is read.

    Returns
    -------
    tuple of AuditRecord
        In the order given.
    """
    last = head(connection) if after is None else after
    records: list[AuditRecord] = []
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        seq, time_us, previous = last.seq + 1, max(now_us, last.time_us), last.hash
        columns = (seq, SCHEMA_VERSION, time_us, *_ENTRY_VALUES(entry), previous)
        last = Head(seq, digest(columns), time_us)
        rows.append((*columns, last.hash))
        records.append(AuditRecord(entry=entry, seq=seq, time_us=time_us, prev_hash=previous, hash=last.hash))
    if rows:
        _insert(connection, rows)
    return tuple(records)


def verify(
    connection: Connection,
    anchors: Iterable[Link] = (),
    *,
    since: Head = START,
    progress: Callable[[int], object] | None = None,
) -> AuditReport:
    """Recompute every hash and hold the chain against its anchors; memory stays bounded.

    Parameters
    ----------
    connection : Connection
    anchors : iterable of Link
        In order of place, as :meth:`benne.scoring.audit.anchor.AnchorFile.read` gives them.
    since : Head, default=START
        A record that is known to be right: it must be there, and only what follows it is looked at.
    progress : callable, optional
        Told every so often up to which record all is well.

    Raises
    ------
    AnchorError
        If the anchors are not in order, or one of them cannot be trusted.
    """
    held = _Anchored(anchors)
    last, rows = since, _rows(connection, since)
    why = held.contradiction(last)
    if why is None and since.seq and not is_record(next(rows, None), since):
        why = "it is not the record that was there"
    if why is not None:
        return AuditReport(0, since, since.seq, why, held.up_to)
    for row in rows:
        why = fault(row, last)
        if why is None:
            following = Head(row[0], row[-1], row[2])
            why = held.contradiction(following)
        if why is not None:
            return AuditReport(last.seq - since.seq, last, last.seq + 1, why, held.up_to)
        last = following
        if progress is not None and last.seq % _STRETCH == 0:
            progress(last.seq)
    why = held.beyond(last)
    return AuditReport(last.seq - since.seq, last, None if why is None else last.seq + 1, why, held.up_to)


class _Anchored:
    """Anchors, taken one after the other as the walk comes to their records."""

    def __init__(self, anchors: Iterable[Link]) -> None:
        self._rest = iter(anchors)
        self._next = next(self._rest, None)
        self.up_to = 0

    def contradiction(self, last: Head) -> str | None:
        """Why an anchor speaks against this record; None if none does."""
        while self._next is not None and self._next.seq <= last.seq:
            if self._next.seq == last.seq:
                if self._next.hash != last.hash:
                    return f"an anchor holds another hash: records {self.up_to + 1} to {last.seq} were made anew"
                self.up_to = last.seq
            self._advance(self._next.seq)
        return None

    def beyond(self, last: Head) -> str | None:
        """Why the chain may not end with this record; None if it may."""
        if self._next is None or self._next.seq <= last.seq:
            return None
        return f"it is missing: an anchor holds record {self._next.seq}, and the chain ends before"

    def _advance(self, seq: int) -> None:
        self._next = next(self._rest, None)
        if self._next is not None and self._next.seq < seq:
            raise AnchorError(
                "Anchors must be in the order of their records, got another order. Read them from a file."
            )


def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    # In the driver's own words: a unit of work is a handful of statements, and SQLAlchemy's compiling would
    # take longer than all of them.
    place = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    connection.exec_driver_sql(f"{_INSERT}({', '.join([place] * len(_COLUMNS))})", rows)


def _rows(connection: Connection, since: Head) -> Iterator[Sequence[Any]]:
    query = select(audit_records).order_by(audit_records.c.seq).execution_options(yield_per=_STRETCH)
    if since.seq:
        query = query.where(audit_records.c.seq >= since.seq)
    with connection.execute(query) as result:
        yield from result
