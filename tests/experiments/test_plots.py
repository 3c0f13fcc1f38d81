from __future__ import annotations

import numpy as np
import pytest

from benne.experiments import plots
from benne.models import ScoreScale


def test_every_run_gets_four_pictures(training_run):
    pictures = plots.training_plots(training_run)
    assert set(pictures) == {"calibration", "frontier", "scores", "shares"}
    assert all(plots.as_svg(figure).startswith("<svg") for figure in pictures.values())


def test_a_picture_drawn_twice_is_the_same(training_run):
    def share_plot():
        return plots.share_plot(training_run.model.contract_report_.shares, training_run.evaluation.shares)

    assert plots.as_svg(share_plot()) == plots.as_svg(share_plot())


def test_every_score_is_in_the_histogram_once():
    scale = ScoreScale()
    (axes,) = plots.score_distribution(np.array([350.0, 355.0, 600.0, 949.9, 950.0]), scale).axes
    assert sum(bar.get_height() for bar in axes.patches) == 5


def test_a_waterfall_ends_at_the_score():
    (axes,) = plots.waterfall_plot(600.0, {"Credit history": 30.0, "Behaviour": -50.0}, 580.0).axes
    base, credit, behaviour, score = axes.patches
    assert base.get_x() + base.get_width() == pytest.approx(600.0)
    assert credit.get_x() == pytest.approx(600.0)
    assert behaviour.get_x() + behaviour.get_width() == pytest.approx(580.0)
    assert score.get_x() + score.get_width() == pytest.approx(580.0)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Base", "Credit history", "Behaviour", "Score"]
