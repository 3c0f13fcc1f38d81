"""No decision, no score; and no score that does not add up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from benne.errors import CategoryWithheld, ConsentRequired, ExplanationError, ObservationError
from benne.features.categories import CATEGORIES
from benne.scoring import Scorer

TWO = ("credit_history", "ability")


def test_a_permitted_member_is_scored_with_what_they_share(platform):
    platform.grant(1)
    platform.grant(2, TWO, granularity="exact")
    decision = platform.decide(1, 2)
    result = platform.scorer.score(platform.features({1: CATEGORIES, 2: TWO}), decision)
    assert result.decision_id == decision.decision_id
    assert result.scores["score"].tolist() == [650.0, 620.0]
    assert result.scores["withheld"].tolist() == ["", "behaviour,personal_information,social"]
    assert result.scores["granularity"].tolist() == ["band", "exact"]
    assert result.scores["points_social"].tolist() == [10.0, 0.0]
    assert result.scores["pd"].tolist() == [0.05, 0.05]
    assert list(result.scores.index.names) == ["subject_id", "as_of"]
    assert list(result.points.index) == list(result.scores.index)
    assert result.refused.empty


def test_a_denied_member_of_the_frame_is_refused_and_not_computed(platform):
    platform.grant(1)
    decision = platform.decide(1, 2)
    result = platform.scorer.score(platform.features({1: CATEGORIES, 2: ()}), decision)
    assert len(result.scores) == platform.model.rows_seen == 1
    assert result.refused.to_dict("records") == [{"subject_id": platform.member(2), "reason": "consent-required"}]
    assert len(platform.ledger.denials(platform.member(2))) == 1


def test_a_member_nobody_decided_about_is_not_scored(platform):
    platform.grant(1)
    platform.grant(2)
    result = platform.scorer.score(platform.features({1: CATEGORIES, 2: CATEGORIES}), platform.decide(1))
    assert result.refused["reason"].tolist() == ["decision-unknown"]
    assert len(result.scores) == 1
    assert len(platform.ledger.denials(platform.member(2))) == 1


@pytest.mark.parametrize("decision", [None, True, "granted", object()])
def test_without_a_decision_there_is_no_score(platform, decision):
    platform.grant(1)
    with pytest.raises(ConsentRequired, match="must come from this ledger"):
        platform.scorer.score(platform.features({1: CATEGORIES}), decision)
    assert platform.model.rows_seen == 0


def test_another_ledgers_decision_is_none(platform, open_a_platform):
    other = open_a_platform()
    platform.grant(1)
    other.grant(1)
    with pytest.raises(ConsentRequired, match="must come from this ledger"):
        Scorer(platform.model, other.ledger).score(platform.features({1: CATEGORIES}), platform.decide(1))
    other.store.close()


def test_consent_to_training_scores_nobody(platform):
    platform.grant(1, purpose="model_training")
    decision = platform.decide(1, purpose="model_training")
    with pytest.raises(ConsentRequired, match="got purpose-not-allowed"):
        platform.scorer.score(platform.features({1: CATEGORIES}), decision)
    assert [d.reason for d in platform.ledger.denials(platform.member(1))] == ["purpose-not-allowed"]


def test_a_withdrawal_after_the_decision_stops_the_score(platform):
    platform.grant(1)
    decision = platform.decide(1)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    with pytest.raises(ConsentRequired, match="got consent-withdrawn"):
        platform.scorer.score(platform.features({1: CATEGORIES}), decision)
    assert platform.model.rows_seen == 0
    assert [d.reason for d in platform.ledger.denials(platform.member(1))] == ["consent-withdrawn"]


def test_a_withdrawal_during_the_computation_stops_the_score(platform):
    platform.grant(1)
    platform.grant(2)
    decision = platform.decide(1, 2)
    platform.model.before_answering = lambda: platform.ledger.withdraw(
        platform.member(1), "lending", "shop", ["social"]
    )
    result = platform.scorer.score(platform.features({1: CATEGORIES, 2: CATEGORIES}), decision)
    assert result.scores.index.get_level_values("subject_id").tolist() == [platform.member(2)]
    assert result.refused["reason"].tolist() == ["consent-changed"]


def test_a_decision_that_has_grown_old_scores_nobody(platform):
    platform.grant(1)
    decision = platform.decide(1)
    platform.clock.turn(timedelta(minutes=6))
    with pytest.raises(ConsentRequired, match="got decision-expired"):
        platform.scorer.score(platform.features({1: CATEGORIES}), decision)


def test_a_withheld_category_may_not_be_in_the_frame(platform):
    platform.grant(1, TWO)
    with pytest.raises(CategoryWithheld, match="and behaviour, social breaks this in 1 rows"):
        platform.scorer.score(platform.features({1: (*TWO, "behaviour", "social")}), platform.decide(1))
    assert platform.model.rows_seen == 0


def test_a_required_category_must_be_in_the_frame(platform):
    platform.grant(1)
    with pytest.raises(CategoryWithheld, match="every category the decision requires, and ability breaks"):
        platform.scorer.score(platform.features({1: ("credit_history", "social")}), platform.decide(1))


def test_what_was_not_computed_is_withheld_although_consented_to(platform):
    platform.grant(1)
    result = platform.scorer.score(platform.features({1: TWO}), platform.decide(1))
    assert result.scores["score"].tolist() == [620.0]
    assert result.scores["withheld"].tolist() == ["behaviour,personal_information,social"]


def test_a_frame_without_its_consent_columns_is_refused(platform):
    platform.grant(1)
    features = platform.features({1: CATEGORIES})
    bare = features[[c for c in features if c.startswith("x_")]]
    with pytest.raises(CategoryWithheld, match="must carry its five consent columns"):
        platform.scorer.score(bare, platform.decide(1))
    with pytest.raises(ObservationError, match="indexed by"):
        platform.scorer.score(features.reset_index(drop=True), platform.decide(1))
    with pytest.raises(ConsentRequired, match="an empty frame"):
        platform.scorer.score(features.iloc[:0], platform.decide(1))


@pytest.mark.parametrize("error", [2e-9, -1.0, np.nan, np.inf])
def test_a_score_that_does_not_add_up_is_not_given(platform, error):
    platform.grant(1)
    platform.model.error = error
    with pytest.raises(ExplanationError, match="must add up"):
        platform.scorer.score(platform.features({1: CATEGORIES}), platform.decide(1))


def test_clipping_is_part_of_the_sum(platform):
    platform.grant(1)
    result = platform.scorer.score(platform.features({1: CATEGORIES}, value=50.0), platform.decide(1))
    assert result.scores[["score", "clipped"]].to_numpy().tolist() == [[950.0, -2150.0]]


def test_results_say_no_ids_or_scores_in_their_repr(platform):
    platform.grant(1)
    result = platform.scorer.score(platform.features({1: CATEGORIES}), platform.decide(1))
    assert repr(result) == f"ScoreResult(decision_id={result.decision_id!r}, scored=1, refused=0)"


def test_threads_that_score_never_see_past_a_withdrawal(platform):
    """Two threads score while a third withdraws: no call begun after its answer gives a score."""
    for number in range(10):
        platform.grant(number)
    acknowledged = [threading.Event() for _ in range(10)]
    under_way = threading.Event()
    wrong, scored = [], []

    def score() -> None:
        for number in [*range(10)] * 3:
            too_late = acknowledged[number].is_set()
            try:
                decision = platform.decide(number)
                platform.scorer.score(platform.features({number: CATEGORIES}), decision)
            except ConsentRequired:
                continue
            scored.append(number)
            under_way.set()
            if too_late:
                wrong.append(number)

    def withdraw() -> None:
        under_way.wait(60)
        for number in reversed(range(10)):
            platform.ledger.withdraw(platform.member(number), "lending", "shop")
            acknowledged[number].set()

    threads = [threading.Thread(target=work) for work in (score, score, withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert all(event.is_set() for event in acknowledged)
    assert scored
    assert platform.ledger.verify_chain().intact


def test_two_threads_that_grant_keep_one_chain(platform):
    def grant(start: int) -> None:
        for number in range(start, start + 15):
            platform.ledger.grant(replace(platform.request(number)))

    threads = [threading.Thread(target=grant, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    report = platform.ledger.verify_chain()
    assert (report.records, report.events, report.broken_at) == (30, 150, None)
