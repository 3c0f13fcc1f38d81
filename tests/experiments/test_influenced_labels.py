"""Labels that a score had a hand in: found in the record of decisions, counted, and shown for what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert

from benne.errors import LabelError
from benne.experiments.influenced_labels import decisions_on_record, influenced_by_decisions, with_influence
from benne.experiments.labelling import LabelledRows, LabelSource, label_rows
from benne.experiments.report import ReportOptions
from benne.experiments.report.document import as_document
from benne.experiments.report.label_influence import influence_measures, influence_of
from benne.experiments.report.reporting import report_on
from benne.experiments.simulator import SimulatorOptions, simulate
from benne.experiments.training import TrainingRun, TrainingSplit, train_model
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.store.database import open_store
from benne.scoring.store.schema import decisions

DAY = pd.Timestamp("2026-01-01", tz="UTC")


def decided(subject: str, days: int, reliance: str = "sole", decision: str = "granted", purpose: str = "lending"):
    return {"subject_id": subject, "decided_at": DAY + pd.Timedelta(days=days), "purpose": purpose,
            "reliance": reliance, "decision": decision}  # fmt: skip


def flags_of(*decisions: dict, since: pd.Timestamp = DAY) -> list[float]:
    observed = pd.DataFrame({"subject_id": ["anna", "bert"], "as_of": [DAY, DAY]})
    columns = ["subject_id", "decided_at", "purpose", "reliance", "decision"]
    table = pd.DataFrame(list(decisions), columns=columns)
    table["decided_at"] = pd.to_datetime(table["decided_at"], utc=True)
    return influenced_by_decisions(observed, table, window_days=90, recorded_since=since).tolist()


# ----------------------------------------------------------------- decisions


def test_a_score_relied_on_within_the_window_influenced_the_label_of_that_member_alone():
    assert flags_of(decided("anna", 30)) == [1.0, 0.0]
    assert flags_of(decided("anna", 90, reliance="strong")) == [1.0, 0.0]


@pytest.mark.parametrize(
    "other",
    [
        decided("anna", 0),  # as_of itself: what came before it is no part of the outcome
        decided("anna", 91),
        decided("anna", 30, reliance="advisory"),
        decided("anna", 30, decision="denied"),  # nobody was given a score
        decided("anna", 30, purpose="own_report"),
    ],
)
def test_what_cannot_have_decided_the_outcome_is_no_influence(other):
    assert flags_of(other) == [0.0, 0.0]


def test_of_a_window_that_began_before_the_record_nobody_knows_unless_a_decision_shows_it():
    later = DAY + pd.Timedelta(days=10)
    assert flags_of(decided("anna", 30), since=later) == [1.0, pytest.approx(np.nan, nan_ok=True)]


def test_a_record_without_a_column_is_refused():
    with pytest.raises(LabelError, match=r"decisions must have the columns .* got no 'reliance'"):
        influenced_by_decisions(
            pd.DataFrame({"subject_id": ["a"], "as_of": [DAY]}),
            pd.DataFrame({"subject_id": ["a"], "decided_at": [DAY], "purpose": ["lending"]}),
            window_days=90, recorded_since=DAY,
        )  # fmt: skip


def test_the_record_of_a_ledger_says_which_labels_were_influenced(tmp_path):
    """The decision's own moment counts, and nothing but the plain columns of the record is read."""
    store = open_store(str(tmp_path / "ledger.db"))
    anna, bert = "a" * 32, "b" * 32
    said = {"purpose": "lending", "recipient": "shop", "actor": "shop", "decision": "granted", "categories": "ability"}
    start = DAY.value // 1000
    rows = [
        {"seq": place, "decision_id": f"d{place}", "subject_id": who, "time_us": start + days * 86_400_000_000,
         "reliance": how, **said}
        for place, (who, days, how) in enumerate([(bert, 0, "advisory"), (anna, 40, "sole")], start=1)
    ]  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(decisions), rows)
    outcomes = pd.DataFrame({"subject_id": [anna, bert], "as_of": [DAY, DAY], "bad": [1.0, 0.0], "horizon_days": 90})
    assert with_influence(outcomes, decisions_on_record(store))["score_influenced"].tolist() == [1.0, 0.0]
    stated = outcomes.assign(score_influenced=[False, None])
    assert with_influence(stated, decisions_on_record(store))["score_influenced"].tolist() == [0.0, 0.0]
    store.close()


def test_an_empty_record_says_nothing_and_is_refused():
    nothing = pd.DataFrame(columns=["subject_id", "decided_at", "purpose", "reliance", "decision"])
    with pytest.raises(LabelError, match="must hold some, got none"):
        with_influence(pd.DataFrame({"subject_id": ["a"], "as_of": [DAY]}), nothing)


# ----------------------------------------------------------------- labelling


def labelled(rows: LabelledRows, **columns: object) -> LabelledRows:
    frame = rows.features.iloc[:6]
    outcomes = frame.index.to_frame(index=False).assign(bad=[1.0, 0.0, None, None, 0.0, 1.0], **columns)
    return label_rows(frame, outcomes)


def test_flags_travel_with_the_rows_and_refused_members_are_counted(rows):
    found = labelled(rows, score_influenced=[True, False, True, False, None, True])
    assert np.array_equal(found.influenced, [1.0, 0.0, np.nan, 1.0], equal_nan=True)
    assert found.labels == LabelSource(offered=6, without_outcome=2, refused_by_score=1)
    part = found.part(np.array([3, 0]), {})
    assert part.influenced.tolist() == [1.0, 1.0]
    assert part.labels == found.labels


