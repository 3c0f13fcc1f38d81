from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from benne.errors import ParameterError
from benne.experiments.labelling import LabelledRows
from benne.experiments.splitting import Splitting
from benne.experiments.training import TrainingRun, split_labelled, train_model, train_on
from benne.models import BoosterOptions, withheld_of
from benne.models.model_directory import FILES, MANIFEST

AS_OF = pd.Timestamp("2025-07-01", tz="UTC")


def staggered(rows: LabelledRows, moments: int) -> LabelledRows:
    """The same members, observed once each, a quarter of a year apart."""
    subjects = rows.features.index.get_level_values("subject_id")
    as_of = AS_OF + pd.to_timedelta(np.arange(len(subjects)) % moments * 90, unit="D")
    index = pd.MultiIndex.from_arrays([subjects, as_of], names=["subject_id", "as_of"])
    return dataclasses.replace(rows, features=rows.features.set_axis(index, axis=0))


def panel(rows: LabelledRows) -> LabelledRows:
    """The same members, observed twice each."""
    later = rows.features.rename(index={AS_OF: AS_OF + pd.Timedelta(days=90)}, level="as_of")
    return LabelledRows(pd.concat([rows.features, later]), np.concatenate([rows.bad, rows.bad]), {})


def subjects_of(rows: LabelledRows) -> set[str]:
    return set(rows.features.index.get_level_values("subject_id"))


def test_a_member_is_on_one_side_of_the_split_only(rows, new_model):
    run = train_model(panel(rows), new_model(), order="member")
    assert not subjects_of(run.train) & subjects_of(run.test)
    assert len(run.train.bad) + len(run.test.bad) == 2 * len(rows.bad)
    assert run.fold_order == "member"


def test_the_same_seed_gives_the_same_run(rows, new_model, training_run):
    again = train_model(rows, new_model())
    assert again.evaluation.metrics == training_run.evaluation.metrics


def test_test_rows_that_the_model_must_refuse_are_left_out_and_counted(rows, new_model, training_run):
    frame = rows.features.copy()
    chosen = training_run.test.features.index[:3]
    frame.loc[chosen, "income"] = np.nan  # training never had a null there
    run = train_model(LabelledRows(frame, rows.bad, {}), new_model())
    assert run.test.left_out == {"value-not-scorable": 3}
    assert run.evaluation.rows == training_run.evaluation.rows - 3


def test_what_is_being_done_is_said(rows, new_model):
    said: list[str] = []
    train_model(rows, new_model(), on_step=said.append)
    assert said == ["fitting booster, contract and calibration", "evaluating on members not trained on"]


def test_rows_of_several_moments_are_tested_on_the_latest_and_folded_in_time(rows, new_model):
    run = train_model(staggered(rows, 10), new_model())
    moments = [side.features.index.get_level_values("as_of") for side in (run.train, run.test)]
    assert moments[0].max() < run.split.how.since <= moments[1].min()
    assert run.fold_order == "time"
    # Folds in time never hold out the earliest rows; folds by member hold out all.
    assert held_out_share(run) < 0.8


def test_rows_of_one_moment_are_folded_by_member(training_run):
    assert training_run.split.how.order == training_run.fold_order == "member"
    assert held_out_share(training_run) == 1.0


def held_out_share(run: TrainingRun) -> float:
    """Out-of-fold rows among the training rows that withhold nothing."""
    whole = run.train.features.filter(regex="^consented_").all(axis=1)
    return run.model.calibration_report_.rows / whole.sum()


def test_members_who_come_back_are_tested_later_and_apart(rows, new_model):
    run = train_model(panel(rows), new_model())
    assert run.split.how.order == "time"
    assert run.fold_order == "member"
    assert not subjects_of(run.train) & subjects_of(run.test)
    assert run.train.features.index.get_level_values("as_of").max() < run.split.how.since
    left_out = sum(run.split.how.left_out.values())
    assert run.train.left_out == run.split.how.left_out
    assert len(run.train.bad) + len(run.test.bad) + left_out == 2 * len(rows.bad)


def test_the_same_rows_give_the_same_model_to_the_byte(rows, new_model, tmp_path):
    weighted = dataclasses.replace(staggered(rows, 10), weight=np.linspace(0.5, 2.0, len(rows.bad)))
    for name in ("one", "two"):
        train_model(weighted, new_model()).model.save(tmp_path / name)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]
    assert set(files[0]) == {*FILES, MANIFEST}
    train_model(rows, new_model().set_params(random_state=1)).model.save(tmp_path / "three")
    assert (tmp_path / "three" / "booster.txt").read_bytes() != files[0]["booster.txt"]


def test_weights_reach_the_model_and_the_evaluation(rows, new_model, training_run):
    assert training_run.weighted == {}
    of_bad = float((1 - rows.bad).sum() / rows.bad.sum())
    run = train_model(dataclasses.replace(rows, weight=np.where(rows.bad == 1, of_bad, 1.0)), new_model())
    medians = [
        np.median(one.model.decision_function(one.test.features, withheld=withheld_of(one.test.features)))
        for one in (run, training_run)
    ]
    assert medians[0] > medians[1] + 0.4  # half the weight is bad, while a third of the rows is
    assert run.evaluation.metrics["ece"] > 0.1
    assert run.weighted["ece"] < 0.1
    assert set(run.weighted) == {"auc", "ks", "brier", "log_loss", "ece"}


def test_a_row_of_weight_zero_is_not_learned_from(rows, new_model, tmp_path):
    split = split_labelled(rows)
    gone = np.arange(len(split.train.bad)) < 100
    without = dataclasses.replace(split, train=split.train.part(~gone, {}))
    weightless = dataclasses.replace(split.train, weight=np.where(gone, 0.0, 1.0))
    for name, parts in (("without", without), ("zero", dataclasses.replace(split, train=weightless))):
        train_on(parts, new_model()).model.save(tmp_path / name)
    assert (tmp_path / "zero/booster.txt").read_bytes() == (tmp_path / "without/booster.txt").read_bytes()


def test_a_split_is_refused_for_what_is_wrong_with_it(rows, new_model):
    with pytest.raises(ParameterError, match="auto, member or time, got 'fold'"):
        train_model(rows, new_model(), order="fold")
    with pytest.raises(ParameterError, match="between 0 and 1, got 1"):
        split_labelled(rows, Splitting(test_share=1.0))
    with pytest.raises(ParameterError, match="rows of two moments, got 1"):
        train_model(rows, new_model(), order="time")


def test_early_stopping_needs_no_fixed_number_of_trees(rows, new_model):
    patient = new_model().set_params(booster=BoosterOptions(max_trees=2000, learning_rate=0.3, patience=20, folds=3))
    run = train_model(rows, patient)
    assert run.model.booster_.num_trees() < 300
