"""Intervals, percentiles and thin files against worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.errors import InsufficientEvidence, ParameterError
from benne.features import registry
from benne.models import BoosterOptions, CreditScoreModel
from benne.models.pd_interval import jackknife_error, pd_intervals, spread_between_members, typical_error
from benne.models.percentiles import percentile_edges, percentile_of

OPTIONS = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=4, threads=1)
CATEGORIES = {"credit_history": ["late"], "ability": ["income"]}


@pytest.mark.parametrize("spread", [0.0, 0.6, 1.2])
def test_the_spread_between_members_is_found_from_repeated_outcomes(spread: float) -> None:
    rng = np.random.default_rng(5)
    member = np.repeat(np.arange(20_000), 3)
    seen = np.repeat(rng.normal(-2.0, 0.7, 20_000), 3)
    own = np.repeat(spread * rng.normal(size=20_000), 3)
    bad = (rng.random(len(member)) < expit(seen + own)).astype(float)
    nodes, chances = np.polynomial.hermite_e.hermegauss(41)
    predicted = expit(seen[:, None] + spread * nodes) @ (chances / chances.sum())
    found = spread_between_members(np.log(predicted / (1 - predicted)), bad, member)
    assert found == pytest.approx(spread, abs=0.12 if spread else 0.25)


def test_without_members_seen_twice_the_spread_is_not_known() -> None:
    assert spread_between_members(np.zeros(500), np.zeros(500), None) is None
    assert spread_between_members(np.zeros(500), np.zeros(500), np.arange(500)) is None


def test_the_jackknife_is_that_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(5, 400))
    without = np.array([np.delete(parts, k, axis=0).mean() for k in range(5)])
    wanted = np.sqrt(parts.mean(axis=1).var(ddof=1) / 5)
    assert jackknife_error(without[:, None])[0] == pytest.approx(wanted)


def test_an_interval_holds_a_known_pd_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    centre, error = rng.normal(-2.5, 0.8, 40_000), np.full(40_000, 0.3)
    thin = np.arange(40_000) % 2 == 0
    unknown = typical_error(centre, error, thin, 0.9, 0.9)
    nodes, chances = np.polynomial.hermite_e.hermegauss(41)
    predicted = expit(centre[:, None] + 0.9 * nodes) @ (chances / chances.sum())
    log_odds = np.log(predicted / (1 - predicted)) + 0.3 * rng.normal(size=40_000)
    known = expit(centre + 0.9 * rng.normal(size=40_000))
    for level in (0.5, 0.9):
        low, high = pd_intervals(log_odds, thin, np.zeros(40_000, dtype=np.intp), [unknown], level).T
        assert np.mean((low < known) & (known < high)) == pytest.approx(level, abs=0.02)


def _members(rows: int, seed: int, moments: int = 3) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Members observed several times, with something about each that no feature shows."""
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(rows), moments)
    X = pd.DataFrame({"late": rng.normal(size=len(member)), "income": rng.normal(size=len(member))})
    known = expit(-2.0 + 0.8 * X["late"] - 0.5 * X["income"] + np.repeat(rng.normal(size=rows), moments)).to_numpy()
    return X, (rng.random(len(member)) < known).astype(int), member, known


def test_a_model_knows_how_members_differ_only_from_members_seen_twice() -> None:
    X, y, member, _ = _members(4000, 0)
    new, _, _, known = _members(3000, 1)
    model = CreditScoreModel(CATEGORIES, booster=OPTIONS).fit(X, y, groups=member)
    assert model.has_member_spread
    low, high = model.predict_interval(new).T
    assert 0.86 < np.mean((low < known) & (known < high)) < 0.94
    mean = model.predict_proba(new)[:, 1]
    assert ((low < mean) & (mean < high)).all()
    wide = model.predict_interval(new, level=0.99)
    assert ((wide[:, 0] < low) & (high < wide[:, 1])).all()
    once = CreditScoreModel(CATEGORIES, booster=OPTIONS).fit(X, y)
    assert not once.has_member_spread
    assert np.median(np.diff(once.predict_interval(new))) < 0.5 * np.median(high - low)
    with pytest.raises(ParameterError, match=r"level must be a number between 0 and 1, got 1.5"):
        model.predict_interval(new, level=1.5)


def test_percentiles_are_those_of_the_reference_sample_and_of_no_member() -> None:
    scores = np.random.default_rng(0).normal(620, 40, 10_000)
    edges = percentile_edges(scores)
    assert len(edges) == 99
    assert percentile_of(np.array([350.0, np.quantile(scores, 0.505), 950.0]), edges).tolist() == [0.0, 50.0, 99.0]
    assert len(percentile_edges(scores[:600])) == 11
    assert percentile_edges(scores[:99]) == ()
    assert np.isnan(percentile_of(scores[:3], ())).all()
    counts = np.histogram(scores[:600], [-np.inf, *percentile_edges(scores[:600]), np.inf])[0]
    assert counts.min() >= 50


def test_a_models_percentiles_rise_with_the_score() -> None:
    X, y, _, _ = _members(1000, 2)
    model = CreditScoreModel(CATEGORIES, booster=OPTIONS).fit(X, y)
    score, percentile = model.predict_score(X), model.predict_percentile(X)
    order = np.argsort(score, kind="stable")
    assert (np.diff(percentile[order]) >= 0).all()
    assert np.abs(np.quantile(percentile, [0.1, 0.5, 0.9]) - [10, 50, 90]).max() <= 3


def test_an_explanation_says_all_of_it_to_the_last_bit() -> None:
    X, y, _, _ = _members(1000, 2)
    model = CreditScoreModel(CATEGORIES, booster=OPTIONS).fit(X, y)
    told = model.explain(X)
    assert told.pd.tolist() == model.predict_proba(X)[:, 1].tolist()
    assert np.column_stack([told.pd_low, told.pd_high]).tolist() == model.predict_interval(X).tolist()
    assert told.percentile.tolist() == model.predict_percentile(X).tolist()
    assert told.band.tolist() == model.predict_band(X).tolist()
    assert told.thin.tolist() == model.thin_file(X).tolist()


def _registered(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    names = ["late_count_30d", "days_since_late", "income_months_180d", "spending_trend_90d", "days_since_joining"]
    X = pd.DataFrame({n: rng.uniform(max(registry[n].minimum, 0), min(registry[n].maximum, 5), rows) for n in names})
    X.loc[::5, ["days_since_late", "spending_trend_90d"]] = np.nan
    return X, (rng.random(rows) < expit(X["late_count_30d"] - 3)).astype(int).to_numpy()


def test_a_file_with_nothing_in_a_category_is_thin_and_is_scored() -> None:
    X, y = _registered(1500)
    model = CreditScoreModel(registry.categories_of(X.columns), tolerance=1.0, booster=OPTIONS).fit(X, y)
    row = X.iloc[[1]]
    assert not model.thin_file(row)[0]
    empty = row.assign(late_count_30d=0.0, days_since_late=np.nan)
    assert model.thin_file(empty)[0], "no count and no day: nothing is on record"
    assert 350 <= model.predict_score(empty)[0] <= 950
    nothing = empty.assign(income_months_180d=0.0, spending_trend_90d=np.nan)
    with pytest.raises(InsufficientEvidence, match="fewer than 2 of their consented categories hold anything"):
        model.predict_score(nothing)
