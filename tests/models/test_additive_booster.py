import lightgbm as lgb
import numpy as np
import pytest

from benne.errors import ModelDirectoryError, ParameterError
from benne.models import BoosterOptions
from benne.models.additive_booster import BoosterRecipe, cross_fit, refit, without_extremes
from benne.models.points import AdditiveTrees


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"boosting": "goss"}, "'goss' is refused: its cover counts"),
        ({"data_sample_strategy": "goss"}, "'goss' is refused"),
        ({"boosting_type": "dart"}, "'dart' is refused"),
        ({"boost": "rf"}, "'rf' is refused"),
        ({"linear_tree": True}, "'linear_tree' is refused: linear leaves have no exact points"),
        ({"interaction_constraints": [[0, 1], [1, 2]]}, "groups that overlap break the sums of points"),
        ({"zero_as_missing": True}, "'zero_as_missing' is refused: a zero is a value"),
        ({"use_missing": False}, "'use_missing' is refused"),
        ({"categorical_feature": [0]}, "'categorical_feature' is refused: scored features are numeric"),
        ({"categorical_features": [0]}, "'categorical_features' is refused: scored features are numeric"),
        ({"cat_feature": [0]}, "'cat_feature' is refused: scored features are numeric"),
        ({"cat_column": [0]}, "'cat_column' is refused: scored features are numeric"),
        ({"categorical_column": [0]}, "'categorical_column' is refused: scored features are numeric"),
        ({"n_estimators": 5}, "'n_estimators' is set by BoosterOptions"),
    ],
)
def test_what_breaks_the_sums_of_points_is_refused_by_name(extra: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BoosterOptions(extra=extra).check()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BoosterOptions(max_depth=0), r"max_depth of the booster must be a whole number within \[1, 8\], got 0"),
        (BoosterOptions(learning_rate=0.0), "learning_rate of the booster must be a number"),
        (BoosterOptions(folds=1), "folds of the booster must be a whole number"),
        (BoosterOptions(max_trees=True), "max_trees of the booster must be a whole number"),
        (BoosterOptions(monotone={"a": 2}), "monotone must map a column to -1, 0 or 1"),
    ],
)
def test_options_out_of_their_domain_are_refused(options: BoosterOptions, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        options.check()


def recipe(groups: list[list[int]], directions: list[int]) -> BoosterRecipe:
    return BoosterRecipe(BoosterOptions(max_trees=40, learning_rate=0.2), 0, groups, directions)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    bad = (rng.random(600) < 1 / (1 + np.exp(-X[:, 0] * X[:, 2] - X[:, 1]))).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, bad


def test_no_tree_mixes_categories_and_the_functions_add_up_to_the_margin() -> None:
    X, bad = data()
    text = refit(recipe([[0, 1], [2, 3]], [0, 0, 0, 0]), X, bad, None, 40)
    trees = AdditiveTrees(text, np.array([0, 0, 1, 1]), 2)
    phi = trees.booster.predict(X, pred_contrib=True)
    by_category = np.column_stack([phi[:, :2].sum(axis=1), phi[:, 2:4].sum(axis=1)])
    np.testing.assert_allclose(trees.category_functions(X), by_category, atol=1e-10)
    np.testing.assert_allclose(trees.expected.sum(), phi[0, -1], atol=1e-10)


def test_a_tree_over_two_categories_is_not_one_of_ours() -> None:
    X, bad = data()
    text = lgb.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1}, lgb.Dataset(X, bad), 20
    ).model_to_string()
    with pytest.raises(ModelDirectoryError, match="must use one category, got a tree over several"):
        AdditiveTrees(text, np.array([0, 0, 1, 1]), 2)


def test_a_monotone_column_never_turns_back() -> None:
    X, bad = data()
    text = refit(recipe([[0, 1], [2, 3]], [0, -1, 0, 0]), X, bad, None, 40)
    grid = np.zeros((200, 4))
    grid[:, 1] = np.linspace(-4, 4, 200)
    margin = AdditiveTrees(text, np.array([0, 0, 1, 1]), 2).category_functions(grid).sum(axis=1)
    assert (np.diff(margin) <= 1e-12).all()


def test_the_number_of_threads_changes_no_byte() -> None:
    X, bad = data()
    folds = [(np.arange(300), np.arange(300, 600)), (np.arange(300, 600), np.arange(300))]
    fitted = []
    for threads in (1, 2):
        options = BoosterOptions(max_trees=30, threads=threads)
        fitted.append(cross_fit(BoosterRecipe(options, 0, [[0, 1], [2, 3]], [0] * 4), X, bad, None, folds))
    assert fitted[0] == fitted[1]


def test_the_text_model_holds_no_extreme_of_the_training_values() -> None:
    X, bad = data()
    X[:, 3] = 0.0
    text = refit(recipe([[0, 1], [2, 3]], [0, 0, 0, 0]), X, bad, None, 40)
    infos = next(line for line in text.splitlines() if line.startswith("feature_infos="))
    assert infos == "feature_infos=" + " ".join(["[-1e+300:1e+300]"] * 3 + ["none"])
    booster = AdditiveTrees(text, np.array([0, 0, 1, 1]), 2).booster
    assert infos in booster.model_to_string()


def test_a_model_without_extremes_predicts_bit_for_bit_the_same() -> None:
    X, bad = data()
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    text = lgb.train(parameters, lgb.Dataset(X, bad), 30).model_to_string()
    scrubbed = without_extremes(text)
    assert scrubbed != text
    before, after = lgb.Booster(model_str=text), lgb.Booster(model_str=scrubbed)
    beyond = np.vstack([X, 1e6 * X, -1e6 * X])
    for kind in ({}, {"raw_score": True}, {"pred_leaf": True}, {"pred_contrib": True}):
        np.testing.assert_array_equal(before.predict(beyond, **kind), after.predict(beyond, **kind))
