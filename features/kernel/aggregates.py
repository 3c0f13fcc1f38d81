"""The few aggregates that every feature is made of, over one member's chosen rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.features.kernel.compiled import compiled
from benne.features.kernel.operations import (
    ANY,
    BETWEEN,
    COUNT,
    DAYS_SINCE_FIRST,
    DAYS_SINCE_LAST,
    DISTINCT,
    LARGEST,
    LATEST,
    NO_FAR_END,
    ONE_OF,
    TOTAL,
)
from benne.features.kernel.program import Program
from benne.features.kernel.stream import NULL, Integers
from benne.features.kernel.workspace import Workspace

__all__ = ["aggregate"]

Floats = npt.NDArray[np.float64]

_DAY = 86_400e6
_NO_COLUMN = -1


@compiled
def aggregate(program: Program, work: Workspace, as_of: Integers, registers: Floats) -> None:
    """Compute every aggregate at every observation that shares the workspace's rows.

    Parameters
    ----------
    program : Program
    work : Workspace
    as_of : ndarray of int64, shape (n,)
    registers : ndarray of float64, shape (registers, n)
        Filled where the aggregates put their values; integers become floats here and nowhere
        else, each rounded once.
    """
    for selection in program.selections:
        count = _choose(program, work, selection)
        summed = _NO_COLUMN
        for a in range(selection[3], selection[4]):
            operation, column, near, far, register = program.aggregates[a]
            if operation == TOTAL and summed != column:
                _sum_up(work, count, column)
                summed = column
            for i in range(len(as_of)):
                hi = _before(work.moments, count, as_of[i] - near)
                lo = 0 if far == NO_FAR_END else _before(work.moments, count, as_of[i] - far)
                registers[register, i] = _value(work, operation, column, lo, hi, as_of[i])


@compiled
def _choose(program: Program, work: Workspace, selection: Integers) -> int:
    """Note place and time of the rows that meet the selection's conditions; how many there are."""
    stream, count = selection[0], 0
    for row in range(work.start[stream], work.start[stream] + work.size[stream]):
        holds = True
        for c in range(selection[1], selection[2]):
            cell, kind = work.cells[program.conditions[c, 0], row], program.conditions[c, 1]
            low, high = program.conditions[c, 2], program.conditions[c, 3]
            if kind == BETWEEN:
                holds = low <= cell <= high
            else:
                holds = (cell != NULL and (low >> cell) & 1 == 1) == (kind == ONE_OF)
            if not holds:
                break
        if holds:
            work.chosen[count], work.moments[count] = row, work.time[row]
            count += 1
    return count


@compiled
def _sum_up(work: Workspace, count: int, column: int) -> None:
    work.running[0] = 0
    for i in range(count):
        work.running[i + 1] = work.running[i] + work.cells[column, work.chosen[i]]


@compiled
def _before(moments: Integers, count: int, moment: int) -> int:
    """How many of the sorted moments lie before one."""
    lo, hi = 0, count
    while lo < hi:
        middle = (lo + hi) >> 1
        if moments[middle] < moment:
            lo = middle + 1
        else:
            hi = middle
    return lo


@compiled
def _value(work: Workspace, operation: int, column: int, lo: int, hi: int, as_of: int) -> float:
    if operation == COUNT:
        return float(max(hi - lo, 0))
    if operation == ANY:
        return 1.0 if hi > lo else 0.0
    if operation == TOTAL:
        return float(work.running[hi] - work.running[lo]) if hi > lo else 0.0
    if operation == DISTINCT:
        return float(_distinct(work, column, lo, hi))
    if hi <= lo:
        return np.nan
    if operation == LATEST:
        return float(work.cells[column, work.chosen[hi - 1]])
    if operation == DAYS_SINCE_LAST:
        return (as_of - work.moments[hi - 1]) / _DAY
    if operation == DAYS_SINCE_FIRST:
        return (as_of - work.moments[lo]) / _DAY
    return float(_extreme(work, operation == LARGEST, column, lo, hi))


@compiled
def _extreme(work: Workspace, largest: bool, column: int, lo: int, hi: int) -> int:
    best = work.cells[column, work.chosen[lo]]
    for i in range(lo + 1, hi):
        cell = work.cells[column, work.chosen[i]]
        best = max(best, cell) if largest else min(best, cell)
    return best


@compiled
def _distinct(work: Workspace, column: int, lo: int, hi: int) -> int:
    """How many different codes; the stamp of a count marks those it has met."""
    work.stamp[-1] += 1
    found = 0
    for i in range(lo, hi):
        code = work.cells[column, work.chosen[i]]
        if work.stamp[code] != work.stamp[-1]:
            work.stamp[code] = work.stamp[-1]
            found += 1
    return found
