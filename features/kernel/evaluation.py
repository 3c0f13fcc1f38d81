"""Features of a partition's observations: one compiled pass over members, whatever engine brought their rows."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.features.kernel.aggregates import aggregate
from benne.features.kernel.compiled import compiled
from benne.features.kernel.delinquency import (
    derive_account_months,
    derive_arrears,
    derive_delinquency,
    derive_settlements,
)
from benne.features.kernel.finaliser import Floats, finish
from benne.features.kernel.layout import STREAMS
from benne.features.kernel.program import Program
from benne.features.kernel.standing import (
    derive_contacts,
    derive_listed_items,
    derive_running_contracts,
    derive_verified_facts,
)
from benne.features.kernel.stream import Integers, Mask, Observations, Partition, Rows
from benne.features.kernel.visibility import EVERYBODY, Grants, gather, mark_late
from benne.features.kernel.workspace import Workspace, workspace

__all__ = ["evaluate"]

_DELINQUENCY: Final = STREAMS["delinquency"]
_ARREARS: Final = STREAMS["arrears"]
_SETTLEMENTS: Final = STREAMS["settlements"]
_MONTHS: Final = STREAMS["account_months"]
_RUNNING: Final = STREAMS["running_contracts"]
_LISTED: Final = STREAMS["listed_items"]
_VERIFIED: Final = STREAMS["verified_facts"]
_CONTACTS: Final = STREAMS["contacts"]
_DUES, _REPAYMENTS, _STATUS = STREAMS["dues"], STREAMS["repayments"], STREAMS["account_status"]
_CONTRACTS, _ITEMS = STREAMS["obligation_events"], STREAMS["adverse_items"]
_FACTS, _DEALINGS = STREAMS["verifications"], STREAMS["interactions"]


def evaluate(
    program: Program, partition: Partition, observations: Observations, grants: Grants = EVERYBODY
) -> tuple[Floats, Mask]:
    """Compute a program's features at every observation from what was known before it.

    Parameters
    ----------
    program : Program
    partition : Partition
        Of a subject, only the rows between ``first`` and ``last`` are ever read.
    observations : Observations
    grants : Grants, optional
        When other members let social features count them; by default always.

    Returns
    -------
    values : ndarray of float64, shape (features, n)
        NaN is null.
    late : ndarray of bool, shape (n,)
        Which observations got rows of their own, because something that had happened was not
        yet known, had been corrected, or belongs to somebody who does not consent.

    Notes
    -----
    Where every row before ``as_of`` was known and stands, a member's observations share the
    member's rows, and each sees those before it. The others get a copy of just their visible
    rows, and the same functions run on that.
    """
    values = np.empty((len(program.results), len(observations)), dtype=np.float64)
    late = np.zeros(len(observations), dtype=np.bool_)
    _members(
        program, partition.rows, grants, partition.first, partition.last,
        observations.subject, observations.as_of, observations.known_by, partition.codes, values, late,
    )  # fmt: skip
    return values, late


@compiled
def _members(
    program: Program, rows: Rows, grants: Grants, first: Integers, last: Integers,
    subject: Integers, as_of: Integers, known_by: Integers, codes: int, values: Floats, late: Mask,
) -> None:  # fmt: skip
    work, begin = workspace(1024, codes), 0
    while begin < len(subject):
        end = begin
        while end < len(subject) and subject[end] == subject[begin]:
            end += 1
        own_first, own_last = first[:, subject[begin]].copy(), last[:, subject[begin]].copy()
        work = _roomy(program, work, own_first, own_last, codes)
        mark_late(program, rows, grants, own_first, own_last, as_of[begin:end], known_by[begin:end], late[begin:end])
        shared = begin + np.flatnonzero(~late[begin:end])
        if len(shared):
            latest = as_of[shared[-1]]
            gather(program, rows, grants, own_first, own_last, latest, latest, False, work)
            _observe(program, work, as_of, known_by, shared, values)
        for one in begin + np.flatnonzero(late[begin:end]):
            gather(program, rows, grants, own_first, own_last, as_of[one], known_by[one], True, work)
            _observe(program, work, as_of, known_by, np.full(1, one), values)
        begin = end


@compiled
def _observe(
    program: Program, work: Workspace, as_of: Integers, known_by: Integers, chosen: Integers, values: Floats
) -> None:
    """Compute the chosen observations on the rows in the workspace; all of them know the same tables."""
    _derive(program, work, program.known_since[_REPAYMENTS] < known_by[chosen[0]])
    registers = np.empty((program.registers, len(chosen)), dtype=np.float64)
    aggregate(program, work, as_of[chosen], registers)
    finish(program, registers)
    for f in range(len(program.results)):
        for i in range(len(chosen)):
            values[f, chosen[i]] = registers[program.results[f], i]


@compiled
def _derive(program: Program, work: Workspace, payments_known: bool) -> None:
    at = 0
    for table in program.tables:
        at = work.start[table] + work.size[table]
    for stream in program.derived:
        work.start[stream] = at
        if stream == _DELINQUENCY:
            derive_delinquency(work, payments_known)
        elif stream == _ARREARS:
            derive_arrears(work)
        elif stream == _SETTLEMENTS:
            derive_settlements(work)
        elif stream == _MONTHS:
            derive_account_months(work)
        elif stream == _RUNNING:
            derive_running_contracts(work)
        elif stream == _LISTED:
            derive_listed_items(work)
        elif stream == _VERIFIED:
            derive_verified_facts(work)
        elif stream == _CONTACTS:
            derive_contacts(work)
        at += work.size[stream]


@compiled
def _roomy(program: Program, work: Workspace, first: Integers, last: Integers, codes: int) -> Workspace:
    """The workspace, or a larger one where a member's rows and the streams made from them need it."""
    size = last - first
    needed = 0
    for table in program.tables:
        needed += size[table]
    for stream in program.derived:
        needed += _most(stream, size)
    return work if needed <= len(work.time) else workspace(2 * needed, codes)


@compiled
def _most(stream: int, size: Integers) -> int:
    """How many events a derived stream can have at the most."""
    if stream == _DELINQUENCY:
        return 4 * size[_DUES] + size[_STATUS]
    if stream == _ARREARS:
        return size[_DUES] + size[_REPAYMENTS]
    if stream == _SETTLEMENTS:
        return size[_DUES]
    if stream == _MONTHS:
        return size[_STATUS]
    if stream == _RUNNING:
        return size[_CONTRACTS]
    if stream == _LISTED:
        return 3 * size[_ITEMS]
    if stream == _VERIFIED:
        return 3 * size[_FACTS]
    return size[_DEALINGS]
