"""Loans, instalment plans, rent and utilities: what falls due, and how it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import Rows, code, money
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints, Nullable

__all__ = ["WriteOffs", "draw_instalments"]

_WRITE_OFF_DAYS: Final = 150
_SCHEDULED_AHEAD_MONTHS: Final = 3
_PLATFORM_BILL_KNOWN_DAYS: Final = 20


@dataclass(frozen=True)
class _Kind:
    """A kind of contract: how many a member has, for how long, at what share of income."""

    name: str
    mean: float
    term: tuple[int, int]
    share: float
    credit: bool


_KINDS: Final = (
    _Kind("loan", 0.45, (12, 36), 0.10, credit=True),
    _Kind("instalment_plan", 1.5, (4, 12), 0.03, credit=True),
    _Kind("rent", 0.12, (24, 60), 0.28, credit=False),
    _Kind("utility", 0.20, (24, 60), 0.05, credit=False),
)


@dataclass(frozen=True)
class WriteOffs:
    """Contracts given up by the lender: member and moment, one per contract."""

    member: Ints
    time: Ints


@dataclass(frozen=True)
class _Contracts:
    member: Ints
    kind: Ints
    opened_month: Ints
    term: Ints
    day: Ints
    amount: Floats
    credit: Flags

    def opened(self, population: Population) -> Ints:
        return population.timeline.start(self.opened_month) + self.day * DAY


@dataclass(frozen=True)
class _Dues:
    """One row per due: its contract, its month and moment, and when it is paid (masked: never)."""

    contract: Ints
    month: Ints
    last: Flags
    time: Ints
    paid: Nullable


def draw_instalments(rng: np.random.Generator, population: Population) -> tuple[list[Rows], WriteOffs, int]:
    """Draw contracts with dues and repayments.

    Returns
    -------
    rows : list of Rows
        ``obligation_events``, ``dues``, ``repayments``.
    write_offs : WriteOffs
    contracts : int
        How many obligation numbers were used, from 0.
    """
    contracts = _draw_contracts(rng, population)
    dues, written_off = _pay(rng, population, contracts, *_schedule(population, contracts))
    rows = [
        _obligation_events(population, contracts, dues, written_off),
        _due_rows(population, contracts, dues),
        _repayment_rows(rng, contracts, dues),
    ]
    lost = np.flatnonzero(~np.ma.getmaskarray(written_off))
    return rows, WriteOffs(contracts.member[lost], written_off.data[lost]), len(contracts.member)


def _draw_contracts(rng: np.random.Generator, population: Population) -> _Contracts:
    drawn = [_draw_kind(rng, population, kind) for kind in _KINDS]
    return _Contracts(*(np.concatenate(parts) for parts in zip(*drawn, strict=True)))


def _draw_kind(rng: np.random.Generator, population: Population, kind: _Kind) -> tuple[np.ndarray, ...]:
    traits = population.traits
    mean = kind.mean * np.where(traits.quiet, 0.2, 1.0)
    if kind.credit:
        mean = mean * np.where(traits.unbanked, 0.0, 1.0)
    member = np.repeat(np.arange(population.n), rng.poisson(mean))
    m = len(member)
    term = rng.integers(kind.term[0], kind.term[1] + 1, m)
    amount = kind.share * traits.income_monthly[member] * rng.lognormal(0, 0.5, m)
    opened = rng.integers(-term, population.timeline.months)
    position = np.full(m, code("obligation_events", "kind", kind.name))
    return member, position, opened, term, rng.integers(0, 27, m), amount, np.full(m, kind.credit)


def _schedule(population: Population, contracts: _Contracts) -> tuple[Ints, Ints, Flags]:
    """Contract, month and whether it is the last, of every due in the simulated months and soon after."""
    contract = np.repeat(np.arange(len(contracts.term)), contracts.term)
    ends = np.cumsum(contracts.term)
    step = np.arange(len(contract)) - np.repeat(ends - contracts.term, contracts.term) + 1
    month = contracts.opened_month[contract] + step
    inside = (month >= 0) & (month < population.timeline.months + _SCHEDULED_AHEAD_MONTHS)
    return contract[inside], month[inside], (step == contracts.term[contract])[inside]


def _pay(
    rng: np.random.Generator,
    population: Population,
    contracts: _Contracts,
    contract: Ints,
    month: Ints,
    last: Flags,
) -> tuple[_Dues, Nullable]:
    """Strained members pay late more often and longer; past a limit a contract is written off, unpaid."""
    due = population.timeline.start(month) + contracts.day[contract] * DAY
    delay_days = _delay(rng, population, contracts, contract, month)
    written_off = np.full(len(contracts.member), np.iinfo(np.int64).max)
    never = delay_days > _WRITE_OFF_DAYS
    np.minimum.at(written_off, contract[never], due[never] + _WRITE_OFF_DAYS * DAY)
    paid = due + (delay_days * DAY).astype(np.int64)
    unpaid = never | (paid >= written_off[contract]) | (paid >= population.timeline.end)
    lost = written_off < population.timeline.end
    return _Dues(contract, month, last, due, np.ma.array(paid, mask=unpaid)), np.ma.array(written_off, mask=~lost)


def _delay(
    rng: np.random.Generator, population: Population, contracts: _Contracts, contract: Ints, month: Ints
) -> Floats:
    """Days from due date to payment; negative where paid ahead."""
    m = len(contract)
    strain = population.strain[contracts.member[contract], np.minimum(month, population.timeline.months - 1)]
    strain = strain + rng.normal(0, 0.5, len(contracts.member))[contract] + rng.normal(0, 0.3, m)
    late = rng.random(m) < sigmoid(-2.4 + 1.0 * strain)
    length = np.exp(np.minimum(1.9 + 0.5 * strain + rng.normal(0, 0.9, m), 8.0))
    return np.where(late, length, -4 * rng.random(m) ** 3)


def _obligation_events(
    population: Population,
    contracts: _Contracts,
    dues: _Dues,
    written_off: Nullable,
) -> Rows:
    everything = np.arange(len(contracts.member))
    closing = np.flatnonzero(dues.last & ~np.ma.getmaskarray(dues.paid))
    lost = np.flatnonzero(~np.ma.getmaskarray(written_off))
    number = np.concatenate([everything, dues.contract[closing], lost])
    events = np.repeat(
        [code("obligation_events", "event", name) for name in ("opened", "closed", "written_off")],
        [len(everything), len(closing), len(lost)],
    )
    opening = np.arange(len(number)) < len(everything)
    principal = money(contracts.amount * contracts.term * 0.95)[number]
    lent = opening & contracts.credit[number]
    return Rows(
        "obligation_events",
        contracts.member[number],
        np.concatenate([contracts.opened(population), dues.paid.data[closing], written_off.data[lost]]),
        {
            "obligation_id": number,
            "kind": contracts.kind[number],
            "event": events,
            "principal": np.ma.array(principal, mask=~lent),
        },
    )


def _due_rows(population: Population, contracts: _Contracts, dues: _Dues) -> Rows:
    """Credit is scheduled from the opening; a bill is known some weeks ahead."""
    bill = dues.time - _PLATFORM_BILL_KNOWN_DAYS * DAY
    known_from = np.where(contracts.credit[dues.contract], contracts.opened(population)[dues.contract], bill)
    return Rows(
        "dues",
        contracts.member[dues.contract],
        dues.time,
        {
            "due_id": np.arange(len(dues.time)),
            "obligation_id": dues.contract,
            "amount_due": money(contracts.amount)[dues.contract],
        },
        known_from=known_from,
    )


def _repayment_rows(rng: np.random.Generator, contracts: _Contracts, dues: _Dues) -> Rows:
    """Mostly the amount due in one payment; some in two, some a little short."""
    due = np.flatnonzero(~np.ma.getmaskarray(dues.paid))
    owed = contracts.amount[dues.contract[due]]
    late = dues.paid.data[due] > dues.time[due]
    short = late & (rng.random(len(due)) < 0.08)
    total = owed * np.where(short, rng.uniform(0.5, 0.95, len(due)), 1.0)
    split = np.flatnonzero(rng.random(len(due)) < np.where(late, 0.15, 0.01))
    first = np.ones(len(due))
    first[split] = rng.uniform(0.3, 0.8, len(split))
    moment = dues.paid.data[due] + (rng.random(len(due)) * 0.4 * DAY).astype(np.int64)
    second_moment = moment[split] + (rng.uniform(2, 20, len(split)) * DAY).astype(np.int64)
    number = np.concatenate([due, due[split]])
    return Rows(
        "repayments",
        contracts.member[dues.contract[number]],
        np.concatenate([moment, second_moment]),
        {
            "due_id": number,
            "obligation_id": dues.contract[number],
            "amount": money(np.concatenate([total * first, (total * (1 - first))[split]])),
        },
    )
