from __future__ import annotations

import numpy as np
import pandas as pd

from benne.experiments.adverse_reasons import adverse_reasons
from benne.features import registry
from benne.models import Explanation

# Of one reason group: paying on time.
SHORT, YEAR, LATE = "on_time_share_90d", "on_time_share_365d", "late_count_30d"


def explanation_of(points: pd.DataFrame, withheld: set[str] = frozenset()) -> Explanation:
    """Of one row; reasons look at its points alone."""
    nothing = np.zeros(1)
    rest = dict.fromkeys(("base", "clipped", "pd", "pd_low", "pd_high", "percentile"), nothing)
    return Explanation(
        points=points, category_points=points, score=points.sum(axis=1).to_numpy(), band=np.array(["fair"]),
        thin=np.array([False]), withheld=(frozenset(withheld),), **rest,
    )  # fmt: skip


def told(points: dict[str, float], values: dict[str, float] | None = None, most: int = 4) -> list[dict]:
    """Reasons of one made-up row."""
    frame = pd.DataFrame([points])
    explanation = explanation_of(frame)
    features = pd.DataFrame([dict.fromkeys(points, 0.0) | (values or {})])
    return adverse_reasons(explanation, features, registry, most)[0]


def test_the_test_knows_which_features_share_a_cause():
    assert registry[SHORT].reason_group == registry[YEAR].reason_group == registry[LATE].reason_group


def test_causes_come_with_the_worst_first_in_the_words_of_the_registry():
    reasons = told({"utilisation_trend_180d": -3.0, LATE: -20.0})
    assert reasons == [
        {"feature": LATE, "category": "credit_history", "points": -20.0, "reason": registry[LATE].adverse_reason},
        {
            "feature": "utilisation_trend_180d",
            "category": registry["utilisation_trend_180d"].category,
            "points": -3.0,
            "reason": registry["utilisation_trend_180d"].adverse_reason,
        },
    ]


def test_one_cause_is_told_once_by_the_feature_that_took_most():
    (reason,) = told({SHORT: -5.0, YEAR: -7.0, LATE: 2.0})
    assert (reason["feature"], reason["points"]) == (YEAR, -10.0)


def test_what_a_sibling_gives_back_is_no_reason():
    assert told({SHORT: -5.0, YEAR: 6.0}) == []


def test_what_rounds_to_nothing_is_no_reason():
    assert told({LATE: -0.4}) == []
    assert len(told({LATE: -0.5})) == 1


def test_at_most_so_many_are_told():
    points = {f"column_{k}": -1.0 - k for k in range(6)}
    assert [reason["feature"] for reason in told(points)] == ["column_5", "column_4", "column_3", "column_2"]
    assert len(told(points, most=1)) == 1


def test_a_null_says_what_it_means():
    (reason,) = told({YEAR: -7.0}, {YEAR: np.nan})
    assert reason["reason"] == f"{registry[YEAR].label}: {registry[YEAR].null_means}"


def test_a_feature_that_is_not_registered_is_told_by_its_name_and_the_models_category():
    line = {"feature": "shoe_size", "category": "", "points": -7.0, "reason": "shoe_size"}
    assert told({"shoe_size": -7.0}) == [line]
    points = pd.DataFrame({"shoe_size": [-7.0]})
    (own,) = adverse_reasons(explanation_of(points), points, registry, categories={"shoe_size": "outfit"})
    assert own == [line | {"category": "outfit"}]


def test_withheld_columns_may_be_absent():
    points = pd.DataFrame({LATE: [-9.0], "utilisation_trend_180d": [0.0]})
    explanation = explanation_of(points, {"ability"})
    (reasons,) = adverse_reasons(explanation, pd.DataFrame({LATE: [3.0]}), registry)
    assert [reason["feature"] for reason in reasons] == [LATE]
