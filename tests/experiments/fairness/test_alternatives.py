"""The search for a less discriminatory alternative: what is kept, what is rejected, and why."""

from __future__ import annotations

import dataclasses

import mlflow
import numpy as np
import pytest

from benne.errors import FairnessError
from benne.experiments.fairness.alternative_verdicts import judged
from benne.experiments.fairness.alternatives import Alternatives, AlternativeSearch, search_alternatives
from benne.experiments.fairness.alternatives_tracking import log_alternatives
from benne.experiments.fairness.candidates import Candidate, candidates_of, unfitted
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.gaming.penalties import penalised
from benne.experiments.tracking import default_store, store_in_use
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel

DECLARED = AlternativeSearch(auc_tolerance=0.02, brier_tolerance=0.01, ece_tolerance=0.05, draws=4)
STRICT = AlternativeSearch(auc_tolerance=0.01, brier_tolerance=0.003, ece_tolerance=0.01)
GIVEN = {"auc": 0.75, "brier": 0.1, "ece": 0.02, "adverse_impact_ratio": 0.70, "equal_opportunity_gap": 0.1,
         "standardised_mean_difference": 0.4}  # fmt: skip


def line(name: str, half: float = 0.001, why: str = "", **changes: float) -> dict[str, object]:
    """A candidate by what it changes, each change give or take ``half``."""
    told: dict[str, object] = {"candidate": name, "why": why}
    for figure, given in GIVEN.items():
        change = changes.get(figure, 0.0)
        told |= {figure: given + change, f"{figure}_change": change, f"{figure}_change_low": change - half,
                 f"{figure}_change_high": change + half}  # fmt: skip
    return told


def verdicts(*lines: dict[str, object], search: AlternativeSearch = DECLARED) -> dict[str, dict[str, object]]:
    return {one["candidate"]: one for one in judged([line("as given"), *lines], search)}


def test_each_candidate_is_kept_or_rejected_for_a_reason():
    found = verdicts(
        line("fairer", auc=-0.01, adverse_impact_ratio=0.15),
        line("beaten", auc=-0.015, adverse_impact_ratio=0.10),
        line("costly", auc=-0.05, adverse_impact_ratio=0.25),
        line("no gain"),
        line("mixed", adverse_impact_ratio=0.05, standardised_mean_difference=0.1),
        line("closer means", auc=-0.005, standardised_mean_difference=-0.1),
        line("impossible", why="contract impossible: no solution"),
        line("unknown", why="INSUFFICIENT: adverse_impact_ratio"),
    )
    assert found["as given"]["verdict"] == "as given, on the front"
    assert found["fairer"]["verdict"] == "on the front"
    assert found["fairer"]["why"].startswith("AUC -0.0100 (-0.0110 to -0.0090), Brier +0.0000 (-0.0010 to +0.0010)")
    assert "ratio +0.1500 (+0.1490 to +0.1510)" in found["fairer"]["why"]
    assert found["beaten"]["why"] == "fairer is no worse in AUC and evens out no less"
    assert found["costly"]["why"] == "performance: AUC worse by 0.0500 (0.0490 to 0.0510), where 0.02 was allowed"
    assert found["no gain"]["why"].startswith("no less disparity beyond chance: ratio +0.0000 (-0.0010 to +0.0010)")
    assert found["mixed"]["why"].startswith("less disparity in one figure and more in the other: ratio +0.0500")
    assert found["closer means"]["verdict"] == "on the front"
    assert found["impossible"]["why"].startswith("contract impossible")
    assert found["unknown"]["verdict"] == "INSUFFICIENT"
    assert {found[name]["verdict"] for name in ("beaten", "costly", "no gain", "mixed", "impossible")} == {"rejected"}


@pytest.mark.parametrize(
    ("figure", "too_much", "called"),
    [
        ("auc", -0.012, "performance: AUC"),
        ("brier", 0.005, "performance: Brier"),
        ("ece", 0.012, "performance: ECE"),
        ("equal_opportunity_gap", 0.022, "equal opportunity: equal-opportunity gap"),
    ],
)
def test_every_loss_beyond_what_was_declared_rejects_and_one_within_chance_does_not(figure, too_much, called):
    sure = line("sure", adverse_impact_ratio=0.2, **{figure: too_much})
    unsure = line("unsure", half=0.003, adverse_impact_ratio=0.2, **{figure: too_much})
    allowed = line("allowed", adverse_impact_ratio=0.2, **{figure: too_much / 4})
    found = {name: verdicts(one, search=STRICT)[name]
             for name, one in (("sure", sure), ("unsure", unsure), ("allowed", allowed))}  # fmt: skip
    assert found["sure"]["verdict"] == "rejected"
    assert found["sure"]["why"].startswith(f"{called} worse by {abs(too_much):.4f} ({abs(too_much) - 0.001:.4f} to ")
    assert found["unsure"]["verdict"] == "on the front"
    assert "may cost more than was allowed: " in found["unsure"]["why"]
    assert found["allowed"]["verdict"] == "on the front"
    assert "may cost more" not in found["allowed"]["why"]


