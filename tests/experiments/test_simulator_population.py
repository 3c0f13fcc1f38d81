"""Members, their latent state, and the probability that follows from it."""

from __future__ import annotations

import numpy as np
import pytest

from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.outcomes import observe
from benne.experiments.simulator.population import Population, draw_population
from benne.experiments.simulator.timeline import Timeline

OPTIONS = SimulatorOptions()
LAST_OBSERVED = 29


@pytest.fixture(scope="module")
def population() -> Population:
    return draw_population(np.random.default_rng(5), np.arange(4_000), Timeline.of(OPTIONS), OPTIONS)


def test_ability_and_willingness_go_together_but_are_not_one(population: Population) -> None:
    correlation = np.corrcoef(population.ability.mean(axis=1), population.willingness.mean(axis=1))[0, 1]
    assert 0.2 < correlation < 0.5


def test_losing_the_job_takes_ability_and_not_willingness(population: Population) -> None:
    lost = population.employed[:, :-1] & ~population.employed[:, 1:]
    assert 0.003 < lost.mean() < 0.02
    ability, willingness = np.diff(population.ability, axis=1), np.diff(population.willingness, axis=1)
    assert ability[lost].mean() == pytest.approx(-1.1, abs=0.1)
    assert willingness[lost].mean() == pytest.approx(0.0, abs=0.05)


def test_how_much_members_do_says_nothing_about_their_risk(population: Population) -> None:
    assert abs(np.corrcoef(population.traits.activity, population.strain.mean(axis=1))[0, 1]) < 0.06


def test_only_the_months_after_the_last_observation_know_the_outcome(population: Population) -> None:
    bad = np.arange(population.n) < 100
    change = population.with_aftermath(bad).strain - population.strain
    assert np.all(change[:, : LAST_OBSERVED + 1] == 0)
    assert change[:100, LAST_OBSERVED + 1 :] == pytest.approx(2.0)
    assert change[100:, LAST_OBSERVED + 1 :] == pytest.approx(-0.2)


def test_the_probability_looks_at_no_month_after_the_observation(population: Population) -> None:
    known = observe(np.random.default_rng(1), population, OPTIONS)
    population.ability[:, LAST_OBSERVED + 1 :] -= 5
    again = observe(np.random.default_rng(1), population, OPTIONS)
    population.ability[:, LAST_OBSERVED + 1 :] += 5
    assert np.array_equal(known.pd, again.pd)
    assert np.array_equal(known.bad, again.bad)


def test_labels_are_drawn_from_the_known_probability_at_every_level_of_it(population: Population) -> None:
    draws = [observe(np.random.default_rng(seed), population, OPTIONS) for seed in range(40)]
    frequency = np.mean([drawn.bad for drawn in draws], axis=0)
    decile = np.digitize(draws[0].pd, np.quantile(draws[0].pd, np.arange(0.1, 1, 0.1)))
    for level in range(10):
        here = decile == level
        assert frequency[here].mean() == pytest.approx(draws[0].pd[here].mean(), rel=0.12, abs=0.002)
