"""Cards and credit lines, month by month: limit, statement, payment, standing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benne.experiments.simulator.instalments import WriteOffs
from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import Rows, code, money
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints

__all__ = ["draw_cards"]

_MEAN_CARDS: Final = 0.85
_MONTHLY_INTEREST: Final = 0.015
_LOST_AT_MONTHS: Final = 6
_CLOSED_A_MONTH: Final = 0.005


@dataclass(frozen=True)
class _Cards:
    """Contracts, one value per card."""

    member: Ints
    kind: Ints
    opened_month: Ints
    day: Ints
    limit: Floats
    use: Floats
    carries: Floats


@dataclass
class _Standing:
    """Where every card stands; updated month by month."""

    balance: Floats
    months_past_due: Ints
    limit: Floats
    open: Flags


@dataclass(frozen=True)
class _Month:
    """One reported month of the cards that report."""

    card: Ints
    month: int
    months_past_due: Ints
    status: Ints
    balance: Floats
    statement: Floats
    paid: Floats
    limit: Floats


def draw_cards(rng: np.random.Generator, population: Population, first: int) -> tuple[list[Rows], WriteOffs]:
    """Draw cards and credit lines.

    Parameters
    ----------
    rng : Generator
    population : Population
    first : int
        The first free obligation number.

    Returns
    -------
    rows : list of Rows
        ``account_status``, ``obligation_events``.
    write_offs : WriteOffs
    """
    cards = _draw(rng, population)
    standing = _Standing(
        np.zeros(len(cards.limit)),
        np.zeros(len(cards.limit), dtype=np.int64),
        cards.limit.copy(),
        np.ones(len(cards.limit), dtype=bool),
    )
    raises: list[tuple[Ints, Ints, Floats]] = []
    months = []
    for month in range(population.timeline.months):
        months.append(_step(rng, population, cards, standing, month))
        raises.append(_raise_limits(rng, population, cards, standing, month))
    status = _status_rows(population, cards, months, first)
    lost = _standing_as(status, "written_off")
    events = [
        _openings(population, cards, first),
        _limit_changes(cards, raises, first),
        _endings(cards, _standing_as(status, "closed"), "closed", first),
        _endings(cards, lost, "written_off", first),
    ]
    return [status, *events], WriteOffs(lost.member, lost.event_time)


def _draw(rng: np.random.Generator, population: Population) -> _Cards:
    traits = population.traits
    mean = _MEAN_CARDS * ~traits.unbanked * np.where(traits.quiet, 0.25, 1.0)
    member = np.repeat(np.arange(population.n), np.minimum(rng.poisson(mean), 4))
    m = len(member)
    kinds = [code("obligation_events", "kind", name) for name in ("card", "credit_line")]
    level = population.ability[member].mean(axis=1)
    limit = traits.income_monthly[member] * np.exp(rng.normal(0.35, 0.5, m) + 0.15 * level)
    return _Cards(
        member=member,
        kind=rng.choice(kinds, m, p=(0.75, 0.25)),
        opened_month=rng.integers(-60, population.timeline.months - 1, m),
        day=rng.integers(0, 27, m),
        limit=np.rint(limit / 10_000 + 1) * 10_000,
        use=rng.lognormal(-1.7, 0.8, m) * (rng.random(m) > 0.08),
        carries=rng.normal(0, 1.1, m),
    )


def _step(rng: np.random.Generator, population: Population, cards: _Cards, standing: _Standing, month: int) -> _Month:
    """One month of spending, statement and payment for the cards that are open."""
    card = np.flatnonzero(standing.open & (cards.opened_month < month))
    strain = population.strain[cards.member[card], month]
    statement = _statement(rng, population, cards, standing, card, month)
    share, missed = _payment(rng, strain, cards.carries[card], standing.months_past_due[card])
    paid = np.rint(statement * share)
    cured = (share >= 1) | (~missed & (rng.random(len(card)) < 0.5))
    behind = np.where(
        missed & (statement > 0),
        standing.months_past_due[card] + 1,
        np.where(cured, 0, standing.months_past_due[card]),
    )
    standing.balance[card], standing.months_past_due[card] = statement - paid, behind
    lost = behind >= _LOST_AT_MONTHS
    closed = (share >= 1) & (behind == 0) & (rng.random(len(card)) < _CLOSED_A_MONTH)
    standing.open[card] = ~lost & ~closed
    status = _status(statement, share, behind, lost, closed)
    return _Month(card, month, behind, status, statement - paid, statement, paid, standing.limit[card])


def _statement(
    rng: np.random.Generator,
    population: Population,
    cards: _Cards,
    standing: _Standing,
    card: Ints,
    month: int,
) -> Floats:
    """Last balance with interest, and the month's spending, within a little of the limit."""
    income = population.traits.income_monthly[cards.member[card]]
    need = np.exp(0.06 * population.strain[cards.member[card], month] + rng.normal(0, 0.4, len(card)))
    spent = income * cards.use[card] * need * population.timeline.season[month]
    owed = standing.balance[card] * (1 + _MONTHLY_INTEREST) + spent
    return np.asarray(np.rint(np.minimum(owed, 1.05 * standing.limit[card])), dtype=np.float64)


