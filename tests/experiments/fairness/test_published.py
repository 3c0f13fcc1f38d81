"""Figures on public data beside what was published about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benne.errors import DatasetError, FairnessError
from benne.experiments.datasets import data_folder
from benne.experiments.fairness.assessing import FairnessReport
from benne.experiments.fairness.boston import adjusted_for, read_boston
from benne.experiments.fairness.measures import fairness_measures
from benne.experiments.fairness.published import audit_taiwan, main
from benne.experiments.fairness.score_table import ScoreTable, read_score_table


def test_a_table_of_scores_gives_what_can_be_computed_by_hand():
    # At 1 and 2 points: half of r and four fifths of g at 1, where half turn bad; at 2 a tenth of r and a fifth of g do
    table = ScoreTable(("r", "g"), np.array([1.0, 2.0]), np.array([[0.5, 0.8], [0.5, 0.2]]),
                       np.array([[0.5, 0.5], [0.1, 0.2]]), np.array([100.0, 100.0]))  # fmt: skip
    r, g = table.by_group().to_dict("records")
    assert r["mean"] == pytest.approx(1.5)
    assert g["mean"] == pytest.approx(1.2)
    assert (r["median"], g["median"]) == (1.0, 1.0)
    assert g["bad_rate"] == pytest.approx(0.8 * 0.5 + 0.2 * 0.2)
    # Pooled at 2 points: (0.5 * 0.1 + 0.2 * 0.2) / 0.7; the gap is only there
    assert g["calibration_gap"] == pytest.approx(0.2 * (0.2 - 0.09 / 0.7))
    at = table.at_cutoffs([2.0]).to_dict("records")[1]
    assert at["adverse_impact_ratio"] == pytest.approx(0.2 / 0.5)
    assert at["good_who_pass"] == pytest.approx(0.16 / (0.16 + 0.4))
    assert at["equal_opportunity_difference"] == pytest.approx(0.16 / 0.56 - 0.45 / 0.7)
    assert at["false_positive_difference"] == pytest.approx(0.04 / 0.44 - 0.05 / 0.3)


def test_a_table_whose_shares_do_not_sum_to_one_is_refused():
    with pytest.raises(FairnessError, match="must sum to 1 in each group"):
        ScoreTable(("r",), np.array([1.0]), np.array([[0.9]]), np.array([[0.5]]), np.array([1.0]))
    with pytest.raises(FairnessError, match="Bad rates of a score table must be from 0 to 1"):
        ScoreTable(("r",), np.array([1.0]), np.array([[1.0]]), np.array([[1.5]]), np.array([1.0]))


def test_the_federal_reserves_table_gives_its_published_means_and_the_cost_of_rules(real_data: Path):
    table = read_score_table(real_data)
    means = dict(zip(table.groups, table.by_group()["mean"].round(1), strict=True))
    assert means == {"white": 54.0, "black": 25.6, "Hispanic": 38.2, "Asian": 54.7}
    # Hardt, Price and Srebro 2016: 99.3 %, 92.8 % and 69.8 %, read off curves between the table's scores
    kept = table.profits(break_even=0.18)
    assert kept["one_cutoff"] == pytest.approx(0.993, abs=0.002)
    assert kept["equal_opportunity"] == pytest.approx(0.928, abs=0.002)
    assert kept["demographic_parity"] == pytest.approx(0.698, abs=0.01)
    at_41 = table.at_cutoffs([41.0]).set_index("group")
    assert at_41.loc["black", "adverse_impact_ratio"] < 0.8
    assert at_41.loc["Hispanic", "adverse_impact_ratio"] < 0.8
    same = table.same_score([25, 41, 60])
    assert (same["black"] > same["white"]).all()  # the same score, and more of them turned bad


def test_the_table_that_was_changed_is_refused(real_data: Path, tmp_path: Path):
    for file in (real_data / "fed_transrisk_by_race").glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text().replace("0.26", "0.27"))
    with pytest.raises(DatasetError, match="must be the known original"):
        read_score_table(tmp_path)


def test_bostons_denials_are_those_of_the_textbook_before_and_after_controls(real_data: Path):
    raw, left = adjusted_for(*read_boston(real_data))
    assert (round(raw.group, 3), round(raw.reference, 3)) == (0.283, 0.093)
    assert raw.denial_ratio == pytest.approx(3.06, abs=0.01)
    assert raw.adverse_impact_ratio == pytest.approx(0.79, abs=0.01)
    assert round(left.linear, 3) == 0.084
    assert round(left.logit, 3) == 0.688
    assert left.logit_error == pytest.approx(0.182, abs=0.002)
    assert round(left.at_means, 3) == 0.06


def test_a_regression_finds_the_odds_ratio_of_a_table_of_four_cells():
    # 30 of 100 denied beside 10 of 100: log odds ratio ln((30 / 70) / (10 / 90)), error sqrt(1/30 + 1/70 + 1/10 + 1/90)
    group, denied = np.repeat([1.0, 0.0], 100), np.r_[np.ones(30), np.zeros(70), np.ones(10), np.zeros(90)]
    raw, left = adjusted_for(denied, group, pd.DataFrame(index=range(200)))
    assert (raw.group, raw.reference, round(left.linear, 12)) == (0.3, 0.1, 0.2)
    assert left.logit == pytest.approx(np.log((30 / 70) / (10 / 90)))
    assert left.logit_error == pytest.approx(np.sqrt(1 / 30 + 1 / 70 + 1 / 10 + 1 / 90), rel=0.02)
    assert left.at_means == pytest.approx(0.2)


def test_controls_that_tell_everything_leave_no_regression():
    denied = np.r_[np.zeros(20), np.ones(20)]
    with pytest.raises(FairnessError, match="must have a solution"):
        adjusted_for(denied, np.tile([0.0, 1.0], 20), pd.DataFrame({"told": denied}))


def test_the_figures_are_printed_by_one_command(real_data: Path, capsys, monkeypatch):
    monkeypatch.setenv("BENNE_DATA", str(real_data))
    main(["boston"])
    main(["federal-reserve"])
    told = capsys.readouterr().out
    assert "| black applicants denied | 28.3 % | 28.3 % |" in told
    assert "| one cutoff | 99.4 % | 99.3 % |" in told


@pytest.mark.slow
def test_taiwan_is_audited_by_sex_age_marriage_and_education(real_data: Path):
    report, _ = audit_taiwan(data_folder(real_data))
    assert isinstance(report, FairnessReport)
    assert report.rows > 8_900
    groups = report.disparities.by_group
    assert set(groups["attribute"]) == {"sex", "age", "marriage", "education", "sex x age"}
    assert fairness_measures(report)["flip_test"].value == 0
    assert report.protected_inputs == ()
    together = report.proxies[report.proxies["features"] == "all together"].set_index("attribute")
    assert 0.5 < together.loc["sex", "value"] < 0.7  # payments tell a card holder's sex hardly at all
