"""The search for a less discriminatory alternative: what is kept, what is rejected, and why."""

from __future__ import annotations

import mlflow
import numpy as np
import pytest

from benne.errors import FairnessError
from benne.experiments.fairness.alternatives import Alternatives, AlternativeSearch, _judged, search_alternatives
from benne.experiments.fairness.alternatives_tracking import log_alternatives
from benne.experiments.fairness.candidates import Candidate, unfitted
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.gaming.penalties import penalised
from benne.experiments.tracking import default_store, store_in_use
from benne.features.consent_mask import MASK_COLUMNS

DECLARED = AlternativeSearch(auc_tolerance=0.02, brier_tolerance=0.01, ece_tolerance=0.05, draws=4)


def line(name: str, auc: float, ratio: float, smd: float = 0.4, why: str = "") -> dict[str, object]:
    return {"candidate": name, "auc": auc, "brier": 0.1, "ece": 0.02, "adverse_impact_ratio": ratio,
            "standardised_mean_difference": smd, "why": why}  # fmt: skip


def test_each_candidate_is_kept_or_rejected_for_a_reason():
    lines = [
        line("as given", 0.75, 0.70),
        line("fairer", 0.74, 0.85),
        line("beaten", 0.735, 0.80),
        line("costly", 0.70, 0.95),
        line("no gain", 0.75, 0.70),
        line("mixed", 0.75, 0.75, smd=0.5),
        line("closer means", 0.745, 0.70, smd=0.3),
        line("impossible", np.nan, np.nan, why="contract impossible: no solution"),
        line("unknown", 0.75, np.nan, why="INSUFFICIENT: adverse_impact_ratio"),
    ]
    found = {one["candidate"]: one for one in _judged(lines, DECLARED)}
    assert found["as given"]["verdict"] == "as given, on the front"
    assert found["fairer"]["verdict"] == "on the front"
    assert found["fairer"]["why"] == ""
    assert found["beaten"]["why"] == "fairer is no worse in AUC and evens out no less"
    assert found["costly"]["why"] == "performance: auc worse by 0.0500, where 0.02 was allowed"
    assert found["no gain"]["why"].startswith("no less disparity: ratio +0.0000")
    assert found["mixed"]["why"].startswith("less disparity in one figure and more in the other: ratio +0.0500")
    assert found["closer means"]["verdict"] == "on the front"
    assert found["impossible"]["why"].startswith("contract impossible")
    assert found["unknown"]["why"].startswith("INSUFFICIENT")
    assert {one["verdict"] for name, one in found.items() if one["why"]} == {"rejected"}


def test_a_model_as_given_that_cannot_be_compared_ends_the_search():
    with pytest.raises(FairnessError, match="as given must fit and be compared"):
        _judged([line("as given", 0.7, np.nan, why="INSUFFICIENT: adverse_impact_ratio")], DECLARED)


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
    assert (table["why"] != "").eq(table["verdict"].isin(["rejected", "as given"])).all()


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
    [({"draws": 0}, "must try at least one"), ({"auc_tolerance": -0.1}, "auc_tolerance must be from 0 to below 1")],
)
def test_a_search_out_of_its_domain_is_refused(wrong, match):
    with pytest.raises(FairnessError, match=match):
        AlternativeSearch(**wrong).check()