def _payment(rng: np.random.Generator, strain: Floats, carries: Floats, behind: Ints) -> tuple[Floats, Flags]:
    """Share of the statement paid, and whether the minimum was missed; being behind makes it likelier."""
    missed = rng.random(len(strain)) < sigmoid(-3.3 + 1.0 * strain + 0.8 * np.minimum(behind, 3))
    full = rng.random(len(strain)) < sigmoid(0.9 - 0.45 * strain - carries)
    part = 0.05 + 0.45 * rng.random(len(strain)) ** 2
    return np.where(missed, 0.0, np.where(full, 1.0, part)), missed


def _status(statement: Floats, share: Floats, behind: Ints, lost: Flags, closed: Flags) -> Ints:
    names = ("written_off", "closed", "late", "no_balance", "current", "revolving")
    codes = [code("account_status", "status", name) for name in names]
    holds = [lost, closed, behind > 0, statement <= 0, share >= 1]
    return np.asarray(np.select(holds, codes[:-1], codes[-1]), dtype=np.int64)


def _raise_limits(
    rng: np.random.Generator, population: Population, cards: _Cards, standing: _Standing, month: int
) -> tuple[Ints, Ints, Floats]:
    """Now and then a limit is raised where nothing is overdue: card, moment, new limit."""
    eligible = standing.open & (standing.months_past_due == 0) & (cards.opened_month < month)
    card = np.flatnonzero(eligible & (rng.random(len(eligible)) < 0.012))
    standing.limit[card] = np.rint(standing.limit[card] * rng.uniform(1.1, 1.5, len(card)) / 10_000) * 10_000
    moment = population.timeline.start(month + 1) + (cards.day[card] * DAY) + DAY // 2
    return card, moment, standing.limit[card].copy()


def _status_rows(population: Population, cards: _Cards, months: list[_Month], first: int) -> Rows:
    card = np.concatenate([m.card for m in months])
    month = np.repeat([m.month for m in months], [len(m.card) for m in months])
    start = population.timeline.start(month) + cards.day[card] * DAY
    end = population.timeline.start(month + 1) + cards.day[card] * DAY
    return Rows(
        "account_status",
        cards.member[card],
        end,
        {
            "obligation_id": first + card,
            "period_start": start,
            "months_past_due": np.concatenate([m.months_past_due for m in months]),
            "status": np.concatenate([m.status for m in months]),
            "balance": np.concatenate([m.balance for m in months]).astype(np.int64),
            "statement_amount": np.concatenate([m.statement for m in months]).astype(np.int64),
            "amount_paid": np.concatenate([m.paid for m in months]).astype(np.int64),
            "limit": np.concatenate([m.limit for m in months]).astype(np.int64),
        },
    )


def _standing_as(status: Rows, name: str) -> Rows:
    return status.take(status.columns["status"] == code("account_status", "status", name))


def _openings(population: Population, cards: _Cards, first: int) -> Rows:
    opened = population.timeline.start(cards.opened_month) + cards.day * DAY
    return _events(cards, np.arange(len(cards.member)), opened, "opened", first, {"limit": money(cards.limit)})


def _limit_changes(cards: _Cards, raises: list[tuple[Ints, Ints, Floats]], first: int) -> Rows:
    card, moment, limit = (np.concatenate(column) for column in zip(*raises, strict=True))
    return _events(cards, card, moment, "limit_changed", first, {"limit": money(limit)})


def _endings(cards: _Cards, last: Rows, event: str, first: int) -> Rows:
    return _events(cards, last.columns["obligation_id"] - first, last.event_time, event, first, {})


def _events(cards: _Cards, card: Ints, moment: Ints, event: str, first: int, amounts: dict[str, Ints]) -> Rows:
    what = {
        "obligation_id": first + card,
        "kind": cards.kind[card],
        "event": np.full(len(card), code("obligation_events", "event", event)),
    }
    return Rows("obligation_events", cards.member[card], moment, what | amounts)