def test_a_gain_within_chance_recommends_nothing():
    found = verdicts(line("by luck", half=0.06, adverse_impact_ratio=0.05), line("small", adverse_impact_ratio=0.004))
    doubtful = line("doubtful", half=0.06, adverse_impact_ratio=0.1, standardised_mean_difference=0.02)
    assert verdicts(doubtful)["doubtful"]["why"].startswith("less disparity in one figure and more in the other")
    assert found["by luck"]["why"].startswith("no less disparity beyond chance: ratio +0.0500 (-0.0100 to +0.1100)")
    assert found["small"]["why"].startswith("no less disparity beyond chance: ratio +0.0040 (+0.0030")


def test_of_a_model_as_given_that_cannot_be_judged_nothing_is_recommended():
    few = "INSUFFICIENT: fewer than 50 bad rows to measure on"
    found = {one["candidate"]: one for one in judged(
        [line("as given", why=few), line("fairer", adverse_impact_ratio=0.2)], DECLARED)}  # fmt: skip
    assert (found["as given"]["verdict"], found["as given"]["why"]) == ("as given", few)
    assert found["fairer"]["verdict"] == "INSUFFICIENT"
    assert found["fairer"]["why"] == f"{few}, of the model as given"


def test_a_change_that_cannot_be_told_is_insufficient_and_no_gain():
    found = verdicts(line("unheard of", adverse_impact_ratio=np.nan))["unheard of"]
    assert found["verdict"] == "INSUFFICIENT"
    assert found["why"] == "INSUFFICIENT: no change of ratio can be told"


def test_candidates_vary_inputs_tolerance_and_regularisation():
    model = CreditScoreModel(categories={"a": ["x"]}, booster=BoosterOptions(threads=1))
    proxies = [f"proxy {k}" for k in range(9)]
    every = list(candidates_of(model, proxies, 0, 47))
    assert len(every) == 48
    assert [one.dropped for one in every[1:5]] == [tuple(proxies[:count]) for count in (1, 2, 4, 8)]
    assert [one.tolerance for one in every[5:8]] == [0.02, 0.05, 0.1]
    drawn = every[8:]
    assert {one.tolerance for one in drawn} == {0.0, 0.02, 0.05, 0.1}
    assert {len(one.dropped) for one in drawn} == {0, 1, 2, 4, 8}
    assert {one.booster.max_depth for one in drawn} == {2, 3, 4}
    for option, low, high in (
        ("l2", 1, 317), ("rows_in_leaf", 19, 399), ("column_share", 0.2, 1), ("row_share", 0.5, 1),
    ):  # fmt: skip
        values = [getattr(one.booster, option) for one in drawn]
        assert low <= min(values) < (low + high) / 2 < max(values) <= high, option
        assert len(set(values)) > 20, option
    again = [(one.tolerance, one.dropped, one.booster) for one in candidates_of(model, proxies, 0, 47)]
    assert again == [(one.tolerance, one.dropped, one.booster) for one in every]
    assert [one.booster for one in candidates_of(model, proxies, 1, 47)] != [one.booster for one in every]


def test_a_candidate_is_fitted_with_its_own_tolerance_and_regularisation(fresh):
    given = fresh()
    booster = dataclasses.replace(given.booster, max_depth=2, l2=17.0, rows_in_leaf=44, column_share=0.4, row_share=0.6)
    ready = unfitted(given, Candidate("drawn 1", (), 0.05, booster), [])
    assert ready.tolerance == 0.05
    assert ready.booster == booster


@pytest.fixture(scope="module")
def found(fresh, members) -> Alternatives:
    features, bad, protected = members
    options = FairnessOptions(resamples=20, fewest_rows=20, fewest_outcomes=5)
    return search_alternatives(
        fresh(), features, bad, protected[["sex"]], cutoffs=[500], search=DECLARED, options=options
    )  # fmt: skip


