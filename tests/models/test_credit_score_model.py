import copy
import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from benne.errors import (
    FeatureColumnsError,
    FeatureTypeError,
    FeatureValueError,
    LabelError,
    ModelError,
    ParameterError,
    WeightContractError,
)
from benne.models import BoosterOptions, CreditScoreModel, ScoreScale

FEW_TREES = BoosterOptions(max_trees=100, learning_rate=0.3)
"""The checks' blobs are separable: with the default, each of some hundred fits grows a thousand trees."""


def expected_failed_checks(estimator: CreditScoreModel) -> dict[str, str]:
    """The one check that a cross-fitted estimator fails on purpose.

    It asks that a weight of 2 equal a row given twice and a weight of 0 a row left out. The
    latter holds here. The former cannot: the copies of a row fall into different folds, so
    that the booster checked on one has seen the other, which is the very thing that
    cross-fitting is there to prevent. (To keep the copies together, pass ``groups``.) On the
    check's 15 rows it does not even come to that: without the rows of weight 0, one row of a
    class is left, and that cannot be cross-fitted.
    """
    return {"check_sample_weight_equivalence_on_dense_data": "cross-fitting separates the copies of a row"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [CreditScoreModel(categories="single", booster=FEW_TREES)], expected_failed_checks=expected_failed_checks
)
def test_the_estimator_keeps_the_scikit_learn_contract(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


# ---- adds up


def test_base_points_and_clipping_add_up_to_the_score(model, members) -> None:
    explanation = model.explain(members.X)
    points = explanation.points.to_numpy().sum(axis=1)
    np.testing.assert_allclose(explanation.base + points + explanation.clipped, explanation.score, rtol=0, atol=1e-9)
    assert explanation.largest_gap < 1e-9


def test_category_points_are_the_sums_of_their_features(model, newcomers, categories) -> None:
    explanation = model.explain(newcomers.X)
    for category, columns in categories.items():
        by_feature = explanation.points[columns].sum(axis=1)
        np.testing.assert_allclose(explanation.category_points[category], by_feature, rtol=0, atol=1e-9)


def test_the_explained_score_is_the_score_bit_for_bit(model, newcomers) -> None:
    np.testing.assert_array_equal(model.explain(newcomers.X).score, model.predict_score(newcomers.X))


def test_a_row_alone_equals_the_same_row_in_a_batch_bit_for_bit(model, newcomers) -> None:
    batch = model.explain(newcomers.X)
    for i in range(25):
        one = model.explain(newcomers.X.iloc[[i]])
        assert one.score[0] == batch.score[i]
        np.testing.assert_array_equal(one.points.to_numpy()[0], batch.points.to_numpy()[i])
        assert model.predict_score(newcomers.X.iloc[[i]])[0] == batch.score[i]


def test_scores_stay_on_the_scale_and_clipping_is_a_line_of_its_own(members, categories, quick) -> None:
    steep = CreditScoreModel(categories, scale=ScoreScale(pdo=600), booster=quick).fit(members.X, members.y)
    explanation = steep.explain(members.X)
    assert explanation.score.min() == 350.0
    assert explanation.score.max() == 950.0
    assert (explanation.clipped > 0).any()
    assert (explanation.clipped < 0).any()
    assert explanation.largest_gap < 1e-9


def test_probabilities_follow_the_unclipped_log_odds(model, newcomers) -> None:
    p = model.predict_proba(newcomers.X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    explanation = model.explain(newcomers.X)
    odds_of_good = (1 - p[:, 1]) / p[:, 1]
    np.testing.assert_allclose(600 + 40 * np.log2(odds_of_good / 20), explanation.score - explanation.clipped)
    np.testing.assert_allclose(logit(p[:, 1]), model.decision_function(newcomers.X), atol=1e-9)


# ---- the contract


def test_realised_shares_are_the_weights_on_the_reference_sample(model) -> None:
    report = model.contract_report_
    np.testing.assert_allclose(report.shares["target"], np.array([35, 25, 20, 5]) / 85)
    assert report.largest_miss < 1e-6
    assert report.reference_rows == 1500
    assert len(report.reference_sha256) == 64


def test_the_report_names_the_price_against_both_models(model) -> None:
    price = model.contract_report_.price
    assert price.index.tolist() == ["unconstrained", "additive", "contracted"]
    assert price.loc["additive", "auc"] >= price.loc["contracted", "auc"] - 0.005
    assert price.loc["contracted", "auc_price"] == 0.0
    assert 0.6 < price.loc["contracted", "auc_low"] < price.loc["contracted", "auc"]


def test_a_fit_without_the_unconstrained_price_is_the_same_model(model, members) -> None:
    again = clone(model).set_params(unconstrained_price=False).fit(members.X, members.y)
    assert again.contract_report_.price.index.tolist() == ["additive", "contracted"]
    assert again.predict_score(members.X).tobytes() == model.predict_score(members.X).tobytes()
    with pytest.raises(ParameterError, match=r"unconstrained_price must be True or False, got str"):
        clone(model).set_params(unconstrained_price="yes").fit(members.X, members.y)


def test_shares_on_new_rows_come_with_intervals_around_the_weights(model, newcomers) -> None:
    shares = model.category_shares(newcomers.X)
    assert shares["share"].sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shares["share"], shares["target"], atol=0.06)
    assert (shares["share_low"] < shares["share_high"]).all()


def test_the_frontier_trades_shares_for_log_loss(model) -> None:
    frontier = model.frontier((0.0, 0.1, 1.0))
    assert frontier["log_loss"].is_monotonic_decreasing
    assert frontier.loc[0.0, "share_social"] == pytest.approx(0.05 / 0.85, abs=0.01)


def test_a_tolerance_keeps_every_share_within_it(members, categories, quick) -> None:
    loose = CreditScoreModel(categories, tolerance=0.1, booster=quick).fit(members.X, members.y)
    assert 1e-6 < loose.contract_report_.largest_miss <= 0.1 + 1e-9


def test_each_category_may_have_a_tolerance_of_its_own(members, categories, quick, tmp_path) -> None:
    own = CreditScoreModel(categories, tolerance={"social": 0.05, "behaviour": 0.1}, booster=quick)
    own.fit(members.X, members.y)
    shares = own.contract_report_.shares
    off = (shares["reference"] - shares["target"]).abs()
    assert (off <= shares["tolerance"] + 1e-6).all()
    assert shares["tolerance"].to_dict() == {"credit_history": 0.0, "behaviour": 0.1, "ability": 0.0, "social": 0.05}
    assert off["behaviour"] > 1e-3
    own.save(tmp_path / "it")
    again = CreditScoreModel.load(tmp_path / "it")
    assert again.tolerance == own.tolerance
    assert again.predict_score(members.X).tobytes() == own.predict_score(members.X).tobytes()


def test_a_category_without_influence_is_named(members, categories, quick) -> None:
    X = members.X.assign(friends=1.0)
    with pytest.raises(WeightContractError, match="Category 'social' must have influence to carry its weight"):
        CreditScoreModel(categories, booster=quick).fit(X, members.y)
    CreditScoreModel(categories, tolerance=1.0, booster=quick).fit(X, members.y)


def test_labels_without_a_pattern_are_no_model(members, categories, quick) -> None:
    y = np.random.default_rng(3).permutation(members.y)
    with pytest.raises(WeightContractError, match=r"must have a positive slope|must have influence"):
        CreditScoreModel(categories, booster=quick).fit(members.X, y)


def test_monotone_directions_hold_in_points(members, categories, quick) -> None:
    options = dataclasses.replace(quick, monotone={"income": -1, "late days (max)": 1})
    model = CreditScoreModel(categories, booster=options).fit(members.X, members.y)
    rows = pd.concat([members.X.iloc[[0]]] * 60, ignore_index=True)
    rising = model.predict_score(rows.assign(income=np.linspace(-4, 4, 60)))
    falling = model.predict_score(rows.assign(**{"late days (max)": np.linspace(-4, 4, 60)}))
    assert (np.diff(rising) >= 0).all()
    assert (np.diff(falling) <= 0).all()


# ---- strict inputs


def test_columns_in_another_order_give_the_same_scores(model, newcomers) -> None:
    shuffled = newcomers.X[list(reversed(newcomers.X.columns))]
    np.testing.assert_array_equal(model.predict_score(shuffled), model.predict_score(newcomers.X))


def test_polars_and_arrow_give_the_same_scores(model, newcomers) -> None:
    frame = pl.from_pandas(newcomers.X)
    expected = model.predict_score(newcomers.X)
    np.testing.assert_array_equal(model.predict_score(frame), expected)
    np.testing.assert_array_equal(model.predict_score(frame.to_arrow()), expected)


def test_inputs_are_never_changed(members, categories, quick) -> None:
    X, y = members.X.copy(), members.y.copy()
    fitted = CreditScoreModel(categories, booster=quick).fit(X, y)
    fitted.explain(X, withheld={"social"})
    pd.testing.assert_frame_equal(X, members.X)
    np.testing.assert_array_equal(y, members.y)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"income": np.nan}, FeatureValueError, "Feature 'income' must not be null .* 200 such rows"),
        ({"income": np.inf}, FeatureValueError, "Feature 'income' must be finite"),
        ({"income": "high"}, FeatureTypeError, "Feature 'income' must be of numbers"),
        ({"income": True}, FeatureTypeError, "Feature 'income' must be of numbers .*, got bool"),
        ({"age": 30.0}, FeatureColumnsError, "got 'age' besides"),
    ],
)
def test_what_lightgbm_would_score_as_nonsense_is_refused(model, newcomers, change, error, message) -> None:
    with pytest.raises(error, match=message):
        model.predict_score(newcomers.X.assign(**change))


