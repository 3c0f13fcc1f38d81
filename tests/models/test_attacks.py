"""What once broke a promise without a word: each of these fitted, loaded or scored."""

from __future__ import annotations

import hashlib
import json
import threading

import numpy as np
import pandas as pd
import pytest

from benne.errors import (
    CategoryWithheld,
    FeatureTypeError,
    FeatureValueError,
    ModelDirectoryError,
    ParameterError,
    WeightContractError,
)
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.models.cohorts import cohort_means
from benne.models.percentiles import percentile_edges
from benne.models.weight_contract import influence, influence_shares

QUICK = BoosterOptions(max_trees=60, learning_rate=0.2, patience=20)
PAID_MEANS = {"paid": ["late"], "means": ["income"]}


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"late": rng.gamma(2.0, 1.0, 1600), "income": rng.gamma(2.0, 1.0, 1600)})
    y = (rng.random(1600) < 1.0 / (1.0 + np.exp(1.0 + X["income"] - X["late"]))).astype(int).to_numpy()
    return X, y


@pytest.fixture(scope="module")
def fitted(world):
    return CreditScoreModel(PAID_MEANS, {"paid": 0.6, "means": 0.4}, booster=QUICK).fit(*world)


# ---- the contract


def test_rounding_is_no_influence():
    for value in np.random.default_rng(0).normal(size=200):
        assert influence(np.full((1234, 1), value)).tolist() == [0.0]
    assert influence(np.array([[1e-9], [3e-9]]))[0] == pytest.approx(1e-9)


def test_a_flag_that_occurs_in_early_folds_only_does_not_drown_the_others(world):
    X, y = world
    early = (np.arange(len(y)) < 800) & (np.random.default_rng(3).random(len(y)) < 0.3)
    flagged = X[["late"]].assign(flag=early.astype(float))
    bad = np.where(early, np.random.default_rng(4).random(len(y)) < 0.6, y).astype(int)
    model = CreditScoreModel({"paid": ["late"], "flags": ["flag"]}, {"paid": 0.8, "flags": 0.2}, booster=QUICK)
    model.fit(flagged, bad, time=np.arange(len(y)))
    assert model.contract_report_.largest_miss < 1e-6
    assert np.ptp(model.predict_score(flagged)) > 50
    assert model.explain(flagged).largest_gap < 1e-9


def test_the_weight_of_a_mute_category_is_not_handed_on_to_those_who_must_hold_theirs(world):
    X, y = world
    three = {**PAID_MEANS, "friends": ["friends"]}
    weights = {"paid": 0.4, "means": 0.4, "friends": 0.2}
    mute = X.assign(friends=1.0)
    for tolerance in (0.0, {"friends": 0.2, "means": 0.1}):
        with pytest.raises(WeightContractError, match="Category 'friends' must have influence to carry its weight"):
            CreditScoreModel(three, weights, tolerance, QUICK).fit(mute, y)
    with pytest.raises(
        WeightContractError, match="Where only 'friends' and 'paid' may be used: Category 'friends' must"
    ):
        CreditScoreModel(three, weights, {"friends": 0.2, "means": 0.2}, QUICK).fit(mute, y)
    model = CreditScoreModel(three, weights, {"friends": 0.4, "means": 0.4, "paid": 0.4}, QUICK).fit(mute, y)
    assert model.contract_report_.shares["reference"]["friends"] == 0.0


def test_one_tolerance_alone_is_none(world):
    with pytest.raises(ParameterError, match="tolerance must be given to two categories at least, got one"):
        CreditScoreModel(PAID_MEANS, {"paid": 0.6, "means": 0.4}, {"paid": 0.2}, QUICK).fit(*world)


def test_weights_say_what_counts_beside_what_and_not_how_much(world, fitted):
    X, y = world
    for each in (100.0, 1.0 / len(y)):
        weighted = CreditScoreModel(PAID_MEANS, {"paid": 0.6, "means": 0.4}, booster=QUICK)
        weighted.fit(X, y, sample_weight=np.full(len(y), each))
        np.testing.assert_allclose(weighted.predict_proba(X), fitted.predict_proba(X), rtol=1e-6)


# ---- what is kept of members


