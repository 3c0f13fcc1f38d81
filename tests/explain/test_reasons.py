"""Reasons in the order of what neutralising them does, by an oracle that walks the trees itself."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benne.errors import ExplanationError, ParameterError, ReferenceUnknown
from benne.explain.reason_words import effect_in_words, method_in_words, reason_in_words
from benne.explain.reasons import KeyFactor, Method, Reason, Reasons, key_factors_of, reasons_of
from benne.explain.texts import LANGUAGES, texts_of
from benne.features import registry
from benne.models import BoosterOptions, CreditScoreModel, ScoreScale
from tests.models.walked_trees import score_without

COLUMNS = {
    "credit_history": ["on_time_share_90d", "on_time_share_365d", "late_count_30d", "worst_days_past_due_30d"],
    "behaviour": ["utilisation_last", "utilisation_mean_180d", "cash_share_180d", "bill_share_180d"],
    "ability": ["income_months_180d", "income_variation_180d", "savings_buffer_months"],
    "personal_information": ["verified_fields", "verifications_lapsed_730d"],
    "social": ["reciprocity_share", "reports_upheld_365d"],
}
NAMES = [name for group in COLUMNS.values() for name in group]
EVERYBODY, ABOVE = Method("everybody"), Method("just_above", 620.0)


def some_members(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    share = rng.beta(4, 1.5, size=rows)
    X = pd.DataFrame({name: np.round(rng.random(rows), 2) for name in NAMES})
    X["on_time_share_90d"] = np.round(np.clip(share + 0.1 * rng.normal(size=rows), 0, 1), 2)
    X["on_time_share_365d"] = np.round(share, 2)
    X["late_count_30d"] = rng.poisson(1.5 * (1 - share))
    X["worst_days_past_due_30d"] = X["late_count_30d"] * rng.integers(0, 20, size=rows)
    X["utilisation_mean_180d"] = np.round(np.clip(X["utilisation_last"] + 0.1 * rng.normal(size=rows), 0, 1), 2)
    for whole in ("income_months_180d", "verified_fields", "reports_upheld_365d", "verifications_lapsed_730d"):
        X[whole] = rng.integers(0, 5, size=rows)
    log_odds = (
        1.0 - 3.0 * share + 1.5 * X["utilisation_last"] - 0.4 * X["income_months_180d"] + X["income_variation_180d"]
        - 0.3 * X["verified_fields"] + 0.5 * X["reports_upheld_365d"] + X["cash_share_180d"]
    )  # fmt: skip
    X[["income_variation_180d", "cash_share_180d", "on_time_share_90d"]] = X[
        ["income_variation_180d", "cash_share_180d", "on_time_share_90d"]
    ].mask(rng.random((rows, 3)) < 0.15)
    return X.astype(float), (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int)


@pytest.fixture(scope="module")
def model() -> CreditScoreModel:
    quick = BoosterOptions(max_trees=80, learning_rate=0.15, patience=15, folds=3, threads=1)
    return CreditScoreModel(COLUMNS, booster=quick, own_booster_gap=None, unconstrained_price=False).fit(
        *some_members(1500, 0)
    )


MEMBERS = some_members(400, 1)[0]


def groups() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in NAMES:
        found.setdefault(registry[name].reason_group.replace(" ", "-"), []).append(name)
    return found


def effects(model: CreditScoreModel, row: pd.Series, withheld: frozenset[str]) -> dict[str, float]:
    """What neutralising each group does, by the walked trees; the score is theirs too."""
    used = frozenset(COLUMNS) - withheld
    score = score_without(model, row.to_numpy(), (), used)
    return {code: score_without(model, row.to_numpy(), own, used) - score for code, own in groups().items()}


def check(model: CreditScoreModel, row: pd.DataFrame, withheld: frozenset[str], method: Method) -> Reasons:
    (found,) = reasons_of(model, row, withheld, method=method)
    wanted = effects(model, row.iloc[0], withheld)
    points = model.explain(row, withheld).points.iloc[0]
    average = model.reference_.average_points(withheld, method.mark).points
    short = {code: sum(average[name] - points[name] for name in own) for code, own in groups().items()}
    candidates = {code: effect for code, effect in wanted.items() if short[code] > 1e-9 and effect > 0.5}
    for chosen, from_which in ((found.reasons, candidates), (found.key_factors, wanted)):
        best = sorted((effect for effect in from_which.values() if effect > 0.5), reverse=True)[:4]
        assert [one.rank for one in chosen] == list(range(1, len(best) + 1))
        np.testing.assert_allclose([one.effect for one in chosen], best, rtol=0, atol=1e-9)
        np.testing.assert_allclose([from_which[one.code] for one in chosen], best, rtol=0, atol=1e-9)
        assert len({one.code for one in chosen}) == len(chosen) <= 4, "one cause is given once"
        for one in chosen:
            assert one.feature in groups()[one.code]
            assert registry[one.feature].category not in withheld
            assert one.known == (not np.isnan(row.iloc[0][one.feature]))
    for reason in found.reasons:
        assert reason.shortfall == pytest.approx(short[reason.code], abs=1e-9)
        own = groups()[reason.code]
        assert reason.feature == max(own, key=lambda name: average[name] - points[name])
    assert found.reference_hash == model.reference_.hash(withheld)
    assert Reasons.from_dict(found.as_dict()) == found
    return found


PATTERNS = [frozenset(), frozenset({"social"}), frozenset({"behaviour"}), frozenset({"social", "personal_information"})]
MARKS = st.one_of(st.just(EVERYBODY), st.floats(350, 950).map(lambda mark: Method("just_above", mark)))


@given(
    place=st.integers(0, len(MEMBERS) - 1), withheld=st.sampled_from(PATTERNS), method=MARKS,
    changes=st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0.0, 0.5, 1.0]), max_size=5),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_reasons_are_in_the_order_of_what_neutralising_them_does(model, place, withheld, method, changes) -> None:
    row = MEMBERS.iloc[[place]].assign(**changes)
    check(model, row, withheld, method)


def test_the_order_of_shapley_values_would_be_another(model) -> None:
    """Else the test above could not fail."""
    points = model.explain(MEMBERS).points
    average = model.reference_.average_points().points
    different = 0
    for place, found in enumerate(reasons_of(model, MEMBERS, method=EVERYBODY)):
        short = {code: sum(average[n] - points[n].iloc[place] for n in own) for code, own in groups().items()}
        by_shapley = sorted((code for code in short if short[code] > 0), key=lambda code: -short[code])[:4]
        different += by_shapley[: len(found.reasons)] != [reason.code for reason in found.reasons]
    assert different > len(MEMBERS) / 20


def test_rows_together_are_what_each_is_alone(model) -> None:
    some = MEMBERS.head(12)
    withheld = [PATTERNS[k % 4] for k in range(12)]
    together = reasons_of(model, some, withheld, method=ABOVE)
    alone = [reasons_of(model, some.iloc[[k]], withheld[k], method=ABOVE)[0] for k in range(12)]
    assert together == alone
    assert key_factors_of(model, some, withheld) == [one.key_factors for one in together]


def test_columns_that_everybody_withholds_may_be_absent(model) -> None:
    lacking = MEMBERS.head(3).drop(columns=COLUMNS["social"])
    assert reasons_of(model, lacking, {"social"}, method=EVERYBODY) == reasons_of(
        model, MEMBERS.head(3), {"social"}, method=EVERYBODY
    )


def test_who_is_compared_with_decides_about_reasons_and_not_about_key_factors(model) -> None:
    low = reasons_of(model, MEMBERS, method=Method("just_above", 400.0))
    high = reasons_of(model, MEMBERS, method=Method("just_above", 800.0))
    assert [one.key_factors for one in low] == [one.key_factors for one in high]
    assert sum(len(one.reasons) for one in low) < sum(len(one.reasons) for one in high)
    assert {one.reference_members for one in low} == {model.reference_.average_points(mark=400.0).members}, (
        "fifty or more, and said how many"
    )


# ------------------------------------------------------------------ the ends of the scale


def test_at_the_ends_of_the_scale_effects_are_those_before_the_score_is_held_there() -> None:
    X, y = some_members(1200, 2)
    steep = ScoreScale(base_odds=4.0, pdo=400.0)
    quick = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=3, threads=1)
    model = CreditScoreModel(COLUMNS, booster=quick, scale=steep, own_booster_gap=None, unconstrained_price=False).fit(
        X, y
    )
    scores = model.predict_score(MEMBERS)
    lowest, highest = int(np.flatnonzero(scores == 350.0)[0]), int(np.flatnonzero(scores == 950.0)[0])
    for place in (lowest, highest):
        assert check(model, MEMBERS.iloc[[place]], frozenset(), EVERYBODY).held_at_end
    assert any(reason.effect > 5.0 for reason in reasons_of(model, MEMBERS.iloc[[lowest]], method=EVERYBODY)[0].reasons)


# ------------------------------------------------------------------ what is refused


class Dishonest:
    """A model of which one answer is not the model's own."""

    def __init__(self, model: CreditScoreModel, **wrong: Any) -> None:
        self._model, self._wrong = model, wrong

    def __getattr__(self, name: str) -> Any:
        return self._wrong.get(name, getattr(self._model, name))