def test_an_array_is_refused_where_names_were_learned(model, newcomers) -> None:
    with pytest.raises(FeatureColumnsError, match="X must carry column names"):
        model.predict_score(newcomers.X.to_numpy())


def test_a_registered_feature_keeps_to_its_declared_range() -> None:
    from benne.features import registry

    ranged = next(name for name in registry if np.isfinite(registry[name].maximum))
    other = next(name for name in registry if registry[name].category != registry[ranged].category)
    rng = np.random.default_rng(0)
    X = pd.DataFrame({ranged: registry[ranged].maximum + rng.random(50) + 1, other: rng.random(50)})
    model = CreditScoreModel(categories=registry.categories_of([ranged, other]))
    with pytest.raises(FeatureValueError, match=f"Feature '{ranged}' must lie within .*, got 50 such rows"):
        model.fit(X, np.tile([0, 1], 25))


# ---- fitting


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tolerance": -0.1}, r"tolerance must be a number within \[0, 1\], got -0.1"),
        ({"tolerance": "none"}, "tolerance must be a number"),
        ({"tolerance": {"single": 1.5}}, r"tolerance of 'single' must be a number within \[0, 1\], got 1.5"),
        ({"tolerance": {"income": 0.1}}, "tolerance must name categories of this model, got 'income'. Use 'single'"),
        ({"booster": {"max_depth": 3}}, "booster must be BoosterOptions or None, got dict"),
        ({"scale": 40}, "scale must be a ScoreScale or None, got int"),
        ({"scale": ScoreScale(pdo=0)}, "pdo of the score scale must be a positive number"),
        ({"random_state": None}, "random_state must be a whole number"),
        ({"booster": BoosterOptions(extra={"boosting": "dart"})}, "'dart' is refused"),
    ],
)
def test_bad_parameters_are_refused_at_fit_not_before(members, parameters, message) -> None:
    model = CreditScoreModel(categories="single", **parameters)
    with pytest.raises(ParameterError, match=message):
        model.fit(members.X, members.y)