def test_dropping_the_proxy_evens_out_and_costs_what_it_tells(found):
    table = found.table.set_index("candidate")
    assert table.index[0] == "as given"
    assert "without utilisation" in table.index
    given, without = table.loc["as given"], table.loc["without utilisation"]
    assert without["standardised_mean_difference"] < given["standardised_mean_difference"] - 0.2
    assert without["auc"] < given["auc"]
    assert found.train_rows + found.test_rows == 900
    assert len(table) == 5
    assert (table["verdict"].isin(["on the front", "as given", "as given, on the front", "rejected"])).all()
    assert (table["why"] != "").eq(table["verdict"] != "as given, on the front").all()
    assert without["standardised_mean_difference_change_high"] < -0.05  # beyond chance
    assert without["adverse_impact_ratio_change_low"] < without["adverse_impact_ratio_change"]
    assert without["auc_change"] == pytest.approx(without["auc"] - given["auc"], abs=1e-12)
    assert without["standardised_mean_difference_change"] == pytest.approx(
        without["standardised_mean_difference"] - given["standardised_mean_difference"], abs=1e-12
    )
    assert np.isnan(given["auc_change"])
    assert set(table["rows"]) == {found.test_rows}


def test_a_category_without_inputs_is_an_impossible_contract(fresh, members):
    features, bad, protected = members
    features = features.drop(columns="swing")
    model = fresh(behaviour=["utilisation"])
    options = FairnessOptions(resamples=20, fewest_rows=20, fewest_outcomes=5)
    table = search_alternatives(model, features, bad, protected[["sex"]], cutoffs=[500], options=options,
                                search=AlternativeSearch(draws=1)).table  # fmt: skip
    assert table.iloc[1]["verdict"] == "rejected"
    assert table.iloc[1]["why"].startswith("contract impossible: Category 'behaviour' must keep an input")


def test_a_candidate_keeps_the_guard_of_the_inputs_it_keeps(fresh, members):
    """Without the shorter list LightGBM refuses the fit, and the search would call the contract impossible."""
    features = members[0].drop(columns=list(MASK_COLUMNS.values()))
    columns = list(features.columns)
    guarded = penalised(fresh().booster, columns, {"income": 0.0})
    without = Candidate("without late_count", ("late_count",), 0.0, guarded)
    model = unfitted(fresh(), without, columns).set_params(tolerance=1.0)
    model.fit(features.drop(columns="late_count"), members[1].astype(int))
    splits = dict(zip(model.feature_names_in_, model.booster_.feature_importance("split"), strict=True))
    assert splits["income"] == 0
    assert min(splits[name] for name in ("oldest", "utilisation", "swing")) > 0


def test_with_too_few_bad_rows_nothing_is_recommended(fresh, members):
    features, bad, protected = members
    options = FairnessOptions(resamples=20, fewest_rows=20, fewest_outcomes=5)
    table = search_alternatives(fresh(), features.iloc[:300], bad[:300], protected[["sex"]], cutoffs=[500],
                                options=options, search=AlternativeSearch(draws=1)).table  # fmt: skip
    assert table["verdict"].tolist() == ["as given", "INSUFFICIENT"]
    assert set(table["why"]) == {"INSUFFICIENT: fewer than 50 bad rows to measure on"}
    assert np.isfinite(table["auc"]).all()  # what was seen is told


@pytest.mark.slow
def test_every_candidate_is_a_nested_run_in_mlflow_with_its_reason(found, tmp_path):
    tracking = default_store(tmp_path / "mlflow")
    parent = log_alternatives(found, tracking)
    with store_in_use(tracking):
        client = mlflow.MlflowClient()
        runs = client.search_runs(
            [client.get_run(parent).info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'"
        )
    assert len(runs) == len(found.table)
    given = next(run for run in runs if run.info.run_name == "as given")
    assert given.data.metrics["auc"] == pytest.approx(found.table["auc"].iloc[0])
    assert all("benne.verdict" in run.data.tags for run in runs)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"draws": 0}, "must try at least one"),
        ({"fewest_bad": 3}, "fewest_bad must be at least 10"),
        ({"equal_opportunity_tolerance": 1.0}, "equal_opportunity_tolerance must be from 0"),
        ({"auc_tolerance": -0.1}, "auc_tolerance must be from 0 to below 1"),
    ],
)
def test_a_search_out_of_its_domain_is_refused(wrong, match):
    with pytest.raises(FairnessError, match=match):
        AlternativeSearch(**wrong).check()
