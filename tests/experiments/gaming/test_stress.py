import dataclasses

import numpy as np
import pytest

from benne.errors import GamingError
from benne.experiments.gaming import GamingOptions, gaming_measures, stress_test, with_spending
from benne.experiments.gaming.attack import ATTACKS
from benne.experiments.gaming.document import gaming_document, write_gaming_report
from benne.experiments.gaming.origins import DAMAGE
from benne.experiments.gaming.pictures import gaming_drawings
from benne.experiments.measure import Measure
from benne.experiments.report.model_document import AboutDocument
from benne.scoring.governance.metrics import METRICS

ABOUT = {"model_id": "benne/0", "config_hash": "0" * 64, "by": "a tester"}


@pytest.fixture
def about():
    from datetime import UTC, datetime

    return AboutDocument(made_at=datetime(2026, 11, 30, tzinfo=UTC), **ABOUT)


def test_every_attack_is_tried_and_what_is_dearer_wins_more(report):
    assert [one.name for one in report.attacks] == list(ATTACKS)
    p90 = {one.name: one.figures()["p90"] for one in report.attacks}
    assert 0 < p90["burst"] <= p90["cheap and medium"] <= p90["anything"]
    assert p90["cheap"] < p90["cheap and medium"]


def test_points_of_categories_and_features_add_up_to_the_gain(report):
    for one in report.attacks:
        assert one.by_category["points"].sum() == pytest.approx(one.points.mean(), abs=1e-6)
        assert one.by_feature["points"].sum() == pytest.approx(one.points.mean(), abs=1e-6)
    assert set(report.attack("cheap").by_feature.index) == {"friends", "fans"}
    assert report.attack("cheap").by_feature["ease"].tolist() == ["high", "high"]


def test_predicted_risk_falls_while_the_true_one_stays(report):
    damage = report.attack("cheap").pd_damage
    assert damage.after < damage.before
    assert damage.actual_to_predicted > 1.1


def test_the_share_taken_over_a_cut_off_is_of_those_below_it(model, members, options):
    cut = float(np.median(model.predict_score(members.X, withheld=_withheld(members.X))))
    report = stress_test(model, members.X, options=dataclasses.replace(options, cutoffs=(cut, 349.0)))
    crossing = report.attack("anything").crossing
    assert 0 < crossing[cut] <= 1
    assert np.isnan(crossing[349.0])


def _withheld(X):
    from benne.models import withheld_of

    return withheld_of(X)


def test_measures_hold_what_gates_ask_for(report):
    found = gaming_measures(report)
    assert set(found) == {
        "cheap_points", "cheap_medium_points", "rank_damage", "pd_error", "pattern_points", "pattern_pd_error",
        "spending_raises",
    }  # fmt: skip
    points = report.attack("cheap").points
    assert found["cheap_points"].value == pytest.approx(np.quantile(points, 0.9))
    assert found["cheap_points"].low <= found["cheap_points"].value <= found["cheap_points"].high
    assert found["pattern_points"].value == pytest.approx(report.withholding.points.mean())
    assert {f"gaming.{name}" for name in found} == {name for name in METRICS if name.startswith("gaming.")}
    assert found["pd_error"].value == pytest.approx(report.attack("cheap").pd_damage.understated)
    assert found["rank_damage"].value == max(one.lost for one in report.attack("cheap").ranks)
    assert found["spending_raises"].state == "INSUFFICIENT"


def test_a_report_says_of_whom_the_model_learned(report, about, tmp_path):
    for trained_on, claimed in (("none", True), ("unknown", False), ("not said", False)):
        told = dataclasses.replace(about, trained_on=trained_on)
        page, _ = write_gaming_report(report, tmp_path, told)
        assert ("members that the model was not trained on attacked" in page.read_text("utf-8")) == claimed
        noted = "Nobody can say whether the model was trained" in " ".join(gaming_document(report, told)["notes"])
        assert noted == (trained_on == "unknown")


def test_too_few_members_are_insufficient_and_no_pass(model, members, options):
    report = stress_test(model, members.X.head(60), members.bad[:60], options=options)
    assert report.state == "INSUFFICIENT"
    found = gaming_measures(report)
    assert {one.state for one in found.values()} == {"INSUFFICIENT"}
    assert "Fewer than 100 members" in found["cheap_points"].note


def test_without_outcomes_ranks_are_not_judged(model, members, options):
    found = gaming_measures(stress_test(model, members.X, options=options))
    assert found["rank_damage"].state == "INSUFFICIENT"
    assert found["cheap_points"].state == "measured"


def test_a_model_of_features_nobody_knows_is_insufficient(model, members):
    report = stress_test(model, members.X, members.bad)
    assert report.state == "INSUFFICIENT"
    assert any("4 features are not attacked" in note for note in report.notes)
    found = gaming_measures(report)
    assert found["cheap_points"].state == "INSUFFICIENT"
    assert found["pattern_points"].value == pytest.approx(report.withholding.points.mean())  # that costs nothing