def test_one_class_is_refused(members, categories) -> None:
    with pytest.raises(LabelError, match="got one class only"):
        CreditScoreModel(categories).fit(members.X, np.zeros(len(members.X)))


def test_groups_and_time_can_be_given(members, categories, quick) -> None:
    rows = len(members.X)
    model = CreditScoreModel(categories, booster=quick)
    grouped = model.fit(members.X, members.y, groups=np.arange(rows) // 2)
    assert grouped.contract_report_.largest_miss < 1e-6
    timed = model.fit(members.X, members.y, time=pd.date_range("2025-01-01", periods=rows, tz="UTC"))
    assert timed.calibration_report_.rows < rows


def test_the_same_seed_gives_the_same_model_and_another_seed_another(members, categories, quick, model) -> None:
    again = clone(model).fit(members.X, members.y)
    np.testing.assert_array_equal(again.predict_score(members.X), model.predict_score(members.X))
    other = CreditScoreModel(categories, booster=quick, random_state=1).fit(members.X, members.y)
    assert (other.predict_score(members.X) != model.predict_score(members.X)).any()


def test_an_unfitted_model_says_so(newcomers) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        CreditScoreModel().predict_score(newcomers.X)


def test_a_refit_forgets_the_names_of_the_last(members, categories, quick) -> None:
    model = CreditScoreModel("single", booster=quick).fit(members.X, members.y)
    model.fit(members.X.to_numpy(), members.y)
    assert not hasattr(model, "feature_names_in_")


def test_bands_follow_the_scores(model, newcomers) -> None:
    scores, bands = model.predict_score(newcomers.X), model.predict_band(newcomers.X)
    assert set(bands[scores > 600.5]) <= {"good", "very good", "excellent"}
    assert set(bands[scores < 549]) == {"poor"}


def test_a_loaded_model_has_no_frontier(model, tmp_path) -> None:
    model.save(tmp_path / "model")
    with pytest.raises(ModelError, match="The frontier needs the rows of the fit"):
        CreditScoreModel.load(tmp_path / "model").frontier()


def test_a_copied_model_leaves_the_rows_of_the_fit_behind(model, newcomers) -> None:
    copied = copy.deepcopy(model)
    np.testing.assert_array_equal(copied.predict_score(newcomers.X), model.predict_score(newcomers.X))
    assert "_oof" in vars(model)
    assert "_oof" not in vars(copied)
