from __future__ import annotations

import itertools

import numpy as np
import optuna
import pytest

from benne.errors import ParameterError, WeightContractError
from benne.experiments.search import OBJECTIVES, Search, SearchSpace, search_options
from benne.experiments.training import TrainingSplit, split_labelled
from benne.models import BoosterOptions

SPACE = SearchSpace(max_depth=(2, 3), learning_rate=(0.1, 0.3), rows_in_leaf=(10, 40))


@pytest.fixture(scope="module")
def split(rows) -> TrainingSplit:
    return split_labelled(rows)


@pytest.fixture(scope="module")
def result(split, new_model):
    return search_options(split, new_model(), Search(4, space=SPACE))


def test_the_first_trial_are_the_options_as_given_and_the_best_is_no_worse(result, new_model):
    assert result.trials[0].options == new_model().booster
    assert [trial.number for trial in result.trials] == [0, 1, 2, 3, 4]
    assert result.best.figures["log_loss"] == min(trial.figures["log_loss"] for trial in result.trials)


def test_drawn_options_lie_in_the_space_and_keep_the_rest(result, new_model):
    for trial in result.trials[1:]:
        options = trial.options
        for name in ("max_depth", "learning_rate", "rows_in_leaf", "column_share", "row_share", "l2"):
            low, high = getattr(SPACE, name)
            assert low <= getattr(options, name) <= high
        assert float(f"{options.learning_rate:.3g}") == options.learning_rate
        assert (options.folds, options.max_trees) == (new_model().booster.folds, 60)


def test_the_same_seed_searches_alike(result, split, new_model):
    assert search_options(split, new_model(), Search(4, space=SPACE)) == result
    other = search_options(split, new_model(), Search(1, seed=1, space=SPACE))
    assert other.trials[1] != result.trials[1]


def test_a_trial_counts_as_what_its_fit_reports_under_the_contract(result, split, new_model):
    model = split.fit(new_model().set_params(booster=result.best.options))
    price = model.contract_report_.price.loc["contracted"]
    for name in ("auc", "ks", "brier", "log_loss"):
        assert result.best.figures[name] == price[name]
    assert result.best.figures["trees"] == model.booster_.num_trees()
    assert model.contract_report_.largest_miss < 1e-6


def test_the_highest_auc_is_the_best_where_that_is_searched_for(split, new_model):
    result = search_options(split, new_model(), Search(3, objective="auc", space=SPACE))
    assert result.best.figures["auc"] == max(trial.figures["auc"] for trial in result.trials)
    assert result.as_dict()["best"] == result.best.figures["auc"]
    assert set(result.as_dict()["options"]) == set(SearchSpace.__dataclass_fields__)


def test_a_time_limit_ends_the_search_before_its_trials(split, new_model):
    clock = itertools.count(step=10)
    result = search_options(split, new_model(), Search(100, seconds=25, space=SPACE), clock=lambda: next(clock))
    assert len(result.trials) == 3  # 10 and 20 seconds in, another begins; 30 seconds in, none


def test_options_that_cannot_hold_the_weights_are_pruned(split, new_model, monkeypatch):
    held, fit = [], TrainingSplit.fit

    def fit_or_refuse(self, model):
        held.append(len(held) % 2 == 0)
        if held[-1]:
            return fit(self, model)
        raise WeightContractError("no slope")

    monkeypatch.setattr(TrainingSplit, "fit", fit_or_refuse)
    said = []
    result = search_options(split, new_model(), Search(3, space=SPACE), on_trial=said.append)
    assert [trial.refused for trial in result.trials] == ["", "no slope", "", "no slope"]
    assert result.best.figures
    assert result.as_dict()["refused"] == 2
    assert said == list(result.trials)


def test_no_options_that_hold_the_weights_are_an_error(split, new_model, monkeypatch):
    def refuse(self, model):
        raise WeightContractError("no slope")

    monkeypatch.setattr(TrainingSplit, "fit", refuse)
    with pytest.raises(WeightContractError, match="got none in 3: no slope"):
        search_options(split, new_model(), Search(2, space=SPACE))


def test_a_search_for_nothing_is_refused(split, new_model):
    with pytest.raises(ParameterError, match="at least one trial, got 0"):
        search_options(split, new_model(), Search(0))
    with pytest.raises(ParameterError, match="log_loss or auc, got 'profit'"):
        search_options(split, new_model(), Search(1, objective="profit"))


def test_what_optuna_may_say_is_left_as_it_was(split, new_model):
    before = optuna.logging.get_verbosity()
    search_options(split, new_model(), Search(1, space=SPACE))
    assert optuna.logging.get_verbosity() == before


def test_every_objective_is_a_figure_of_a_trial(result):
    assert set(OBJECTIVES) <= set(result.trials[0].figures)
    assert all(np.isfinite(value) for trial in result.trials for value in trial.figures.values())


def test_the_model_that_is_searched_for_is_not_fitted(split, new_model):
    model = new_model()
    search_options(split, model, Search(1, space=SPACE))
    assert not hasattr(model, "booster_")
    assert model.booster == BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=3)