def test_nothing_is_shown_that_the_score_does_not_bear_out(model) -> None:
    explained, neutral = model.explain(MEMBERS), model.neutralised(MEMBERS, [[n] for n in NAMES] + [NAMES])
    off = dataclasses.replace(explained, points=explained.points + 1e-6)
    with pytest.raises(ExplanationError, match="points that add up to the score"):
        reasons_of(Dishonest(model, explain=lambda X, withheld: off), MEMBERS, method=EVERYBODY)
    with pytest.raises(ExplanationError, match="a score that comes out again"):
        reasons_of(Dishonest(model, predict_score=lambda X, withheld: explained.score + 1e-6), MEMBERS, method=ABOVE)
    other = dataclasses.replace(neutral, unclipped=neutral.unclipped + 1e-6)
    with pytest.raises(ExplanationError, match="a base that remains when nothing is known"):
        key_factors_of(Dishonest(model, neutralised=lambda X, groups, withheld: other), MEMBERS)
    not_a_number = dataclasses.replace(neutral, unclipped=neutral.unclipped * np.nan)
    with pytest.raises(ExplanationError, match="got a gap of nan"):
        key_factors_of(Dishonest(model, neutralised=lambda X, groups, withheld: not_a_number), MEMBERS)
    with pytest.raises(ExplanationError, match="a score that comes out again"):
        reasons_of(model, MEMBERS.head(2), method=EVERYBODY, explanation=model.explain(MEMBERS.tail(2)))


