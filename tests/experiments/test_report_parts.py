"""The pieces of the evaluation report, on tables that can be checked by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benne.errors import ParameterError
from benne.experiments.report.groups import join_small, joined, joined_labels
from benne.experiments.report.options import ProfitTerms, ReportOptions
from benne.experiments.report.patterns import patterns_used
from benne.experiments.report.profit import even_score, profit_of
from benne.experiments.report.ranking import bands_of, distribution_of, lift_by_decile, score_edges
from benne.experiments.report.sample import Sample
from benne.experiments.report.stability import periods_of, stability_of
from benne.models import ScoreScale
from benne.models.calibration import calibration_report, wilson_interval
from benne.models.resampling import Resampler

SCALE = ScoreScale()
DAY = pd.Timestamp("2025-07-01", tz="UTC")


def sample(score, bad, *, moments=None, withheld=None, members=None) -> Sample:
    """Rows with these scores and outcomes, each of its own member unless said otherwise."""
    score, bad = np.asarray(score, dtype=np.float64), np.asarray(bad, dtype=np.float64)
    return Sample(
        model=SimpleNamespace(scale_=SCALE),
        log_odds=(SCALE.base(0.0) - score) / SCALE.points_per_log_odds,
        score=score,
        bad=bad,
        members=np.arange(len(bad)) if members is None else np.asarray(members),
        moments=pd.DatetimeIndex([DAY] * len(bad) if moments is None else moments),
        withheld=np.array(["nothing withheld"] * len(bad) if withheld is None else withheld, dtype=object),
        not_scored=0,
    )


# ---------------------------------------------------------------- small groups


@pytest.mark.parametrize(
    ("counts", "group"),
    [
        ([10, 10], [0, 1]),
        ([9, 10, 10], [0, 0, 1]),
        ([10, 10, 9], [0, 1, 1]),
        ([3, 4, 5, 50], [0, 0, 0, 1]),
        ([3, 4], [0, 0]),
        ([0, 12, 0], [0, 1, 2]),
    ],
)
def test_a_cell_of_fewer_than_ten_rows_joins_its_neighbour(counts, group):
    assert joined(counts).tolist() == group


def test_a_joined_group_is_named_by_its_ends():
    assert joined_labels(["a", "b", "c", "d"], np.array([0, 0, 0, 1])) == ["a to c", "d"]


def test_joined_rows_have_the_rates_and_intervals_of_all_their_rows():
    table = pd.DataFrame(
        {"rows": [4, 16, 30], "predicted": [0.5, 0.25, 0.1], "observed": [0.25, 0.5, 0.1]}, index=["x", "y", "z"]
    )
    found = join_small(table)
    assert found.index.tolist() == ["x to y", "z"]
    assert found["rows"].tolist() == [20, 30]
    assert found["predicted"].tolist() == pytest.approx([(4 * 0.5 + 16 * 0.25) / 20, 0.1])
    assert found["observed"].tolist() == pytest.approx([9 / 20, 0.1])
    low, high = wilson_interval(np.array([9.0, 3.0]), np.array([20.0, 30.0]))
    assert found["observed_low"].tolist() == pytest.approx(low.tolist())
    assert found["observed_high"].tolist() == pytest.approx(high.tolist())


# --------------------------------------------------------------------- ranking


def test_lift_by_hand():
    # 100 rows in ten deciles; the riskiest ten are all bad, ten of the other ninety.
    score = np.arange(100.0) + 400
    bad = np.r_[np.ones(10), np.tile(np.r_[1.0, np.zeros(8)], 10)]
    table = lift_by_decile(calibration_report(sample(score, bad).log_odds, bad, SCALE))
    assert table["rows"].tolist() == [10] * 10
    assert table["lift"].iloc[0] == pytest.approx(1.0 / 0.2)
    assert table["captured"].iloc[0] == pytest.approx(0.5)
    assert table["cumulative_lift"].iloc[[0, -1]].tolist() == pytest.approx([5.0, 1.0])
    assert table["captured"].iloc[-1] == table["rows_share"].iloc[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(("fair", "monotone"), [(5, True), (10, False), (12, False)])
def test_bands_are_monotone_only_if_each_is_better_than_the_one_below(fair, monotone):
    score = np.repeat([500.0, 575.0, 625.0], 20)
    bad = np.concatenate([np.arange(20) < count for count in (10, fair, 1)]).astype(float)
    bands = bands_of(calibration_report(sample(score, bad).log_odds, bad, SCALE))
    assert bands.table.index.tolist() == ["poor", "fair", "good"]
    assert bands.table["observed"].tolist() == pytest.approx([0.5, fair / 20, 0.05])
    assert bands.monotone is monotone
    assert bands.not_lower == (() if monotone else ("fair",))


def test_a_band_of_a_few_is_joined_to_the_band_beside():
    score = np.repeat([500.0, 575.0, 720.0], [20, 20, 3])
    bad = np.tile([1.0, 0.0], 22)[:43]
    bands = bands_of(calibration_report(sample(score, bad).log_odds, bad, SCALE))
    assert bands.table.index.tolist() == ["poor", "fair to excellent"]
    assert bands.table["rows"].tolist() == [20, 23]


def test_the_histogram_holds_every_score_once_and_no_bar_of_a_few():
    score = np.r_[np.full(30, 415.0), np.full(4, 425.0), np.full(12, 437.0), [350.0, 950.0]]
    table = distribution_of(score)
    assert table["rows"].sum() == len(score)
    assert ((table["rows"] == 0) | (table["rows"] >= 10)).all()
    assert table["lowest"].iloc[0] == 350.0
    assert table["highest"].iloc[-1] == 950.0
    assert table["lowest"].iloc[1:].tolist() == table["highest"].iloc[:-1].tolist()


def test_edges_stay_where_ten_scores_lie_between():
    assert score_edges(np.repeat([1.0, 3.0, 5.0], [10, 4, 10]), np.array([0.0, 2.0, 4.0, 6.0])).tolist() == [0, 2, 6]


# ---------------------------------------------------------------------- profit


def test_profit_by_hand():
    # Twenty at 500 (10 bad), twenty at 600 (1 bad): a good earns 1, a bad loses 4.
    rows = sample(np.repeat([500.0, 600.0], 20), np.r_[np.tile([0.0, 1.0], 10), [1.0], np.zeros(19)])
    found = profit_of(rows, ProfitTerms(1.0, 4.0, cutoff=550.0), Resampler(40, None, 0))
    at = found.curve.iloc[found.at_cutoff]
    assert at["cutoff"] == 550.0
    assert at["accepted"] == 0.5
    assert at["observed"] == pytest.approx(0.05)
    assert at["realised"] == pytest.approx((19 - 4) / 40)
    everybody, nobody = found.curve.iloc[0], found.curve.iloc[-1]
    assert (everybody["accepted"], everybody["realised"]) == (1.0, pytest.approx((29 - 44) / 40))
    assert (nobody["accepted"], nobody["realised"]) == (0.0, 0.0)
    assert np.isnan(nobody["observed"])
    assert found.curve["realised"].iloc[found.best] == pytest.approx(15 / 40)
    assert found.best_low <= found.curve["cutoff"].iloc[found.best] <= found.best_high


def test_expected_profit_is_by_the_predicted_pd():
    rows = sample(np.full(20, 600.0), np.tile([0.0, 1.0], 10))  # odds of 20 : 1 at 600
    found = profit_of(rows, ProfitTerms(1.0, 4.0), Resampler(20, None, 0))
    assert found.curve["expected"].iloc[0] == pytest.approx(20 / 21 - 4 / 21)
    assert found.curve["realised"].iloc[0] == pytest.approx(0.5 - 2.0)


def test_gain_and_loss_are_even_at_their_own_odds():
    rows = sample([600.0], [0.0])
    assert even_score(rows, ProfitTerms(1.0, 20.0)) == pytest.approx(600.0)
    assert even_score(rows, ProfitTerms(1.0, 40.0)) == pytest.approx(640.0)


def test_no_figure_is_shown_at_a_cutoff_with_a_few_on_one_side():
    rows = sample(np.repeat([500.0, 700.0], [30, 5]), np.tile([1.0, 0.0], 18)[:35])
    found = profit_of(rows, ProfitTerms(cutoff=650.0), Resampler(35, None, 0))
    assert found.at_cutoff is None
    assert 650.0 not in found.curve["cutoff"].tolist()


def test_between_two_cutoffs_lie_ten_rows_or_none():
    score = np.random.default_rng(0).normal(560, 60, 400).clip(350, 950)
    rows = sample(score, np.tile([0.0, 0.0, 0.0, 1.0], 100))
    curve = profit_of(rows, ProfitTerms(cutoff=563.0), Resampler(400, None, 0)).curve
    between = -np.diff(np.round(curve["accepted"] * 400))
    assert set(between[between < 10]) <= {0.0}
    assert 563.0 in curve["cutoff"].tolist()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"gain_of_good": 0.0}, "gain_of_good must be a positive number, got 0.0"),
        ({"loss_of_bad": float("inf")}, "loss_of_bad must be a positive number, got inf"),
        ({"cutoff": 1000.0}, "cutoff must be a score from 350 to 950 or None, got 1000.0"),
    ],
)
def test_terms_under_which_no_decision_means_anything_are_refused(terms, message):
    with pytest.raises(ParameterError, match=message):
        ReportOptions(ProfitTerms(**terms)).check()


@pytest.mark.parametrize("options", [{"learning_shares": (0.5, 1.0)}, {"resamples": 0}])
def test_options_out_of_their_domain_are_refused(options):
    with pytest.raises(ParameterError, match=f"{next(iter(options))} must"):
        ReportOptions(**options).check()


# ------------------------------------------------------------------- stability


def test_scores_that_have_not_moved_have_an_index_near_nothing_and_moved_ones_a_large_one():
    rng = np.random.default_rng(0)
    train, alike, moved = (sample(rng.normal(mean, 50, 2000), np.tile([0.0, 1.0], 1000)) for mean in (560, 560, 600))
    still = stability_of(train, alike)
    assert still.psi < 0.02
    assert still.by_chance == pytest.approx(9 * 2 / 2000)
    assert stability_of(train, moved).psi > 0.25
    assert still.periods is None


def test_each_period_has_figures_and_a_small_one_joins_the_next():
    score = np.tile([500.0, 600.0], 30)
    moments = [DAY] * 30 + [DAY + pd.Timedelta(days=31)] * 4 + [DAY + pd.Timedelta(days=62)] * 26
    bad = np.tile([1.0, 0.0], 30)
    periods = stability_of(sample(score, bad), sample(score, bad, moments=moments)).periods
    assert periods.index.tolist() == ["2025-07", "2025-08 to 2025-09"]
    assert periods["rows"].tolist() == [30, 30]
    assert periods["observed"].tolist() == [0.5, 0.5]
    assert periods["auc"].tolist() == [1.0, 1.0]
    assert set(periods) >= {"psi", "psi_by_chance", "ece", "predicted", "brier"}


def test_many_months_become_quarters():
    months = pd.date_range("2022-01-15", periods=25, freq="MS", tz="UTC")
    assert periods_of(months)[0] == "2022-Q1"
    assert len(set(periods_of(months))) == 9
    assert len(set(periods_of(months[:24]))) == 24


# -------------------------------------------------------------------- patterns


def test_rare_patterns_stand_together_the_most_frequent_first():
    withheld = ["nothing withheld"] * 40 + ["a"] * 20 + ["b"] * 7 + ["c"] * 6
    table = patterns_used(sample(np.linspace(450, 650, 73), np.tile([1.0, 0.0], 37)[:73], withheld=withheld))
    assert table.index.tolist() == ["nothing withheld", "a", "2 other patterns"]
    assert table["rows"].tolist() == [40, 20, 13]


def test_all_rare_patterns_are_one_group_however_many():
    withheld = ["nothing withheld"] * 40 + [
        name for name, rows in zip("abcd", (8, 7, 6, 5), strict=True) for _ in range(rows)
    ]
    table = patterns_used(sample(np.linspace(450, 650, 66), np.tile([1.0, 0.0], 33), withheld=withheld))
    assert table.index.tolist() == ["nothing withheld", "4 other patterns"]


def test_one_rare_pattern_takes_the_rarest_other_with_it():
    withheld = ["nothing withheld"] * 40 + ["a"] * 20 + ["b"] * 3
    bad = np.r_[np.zeros(40), np.tile([1.0, 0.0], 10), np.ones(3)]
    table = patterns_used(sample(np.linspace(450, 650, 63), bad, withheld=withheld))
    assert table.index.tolist() == ["nothing withheld", "2 other patterns"]
    assert table["observed"].tolist() == pytest.approx([0.0, 13 / 23])
    assert np.isnan(table["auc"].iloc[0])  # all of one kind


def test_a_part_whose_deciles_would_be_small_groups_has_no_calibration_error():
    withheld = ["nothing withheld"] * 100 + ["a"] * 99
    table = patterns_used(sample(np.linspace(450, 650, 199), np.tile([1.0, 0.0], 100)[:199], withheld=withheld))
    assert table["ece"].notna().tolist() == [True, False]
