"""Money on the platform account: payments, balances, incomes."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import OCCUPATIONS, Population
from benne.experiments.simulator.records import Rows, code, money
from benne.experiments.simulator.timeline import DAY, Flags, Ints

__all__ = ["draw_balances", "draw_incomes", "draw_payments"]

# kind, direction, weight, effect of strain and of willingness on its log weight, amount as share of income
_PAYMENTS: Final = (
    ("purchase", "out", 0.500, 0.00, 0.00, 0.03),
    ("bill", "out", 0.150, 0.00, 0.06, 0.05),
    ("transfer", "out", 0.080, 0.00, 0.00, 0.06),
    ("cash", "out", 0.050, 0.15, 0.00, 0.08),
    ("fee", "out", 0.012, 0.20, 0.00, 0.004),
    ("refund", "in", 0.030, 0.00, -0.06, 0.02),
    ("chargeback", "in", 0.012, 0.00, -0.50, 0.03),
    ("top_up", "in", 0.110, -0.10, 0.00, 0.15),
    ("transfer", "in", 0.050, 0.00, 0.00, 0.06),
    ("interest", "in", 0.006, -0.20, 0.00, 0.002),
)
_PAYMENTS_A_MONTH: Final = 2.1
_COUNTERPARTIES: Final = 400


def draw_payments(rng: np.random.Generator, population: Population) -> Rows:
    """Purchases, bills, transfers and the rest; strain and willingness show in kind and status."""
    season = population.timeline.season[None, :]
    rate = _PAYMENTS_A_MONTH * population.traits.activity[:, None] * season
    member, month = _repeat(rng.poisson(np.broadcast_to(rate, population.ability.shape)))
    kind = _payment_kind(rng, population, member, month)
    share = np.array([row[5] for row in _PAYMENTS])[kind]
    income = population.traits.income_monthly[member]
    spread = 0.5 + 0.25 * sigmoid(population.strain[member, month])
    amount = income * share * np.exp(rng.standard_normal(len(member)) * spread)
    return Rows(
        "payments",
        member,
        _moment(rng, population, month),
        {
            "direction": np.array([code("payments", "direction", row[1]) for row in _PAYMENTS])[kind],
            "kind": np.array([code("payments", "kind", row[0]) for row in _PAYMENTS])[kind],
            "amount": money(amount),
            "status": _payment_status(rng, population, member, month),
            "counterparty_id": (_COUNTERPARTIES * rng.random(len(member)) ** 2).astype(np.int64),
        },
    )


def _payment_kind(rng: np.random.Generator, population: Population, member: Ints, month: Ints) -> Ints:
    """One kind per payment, from weights that strain and willingness bend."""
    strain, willingness = population.strain[member, month], population.willingness[member, month]
    draw = np.array([(row[2], row[3], row[4]) for row in _PAYMENTS])
    weights = [w * np.exp(s * strain + v * willingness) for w, s, v in draw]
    cumulative = np.cumsum(weights, axis=0)
    return np.asarray((rng.random(len(member)) * cumulative[-1] >= cumulative).sum(axis=0), dtype=np.int64)


def _payment_status(rng: np.random.Generator, population: Population, member: Ints, month: Ints) -> Ints:
    failed = sigmoid(-3.6 + 0.45 * population.strain[member, month])
    draw = rng.random(len(member))
    names = [code("payments", "status", name) for name in ("failed", "reversed", "settled")]
    return np.where(draw < failed, names[0], np.where(draw < failed + 0.006, names[1], names[2]))


def draw_balances(rng: np.random.Generator, population: Population) -> Rows:
    """Readings of linked accounts, savings and assets every two months or so."""
    n, linked = population.n, _linked(rng, population, 0.85)
    owns = {
        "account": (linked, 0.34, -0.45, 0.40),
        "savings": (
            linked & (rng.random(n) < sigmoid(-0.4 + 0.5 * population.ability[:, 0])),
            0.12,
            0.5,
            0.55,
        ),
        "asset": (linked & (rng.random(n) < 0.08), 0.05, 2.2, 0.4),
    }
    parts = [_readings(rng, population, kind, *given) for kind, given in owns.items()]
    member, month, amount, kinds = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rows("balances", member, _moment(rng, population, month), {"kind": kinds, "amount": amount})


def _readings(
    rng: np.random.Generator,
    population: Population,
    kind: str,
    owns: Flags,
    rate: float,
    level: float,
    slope: float,
) -> tuple[Ints, Ints, Ints, Ints]:
    member, month = _repeat((rng.random(population.ability.shape) < rate * owns[:, None]).astype(np.int64))
    months_of_income = np.exp(
        level
        + slope * population.ability[member, month]
        - 0.15 * population.strain[member, month]
        + rng.normal(0, 0.45, population.n)[member]
        + rng.normal(0, 0.3, len(member))
    )
    overdrawn = (kind == "account") & (rng.random(len(member)) < sigmoid(-4.2 + 0.9 * population.strain[member, month]))
    amount = money(months_of_income * population.traits.income_monthly[member])
    amount = np.where(overdrawn, -amount // 4, amount)
    return member, month, amount, np.full(len(member), code("balances", "kind", kind))


def draw_incomes(rng: np.random.Generator, population: Population) -> Rows:
    """Monthly incomes of linked members; who loses the job has a benefit for a while, or nothing."""
    occupation = population.traits.occupation[:, None]
    self_employed = occupation == OCCUPATIONS.index("self_employment")
    working = np.isin(occupation, [OCCUPATIONS.index("salary"), OCCUPATIONS.index("self_employment")])
    jobless = working & ~population.employed
    supported = rng.random(population.n)[:, None] < 0.6
    count = np.where(self_employed, rng.poisson(1.0, jobless.shape), 1)
    count = np.where(jobless, supported, count) * _linked(rng, population, 0.72)[:, None]
    count = count * (rng.random(jobless.shape) < 0.985)
    member, month = _repeat(count.astype(np.int64))
    out_of_work = jobless[member, month]
    kind = np.where(out_of_work, OCCUPATIONS.index("benefit"), population.traits.occupation[member])
    return Rows(
        "incomes",
        member,
        _pay_day(rng, population, member, month, kind),
        {
            "kind": np.array([code("incomes", "kind", name) for name in OCCUPATIONS])[kind],
            "amount": _income(rng, population, member, month, out_of_work),
            "regular": kind != OCCUPATIONS.index("self_employment"),
        },
    )


def _income(rng: np.random.Generator, population: Population, member: Ints, month: Ints, out_of_work: Flags) -> Ints:
    irregular = population.traits.occupation[member] == OCCUPATIONS.index("self_employment")
    noise = rng.standard_normal(len(member)) * np.where(irregular, 0.55, 0.04)
    shift = 0.18 * (population.ability[member, month] - population.ability.mean(axis=1)[member])
    scale = np.where(out_of_work, 0.5, 1.0) * population.traits.income_monthly[member]
    return money(scale * np.exp(noise + shift))


def _pay_day(rng: np.random.Generator, population: Population, member: Ints, month: Ints, kind: Ints) -> Ints:
    fixed = rng.integers(0, 27, population.n)[member] + rng.uniform(0, 1.2, len(member))
    irregular = rng.uniform(0, 28, len(member))
    day = np.where(kind == OCCUPATIONS.index("self_employment"), irregular, fixed)
    return population.timeline.start(month) + (day * DAY).astype(np.int64)


def _linked(rng: np.random.Generator, population: Population, share: float) -> Flags:
    """Who has linked a bank account: none of the unbanked, few of the quiet."""
    traits = population.traits
    return rng.random(population.n) < share * ~traits.unbanked * np.where(traits.quiet, 0.4, 1.0)


def _repeat(count: Ints) -> tuple[Ints, Ints]:
    """Member and month of every event, from counts by member and month."""
    member, month = np.nonzero(count)
    times = count[member, month]
    return np.repeat(member, times), np.repeat(month, times)


def _moment(rng: np.random.Generator, population: Population, month: Ints) -> Ints:
    start, end = population.timeline.start(month), population.timeline.start(month + 1)
    return start + ((end - start) * rng.random(len(month))).astype(np.int64)