def test_a_model_fitted_on_few_gives_key_factors_and_no_reasons() -> None:
    X, y = some_members(49, 3)
    tiny = BoosterOptions(max_trees=5, learning_rate=0.3, patience=5, folds=2, rows_in_leaf=2, threads=1)
    few = CreditScoreModel("single", tolerance=1.0, booster=tiny, own_booster_gap=None, unconstrained_price=False).fit(
        X, y
    )
    with pytest.raises(ReferenceUnknown, match="over 50 members or more of the reference sample, got 49"):
        reasons_of(few, X, method=EVERYBODY)
    assert len(key_factors_of(few, X)) == 49


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (("somebody",), "must be against everybody or just_above"),
        (("everybody", 650.0), "must have no mark"),
        (("just_above",), "must have one within 350 to 950, got None"),
        (("just_above", 349.9), "within 350 to 950"),
        (("just_above", float("nan")), "within 350 to 950"),
        (("just_above", True), "within 350 to 950"),
        (("just_above", "650"), "within 350 to 950"),
    ],
)
def test_a_method_that_is_none_is_refused(method, message) -> None:
    with pytest.raises(ParameterError, match=message):
        Method(*method)


def test_a_mark_may_be_a_number_of_numpys() -> None:
    for mark in (np.int64(650), np.float32(650), np.float64(650)):
        assert json.loads(json.dumps(Method("just_above", mark).as_dict()))["mark"] == 650


def test_the_name_of_a_method_is_none(model) -> None:
    with pytest.raises(ParameterError, match=r'method must be a Method, got str\. Pass Method\("everybody"\)'):
        reasons_of(model, MEMBERS.head(1), method="everybody")  # type: ignore[arg-type]


def test_an_explanation_of_fewer_rows_is_refused(model) -> None:
    with pytest.raises(ExplanationError, match="got 3 rows and an explanation of 2"):
        key_factors_of(model, MEMBERS.head(3), explanation=model.explain(MEMBERS.head(2)))


def test_no_figure_of_a_member_is_in_a_repr(model) -> None:
    (found,) = reasons_of(model, MEMBERS.head(1), method=EVERYBODY)
    assert "effect" not in repr(found)
    assert found.key_factors[0].as_told().keys() == {"code", "feature", "rank"}


# ------------------------------------------------------------------ words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_without_a_value_claims_none(language) -> None:
    texts = texts_of(language)
    for name in NAMES:
        known = reason_in_words(Reason("x", name, 1, 3.0, 1.0), texts)
        unknown = reason_in_words(KeyFactor("x", name, 1, 3.0, known=False), texts)
        assert known == texts.reason(name, favourable=False)
        assert known not in unknown
        assert texts.null_means(name) in unknown


def test_words_say_with_whom_and_how_much(model) -> None:
    english, chinese = texts_of("en"), texts_of("zh")
    (found,) = reasons_of(model, MEMBERS.head(1), method=EVERYBODY)
    assert method_in_words(found, english) == (
        "Compared with the average of 1,500 members of the reference population."
    )
    (above,) = reasons_of(model, MEMBERS.head(1), method=ABOVE)
    assert f"{above.reference_members} members whose scores are just above the pass mark of 620" in method_in_words(
        above, english
    )
    assert "620" in method_in_words(above, chinese)
    assert effect_in_words(Reason("x", NAMES[0], 1, 1.2, 1.0), english) == (
        "Without this, the score would be about 1 point higher."
    )
    assert "13" in effect_in_words(Reason("x", NAMES[0], 1, 12.7, 1.0), chinese)
