"""Every metric that a gate may ask for: where what it measures is broken the gate fails, and beside it it passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from benne.experiments.measure import Measure
from benne.experiments.validation.judging import judge
from benne.experiments.validation.measuring import Measured
from benne.experiments.validation.model_figures import pattern_table, ranking_measures
from benne.models import withheld_of
from benne.models.calibration import calibration_report
from benne.models.scale import ScoreScale
from benne.scoring.governance.gates import Gate
from benne.scoring.governance.metrics import METRICS
from tests.experiments.validation import breaking
from tests.experiments.validation.breaking import OWN, ROWS, SPENDERS, World, world_in

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

Breaking = Callable[[World], Measured]
LET_ALL_BE_USED = ROWS * 9 // 10
TIMED = 200


@dataclass(frozen=True, kw_only=True)
class Case:
    """What breaks a metric, the threshold that it then fails, on how many it rests, and who is to blame."""

    broken: Breaking
    kept: Breaking = breaking.whole
    limits: dict[str, object] = field(default_factory=dict)
    n: int = ROWS
    blame: str = ""


CASES = {
    "discrimination.auc": Case(broken=breaking.risks_do_not_differ, limits={"at_least": 0.65, "on": "low"}),
    "discrimination.ks": Case(broken=breaking.risks_do_not_differ, limits={"at_least": 0.25}),
    "calibration.ece": Case(broken=breaking.half_the_odds_are_told, limits={"at_most": 0.06}),
    "calibration.ece_beyond_chance": Case(broken=breaking.half_the_odds_are_told, limits={"at_most": 0.01}),
    "calibration.slope": Case(broken=breaking.risks_do_not_differ, limits={"at_least": 0.75, "at_most": 1.35}),
    "calibration.slope_miss": Case(
        broken=breaking.risks_do_not_differ, limits={"at_most": 0.2}, blame="the slope is -0.18"
    ),
    "calibration.band_miss": Case(broken=breaking.one_band_is_worse, limits={"at_most": 0.2}, blame="band: good"),
    "calibration.pattern_miss": Case(
        broken=breaking.withholding_pays, limits={"at_most": 0.2}, n=LET_ALL_BE_USED,
        blame="pattern: withheld: Social relationships",
    ),
    "ranking.bands_reversed": Case(broken=breaking.one_band_is_worse, limits={"at_most": 0}, blame="good"),
    "ranking.bands_not_lower": Case(broken=breaking.two_bands_alike, limits={"at_most": 0}, blame="excellent"),
    "stability.psi": Case(broken=breaking.others_come, limits={"at_most": 0.25}),
    "contract.largest_miss": Case(
        broken=breaking.loose_and_unguarded, kept=breaking.guarded, limits={"at_most": 1e-6}, n=2
    ),
    "points.largest_gap": Case(broken=breaking.points_do_not_add_up, limits={"at_most": 1e-9}),
    "latency.one_row_ms": Case(broken=breaking.careless, limits={"at_most": 100.0}, n=TIMED),
    "documentation.card_complete": Case(
        broken=breaking.careless, limits={"at_most": 0}, n=12, blame=f"Features: why {OWN} is in it"
    ),
    "documentation.without_rationale": Case(broken=breaking.careless, limits={"at_most": 0}, n=6, blame=OWN),
    "labels.influenced_share": Case(
        broken=breaking.careless, limits={"at_most": 0.1}, blame="of the outcomes that were validated on"
    ),
    "fairness.adverse_impact_ratio": Case(
        broken=breaking.sex_decides, limits={"at_least": 0.8}, n=314, blame="beside female at 580"
    ),
    "fairness.equal_opportunity_gap": Case(
        broken=breaking.sex_decides, limits={"at_most": 0.1}, n=314, blame="sex: female at 580"
    ),
    "fairness.standardised_mean_difference": Case(
        broken=breaking.sex_decides, limits={"at_most": 0.5}, n=314, blame="sex: female"
    ),
    "fairness.calibration_gap": Case(
        broken=breaking.sex_was_left_out, limits={"at_most": 0.1}, n=10, blame="sex: "
    ),
    "fairness.flip_test": Case(broken=breaking.sex_decides, limits={"at_most": 0}, blame=f"parish by {OWN}"),
    "gaming.cheap_points": Case(broken=breaking.what_counts_is_cheap, limits={"at_most": 40.0}),
    "gaming.cheap_medium_points": Case(broken=breaking.what_counts_is_cheap, limits={"at_most": 120.0}),
    "gaming.rank_damage": Case(broken=breaking.what_counts_is_cheap, limits={"at_most": 0.05}, blame="of members game"),
    "gaming.pd_error": Case(broken=breaking.what_counts_is_cheap, limits={"at_most": 0.05}),
    "gaming.pattern_points": Case(broken=breaking.withholding_pays, limits={"at_most": 40.0}),
    "gaming.pattern_pd_error": Case(broken=breaking.withholding_pays, limits={"at_most": 0.03}, n=100),
    "gaming.spending_raises": Case(
        broken=breaking.loose_and_unguarded, kept=breaking.guarded, limits={"at_most": 0}, n=SPENDERS,
        blame="in_out_ratio_180d",
    ),
}  # fmt: skip
AT_LEAST = {"fairness.calibration_gap", "gaming.pattern_pd_error"}  # of the worst group, whichever that is


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return world_in(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def measured(world):
    """What the real validation measures of a world, each broken once however many metrics look at it."""
    known: dict[Breaking, dict[str, Measure]] = {}

    def of(how: Breaking) -> dict[str, Measure]:
        if how not in known:
            known[how] = how(world).measures
        return known[how]

    return of


def gate_of(metric: str, **changed) -> Gate:
    case = CASES[metric]
    return Gate(**{"metric": metric, "smallest_n": case.n, "why": "it was promised"} | case.limits | changed)


def test_every_metric_that_a_gate_may_ask_for_has_a_case_that_breaks_it():
    assert set(CASES) == set(METRICS)


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_broken_fails_its_gate_and_what_is_kept_passes(metric, measured):
    case = CASES[metric]
    kept, broken = (judge(gate_of(metric), measured(how)[metric]) for how in (case.kept, case.broken))
    assert (kept.state, broken.state) == ("passed", "failed")
    assert abs(kept.measure.value - broken.measure.value) > 1e-7  # also where an end of the interval is judged
    assert case.blame in broken.note
    if metric not in AT_LEAST:
        assert broken.measure.n == case.n
        assert judge(gate_of(metric, smallest_n=case.n + 1), broken.measure).state == "INSUFFICIENT"


@pytest.mark.parametrize(
    "how",
    [
        breaking.points_do_not_add_up, breaking.careless, breaking.two_bands_alike, breaking.sex_decides,
        breaking.what_counts_is_cheap,
    ],
)  # fmt: skip
def test_what_is_broken_by_itself_fails_no_other_gate(how, measured):
    judged = {metric: judge(gate_of(metric), measured(how)[metric]).state for metric in METRICS}
    broken = {metric for metric, case in CASES.items() if case.broken is how}
    assert {metric for metric, state in judged.items() if state == "failed"} == broken


def test_a_gate_on_the_low_end_is_not_passed_by_the_figure(measured):
    auc = measured(breaking.whole)["discrimination.auc"]
    between = (auc.low + auc.value) / 2
    states = [judge(gate_of("discrimination.auc", at_least=between, on=on), auc).state for on in ("low", "value")]
    assert states == ["failed", "passed"]


def test_bands_that_turn_bad_equally_often_are_not_lower_and_not_reversed():
    # By band of 100 rows: 30, 30, 10, 15, 60 turn bad. 15 is not below 10, by chance; 60 is above 15 beyond it.
    rates = {500.0: 30, 575.0: 30, 625.0: 10, 675.0: 15, 750.0: 60}
    scale = ScoreScale()
    log_odds = np.repeat([-np.log(20.0) - (score - 600.0) / scale.points_per_log_odds for score in rates], 100)
    bad = np.concatenate([np.arange(100) < count for count in rates.values()]).astype(np.float64)
    found = ranking_measures(calibration_report(log_odds, bad, scale))
    assert (found["ranking.bands_not_lower"].value, found["ranking.bands_reversed"].value) == (3.0, 1.0)
    assert found["ranking.bands_not_lower"].note == "fair, very good, excellent"
    assert found["ranking.bands_reversed"].note == "excellent"


def test_a_patterns_pd_is_what_the_model_says_whatever_happened(world):
    features = world.evidence.rows.features
    nobody, everybody = (pattern_table(world.model, features, np.full(ROWS, turned)) for turned in (0.0, 1.0))
    pd.testing.assert_series_equal(nobody["predicted"], everybody["predicted"])
    assert (nobody["observed"].unique().tolist(), everybody["observed"].unique().tolist()) == ([0.0], [1.0])
    without = expit(
        world.model.decision_function(features, withheld=[one | {"social"} for one in withheld_of(features)])
    )
    assert nobody.loc["withheld: Social relationships", "predicted"] == pytest.approx(without.mean())
    assert nobody["rows"].tolist() == [LET_ALL_BE_USED, ROWS] * 2


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"run_id": None}, "A folder has no card"),
        ({"config_hash": "0" * 64}, "must be about the model's own files, got one about others"),
    ],
)
def test_reasons_count_only_from_the_card_of_these_very_files(changed, why, world):
    candidate = dataclasses.replace(world.candidate, **changed)
    few = world.evidence.rows.part(np.arange(60), {})
    found = world.without_games(candidate=candidate, rows=few).measures
    assert (found["documentation.without_rationale"].value, found["documentation.without_rationale"].note) == (1.0, OWN)
    assert found["documentation.card_complete"].state == "INSUFFICIENT"
    assert why in found["documentation.card_complete"].note
