from __future__ import annotations

import dataclasses
import itertools
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benne.errors import LabelError, ParameterError
from benne.experiments.challengers import CHALLENGERS, OURS, compare
from benne.experiments.challengers.boosted import _folds, fit_lightgbm
from benne.experiments.challengers.free_weights import features_used, fit_free_weights
from benne.experiments.challengers.logistic import fit_logistic
from benne.experiments.challengers.rival import Lesson, columns_of, lesson_of
from benne.experiments.challengers.scorecard import fit_scorecard
from benne.models import withheld_of
from benne.models.additive_booster import BoosterRecipe, cross_fit

PARTIAL = "consented_social"


def compared(run, **options):
    return compare(run.model, run.train, run.test, **options)


@pytest.fixture(scope="module")
def found(training_run):
    pytest.importorskip("optbinning", reason="the scorecard needs benne[challengers]")
    return compared(training_run, fit_seconds=3.0)


def test_every_contestant_has_one_row_and_ours_is_the_last(found):
    assert found.table.index.tolist() == [*CHALLENGERS, OURS]
    assert found.table["auc"].between(0.6, 0.9).all()
    assert found.table["features"].between(1, 7).all()
    assert (found.table["fit_seconds"] > 0).all()
    assert found.table.loc[OURS, "fit_seconds"] == 3.0
    assert found.absent == {}


def test_the_same_rows_and_seed_give_the_same_table(training_run, found):
    again = compared(training_run)
    pd.testing.assert_frame_equal(
        again.table.drop(columns="fit_seconds"), found.table.drop(columns="fit_seconds"), check_exact=True
    )


def test_fits_are_timed_by_the_clock_that_is_given(training_run):
    ticks = itertools.count()
    table = compared(training_run, names=["logistic regression"], clock=lambda: float(next(ticks))).table
    assert table["fit_seconds"].iloc[0] == 1.0
    assert np.isnan(table.loc[OURS, "fit_seconds"])


def test_only_rows_that_consent_to_everything_are_compared(training_run):
    sides = {name: getattr(training_run, name) for name in ("train", "test")}
    partial = {name: ~side.features[PARTIAL].to_numpy() for name, side in sides.items()}
    found = compared(training_run, names=["logistic regression"])
    assert found.train_rows == (~partial["train"]).sum()
    assert (found.test_rows, found.ours_alone) == ((~partial["test"]).sum(), partial["test"].sum())
    # What became of the others changes nothing for anybody.
    other = dataclasses.replace(sides["test"], bad=np.where(partial["test"], 1 - sides["test"].bad, sides["test"].bad))
    again = compare(training_run.model, sides["train"], other, names=["logistic regression"])
    pd.testing.assert_frame_equal(again.table, found.table.assign(fit_seconds=again.table["fit_seconds"]))


def test_rows_of_one_member_are_drawn_together(training_run):
    """Every row twice, as if each member had been seen at two moments: nothing more is known."""
    test = training_run.test
    later = test.features.rename(index={test.features.index[0][1]: pd.Timestamp("2025-10-01", tz="UTC")}, level="as_of")
    twice = dataclasses.replace(test, features=pd.concat([test.features, later]), bad=np.tile(test.bad, 2))
    once, doubled = (
        compare(training_run.model, training_run.train, side, names=[]).table.loc[OURS] for side in (test, twice)
    )
    width, same = (line["auc_high"] - line["auc_low"] for line in (once, doubled))
    assert same == pytest.approx(width, rel=1e-9)


def test_figures_of_ours_are_those_of_its_own_predictions(training_run):
    found = compared(training_run, names=[])
    test = training_run.test
    whole = test.features[PARTIAL].to_numpy()
    log_odds = training_run.model.decision_function(test.features, withheld=withheld_of(test.features))
    assert found.table.loc[OURS, "auc"] == pytest.approx(roc_auc_score(test.bad[whole], log_odds[whole]))


def test_lightgbm_chooses_its_trees_on_the_folds_of_our_own_fit(training_run):
    model = training_run.model
    lesson = Lesson(model, training_run.train)
    recipe = BoosterRecipe(model.booster, model.random_state, None, [])
    folds = _folds(lesson, recipe)
    X, bad = lesson.features.to_numpy(), lesson.bad.astype(np.float64)
    fitted = cross_fit(recipe, X, bad, None, folds)
    out_of_fold = np.empty(len(bad))
    for text, (_, held) in zip(fitted.texts, folds, strict=True):
        out_of_fold[held] = lgb.Booster(model_str=text).predict(X[held], raw_score=True)
    # The price of the contract has the same booster, out of fold.
    expected = model.contract_report_.price.loc["unconstrained", "auc"]
    assert roc_auc_score(bad, out_of_fold) == pytest.approx(expected, abs=1e-9)


