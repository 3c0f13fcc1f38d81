"""Months of made-up members: each injected fault is found where it began, and clean months are quiet."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.errors import MonitoringError, ReferenceMismatch, ReferenceUnknown
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel
from benne.scoring.monitoring.monitor import Evidence, monitor
from benne.scoring.monitoring.thresholds import Thresholds
from tests.scoring.monitoring.months import BEGAN, BROKE, CATEGORIES, MEMBERS, MONTHS, NOW, found, start_of


def test_twenty_clean_months_are_quiet(world):
    report = world.monitored(scores=world.told(), outcomes=world.outcomes())
    assert (report.alarms, report.outcomes, len(report.periods)) == ((), "measured", MONTHS)
    # So small a model is a quarter off in one band, which is true and worth a warning; nothing else is said.
    assert {alert.name for alert in report.warnings} <= {"calibration.band.fair"}
    vintage = report.tables["vintages"][3]
    own = world.bad[3 * MEMBERS : 4 * MEMBERS]
    assert (vintage["matured"], vintage["observed"]) == (MEMBERS, own.mean())


def test_shifted_income_is_found_in_its_month(world):
    moved = world.features.copy()
    moved.loc[world.late, "income"] += 0.7
    report = world.monitored(moved)
    assert found(report, "psi.income")[0] == BEGAN
    assert {alert.name.partition(".")[2] for alert in report.alarms} <= {"income", "score", "bands"}


def test_income_that_creeps_is_found_by_its_trend_before_it_has_shifted(world):
    moved = world.features.copy()
    month = np.repeat(np.arange(MONTHS), MEMBERS)
    moved["income"] += 0.05 * np.maximum(0, month - 8)
    report = world.monitored(moved)
    trends = [alert for alert in report.alerts if alert.name == "trend.income"]
    shifts = [alert for alert in report.alarms if alert.name == "psi.income"]
    assert trends
    assert not shifts or trends[0].period < shifts[0].period


@pytest.mark.parametrize(("value", "kinds"), [(0.0, {"constant", "psi"}), (np.nan, {"constant", "nulls", "psi"})])
def test_a_broken_source_is_found_in_its_month(world, value, kinds):
    broken = world.features.copy()
    broken.loc[world.late, "savings"] = value
    report = world.monitored(broken)
    for kind in kinds:
        assert found(report, f"{kind}.savings")[0] == BEGAN


def test_a_feed_that_stands_still_is_found_although_nothing_has_shifted(world):
    stale = world.features.copy()
    last = stale.loc[stale.index.get_level_values("as_of") == start_of(BROKE - 1), ["utilisation", "swing"]].to_numpy()
    stale.loc[world.late, ["utilisation", "swing"]] = np.tile(last, (MONTHS - BROKE, 1))
    report = world.monitored(stale)
    assert found(report, "stale.utilisation")[0] == found(report, "stale.swing")[0] == BEGAN
    assert not found(report, "psi.utilisation")
    assert not found(report, "stale.income")


def test_an_inverted_score_is_found_before_and_after_its_outcomes_are_known(world):
    told = world.told()
    told.loc[world.late, "score"] = 1_300.0 - told.loc[world.late, "score"]
    report = world.monitored(scores=told, outcomes=world.outcomes())
    for name in ("psi.score", "differs", "auc"):
        assert found(report, name)[0] == BEGAN
    assert "The score points the other way." in next(a.message for a in report.alarms if a.name == "auc")


def test_poisoned_labels_are_found_although_features_and_scores_are_as_ever(world):
    rng = np.random.default_rng(5)
    flipped = world.late & (rng.random(len(world.bad)) < 0.3)
    report = world.monitored(outcomes=world.outcomes(np.where(flipped, 1.0 - world.bad, world.bad)))
    assert found(report, "labels_discordant.best")[0] == BEGAN
    assert {alert.name.partition(".")[0] for alert in report.alarms} <= {
        "labels_discordant", "labels_jump", "calibration", "auc"
    }  # fmt: skip


def test_labels_that_contradict_each_other_are_found_and_not_counted(world):
    twice = world.outcomes(1.0 - world.bad)[world.late].iloc[::20]
    report = world.monitored(outcomes=pd.concat([world.outcomes(), twice]))
    assert found(report, "labels_conflicting")[0] == BEGAN
    assert report.tables["vintages"][BROKE]["matured"] == MEMBERS - MEMBERS // 20
    assert "160 rows have both outcomes, and neither was counted." in report.notes


def test_scores_cut_off_at_their_end_have_not_lost_the_ranking_that_their_pd_has(world):
    told = world.told()
    whole = world.monitored(scores=told, outcomes=world.outcomes()).tables["vintages"][0]["auc"]
    cut = world.monitored(scores=told.assign(score=told["score"].clip(lower=600.0)), outcomes=world.outcomes())
    assert cut.tables["vintages"][0]["auc"] == pytest.approx(whole, abs=1e-9)
    assert not found(cut, "auc")


# ------------------------------------------------------------------ outcomes that are not there


@pytest.mark.parametrize("known", [np.nan, 0.0], ids=["censored", "of one kind"])
def test_outcomes_that_tell_nothing_are_insufficient_and_no_pass(world, known):
    report = world.monitored(outcomes=world.outcomes(np.full(len(world.bad), known)))
    assert report.outcomes == "INSUFFICIENT"
    assert report.measures()["monitoring.auc"]["state"] == "INSUFFICIENT"
    assert "vintages" not in report.tables


def test_outcomes_before_their_window_and_lag_are_past_are_left_out(world):
    report = monitor(world.model, world.features, Evidence(outcomes=world.outcomes()),
                     clock=lambda: start_of(3).to_pydatetime() + pd.Timedelta(days=395))  # fmt: skip
    assert [line["matured"] for line in report.tables["vintages"][:5]] == [MEMBERS] * 4 + [0]
    assert f"{16 * MEMBERS:,} outcomes were left out: their window and lag are not past." in report.notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.drop(columns="bad"), "got no bad"),
        (lambda o: o.assign(bad=2.0), "must be 0, 1 or null"),
        (lambda o: o.assign(as_of=o["as_of"].dt.tz_localize(None)), "got as_of without one"),
    ],
)
def test_outcomes_of_another_form_are_refused(world, change, message):
    with pytest.raises(MonitoringError, match=message):
        world.monitored(outcomes=change(world.outcomes()))


# ------------------------------------------------------------------ what else is looked at


def test_refusals_that_rise_are_told_by_their_reason(world):
    often = [start_of(m) for m in range(MONTHS) for _ in range(20 if m < BROKE else 200)]
    refusals = pd.DataFrame({"as_of": often, "reason": "consent-withdrawn"})
    report = world.monitored(refusals=refusals)
    assert found(report, "refused.consent-withdrawn")[0] == BEGAN
    assert report.tables["refusals"][0] == {"period": "2023-01", "asked": 420, "consent-withdrawn": 0.047619}


def test_many_overturned_decisions_are_told(world):
    reviews = pd.DataFrame(
        {"decided_at": [start_of(3)] * 40 + [start_of(4)] * 20, "overturned": [True] * 30 + [False] * 30}
    )
    report = world.monitored(reviews=reviews)
    assert found(report, "overturned") == ["2023-04"]
    assert report.tables["reviews"][1]["overturned"] == 0.0


def test_a_month_of_strangers_is_rare(world):
    strange = world.features.copy()
    strange.loc[world.late, ["income", "utilisation", "swing"]] *= 4.0
    assert found(world.monitored(strange), "rare")[0] == BEGAN


def test_withheld_categories_shift_the_patterns_and_not_the_features(world):
    rng = np.random.default_rng(6)
    withheld = world.late & (rng.random(len(world.bad)) < 0.5)
    masked = world.features.copy()
    masked.loc[withheld, CATEGORIES["behaviour"]] = np.nan
    for category, column in MASK_COLUMNS.items():
        masked[column] = ~withheld if category == "behaviour" else True
    report = world.monitored(masked)
    assert found(report, "psi.patterns")[0] == BEGAN
    assert not found(report, "nulls.utilisation")
    assert not found(report, "psi.utilisation")


def test_whoever_withholds_what_a_score_needs_is_no_shift_of_patterns(world):
    withheld = np.random.default_rng(7).random(len(world.bad)) < 0.3
    masked = world.features.copy()
    masked.loc[withheld, CATEGORIES["ability"]] = np.nan
    for category, column in MASK_COLUMNS.items():
        masked[column] = ~withheld if category == "ability" else True
    report = world.monitored(masked, outcomes=world.outcomes())
    assert not found(report, "psi.patterns")
    assert sum(line["rows"] for line in report.tables["patterns"]) == int((~withheld).sum())
    assert {line["pattern"] for line in report.tables["outcomes_by_pattern"]} == {"credit_history+behaviour+ability"}


# ------------------------------------------------------------------ rows that cannot be monitored


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: X.drop(columns="income"), ReferenceMismatch, "'income' missing"),
        (lambda X: X.assign(other=1.0), ReferenceMismatch, "'other' besides"),
        (lambda X: X[X.columns[::-1]], ReferenceMismatch, "another order"),
        (lambda X: X.iloc[:0], MonitoringError, "must have rows, got none"),
        (lambda X: pd.concat([X.head(3), X.head(1)]), MonitoringError, "one row for each member and moment"),
        (lambda X: X.reset_index(drop=True), MonitoringError, "must be indexed by subject_id and as_of"),
    ],
)
def test_other_rows_are_refused(world, change, error, message):
    with pytest.raises(error, match=message):
        world.monitored(change(world.features))


def test_a_model_without_histograms_is_refused(world, tmp_path):
    world.model.save(tmp_path / "m")
    (tmp_path / "m" / "histograms.json").unlink()
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    del manifest["files"]["histograms.json"]
    (tmp_path / "m" / "manifest.json").write_text(json.dumps(manifest | {"format_version": 4}))
    with pytest.raises(ReferenceUnknown, match="saved by an older Benne"):
        monitor(CreditScoreModel.load(tmp_path / "m"), world.features, clock=lambda: NOW)


def test_the_order_of_rows_changes_nothing(world):
    mixed = world.features.sample(frac=1.0, random_state=1)
    one, other = (world.monitored(X, outcomes=world.outcomes()) for X in (world.features, mixed))
    assert one.content()["tables"]["vintages"] == other.content()["tables"]["vintages"]
    assert one.content()["series"] == other.content()["series"]


def test_small_periods_are_shown_and_not_judged(world):
    few = world.features.groupby("as_of").head(60).assign(income=9.0)
    report = world.monitored(few)
    assert report.alerts == ()
    assert "fewer than 100 rows are shown and not judged" in report.notes[0]


def test_own_limits_are_kept_to(world):
    strange = world.features.copy()
    strange.loc[world.late, ["income", "utilisation", "swing"]] *= 4.0
    lax = Thresholds.default().changed({"format": 1, "limits": {"rare": {"warning": 0.9, "alarm": 0.9}}})
    report = monitor(world.model, strange, thresholds=lax, clock=lambda: NOW)
    assert found(report, "psi.income")[0] == BEGAN
    assert not found(report, "rare")


def test_rare_rows_within_what_the_training_itself_had_are_chance(world):
    strict = Thresholds.default().changed({"format": 1, "limits": {"rare": {"warning": 0.0, "alarm": 0.0}}})
    report = monitor(world.model, world.features, thresholds=strict, clock=lambda: NOW)
    assert not found(report, "rare")


def test_many_rows_of_few_members_are_no_shift(world):
    month = world.features.xs(start_of(3), level="as_of", drop_level=False).head(25)
    hours = [month.index.get_level_values("as_of")[0] + pd.Timedelta(hours=k) for k in range(8)]
    index = pd.MultiIndex.from_product([month.index.get_level_values("subject_id"), hours], names=month.index.names)
    often = pd.DataFrame(np.repeat(month.to_numpy(), 8, axis=0), index=index, columns=month.columns)
    report = world.monitored(often)
    line = next(one for one in report.tables["features"] if one["feature"] == "income")
    assert (line["rows"], line["psi"] > 0.1, line["psi_by_chance"] > 0.25) == (200, True, True)
    assert not [alert for alert in report.alerts if alert.name.startswith("psi.")]


def test_no_share_is_of_fewer_than_ten_nor_tells_of_those_who_are_left(world):
    few = world.features.groupby("as_of").head(6)
    reviews = pd.DataFrame({"decided_at": [start_of(3)] * 4, "overturned": [False] * 4})
    report = world.monitored(few, reviews=reviews)
    told = {"period", "rows", "asked", "decided"}
    for name in ("bands", "patterns", "files", "reviews", "features"):
        for line in report.tables[name]:
            assert {value for key, value in line.items() if key not in told | {"feature"}} == {None}, name
            assert {line[key] for key in told - {"period"} if key in line} == {0}
