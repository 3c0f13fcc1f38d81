"""Who the members are: ability, willingness, and what life does to them month by month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints, Timeline

__all__ = ["AGE_BANDS", "OCCUPATIONS", "SEXES", "Population", "draw_population"]

OCCUPATIONS: Final = ("salary", "self_employment", "pension", "benefit", "transfer")
SEXES: Final = ("female", "male")
AGE_BANDS: Final = ("18-29", "30-44", "45-59", "60+")

_LATENT_CORRELATION = 0.35
_PERSISTENCE = 0.85


@dataclass(frozen=True)
class Population:
    """One community of members; ``n`` members, ``t`` simulated months.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Running number of each member over the whole platform.
    timeline : Timeline
    joined : ndarray of int64, shape (n,)
        Microseconds UTC.
    ability, willingness : ndarray of float64, shape (n, t)
        Latent, in standard deviations of the population; life events move ability.
    strain : ndarray of float64, shape (n, t)
        What the events of a month follow; higher is worse.
    employed, moved_bank : ndarray of bool, shape (n, t)
    traits : Traits
        What does not change from month to month.
    """

    numbers: Ints
    timeline: Timeline
    joined: Ints
    ability: Floats
    willingness: Floats
    strain: Floats
    employed: Flags
    moved_bank: Flags
    traits: Traits

    @property
    def n(self) -> int:
        """How many members."""
        return len(self.numbers)

    def with_aftermath(self, bad: Flags) -> Population:
        """Strain the members who turn bad in the months after the last ``as_of``."""
        strain = self.strain.copy()
        strain[:, self.timeline.observed_month[-1] + 1 :] += np.where(bad, 2.0, -0.2)[:, None]
        return replace(self, strain=strain)


@dataclass(frozen=True)
class Traits:
    """What does not change, one value per member.

    Parameters
    ----------
    adult, unbanked, quiet : ndarray of bool
    activity : ndarray of float64
        How much a member does on the platform; mean about 1, independent of risk.
    occupation, sex, age_band : ndarray of int64
        Positions in :data:`OCCUPATIONS`, :data:`SEXES`, :data:`AGE_BANDS`.
    income_monthly : ndarray of float64
        Usual income in minor units.
    """

    adult: Flags
    unbanked: Flags
    quiet: Flags
    activity: Floats
    occupation: Ints
    sex: Ints
    age_band: Ints
    income_monthly: Floats


def draw_population(
    rng: np.random.Generator, numbers: Ints, timeline: Timeline, options: SimulatorOptions
) -> Population:
    """Draw one community.

    Parameters
    ----------
    rng : Generator
    numbers : ndarray of int64, shape (n,)
    timeline : Timeline
    options : SimulatorOptions
    """
    n = len(numbers)
    sex, age_band = rng.integers(0, 2, n), rng.choice(4, n, p=(0.24, 0.33, 0.26, 0.17))
    unbanked = rng.random(n) < options.unbanked_share
    level, will = _latents(rng, sex, age_band, unbanked)
    employed = _employment(rng, level, timeline.months)
    ability = level[:, None] + _life_events(rng, employed) + _drift(rng, employed.shape, 0.3)
    willingness = will[:, None] + _drift(rng, employed.shape, 0.2)
    quiet = rng.random(n) < options.quiet_share
    traits = Traits(
        adult=rng.random(n) >= options.minor_share,
        unbanked=unbanked,
        quiet=quiet,
        activity=rng.gamma(3.0, 1 / 3, n) * np.where(quiet, 0.08, 1.0),
        occupation=np.where(age_band == 3, 2, rng.choice(5, n, p=(0.68, 0.16, 0.0, 0.1, 0.06))),
        sex=sex,
        age_band=age_band,
        income_monthly=np.exp(12.1 + 0.42 * level + rng.normal(0, 0.45, n)),
    )
    return Population(
        numbers=numbers,
        timeline=timeline,
        joined=_joining(rng, n, timeline),
        ability=ability,
        willingness=willingness,
        strain=-(0.65 * ability + 0.8 * willingness) + _drift(rng, ability.shape, 0.35),
        employed=employed,
        moved_bank=rng.random(ability.shape) < 0.006,
        traits=traits,
    )


def _latents(rng: np.random.Generator, sex: Ints, age_band: Ints, unbanked: Flags) -> tuple[Floats, Floats]:
    """Base ability and willingness; mild disparities by sex and age, on purpose, for fairness work."""
    ability = rng.standard_normal(len(sex))
    own = np.sqrt(1 - _LATENT_CORRELATION**2) * rng.standard_normal(len(sex))
    willingness = _LATENT_CORRELATION * ability + own
    ability = ability + 0.12 * (sex - 0.5) + np.array([-0.25, 0.05, 0.15, 0.0])[age_band]
    return ability - 0.4 * unbanked, willingness + np.array([-0.12, 0.0, 0.06, 0.08])[age_band]


def _employment(rng: np.random.Generator, level: Floats, months: int) -> Flags:
    """About 0.7 % lose their job a month, more where ability is low; half find one within four months."""
    lose, find = 0.007 * np.exp(-0.4 * level), 0.16 * np.exp(0.15 * level)
    employed = np.empty((len(level), months), dtype=bool)
    state = rng.random(len(level)) >= lose / (lose + find)
    for month in range(months):
        change = rng.random(len(level)) < np.where(state, lose, find)
        state = state ^ change
        employed[:, month] = state
    return employed


def _life_events(rng: np.random.Generator, employed: Flags) -> Floats:
    """What unemployment, an income shock and a windfall do to ability; the latter two fade."""
    shock = np.where(rng.random(employed.shape) < 0.010, -0.8, 0.0)
    windfall = np.where(rng.random(employed.shape) < 0.007, 0.8, 0.0)
    return _fade(shock + windfall) - 1.1 * ~employed


def _drift(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Floats:
    """A stationary wandering with the given standard deviation."""
    innovation = rng.normal(0, deviation * np.sqrt(1 - _PERSISTENCE**2), shape)
    innovation[:, 0] = rng.normal(0, deviation, shape[0])
    return _fade(innovation)


def _fade(impulse: Floats) -> Floats:
    level = impulse.copy()
    for month in range(1, level.shape[1]):
        level[:, month] += _PERSISTENCE * level[:, month - 1]
    return level


def _joining(rng: np.random.Generator, n: int, timeline: Timeline) -> Ints:
    """Exponential tenure at the last ``as_of``, three years on average, at most five, at least a day."""
    tenure_days = np.minimum(1 + rng.exponential(1100, n), 5 * 365)
    return np.asarray(timeline.as_of[-1] - (tenure_days * DAY).astype(np.int64), dtype=np.int64)