def test_without_the_column_it_is_not_known(rows):
    found = labelled(rows)
    assert found.influenced is None
    assert found.labels == LabelSource(offered=6, without_outcome=2, refused_by_score=None)


def test_a_flag_that_is_neither_true_nor_false_is_refused(rows):
    with pytest.raises(LabelError, match="score_influenced must be true, false or null"):
        labelled(rows, score_influenced=[2, 0, 0, 0, 0, 0])


# ------------------------------------------------------------------- figures


def flagged(run: TrainingRun, share: float) -> TrainingRun:
    """The same run, with the first so many of each side's rows flagged."""
    sides = []
    for side in (run.train, run.test):
        flags = (np.arange(len(side.bad)) < share * len(side.bad)).astype(np.float64)
        sides.append(LabelledRows(side.features, side.bad, side.left_out, None, flags, LabelSource(1500, 300, 200)))
    return TrainingRun(run.model, run.evaluation, TrainingSplit(*sides, run.split.how))


def test_shares_are_of_what_is_known_and_rest_on_all_rows(training_run):
    influence = influence_of(flagged(training_run, 0.25))
    assert (influence.rows, influence.known, influence.influenced) == (1200, 1200, 300)
    measures = influence_measures(influence)
    assert measures["influenced_share"].value == 0.25
    assert measures["influenced_share"].low < 0.25 < measures["influenced_share"].high
    assert measures["unobserved_share"].value == 0.2
    assert any("refused have no outcome" in note for note in influence.notes)


def test_where_nobody_knows_there_is_no_figure_and_the_report_says_so(training_run):
    influence = influence_of(training_run)
    assert influence_measures(influence)["influenced_share"].state == "INSUFFICIENT"
    assert influence_measures(influence)["unobserved_share"].state == "INSUFFICIENT"
    assert "is not known" in influence.notes[0]


def test_figures_are_given_with_and_without_flagged_rows(training_run):
    run = flagged(training_run, 0.25)
    influence = influence_of(run)
    assert list(influence.parts.index) == ["all test rows", "not influenced", "influenced"]
    rows = influence.parts["rows"].tolist()
    assert rows[0] == rows[1] + rows[2] == len(run.test.bad)
    assert influence.by_band["rows"].sum() == len(run.test.bad)
    told = as_document(report_on(run, ReportOptions(learning_shares=(), challengers=(), resamples=5)))["labels"]
    assert told["influenced"] == 300
    assert [line["rows of the test"] for line in told["figures"]] == list(influence.parts.index)


def test_a_part_of_fewer_than_ten_rows_is_not_shown(training_run):
    assert list(influence_of(flagged(training_run, 0.02)).parts.index) == ["all test rows"]


# ----------------------------------------------------------------- simulator


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    options = SimulatorOptions(score_feedback=0.6)
    return simulate(tmp_path_factory.mktemp("feedback") / "world", members=4000, seed=3, options=options)


def test_without_feedback_no_label_is_influenced_and_none_is_lost(tmp_path):
    outcomes = simulate(tmp_path / "world", members=300, seed=3).outcomes()
    assert not outcomes["score_influenced"].any()
    assert outcomes["bad"].notna().all()


def test_whom_an_earlier_score_refused_has_no_outcome_and_would_have_been_the_riskier(world):
    outcomes, truth = world.outcomes(), world.truth()
    lost = outcomes["bad"].isna()
    assert outcomes.loc[lost, "score_influenced"].all()
    assert 0.05 < lost.mean() < 0.4
    assert truth.loc[lost, "pd"].mean() > 2.0 * truth.loc[~lost, "pd"].mean()


def test_the_flag_shows_the_bias_that_the_score_put_into_labels(world, new_model):
    """Flagged outcomes are worse than the risk they were drawn from; a model between both kinds misses both."""
    outcomes, truth = world.outcomes(), world.truth()
    rng = np.random.default_rng(0)
    risk = np.log(truth["pd"] / (1.0 - truth["pd"])).to_numpy()
    keys = pd.DataFrame({"subject_id": outcomes["member_id"], "as_of": outcomes["as_of"]})
    columns = ["late_count", "oldest", "utilisation", "swing", "income", "savings", "friends"]
    # Every column sees the risk through its own noise: what matters here is what became of the labels.
    seen = pd.DataFrame({name: risk + rng.normal(0.0, 1.5, len(risk)) for name in columns})
    mask = list(MASK_COLUMNS.values())
    features = pd.concat([keys, seen], axis=1).assign(**dict.fromkeys(mask, True)).set_index(["subject_id", "as_of"])
    rows = label_rows(features, outcomes.rename(columns={"member_id": "subject_id"}))
    run = train_model(rows, new_model(), test_share=0.5)
    influence = influence_of(run)
    gap = (influence.parts["observed"] - influence.parts["predicted"]).to_dict()
    assert gap["influenced"] - gap["not influenced"] > 0.01
    known = truth["pd"].to_numpy()
    seen_bad, flag = outcomes["bad"].notna().to_numpy(), outcomes["score_influenced"].to_numpy(dtype=bool)
    excess = [(outcomes["bad"].to_numpy(dtype=float, na_value=np.nan) - known)[seen_bad & (flag == side)].mean()
              for side in (True, False)]  # fmt: skip
    assert excess[0] > 0.015
    assert abs(excess[1]) < 0.015
    assert influence.refused_by_score == int(outcomes["bad"].isna().sum())
