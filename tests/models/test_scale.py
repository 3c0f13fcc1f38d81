import numpy as np
import pytest

from benne.errors import ParameterError
from benne.models import BAND_SCHEMES, DEFAULT_BANDS, SCORE_MAX, SCORE_MIN, Band, ScoreScale


def test_forty_points_double_the_odds() -> None:
    scale = ScoreScale()
    log_odds_of_bad = -np.log([10.0, 20.0, 40.0, 80.0])
    np.testing.assert_allclose(scale.score(log_odds_of_bad), [560, 600, 640, 680], atol=1e-9)


def test_the_ends_of_the_scale_mean_what_the_design_says() -> None:
    scale = ScoreScale()
    odds = lambda score: 20.0 * 2.0 ** ((score - 600.0) / 40.0)  # noqa: E731
    assert odds(SCORE_MIN) == pytest.approx(0.26, abs=0.005)
    assert odds(SCORE_MAX) == pytest.approx(8611, abs=1)
    np.testing.assert_allclose(scale.score(-np.log([odds(350), odds(950)])), [350, 950], atol=1e-9)


def test_a_score_never_leaves_350_to_950() -> None:
    np.testing.assert_array_equal(ScoreScale().score(np.array([1e6, -1e6])), [350.0, 950.0])


def test_a_band_is_read_off_the_whole_number_shown() -> None:
    scores = np.array([350, 549.49, 549.51, 599.4, 600, 649.6, 699.4, 699.6, 950.0])
    names = ["poor", "poor", "fair", "fair", "good", "very good", "very good", "excellent", "excellent"]
    assert ScoreScale().band(scores).tolist() == names


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (ScoreScale(pdo=0), "pdo of the score scale must be a positive number, got 0"),
        (ScoreScale(base_odds=float("nan")), "base_odds of the score scale must be a positive number, got nan"),
        (ScoreScale(base_score=340), "base_score of the score scale must lie within 350 to 950, got 340"),
        (ScoreScale(bands=DEFAULT_BANDS[1:]), "Bands must cover 350 to 950"),
        (ScoreScale(bands=(Band("low", 350, 500), Band("high", 502, 950))), "Bands must cover 350 to 950"),
        (ScoreScale(bands=()), "Bands must cover 350 to 950"),
    ],
)
def test_a_scale_that_cannot_be_used_is_refused(scale: ScoreScale, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        scale.check()


def test_one_band_over_everything_is_a_scheme() -> None:
    ScoreScale(bands=(Band("all", 350, 950),)).check()


@pytest.mark.parametrize("name", BAND_SCHEMES)
def test_every_named_scheme_of_bands_can_be_used(name: str) -> None:
    scale = ScoreScale(bands=BAND_SCHEMES[name])
    scale.check()
    assert scale.band(np.array([350.0, 950.0])).tolist() == [scale.bands[0].name, scale.bands[-1].name]
