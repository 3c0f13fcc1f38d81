from __future__ import annotations

from math import log

import numpy as np
import pytest

from benne.features.quality.drift import Bins, count_into, expected_by_chance, population_stability, reference_bins


def test_the_index_is_the_sum_that_its_formula_says():
    before, after = Bins((0.0,), (6000, 4000), 0), Bins((0.0,), (5000, 5000), 0)
    by_hand = (0.5 - 0.6) * log(0.5 / 0.6) + (0.5 - 0.4) * log(0.5 / 0.4)
    assert population_stability(before, after) == pytest.approx(by_hand, abs=1e-4)


def test_the_same_shares_of_another_number_are_no_drift():
    before, after = Bins((0.0, 1.0), (200, 300, 400), 100), Bins((0.0, 1.0), (2000, 3000, 4000), 1000)
    assert population_stability(before, after) < 1e-5


def test_nulls_are_a_bin_of_their_own():
    before, after = Bins((0.0,), (5000, 5000), 0), Bins((0.0,), (2500, 2500), 5000)
    assert population_stability(before, after) > 2


def test_a_bin_that_becomes_empty_is_a_number_all_the_same():
    assert np.isfinite(population_stability(Bins((0.0,), (100, 100), 0), Bins((0.0,), (200, 0), 0)))


def test_bins_are_the_deciles_of_the_reference_and_the_end_bins_are_open():
    bins = reference_bins(np.arange(1000.0), nulls=0, cell=50)
    assert bins.edges == (99.0, 199.0, 299.0, 399.0, 499.0, 599.0, 699.0, 799.0, 899.0)
    assert bins.counts == (100,) * 10


def test_no_bin_of_a_reference_holds_some_but_fewer_than_a_cell():
    rng = np.random.default_rng(0)
    for values in (rng.exponential(size=180), np.repeat([0.0, 1.0, 2.0], [400, 20, 30]), rng.integers(0, 3, 90) * 1.0):
        bins = reference_bins(np.sort(values), nulls=20, cell=50)
        assert all(count == 0 or count >= 50 for count in bins.counts)
        assert sum(bins.counts) == len(values)
        assert bins.nulls == 0


@pytest.mark.parametrize("moved_to", [0.0, 4.0])
def test_a_constant_that_moves_either_way_is_seen(moved_to):
    bins = reference_bins(np.full(100, 2.0), nulls=0, cell=50)
    assert population_stability(bins, count_into(bins.edges, np.full(100, moved_to), 0)) > 1


def test_an_edge_is_exact_only_where_many_share_the_value():
    many = reference_bins(np.sort(np.r_[np.full(500, 1 / 3), np.linspace(1, 2, 500)]), nulls=0, cell=50)
    assert 1 / 3 in many.edges
    assert all(float(f"{edge:.4g}") == edge for edge in many.edges if edge > 1)


def test_chance_alone_makes_a_tenth_of_two_hundred_in_eleven_bins():
    bins = Bins(tuple(map(float, range(9))), (20,) * 10, 0)
    assert expected_by_chance(bins, bins, repeats=1) == pytest.approx(9 * (1 / 200 + 1 / 200))


def test_observations_of_the_same_member_count_once_for_chance():
    bins = Bins((0.0,), (500, 500), 0)
    assert expected_by_chance(bins, bins, repeats=12) == pytest.approx(12 * expected_by_chance(bins, bins, repeats=1))


def test_no_drift_by_chance_is_about_what_the_formula_expects():
    rng = np.random.default_rng(1)
    seen, expected = [], []
    for _ in range(40):
        before, after = np.sort(rng.normal(size=2000)), np.sort(rng.normal(size=2000))
        bins = reference_bins(before, 0, 50)
        counted = count_into(bins.edges, after, 0)
        seen.append(population_stability(bins, counted))
        expected.append(expected_by_chance(bins, counted, 1))
    assert np.mean(seen) == pytest.approx(np.mean(expected), rel=0.25)
