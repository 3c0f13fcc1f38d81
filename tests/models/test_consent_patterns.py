import numpy as np
import pandas as pd
import pytest

from benne.errors import CategoryError, CategoryWithheld, InsufficientEvidence, ParameterError
from benne.models import withheld_of
from benne.models.category_layout import DEFAULT_WEIGHTS, CategoryLayout
from benne.models.consent_patterns import allowed_patterns, consented_by, pattern_codes, refuse_empty, withheld_per_row

FIVE = CategoryLayout(tuple(DEFAULT_WEIGHTS), (0, 1, 2, 3, 4), tuple(DEFAULT_WEIGHTS.values()))


def test_history_and_ability_are_never_withheld_and_half_the_weight_remains() -> None:
    patterns = allowed_patterns(FIVE)
    assert patterns[0] == set(DEFAULT_WEIGHTS)
    assert len(patterns) == 8
    assert all({"credit_history", "ability"} <= pattern for pattern in patterns)


def test_too_little_weight_left_is_no_pattern() -> None:
    layout = CategoryLayout(("ability", "credit_history", "behaviour"), (0, 1, 2), (0.2, 0.2, 0.6))
    assert allowed_patterns(layout) == [frozenset(layout.names)]


def test_weights_are_renormalised_without_social() -> None:
    kept = FIVE.weights_over(frozenset(FIVE.names) - {"social"})
    np.testing.assert_allclose(kept * 100, [36.84, 26.32, 21.05, 15.79, 0.0], atol=0.005)


def test_withheld_is_one_set_for_all_or_one_per_row() -> None:
    social = [False] * 4 + [True]
    np.testing.assert_array_equal(withheld_per_row({"social"}, 2, FIVE), [social, social])
    np.testing.assert_array_equal(withheld_per_row([set(), {"social"}], 2, FIVE), [[False] * 5, social])
    np.testing.assert_array_equal(withheld_per_row((), 1, FIVE), [[False] * 5])


def test_a_category_that_the_model_lacks_may_be_withheld_all_the_same() -> None:
    layout = CategoryLayout(("ability",), (0,), (1.0,))
    np.testing.assert_array_equal(withheld_per_row({"social"}, 1, layout), [[False]])


@pytest.mark.parametrize(
    ("withheld", "error", "message"),
    [
        ("social", ParameterError, "got str. Of a mask"),
        ({"sociol"}, CategoryError, "withheld must name categories among .*, got 1 other name"),
        ([set()], ParameterError, "one for each of the 2 rows, got 1"),
        ([set(), "social"], ParameterError, "one for each of the 2 rows"),
    ],
)
def test_strange_withheld_is_refused(withheld: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        withheld_per_row(withheld, 2, FIVE)


@pytest.mark.parametrize(
    ("withheld", "reason"),
    [
        ({"ability"}, "'ability' is withheld, without which there is no score"),
        ({"credit_history", "social"}, "1 rows have no score: 'credit_history' is withheld"),
    ],
)
def test_too_little_consent_is_no_score_with_the_reason(withheld: set[str], reason: str) -> None:
    used = ~withheld_per_row([set(), withheld], 2, FIVE)
    with pytest.raises(InsufficientEvidence, match=reason):
        pattern_codes(used, allowed_patterns(FIVE), FIVE)


def test_less_than_half_of_the_weight_is_no_score_with_the_reason() -> None:
    layout = CategoryLayout(("paid", "means"), (0, 1), (0.6, 0.4))
    with pytest.raises(InsufficientEvidence, match="carry 40% of the weight, and at least half is needed"):
        pattern_codes(np.array([[False, True]]), allowed_patterns(layout), layout)


def test_a_file_with_one_filled_category_is_too_thin() -> None:
    refuse_empty(np.array([[True, True, False]]), np.array([[True, True, True]]))
    with pytest.raises(InsufficientEvidence, match="1 rows have no score: fewer than 2 of their consented"):
        refuse_empty(np.array([[True, False, True]]), np.array([[True, True, False]]))


def test_a_mask_becomes_one_set_per_row() -> None:
    columns = {f"consented_{name}": [True, name != "social"] for name in DEFAULT_WEIGHTS}
    assert withheld_of(pd.DataFrame({"income": [1.0, 2.0], **columns})) == [frozenset(), frozenset({"social"})]


OWN = CategoryLayout(("history", "dealings"), (0, 1), (0.6, 0.4))


def test_a_mask_that_withholds_is_refused_where_the_categories_are_not_the_five() -> None:
    mask = pd.DataFrame({name: [True, True] for name in DEFAULT_WEIGHTS})
    assert consented_by(mask, 2, OWN).all()
    mask.loc[1, "social"] = False
    for own in (OWN, CategoryLayout(("single",), (0,), (1.0,)), CategoryLayout(("ability", "x"), (0, 1), (0.5, 0.5))):
        with pytest.raises(CategoryWithheld, match="must be the five ids where members withhold some"):
            consented_by(mask, 2, own)
    subset = CategoryLayout(("ability",), (0,), (1.0,))
    assert consented_by(mask, 2, subset).all()


def test_one_of_the_five_cannot_be_withheld_from_categories_of_ones_own() -> None:
    np.testing.assert_array_equal(withheld_per_row({"dealings"}, 1, OWN), [[False, True]])
    with pytest.raises(CategoryWithheld, match="cannot be kept out of this model"):
        withheld_per_row({"social"}, 1, OWN)
