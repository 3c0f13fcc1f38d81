"""What an observation may see of a member: everything that happened before it, or a copy of what was known."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from benne.features.kernel.compiled import compiled
from benne.features.kernel.layout import STREAMS, column
from benne.features.kernel.program import Program
from benne.features.kernel.stream import NEVER, NULL, Integers, Mask, Partition, Rows
from benne.features.kernel.workspace import Workspace

__all__ = ["EVERYBODY", "Grants", "gather", "mark_late", "restricted"]

_DEALINGS: Final = STREAMS["interactions"]
_OTHER: Final = column("interactions", "other_id")
_DUES: Final = STREAMS["dues"]
_REPAYMENTS: Final = STREAMS["repayments"]


class Grants(NamedTuple):
    """When the other members of interactions consent to social features.

    Parameters
    ----------
    first : ndarray of int64, shape (members + 1,)
        Where each member's periods begin, by their code; empty where everybody consents.
    since, until : ndarray of int64, shape (periods,)
        Each period is ``since <= as_of < until``.
    """

    first: Integers
    since: Integers
    until: Integers


EVERYBODY: Final = Grants(*(np.empty(0, dtype=np.int64) for _ in range(3)))
"""Grants that filter nothing."""


def restricted(program: Program, partition: Partition, until: Integers) -> Partition:
    """Leave out what a program may not read.

    Parameters
    ----------
    program : Program
    partition : Partition
    until : ndarray of int64, shape (subjects,)
        Of each subject, only rows before this moment stay, and those of a schedule that lie
        as far beyond it as the program looks ahead.

    Returns
    -------
    Partition
        The same arrays with nearer ends; of tables that the program does not read, nothing.
    """
    last = partition.first.copy()
    _cut(program, partition.rows.time, partition.first, partition.last, until, last)
    return Partition(partition.rows, partition.first, last, partition.codes)


@compiled
def _cut(program: Program, time: Integers, first: Integers, last: Integers, until: Integers, cut: Integers) -> None:
    for table in program.tables:
        for subject in range(len(until)):
            lo, hi = first[table, subject], last[table, subject]
            end = until[subject] + program.ahead[table]
            cut[table, subject] = lo + np.searchsorted(time[lo:hi], end)


@compiled
def mark_late(
    program: Program, rows: Rows, grants: Grants, first: Integers, last: Integers,
    as_of: Integers, known_by: Integers, late: Mask,
) -> None:  # fmt: skip
    """Mark a member's observations that cannot share the member's rows.

    Something within their reach was not yet known, had been corrected, or is another member's
    who does not consent then; or nobody's repayment was known yet, so that dues say less than
    they will. Observations are sorted by ``as_of``.
    """
    paid_since = program.known_since[_REPAYMENTS]
    for table in program.tables:
        row, known, stands = first[table], NULL, NEVER
        for i in range(len(as_of)):
            while row < last[table] and rows.time[row] < as_of[i] + program.ahead[table]:
                known = max(known, rows.known_at[row])
                stands = min(stands, rows.superseded_at[row])
                row += 1
            late[i] |= known >= known_by[i] or stands < known_by[i]
            if table == _DUES and row > first[table]:
                late[i] |= known_by[i] <= paid_since < NEVER
            if table == _DEALINGS and len(grants.first) and not late[i]:
                late[i] = _somebody_withholds(rows, grants, first[table], row, as_of[i])


@compiled
def gather(
    program: Program, rows: Rows, grants: Grants, first: Integers, last: Integers,
    as_of: int, known_by: int, filtered: bool, work: Workspace,
) -> None:  # fmt: skip
    """Bring the rows that an observation may see into the workspace, or all rows before it."""
    at = 0
    work.size[:] = 0
    for table in program.tables:
        work.start[table] = at
        row = first[table]
        while row < last[table] and rows.time[row] < as_of + program.ahead[table]:
            if not filtered or _seen(rows, grants, table, row, as_of, known_by):
                work.time[at] = rows.time[row]
                for column_ in range(len(program.read[table])):
                    if program.read[table, column_]:
                        work.cells[column_, at] = rows.cells[rows.cell_of[table, column_] + row]
                at += 1
            row += 1
        work.size[table] = at - work.start[table]


@compiled
def _seen(rows: Rows, grants: Grants, table: int, row: int, as_of: int, known_by: int) -> bool:
    if rows.known_at[row] >= known_by or rows.superseded_at[row] < known_by:
        return False
    if table != _DEALINGS or not len(grants.first):
        return True
    return _consents(grants, rows.cells[rows.cell_of[table, _OTHER] + row], as_of)


@compiled
def _somebody_withholds(rows: Rows, grants: Grants, first: int, last: int, as_of: int) -> bool:
    for row in range(first, last):
        if not _consents(grants, rows.cells[rows.cell_of[_DEALINGS, _OTHER] + row], as_of):
            return True
    return False


@compiled
def _consents(grants: Grants, member: int, as_of: int) -> bool:
    for period in range(grants.first[member], grants.first[member + 1]):
        if grants.since[period] <= as_of < grants.until[period]:
            return True
    return False
