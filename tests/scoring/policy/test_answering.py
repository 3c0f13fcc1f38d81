"""The least that answers: the coarsest granularity, a mark reached or not, a benefit or the ordinary way."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import PolicyError
from benne.models.scale import BAND_SCHEMES, DEFAULT_BANDS, ScoreScale
from benne.scoring.consent.decision import FROM_COARSE
from benne.scoring.policy import (
    BenefitPolicy,
    BenefitResult,
    answer_granularity,
    benefit_result,
    default_policies,
    mark_missing,
    threshold_result,
)

GRANULARITY = st.sampled_from(FROM_COARSE)
SCORES = st.floats(350, 950)


@given(allowed=GRANULARITY, consented=GRANULARITY, wanted=GRANULARITY)
def test_an_answer_is_never_finer_than_what_is_allowed_consented_to_or_asked(allowed, consented, wanted):
    lending = replace(default_policies().purposes["lending"], granularity=allowed)
    told = answer_granularity(lending, consented, wanted)
    assert FROM_COARSE.index(told) == min(map(FROM_COARSE.index, (allowed, consented, wanted)))


def test_a_threshold_tells_less_than_a_band_and_a_band_less_than_a_score(policies):
    lending = policies.purposes["lending"]
    assert answer_granularity(lending, "threshold", "band") == "threshold"
    assert answer_granularity(lending, "exact", "band") == "band"
    assert answer_granularity(lending, "exact", "exact") == "exact"


def test_where_no_more_than_a_threshold_may_be_told_one_must_have_been_asked_for(asked, asked_for_a_benefit):
    assert mark_missing("threshold", asked(granularity="exact")).reason == "threshold-missing"
    assert mark_missing("threshold", asked(granularity="exact", threshold=650)) is None
    assert mark_missing("threshold", asked_for_a_benefit()) is None
    assert mark_missing("band", asked()) is None


@pytest.mark.parametrize(
    ("score", "reached"), [(350.0, False), (649.4, False), (649.5, True), (649.6, True), (650.0, True), (950.0, True)]
)
def test_a_mark_is_held_against_the_whole_score_that_is_shown(score, reached):
    assert threshold_result(score, 650).reached is reached


@given(score=SCORES)
def test_a_mark_at_the_foot_of_a_band_agrees_with_the_band(score):
    import numpy as np

    band = ScoreScale().band(np.array([score]))[0]
    very_good = next(one for one in DEFAULT_BANDS if one.name == "very good")
    reached = threshold_result(score, very_good.lowest).reached
    assert reached == (band in ("very good", "excellent"))
    by_name = BenefitPolicy(name="x", purpose="fast_lane", grants="y", band="very good")
    assert (benefit_result(by_name, score).outcome == "granted") == reached


def test_a_benefit_has_no_word_for_a_refusal():
    outcomes = get_args(get_type_hints(BenefitResult)["outcome"])
    assert outcomes == ("granted", "ordinary_way")


@given(score=st.none() | SCORES)
def test_everybody_gets_the_benefit_or_what_they_would_have_had_anyway(score):
    waiver = default_policies().benefits["deposit_waiver"]
    result = benefit_result(waiver, score)
    if score is not None and round(score) >= 650:
        assert result == BenefitResult("deposit_waiver", "granted", "No deposit is asked for.")
    else:
        assert result == BenefitResult("deposit_waiver", "ordinary_way", None)


def test_a_low_score_no_consent_and_no_data_look_the_same(policies):
    waiver = policies.benefits["deposit_waiver"]
    assert benefit_result(waiver, 350.0) == benefit_result(waiver, None)


def test_a_band_is_one_of_the_models_own_scale():
    lane = BenefitPolicy(name="lane", purpose="fast_lane", grants="y", band="A")
    assert benefit_result(lane, 700.0, BAND_SCHEMES["A-D"]).outcome == "granted"
    assert benefit_result(lane, 699.0, BAND_SCHEMES["A-D"]).outcome == "ordinary_way"
    with pytest.raises(PolicyError, match=r"benefits\.lane\.band must be one of poor, .*, got 'A'"):
        benefit_result(lane, 700.0)