def test_free_weights_are_our_model_with_the_tolerance_let_go(training_run):
    lesson = Lesson(training_run.model, training_run.train)
    asked = columns_of(training_run.model, training_run.test.features)[training_run.test.features[PARTIAL].to_numpy()]
    free = training_run.split.fit(type(training_run.model)(
        categories=training_run.model.categories, booster=training_run.model.booster, tolerance=1.0
    ))  # fmt: skip
    rival = fit_free_weights(lesson)
    assert rival.log_odds(asked).tolist() == free.decision_function(asked).tolist()
    assert rival.features == features_used(free)


def test_a_category_that_counts_for_nothing_has_no_features_in_use(training_run):
    model = training_run.model
    shares = model.contract_report_.shares.copy()
    used = features_used(model)
    shares.loc["social", "multiplier"] = 0.0
    report = dataclasses.replace(model.contract_report_, shares=shares)
    muted = type("Muted", (), {**vars(model), "contract_report_": report})()
    assert features_used(muted) == used - 1  # `friends` is all there is of it


@pytest.mark.parametrize("fit", [fit_lightgbm, fit_logistic, fit_scorecard])
def test_challengers_take_nulls_and_columns_that_never_vary(training_run, fit):
    if fit is fit_scorecard:
        pytest.importorskip("optbinning")
    train = training_run.train
    features = train.features.assign(oldest=1.0)
    features.loc[features.index[::3], "income"] = np.nan
    lesson = Lesson(training_run.model, dataclasses.replace(train, features=features))
    rival = fit(lesson)
    asked = lesson.features.head(50).assign(oldest=2.0)
    assert np.isfinite(rival.log_odds(asked)).all()
    assert rival.log_odds(asked).tolist() == rival.log_odds(asked.assign(oldest=1.0)).tolist()
    assert rival.features == 6


def test_what_is_not_installed_is_named_in_the_table_instead_of_figures(training_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "optbinning", None)
    found = compared(training_run, names=["scorecard (OptBinning)", "logistic regression"])
    assert found.table.index.tolist() == ["scorecard (OptBinning)", "logistic regression", OURS]
    assert np.isnan(found.table.loc["scorecard (OptBinning)", "auc"])
    expected = "The scorecard needs the package optbinning: pip install 'benne[challengers]'"
    assert found.absent == {"scorecard (OptBinning)": expected}


def test_rows_of_weight_zero_teach_nobody(training_run):
    train = training_run.train
    weight = np.ones(len(train.bad))
    weight[:100] = 0.0
    few = train.part(np.arange(100, len(train.bad)), {})
    weighed = lesson_of(training_run.model, dataclasses.replace(train, weight=weight))
    assert fit_logistic(weighed).log_odds(weighed.features).tolist() == pytest.approx(
        fit_logistic(lesson_of(training_run.model, few)).log_odds(weighed.features).tolist()
    )
    assert len(weighed.bad) == few.features[PARTIAL].sum()


def test_weights_of_the_rows_change_what_is_learned(training_run):
    train = training_run.train
    weight = np.where(train.bad == 1, 3.0, 1.0)
    plain, weighed = (
        fit_logistic(lesson_of(training_run.model, one)) for one in (train, dataclasses.replace(train, weight=weight))
    )
    features = lesson_of(training_run.model, train).features
    assert (weighed.log_odds(features) - plain.log_odds(features)).mean() == pytest.approx(np.log(3.0), abs=0.2)


def test_a_name_that_is_no_challengers_is_refused(training_run):
    with pytest.raises(ParameterError, match=r"names must be among unconstrained LightGBM, .*, got oracle"):
        compared(training_run, names=["oracle"])


def test_rows_of_one_kind_cannot_be_compared(training_run):
    test = dataclasses.replace(training_run.test, bad=np.zeros(len(training_run.test.bad)))
    with pytest.raises(LabelError, match="Rows of test that consent to everything must hold good and bad ones"):
        compare(training_run.model, training_run.train, test)
