"""The credit firewall: under eu, social data are never read for credit (CCD 2023/2225, Art. 18(3))."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benne.errors import CategoryError, ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring import Notice, Scorer
from benne.scoring.consent.deciding import question_of
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsFile

FOUR = tuple(category for category in CATEGORIES if category != "social")
TWO = ("credit_history", "ability")


def behind_the_firewall(platform, number=1):
    """Consent to everything under eu, put into the database past the ledger, as an older Benne would have kept it."""
    platform.grant(number)
    platform.tamper(f"UPDATE consent_records SET jurisdiction = 'eu' WHERE subject_id = '{platform.member(number)}'")


def permission(platform, number=1, **changes):
    return platform.decide(number, **changes).permissions[platform.member(number)]


def masked(platform, number=1, at=None, **options):
    mask = platform.ledger.mask(purpose="lending", recipient="shop", **options)
    subject = np.array([platform.member(number)], dtype=object)
    moment = np.array([pd.Timestamp(at or platform.clock()).value // 1000])
    return {category for category in CATEGORIES if mask.granted(subject, moment, category)[0]}


def test_a_consent_to_it_is_refused_and_says_why(platform):
    with pytest.raises(ConsentRecordError, match="credit purposes must leave out social in this jurisdiction"):
        platform.grant(1, jurisdiction="eu")
    assert platform.rows("consent_records") == []
    platform.grant(1, FOUR, jurisdiction="eu")
    assert permission(platform).categories == set(FOUR)


@pytest.mark.parametrize("purpose", ["deposit_waiver", "own_report"])
def test_other_purposes_may_read_it(platform, purpose):
    platform.grant(1, jurisdiction="eu", purpose=purpose)
    assert permission(platform, purpose=purpose).categories == set(CATEGORIES)


@pytest.mark.parametrize("purpose", ["lending", "checkout_credit", "rental"])
def test_all_purposes_of_credit_are_behind_it(platform, purpose):
    with pytest.raises(ConsentRecordError, match="must leave out social"):
        platform.grant(1, jurisdiction="eu", purpose=purpose)


def test_no_permission_contains_it_whatever_was_consented_to(platform):
    behind_the_firewall(platform)
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(CATEGORIES)
    assert permission(platform).categories == set(FOUR)
    assert [d.reason for d in platform.decide(1, required=("social",)).denials] == ["insufficient-categories"]
    (row,) = [row for row in platform.rows("decisions") if row["decision"] == "granted"]
    assert "social" not in row["categories"]


def test_who_consented_to_nothing_else_is_refused(platform):
    platform.grant(1, ("social",))
    platform.tamper("UPDATE consent_records SET jurisdiction = 'eu'")
    assert [d.reason for d in platform.decide(1, required=()).denials] == ["insufficient-categories"]


def test_it_is_not_even_computed(platform):
    behind_the_firewall(platform)
    assert masked(platform) == set(FOUR)
    assert masked(platform, include_ended=False) == set(FOUR)


def test_not_for_the_time_when_it_was_consented_to_either(platform):
    """Features of an older moment are built from the consent that stood then."""
    behind_the_firewall(platform)
    given = platform.clock()
    platform.clock.turn(timedelta(days=1))
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    assert masked(platform, at=given) == set(FOUR)


def test_the_strictest_of_a_members_jurisdictions_decides(platform):
    platform.grant(1, ("social",))
    platform.grant(1, TWO, jurisdiction="eu")
    assert permission(platform).categories == set(TWO)
    assert masked(platform) == set(TWO)
    platform.ledger.withdraw(platform.member(1), "lending", "shop", TWO)
    assert permission(platform, required=()).categories == {"social"}


def test_a_deployment_can_only_add_to_what_the_records_bar(platform, reopened):
    platform.grant(1)
    behind_the_firewall(platform, 2)
    reopened(platform, jurisdiction="eu")
    assert permission(platform).categories == set(FOUR)
    assert masked(platform) == set(FOUR)
    reopened(platform, jurisdiction="us")
    assert permission(platform).categories == set(CATEGORIES)
    assert permission(platform, 2).categories == set(FOUR)
    assert masked(platform, 2) == set(FOUR)


def test_a_deployment_refuses_what_its_own_jurisdiction_bars(platform, reopened):
    reopened(platform, jurisdiction="eu")
    with pytest.raises(ConsentRecordError, match="must leave out social"):
        platform.grant(1, jurisdiction="us")
    with pytest.raises(CategoryError, match="must leave out social, which this purpose may not read"):
        platform.decide(1, required=("social",))
    with pytest.raises(CategoryError, match="must leave out social"):
        question_of("rental", "shop", "till", ("social",), None, "advisory", None, "eu")
    assert question_of("fast_lane", "shop", "till", ("social",), None, "advisory", None, "eu").required == {"social"}


def test_a_decision_stands_or_falls_with_the_deployments_jurisdiction(platform, reopened):
    platform.grant(1)
    reopened(platform, jurisdiction="eu")
    decision = platform.decide(1)
    result = platform.scorer.score(platform.features({1: FOUR}), decision)
    assert result.scores["score"].tolist() == [640.0]
    assert result.scores["withheld"].tolist() == ["social"]


def test_a_withdrawal_ends_what_the_firewall_hides(platform):
    behind_the_firewall(platform)
    assert set(platform.ledger.withdraw(platform.member(1), "lending", "shop")) == set(CATEGORIES)


def test_a_refusal_is_kept_even_where_nobody_should_have_asked(platform):
    behind_the_firewall(platform)
    platform.ledger.refuse(platform.request(1, jurisdiction="eu"))
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()


def test_no_history_brings_it_in(platform):
    rows = pd.DataFrame(
        {
            "subject_id": platform.member(1),
            "purpose": "lending",
            "recipient": "shop",
            "category": ["ability", "social"],
            "event": "given",
            "time": pd.Timestamp("2026-02-01", tz="UTC"),
        }
    )
    terms = replace(platform.terms, jurisdiction="eu")
    notice = Notice(
        notice_id="score", version="1", language="en", text=platform.ledger.notice_text(platform.terms.notice)
    )
    with pytest.raises(ConsentRecordError, match="must leave out social"):
        import_history(platform.ledger, rows, [TermsFile(notice, terms)], platform.capture)
    assert platform.rows("consent_records") == []


@pytest.fixture(scope="module")
def model() -> CreditScoreModel:
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(800, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    log_odds = X.to_numpy() @ np.array([0.9, 0.7, 0.6, 0.5, 1.4]) - 1.0
    y = (rng.random(800) < 1.0 / (1.0 + np.exp(-log_odds))).astype(np.int64)
    quick = BoosterOptions(max_trees=30, learning_rate=0.3, patience=10, folds=2, threads=1)
    return CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y)


def test_members_differing_only_in_it_score_the_same(platform, model):
    """With the real model, which does read it where it may."""
    numbers = (1, 2, 3)
    for number in numbers:
        behind_the_firewall(platform, number)
    frame = platform.features(dict.fromkeys(numbers, FOUR))
    for column, values in {c: [-0.5, -0.5, -0.5] for c in FOUR}.items():
        frame[f"x_{column}"] = values
    differing = frame.assign(x_social=[-3.0, 0.0, 3.0])
    free = model.predict_score(differing.filter(like="x_"))
    assert len(set(free)) == 3
    scores = Scorer(model, platform.ledger).score(frame, platform.decide(*numbers)).scores
    assert len(set(scores["score"])) == 1
    assert scores["points_social"].tolist() == [0.0, 0.0, 0.0]


def test_a_frame_that_holds_it_is_refused_before_the_model_sees_it(platform):
    from benne.errors import CategoryWithheld

    behind_the_firewall(platform)
    with pytest.raises(CategoryWithheld, match="and social breaks this"):
        platform.scorer.score(platform.features({1: CATEGORIES}), platform.decide(1))
    assert platform.model.rows_seen == 0
