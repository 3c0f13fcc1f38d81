from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from benne.errors import WeightContractError
from benne.models.weight_contract import Contract, influence, influence_shares, slope_and_intercept, solve_contract

Floats = npt.NDArray[np.float64]


def sample(seed: int, slopes: list[float], rows: int = 800) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, len(slopes)))
    z /= influence(z)
    bad = (rng.random(rows) < expit(-1.0 + z @ np.array(slopes))).astype(np.float64)
    return z, bad


def loss(theta: Floats, design: Floats, bad: Floats) -> float:
    target = np.where(bad > 0, (bad.sum() + 1) / (bad.sum() + 2), 1 / ((1 - bad).sum() + 2))
    m = design @ theta
    return float(np.mean(np.logaddexp(0, m) - target * m))


def test_influence_is_the_mean_distance_from_the_mean() -> None:
    np.testing.assert_array_equal(influence(np.array([[1.0, 5.0], [3.0, 5.0]])), [1.0, 0.0])


def test_shares_of_nothing_are_zero() -> None:
    np.testing.assert_array_equal(influence_shares(np.ones((4, 2))), [0.0, 0.0])


def test_at_tolerance_zero_the_shares_are_the_weights_exactly() -> None:
    z, bad = sample(0, [0.2, 0.9, 0.4])
    contract = Contract(("a", "b", "c"), np.array([0.5, 0.3, 0.2]), 0.0)
    solution = solve_contract(z, bad, contract)
    np.testing.assert_allclose(influence_shares(z * solution.multipliers), contract.weights, atol=1e-12)


def test_at_tolerance_zero_newton_agrees_with_a_general_solver() -> None:
    z, bad = sample(1, [0.6, 0.5])
    weights = np.array([0.7, 0.3])
    solution = solve_contract(z, bad, Contract(("a", "b"), weights, 0.0))
    design = np.column_stack([z @ weights, np.ones(len(z))])
    other = minimize(loss, np.zeros(2), (design, bad), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15}).x
    assert solution.multipliers.sum() == pytest.approx(other[0], abs=1e-6)
    assert solution.intercept == pytest.approx(other[1], abs=1e-6)


def test_free_weights_are_a_plain_logistic_regression() -> None:
    z, bad = sample(2, [0.6, 0.3, 0.9])
    solution = solve_contract(z, bad, Contract(("a", "b", "c"), np.array([0.4, 0.3, 0.3]), 1.0))
    design = np.column_stack([z, np.ones(len(z))])
    other = minimize(loss, np.zeros(4), (design, bad), method="BFGS", options={"gtol": 1e-10}).x
    np.testing.assert_allclose(np.r_[solution.multipliers, solution.intercept], other, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 1.0), st.lists(st.floats(0.05, 1.0), min_size=2, max_size=5))
def test_every_share_stays_within_the_tolerance_of_its_weight(seed: int, tau: float, raw: list[float]) -> None:
    weights = np.array(raw) / sum(raw)
    z, bad = sample(seed, [0.5] * len(raw), rows=300)
    contract = Contract(tuple("abcde"[: len(raw)]), weights, tau)
    solution = solve_contract(z, bad, contract)
    shares = solution.multipliers / solution.multipliers.sum()
    assert (shares >= contract.lowest - 1e-9).all()
    assert (shares <= contract.highest + 1e-9).all()


def test_more_tolerance_never_costs_log_loss() -> None:
    z, bad = sample(3, [0.1, 1.0])
    losses = []
    for tau in (0.0, 0.1, 0.2, 0.4, 1.0):
        solution = solve_contract(z, bad, Contract(("a", "b"), np.array([0.6, 0.4]), tau))
        losses.append(loss(np.r_[solution.multipliers, solution.intercept], np.column_stack([z, np.ones(len(z))]), bad))
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(losses))
    assert losses[-1] < losses[0]


def test_a_row_of_weight_two_counts_like_two_rows() -> None:
    z, bad = sample(4, [0.7, 0.2])
    contract = Contract(("a", "b"), np.array([0.5, 0.5]), 0.0)
    weight = np.ones(len(z))
    weight[:100] = 2.0
    weighted = solve_contract(z, bad, contract, weight)
    repeated = solve_contract(np.vstack([z, z[:100]]), np.r_[bad, bad[:100]], contract)
    np.testing.assert_allclose(weighted.multipliers, repeated.multipliers, rtol=1e-9)


def test_a_category_that_points_the_wrong_way_is_named() -> None:
    z, bad = sample(5, [-0.9, 0.1])
    with pytest.raises(WeightContractError, match="'history' pointed the wrong way"):
        solve_contract(z, bad, Contract(("history", "means"), np.array([0.8, 0.2]), 0.0))


def test_one_category_without_evidence_gives_everybody_the_base_rate() -> None:
    z, bad = sample(6, [-0.9])
    solution = solve_contract(z, bad, Contract(("single",), np.array([1.0]), 0.0))
    np.testing.assert_array_equal(solution.multipliers, [0.0])
    assert expit(solution.intercept) == pytest.approx(bad.mean(), abs=1e-3)


def test_separable_classes_keep_a_finite_slope() -> None:
    bad = np.array([0.0, 0, 0, 1, 1, 1])
    slope, intercept = slope_and_intercept(np.array([-3.0, -2, -1, 1, 2, 3]), bad, np.ones(6))
    assert 0 < slope < 10
    assert intercept == pytest.approx(0.0, abs=1e-9)