def test_a_report_of_withholding_alone_says_so(model, members, about, tmp_path):
    report = stress_test(model, members.X, members.bad)
    page = write_gaming_report(report, tmp_path, about)[0].read_text("utf-8")
    assert "No feature can be moved, so that withholding alone is measured." in page


def test_the_same_rows_and_seed_give_the_same_bytes(model, members, options, report, about, tmp_path):
    again = stress_test(model, members.X, members.bad, known_pd=members.pd, options=options)
    one = [path.read_bytes() for path in write_gaming_report(report, tmp_path / "one", about)]
    two = [path.read_bytes() for path in write_gaming_report(again, tmp_path / "two", about)]
    assert one == two
    assert b"<svg" in one[0]
    assert b"Gaming stress test" in one[0]


def test_the_document_has_the_common_form_and_no_line_of_few_members(report, about):
    document = gaming_document(report, about)
    assert (document["format"], document["kind"], document["model"]) == (
        1, "gaming", {"model_id": "benne/0", "config_hash": "0" * 64},
    )  # fmt: skip
    assert document["measures"]["gaming.cheap_points"]["state"] == "measured"
    assert [one["attack"] for one in document["tables"]["attacks"]] == list(ATTACKS)
    made = [one["made"] for one in document["tables"]["moves"] if one["made"] is not None]
    assert min(made) * report.rows >= 10
    assert "Spending was not tested: no events were given." in document["notes"]


def test_the_document_tells_each_categorys_and_each_features_damage(report, about, tmp_path):
    tables = gaming_document(report, about)["tables"]
    cheap = report.attack("cheap")
    lines = {one["category"]: one for one in tables["categories"] if one["attack"] == "cheap"}
    assert lines["social"]["pd_fall"] == pytest.approx(cheap.pd_damage.understated)
    assert lines["social"]["actual_to_predicted"] == pytest.approx(cheap.pd_damage.actual_to_predicted)
    assert {lines["ability"][name] for name in ("points", "moved", "pd_fall", "auc_lost")} == {0.0}
    named = {one["feature"]: one for one in tables["features"] if one["attack"] == "anything"}
    assert set(named) == {"late", "income", "friends", "fans"}
    assert all(0 < one["pd_fall"] < report.attack("anything").pd_damage.understated for one in named.values())
    page = write_gaming_report(report, tmp_path, about)[0].read_text("utf-8")
    assert "What each category&#39;s moves alone take off the mean predicted PD" in page


def test_what_fewer_than_ten_members_moved_is_one_line_without_figures(report, about):
    cheap = report.attack("cheap")
    features = cheap.by_feature.copy()
    features.loc["fans", ["moved", *DAMAGE]] = np.nan
    categories = cheap.by_category.copy()
    categories.loc["social", ["moved", *DAMAGE]] = np.nan
    few = dataclasses.replace(
        report, attacks=(dataclasses.replace(cheap, by_feature=features, by_category=categories),)
    )
    tables = gaming_document(few, about)["tables"]
    (friends, others) = tables["features"]
    assert (friends["feature"], others["feature"]) == ("friends", "others")
    assert others["points"] == pytest.approx(cheap.by_feature.loc["fans", "points"])
    assert {others[name] for name in ("moved", *DAMAGE)} == {None}
    social = next(one for one in tables["categories"] if one["category"] == "social")
    assert {social[name] for name in ("points", "moved", *DAMAGE)} == {None}


def test_best_patterns_are_looked_for_among_more_members_than_are_attacked(model, members, options, about):
    report = stress_test(model, members.X, members.bad, options=dataclasses.replace(options, members=100))
    assert (report.rows, len(report.withholding.points)) == (100, len(members.X))
    assert gaming_measures(report)["pattern_points"].n == len(members.X)
    assert f"Best patterns are of {len(members.X):,} members." in gaming_document(report, about)["notes"]


def test_an_insufficient_report_is_a_document_too_without_pictures(model, members, options, about):
    report = stress_test(model, members.X.head(20), options=options)
    assert gaming_drawings(report) == {}
    document = gaming_document(report, about)
    assert any(note.startswith("INSUFFICIENT") for note in document["notes"])


def test_spending_joins_the_report(report, about):
    class Spending:
        measure = Measure(value=3.0, n=50, note="of 40")

    found = gaming_measures(with_spending(report, Spending()))
    assert found["spending_raises"].value == 3.0


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"fewest": 5}, "fewest must be from 30"),
        ({"fewest": 5000}, "fewest must be from 30 to members"),
        ({"shares": (0.0,)}, "shares must lie within"),
        ({"attacks": ("hope",)}, "attacks must be among cheap"),
    ],
)
def test_options_out_of_their_domain_are_refused(given, complaint):
    with pytest.raises(GamingError, match=complaint):
        GamingOptions(**given)
