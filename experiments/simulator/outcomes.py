"""The known probability of turning bad, and the labels drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints

__all__ = ["ABILITY_EFFECT", "WILLINGNESS_EFFECT", "Observed", "observe", "sigmoid"]

ABILITY_EFFECT: Final = -0.85
WILLINGNESS_EFFECT: Final = -1.0
"""Log odds of bad per standard deviation."""


@dataclass(frozen=True)
class Observed:
    """Every (member, ``as_of``) after joining, with the truth about it; m rows.

    Parameters
    ----------
    member : ndarray of int64, shape (m,)
        Position in the community.
    as_of : ndarray of int64, shape (m,)
    ability, willingness : ndarray of float64, shape (m,)
        Latent state at ``as_of``.
    pd : ndarray of float64, shape (m,)
        ``1 / (1 + exp(-(base + ABILITY_EFFECT·ability + WILLINGNESS_EFFECT·willingness)))``.
    bad : ndarray of bool, shape (m,)
        Bernoulli(``pd``), independent of everything else given the latent state.
    influenced : ndarray of bool, shape (m,)
        Whether an earlier score had a hand in ``bad``: see :mod:`benne.experiments.simulator.feedback`.
    lost : ndarray of bool, shape (m,)
        Whether it refused the member, who then has no outcome.
    """

    member: Ints
    as_of: Ints
    ability: Floats
    willingness: Floats
    pd: Floats
    bad: Flags
    influenced: Flags
    lost: Flags

    def turned_bad(self, n: int, last_as_of: int) -> Flags:
        """Whether each of the community's ``n`` members turns bad after the last moment of observation."""
        result = np.zeros(n, dtype=bool)
        last = self.as_of == last_as_of
        result[self.member[last]] = self.bad[last]
        return result


def observe(rng: np.random.Generator, population: Population, options: SimulatorOptions) -> Observed:
    """Observe the community at every ``as_of`` and draw its labels.

    Life events after ``as_of`` are not in the probability: given the latent state, it is the
    chance of a bad outcome itself, not an estimate. Labels of one member at several moments
    are independent given the states at those moments.
    """
    timeline = population.timeline
    member, moment = np.nonzero(population.joined[:, None] < timeline.as_of[None, :])
    month = timeline.observed_month[moment]
    ability, willingness = population.ability[member, month], population.willingness[member, month]
    pd = sigmoid(options.base_log_odds + ABILITY_EFFECT * ability + WILLINGNESS_EFFECT * willingness)
    bad = rng.random(len(pd)) < pd
    nobody = np.zeros(len(pd), dtype=bool)
    return Observed(member.astype(np.int64), timeline.as_of[moment], ability, willingness, pd, bad, nobody, nobody)


def window_end(as_of: Ints, options: SimulatorOptions) -> Ints:
    """When the outcome window ends."""
    return as_of + options.horizon_days * DAY


def sigmoid(x: Floats) -> Floats:
    """Logistic function."""
    return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float64)
