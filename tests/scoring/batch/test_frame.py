from __future__ import annotations

import pandas as pd
import pytest

from benne.errors import ConsentRequired, FeatureValueError, InsufficientEvidence, ObservationError
from benne.features import CATEGORIES
from benne.scoring.batch import Asked, score_frame, unscorable

ASKED = Asked("lending", "shop", "nightly")


class Picky:
    """Refuses a whole table because of rows whose credit history says so, as the real model does."""

    def __init__(self, model):
        self._model = model

    def explain(self, X, withheld=()):
        self._check(X)
        return self._model.explain(X, withheld)

    def predict_score(self, X, withheld=()):
        self._check(X)
        return self._model.predict_score(X, withheld)

    def _check(self, X):
        if (X["x_credit_history"] == -1.0).any():
            raise InsufficientEvidence("too thin")
        if (X["x_credit_history"] == -2.0).any():
            raise FeatureValueError("too strange")


def with_value(frame: pd.DataFrame, row: int, value: float) -> pd.DataFrame:
    changed = frame.copy()
    changed.iloc[row, changed.columns.get_loc("x_credit_history")] = value
    return changed


def test_every_row_is_scored_or_has_a_reason(platform):
    platform.grant(1)
    platform.grant(2, ("credit_history", "ability"))
    frame = platform.features({1: CATEGORIES, 2: ("credit_history", "ability"), 3: ()})
    result = score_frame(frame, platform.model, platform.ledger, ASKED)
    assert result.scores.index.equals(frame.index[:2])
    assert result.refused["subject_id"].tolist() == [platform.member(3)]
    assert result.reasons == {"consent-required": 1}


def test_rows_that_cannot_be_scored_do_not_hold_up_the_others(platform):
    for number in range(6):
        platform.grant(number)
    frame = platform.features(dict.fromkeys(range(6), CATEGORIES))
    frame = with_value(with_value(frame, 2, -1.0), 5, -2.0)
    result = score_frame(frame, Picky(platform.model), platform.ledger, ASKED)
    assert len(result.scores) == 4
    assert result.reasons == {"insufficient-evidence": 1, "value-not-scorable": 1}


def test_rows_to_be_left_out_are_found_by_halving(platform):
    frame = platform.features(dict.fromkeys(range(9), CATEGORIES))
    reasons = unscorable(Picky(platform.model), with_value(frame, 8, -1.0), [frozenset()] * 9)
    assert reasons.tolist() == [""] * 8 + ["insufficient-evidence"]
    assert unscorable(Picky(platform.model), frame.iloc[:0], []).tolist() == []


def test_features_of_a_category_withheld_since_are_not_scored(platform):
    platform.grant(1)
    platform.grant(2)
    frame = platform.features({1: CATEGORIES, 2: CATEGORIES})
    platform.ledger.withdraw(platform.member(1), "lending", "shop", ["social"])
    result = score_frame(frame, platform.model, platform.ledger, ASKED)
    assert result.reasons == {"consent-changed": 1}
    assert result.scores.index.get_level_values("subject_id").tolist() == [platform.member(2)]


def test_each_moment_is_decided_for_itself(platform):
    earlier = platform.features({1: CATEGORIES})
    platform.clock.turn(pd.Timedelta(days=1).to_pytimedelta())
    platform.grant(1)
    platform.clock.turn(pd.Timedelta(days=1).to_pytimedelta())
    both = pd.concat([platform.features({1: CATEGORIES}), earlier])
    result = score_frame(both, platform.model, platform.ledger, ASKED)
    assert result.scores.index.tolist() == [both.index[0]]
    assert result.refused["as_of"].tolist() == [both.index[1][1]]


def test_nobody_to_score_is_an_error_and_not_an_empty_table(platform):
    frame = platform.features({1: CATEGORIES})
    with pytest.raises(ConsentRequired, match="got consent-required"):
        score_frame(frame, platform.model, platform.ledger, ASKED)
    assert [denial.reason for denial in platform.ledger.denials(platform.member(1))] == ["consent-required"]
    with pytest.raises(ConsentRequired, match="an empty frame"):
        score_frame(frame.iloc[:0], platform.model, platform.ledger, ASKED)


def test_files_that_are_all_too_thin_are_not_a_question_of_consent(platform):
    platform.grant(1)
    frame = with_value(platform.features({1: CATEGORIES}), 0, -1.0)
    with pytest.raises(InsufficientEvidence, match="insufficient-evidence"):
        score_frame(frame, Picky(platform.model), platform.ledger, ASKED)


def test_what_is_written_is_no_finer_than_what_was_consented_to(platform):
    for number, granularity in enumerate(("exact", "band", "threshold")):
        platform.grant(number, granularity=granularity)
    frame = platform.features(dict.fromkeys(range(3), CATEGORIES))
    written = score_frame(frame, platform.model, platform.ledger, ASKED).as_permitted()
    assert written["score"].notna().tolist() == [True, False, False]
    assert written["points_social"].notna().tolist() == [True, False, False]
    assert written["band"].notna().tolist() == [True, True, False]


def test_a_result_shows_counts_and_no_member(platform):
    platform.grant(1)
    result = score_frame(platform.features({1: CATEGORIES, 2: CATEGORIES}), platform.model, platform.ledger, ASKED)
    assert repr(result) == "BatchResult(scored=1, refused=1)"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda frame: frame.reset_index(drop=True), "indexed by subject_id and as_of"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "got 1 repeated"),
        (lambda frame: with_moments(frame, lambda moments: [pd.NaT, *moments[1:]]), "got 1 row"),
        (lambda frame: with_moments(frame, lambda moments: moments.tz_localize(None)), "timezone-aware"),
    ],
)
def test_a_frame_whose_rows_cannot_all_be_told_apart_is_refused(platform, change, complaint):
    for number in (1, 2):
        platform.grant(number)
    frame = change(platform.features({1: CATEGORIES, 2: CATEGORIES}))
    with pytest.raises(ObservationError, match=complaint):
        score_frame(frame, platform.model, platform.ledger, ASKED)
    assert platform.rows("decisions") == []


def with_moments(frame: pd.DataFrame, change) -> pd.DataFrame:
    subjects, moments = (frame.index.get_level_values(name) for name in ("subject_id", "as_of"))
    changed = pd.MultiIndex.from_arrays([subjects, pd.DatetimeIndex(change(moments))], names=frame.index.names)
    return frame.set_axis(changed)


def test_consent_given_after_the_moment_of_the_features_is_named_as_such(platform):
    frame = platform.features({1: CATEGORIES})
    platform.clock.turn(pd.Timedelta(days=1).to_pytimedelta())
    platform.grant(1)
    with pytest.raises(ConsentRequired, match="Build features of a later as_of"):
        score_frame(frame, platform.model, platform.ledger, ASKED)
    assert [denial.reason for denial in platform.ledger.denials(platform.member(1))] == ["consent-given-later"]
