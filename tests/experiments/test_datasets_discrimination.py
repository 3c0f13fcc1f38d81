"""AUC by fold on a few members, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benne.experiments.datasets.discrimination import Discrimination
from benne.models.resampling import Resampler

BAD = np.array([0.0, 1.0, 0.0, 1.0])
FOLD = np.array([0, 0, 1, 1])


def measured(**log_odds: list[float]) -> Discrimination:
    models = {name: np.array(values) for name, values in log_odds.items()}
    return Discrimination.measure(models, BAD, FOLD, Resampler(4, None, seed=0, resamples=50))


def test_members_are_ranked_within_their_fold_only() -> None:
    # Pooled, the second fold's good member outranks the first fold's bad one.
    assert measured(levels_apart=[0.0, 1.0, 5.0, 6.0]).value["levels_apart"] == 1.0


def test_the_mean_over_folds_weighs_folds_alike() -> None:
    assert measured(half_right=[0.0, 1.0, 1.0, 0.0]).value["half_right"] == 0.5


def test_equal_models_differ_by_nothing_in_every_resample() -> None:
    models = measured(one=[0.0, 1.0, 1.0, 0.0], same=[0.0, 2.0, 2.0, 0.0], tied=[0.0, 0.0, 0.0, 0.0])
    assert models.difference("one", "same") == (0.0, 0.0, 0.0)
    assert models.of("tied") == (0.5, 0.5, 0.5)


def test_the_interval_holds_the_value_on_more_members() -> None:
    rng = np.random.default_rng(0)
    bad = (rng.random(400) < 0.4).astype(float)
    scores = {"some": bad + rng.normal(size=400), "none": rng.normal(size=400)}
    models = Discrimination.measure(scores, bad, np.arange(400) % 2, Resampler(400, None, seed=0, resamples=100))
    value, low, high = models.difference("some", "none")
    assert 0 < low < value < high
    assert value == pytest.approx(models.of("some")[0] - models.of("none")[0])
