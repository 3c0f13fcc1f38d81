"""One chunk made final: its rows on disk, one audit record over them, and consent as it stands at that moment.

The partial is written first, then the record commits, then the partial gets its name. Whatever is interrupted in
between is finished or thrown away when the batch goes on: a part without a record is none, and no score leaves
without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from benne.errors import BatchDamaged
from benne.features.categories import CATEGORIES
from benne.scoring.audit.chain import append
from benne.scoring.audit.merkle import root
from benne.scoring.batch.chunk import INDEX, Chunk, as_microseconds
from benne.scoring.batch.currency import CHANGED
from benne.scoring.batch.leaves import SALT_BYTES, Tree, leaves_of, salts_of
from benne.scoring.batch.live import Live
from benne.scoring.batch.part import Part, PartNote, finish, write_partial
from benne.scoring.batch.recorded import entry_of, find_record
from benne.scoring.batch.rules import Rules
from benne.scoring.batch.standings import Judge, Watermark, changed_members, standings, watermark
from benne.scoring.batch.told import OUTCOME
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.vocabulary import DenyReason, Granularity

__all__ = ["Settler", "refused", "sealed"]


class Settler:
    """Makes chunks final.

    Parameters
    ----------
    live : Live
    rules : Rules
    input_digest : str
        SHA-256 of what the batch reads.
    """

    def __init__(self, live: Live, rules: Rules, input_digest: str) -> None:
        self.live = live
        self.rules = rules
        self._judge = Judge(rules.question)
        self._input_digest = input_digest

    def watermark(self) -> Watermark:
        """How far the ledger has come."""
        with self.live.store.read() as connection:
            return watermark(connection, self.live.now_us(connection))

    def answers(self, chunk: Chunk) -> tuple[list[Permission | DenyReason], Watermark]:
        """What the ledger answers about each row at its own moment."""
        with self.view() as ask:
            return ask(chunk)

    @contextmanager
    def view(self) -> Iterator[Callable[[Chunk], tuple[list[Permission | DenyReason], Watermark]]]:
        """One view of the ledger, in which several chunks can be asked about."""
        with self.live.store.read() as connection:
            if connection.dialect.name == "postgresql":  # whose views are each statement's own otherwise
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            asked_at = watermark(connection, self.live.now_us(connection))

            def ask(chunk: Chunk) -> tuple[list[Permission | DenyReason], Watermark]:
                subjects = chunk.subjects.to_pylist()
                acts = standings(connection, self.rules.question, subjects, chunk.as_of_us, asked_at.now_us)
                return list(map(self._judge.answer, acts)), asked_at

            yield ask

    def settle(self, path: Path, number: int, outcome: pa.Table, tree: Tree, asked_at: Watermark) -> Part:
        """Write, record and name one part; rows whose consent ended in the meantime are refused first.

        Parameters
        ----------
        path : Path
            Where the part belongs.
        number : int
        outcome : Table
            From :func:`benne.scoring.batch.deciding.decide_rows`.
        tree : Tree
        asked_at : Watermark
            How far the ledger had come when it was asked.

        Raises
        ------
        StoreError
            If it could not be recorded. Whether it was shows when the batch goes on.
        BatchDamaged
            If it is on record already.
        """
        salts = salts_of(self.live.random_bytes(SALT_BYTES), outcome.num_rows)
        part = sealed(path, number, outcome, salts, tree, asked_at)
        return self.confirm(part, outcome, salts, tree)

    def confirm(self, part: Part, outcome: pa.Table, salts: Sequence[bytes], tree: Tree) -> Part:
        """Record and name a part that was written; the same for one that somebody else wrote.

        Parameters
        ----------
        part : Part
            Whose partial is there.
        outcome : Table
            What is in it, without salts and leaves.
        salts : sequence of bytes
        tree : Tree

        Raises
        ------
        StoreError, BatchDamaged
            As for :meth:`settle`.
        """
        since = part.note.asked_at
        while True:
            with self.live.store.write() as connection:
                now_us = self.live.now_us(connection)
                late = self.late(connection, outcome, since, now_us)
                if not late:
                    self.record(connection, part.note, tree, now_us)
                since = watermark(connection, now_us)
            if not late:
                finish(part.path)
                return part
            outcome = refused(outcome, late)
            part = sealed(part.path, part.note.number, outcome, salts, tree, part.note.asked_at)

    def late(self, connection: Connection, outcome: pa.Table, since: Watermark, now_us: int) -> dict[int, str]:
        """Scored rows whose consent no longer covers what was used, and why; only changes since are looked at."""
        found: dict[int, str] = {}
        scored = outcome.column(OUTCOME).is_null()
        for members in changed_members(connection, self.rules.question, since, now_us):
            among = pc.is_in(outcome.column("subject_id"), value_set=pa.array(members, pa.large_string()))
            rows = np.flatnonzero(pc.and_(among, scored).to_numpy())
            if len(rows):
                found |= self._ended(connection, outcome, rows, now_us)
        return found

    def record(self, connection: Connection, note: PartNote, tree: Tree, now_us: int) -> None:
        """Append the audit record of a part, in the caller's transaction.

        Raises
        ------
        BatchDamaged
            If it is there already.
        """
        if find_record(connection, note.event_id) is not None:
            raise BatchDamaged("A chunk must be recorded once, and is on record already. Is another run at this batch?")
        entry = entry_of(note, tree, self.rules, self._input_digest)
        append(connection, [entry], now_us=now_us)

    def _ended(self, connection: Connection, outcome: pa.Table, rows: Any, now_us: int) -> dict[int, str]:
        asked = outcome.select([*INDEX, "withheld", "granularity"]).take(pa.array(rows))
        subjects, moments = asked.column("subject_id").to_pylist(), as_microseconds(asked.column("as_of"))
        acts = standings(connection, self.rules.question, subjects, moments, now_us)
        used = zip(asked.column("withheld").to_pylist(), asked.column("granularity").to_pylist(), strict=True)
        ended = {}
        for row, act, (withheld, granularity) in zip(rows.tolist(), acts, used, strict=True):
            answer = self._judge.answer(act)
            if not isinstance(answer, Permission):
                ended[row] = str(answer)
            elif not _used(withheld, granularity).within(answer):
                ended[row] = CHANGED
        return ended


def sealed(path: Path, number: int, outcome: pa.Table, salts: Sequence[bytes], tree: Tree, asked_at: Watermark) -> Part:
    """A part written beside its place, with its leaves; not recorded, and hence none yet."""
    leaves = leaves_of(outcome, tree, salts)
    scored = outcome.column(OUTCOME).null_count
    top = root(leaves).hex()
    note = PartNote(number, tree.event_id, top, outcome.num_rows, scored, asked_at.seq, asked_at.now_us)
    return write_partial(path, outcome, salts, leaves, note)


def refused(outcome: pa.Table, late: Mapping[int, str]) -> pa.Table:
    """The outcome with some rows refused: nothing of their scores stays."""
    rows = np.arange(outcome.num_rows)
    gone = np.isin(rows, list(late))
    kept = pa.array(rows, mask=gone)
    columns = []
    for field in outcome.schema:
        column = outcome.column(field.name)
        if field.name == OUTCOME:
            reasons = column.to_pylist()
            for row, reason in late.items():
                reasons[row] = reason
            column = pa.chunked_array([pa.array(reasons, field.type)])
        elif field.name not in INDEX:
            column = column.take(kept)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=outcome.schema)


def _used(withheld: str, granularity: str) -> Permission:
    return Permission(
        frozenset(CATEGORIES) - frozenset(filter(None, withheld.split(","))), cast(Granularity, granularity)
    )