def test_no_edge_of_a_percentile_is_a_members_own_score():
    for n in (101, 5001, 5050, 10_000):
        scores = np.random.default_rng(n).normal(620.0, 40.0, n)
        edges = percentile_edges(scores)
        assert len(edges) == min(100, n // 50) - 1
        assert not set(edges) & set(scores.tolist())
        assert np.histogram(scores, [-np.inf, *edges, np.inf])[0].min() >= 50


def test_means_of_cohorts_keep_influence_and_nobodys_value():
    values = np.random.default_rng(0).normal(size=(3001, 2)) * [1.0, 3.0] + 0.3
    kept = cohort_means(values)
    np.testing.assert_allclose(influence_shares(kept), influence_shares(values), rtol=1e-12)
    assert not set(kept.ravel().tolist()) & set(values.ravel().tolist())
    counts = [np.unique(column, return_counts=True)[1].min() for column in kept.T]
    assert min(counts) >= 50


def test_every_interval_holds_the_probability_it_is_of(world, fitted):
    nothing = CreditScoreModel(categories="single", booster=QUICK).fit(world[0] * 0.0, world[1])
    for model, X in ((fitted, world[0]), (nothing, world[0] * 0.0)):
        for level in (0.01, 0.5, 0.9):
            low, high = model.predict_interval(X, level=level).T
            pd_of_bad = model.predict_proba(X)[:, 1]
            assert ((low <= pd_of_bad) & (pd_of_bad <= high)).all()


# ---- the saved model


def edited(saved, text) -> None:
    (saved / "booster.txt").write_text(text, newline="\n")
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["files"]["booster.txt"] = hashlib.sha256((saved / "booster.txt").read_bytes()).hexdigest()
    (saved / "manifest.json").write_text(json.dumps(manifest))


def in_first_tree(text, change):
    """The text with its first tree changed, and the header told how long it is now."""
    start = text.index("Tree=0\n")
    size = int(text.split("tree_sizes=")[1].split()[0])
    tree = change(text[start : start + size])
    return text[:start].replace(f"tree_sizes={size} ", f"tree_sizes={len(tree)} ") + tree + text[start + size :]


def line(name, value):
    def change(tree):
        rows = [f"{name}={value}" if row.startswith(f"{name}=") else row for row in tree.split("\n")]
        return "\n".join(rows)

    return change


STRAY = (
    "\nTree=99\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=0\ndecision_type=2\n"
    "left_child=-1\nright_child=-2\nleaf_value=1000 -1000\nleaf_weight=1 1\nleaf_count=1 1\ninternal_value=0\n"
    "internal_weight=2\ninternal_count=2\nis_linear=0\nshrinkage=1\n\n"
)
TAMPERED = {
    "no tree at a time": lambda text: text.replace("num_tree_per_iteration=1", "num_tree_per_iteration=0"),
    "averaged trees": lambda text: text.replace("label_index=0", "label_index=0\naverage_output"),
    "categories without bounds": lambda text: in_first_tree(text, line("num_cat", 1)),
    "linear leaves": lambda text: in_first_tree(text, line("is_linear", 1)),
    "too few weights": lambda text: in_first_tree(text, line("leaf_weight", 1)),
    "a line twice": lambda text: in_first_tree(text, lambda tree: tree.replace("num_cat=0", "num_cat=0\nnum_cat=0")),
    "a tree after the end": lambda text: text + STRAY,
    "a tree in the header": lambda text: text.replace("\ntree_sizes=", STRAY + "tree_sizes="),
    "counts that are no numbers": lambda text: in_first_tree(text, line("internal_count", "nan")),
    "counts that do not add up": lambda text: in_first_tree(text, lambda t: t.replace("leaf_count=", "leaf_count=9")),
    "a leaf beyond everything": lambda text: in_first_tree(
        text, lambda t: t.replace("leaf_value=-", "leaf_value=-1e308", 1).replace("leaf_value=0", "leaf_value=1e308")
    ),
    "leaves reached twice": lambda text: in_first_tree(
        text, lambda tree: line("left_child", tree.split("right_child=")[1].split("\n")[0])(tree)
    ),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERED)
def test_a_booster_that_would_end_the_process_or_break_the_sums_is_refused(fitted, tmp_path, tampering):
    fitted.save(tmp_path / "model")
    text = (tmp_path / "model" / "booster.txt").read_text()
    changed = TAMPERED[tampering](text)
    assert changed != text
    edited(tmp_path / "model", changed)
    with pytest.raises(ModelDirectoryError, match="A saved model must have"):
        CreditScoreModel.load(tmp_path / "model")


def test_a_model_read_while_others_are_saved_in_its_place_is_one_of_them(world, fitted, tmp_path):
    X, y = world
    other = CreditScoreModel(PAID_MEANS, {"paid": 0.3, "means": 0.7}, booster=QUICK, random_state=1).fit(X, y)
    scores = {model.predict_score(X).tobytes() for model in (fitted, other)}
    place, stop = tmp_path / "model", threading.Event()
    fitted.save(place)
    refused = []

    def keep_saving() -> None:
        while not stop.is_set():
            for model in (other, fitted):
                try:
                    model.save(place)
                except ModelDirectoryError as error:
                    refused.append(error)

    savers = [threading.Thread(target=keep_saving) for _ in range(2)]
    for saver in savers:
        saver.start()
    try:
        found = {CreditScoreModel.load(place).predict_score(X).tobytes() for _ in range(40)}
    finally:
        stop.set()
        for saver in savers:
            saver.join()
    assert found <= scores
    assert not refused


def test_a_model_is_saved_with_the_parameters_of_its_fit(world, tmp_path):
    model = CreditScoreModel(PAID_MEANS, {"paid": 0.6, "means": 0.4}, booster=QUICK).fit(*world)
    model.set_params(tolerance=0.3)
    with pytest.raises(ParameterError, match="Parameters must be those of the fit, 'tolerance' was set since"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_split_between_known_and_unknown_alone_comes_back(world, tmp_path):
    X, y = world
    gaps = X.assign(late=X["late"].where(y == 0).where(np.arange(len(y)) % 3 > 0))
    model = CreditScoreModel(categories="single", booster=QUICK).fit(gaps, y)
    assert "inf" in model._state.learned.boosters[0].text.split("threshold=", 1)[1]
    model.save(tmp_path / "model")
    again = CreditScoreModel.load(tmp_path / "model")
    assert again.predict_score(gaps).tobytes() == model.predict_score(gaps).tobytes()


# ---- what comes in


def test_nothing_is_read_out_of_a_masked_array_or_rounded_into_a_float(world, fitted):
    X, _ = world
    masked = np.ma.MaskedArray(X.to_numpy(), mask=X.to_numpy() > 1.0)
    with pytest.raises(FeatureTypeError, match="got a masked array"):
        CreditScoreModel(categories="single", booster=QUICK).fit(masked, world[1])
    pa = pytest.importorskip("pyarrow")
    huge = pa.table({"late": [2**60 + 1, None], "income": [1.0, 2.0]})
    with pytest.raises(FeatureValueError, match=r"whole numbers up to 2\*\*53"):
        fitted.predict_score(huge)
    decimals = X.head(2).astype({"late": pd.ArrowDtype(pa.decimal128(20, 3))})
    with pytest.raises(FeatureTypeError, match="'late' must be of numbers"):
        fitted.predict_score(decimals)


@pytest.mark.parametrize("withheld", [None, 5, [None] * 1600, [[["paid"]]] * 1600, {"paid": True}])
def test_strange_withheld_is_a_parameter_error(world, fitted, withheld):
    with pytest.raises(ParameterError, match="withheld must be"):
        fitted.predict_score(world[0], withheld=withheld)


def test_a_misspelt_category_is_told_what_it_is_like(world):
    columns = {"credit_history": ["late"], "ability": ["income"]}
    model = CreditScoreModel(columns, tolerance=1.0, booster=QUICK).fit(*world)
    with pytest.raises(ValueError, match=r"1 other name\(s\), one of them much like 'ability'"):
        model.predict_score(world[0], withheld={"abilty"})


def test_features_are_no_consent_mask(world):
    with pytest.raises(CategoryWithheld, match="A consent mask must be bool columns named"):
        withheld_of(world[0])


def test_a_column_named_like_consent_is_never_a_feature(world):
    X, y = world
    columns = {"paid": ["late", "consented_history"], "means": ["income"]}
    with pytest.raises(CategoryWithheld, match="consent is never a feature"):
        CreditScoreModel(columns, {"paid": 0.6, "means": 0.4}, booster=QUICK).fit(X.assign(consented_history=y), y)


def test_options_and_groups_that_cannot_be_are_named(world):
    X, y = world
    given = {"weights": {"paid": 0.6, "means": 0.4}}
    with pytest.raises(ParameterError, match="LightGBM must accept"):
        CreditScoreModel(PAID_MEANS, booster=BoosterOptions(max_trees=5, extra={"max_bin": 1}), **given).fit(X, y)
    with pytest.raises(ParameterError, match="monotone must name columns of X, got 'lat'"):
        CreditScoreModel(PAID_MEANS, booster=BoosterOptions(monotone={"lat": 1}), **given).fit(X, y)
    with pytest.raises(ParameterError, match="groups must hold values of one sort"):
        CreditScoreModel(PAID_MEANS, booster=QUICK, **given).fit(X, y, groups=np.array([1, "a"] * 800, dtype=object))
