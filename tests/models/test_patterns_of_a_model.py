"""What a model says of patterns of consent: boosters of their own, what each is worth, and what never counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from benne.models import BoosterOptions, CreditScoreModel, parameters
from benne.models.pattern_report import BEST

COLUMNS = {"credit_history": ["late"], "ability": ["income"], "behaviour": ["swing", "cash"]}
FIVE = ("credit_history", "ability", "behaviour", "personal_information", "social")
OPTIONS = BoosterOptions(max_trees=80, learning_rate=0.2, patience=10, folds=4, threads=1)


def _crossed(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Behaviour is a noisy copy of income but for its sign: without it income must count for more."""
    rng = np.random.default_rng(seed)
    income, late = rng.normal(size=rows), rng.normal(size=rows)
    X = pd.DataFrame({"late": late, "income": income, "swing": income + 0.3 * rng.normal(size=rows),
                      "cash": rng.normal(size=rows)})  # fmt: skip
    log_odds = -1.0 + 0.6 * late + 1.2 * np.abs(income) - 0.8 * X["swing"]
    return X, (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int)


@pytest.fixture(scope="module")
def crossed() -> tuple[pd.DataFrame, np.ndarray]:
    return _crossed(3000, 0)


@pytest.fixture(scope="module")
def own(crossed: tuple[pd.DataFrame, np.ndarray]) -> CreditScoreModel:
    return CreditScoreModel(COLUMNS, booster=OPTIONS, own_booster_gap=0.0).fit(*crossed)


def test_a_pattern_that_loses_by_sharing_gets_a_booster_of_its_own(own, crossed) -> None:
    table = own.patterns_
    assert list(table.index) == ["credit_history + behaviour + ability", "credit_history + ability", BEST]
    alone = table.loc["credit_history + ability"]
    assert alone["booster"] == "own"
    assert alone["auc_own"] > alone["auc"]
    shared = CreditScoreModel(COLUMNS, booster=OPTIONS, own_booster_gap=0.5).fit(*crossed)
    assert shared.patterns_.loc["credit_history + ability", "booster"] == "shared"
    assert shared.patterns_.loc["credit_history + ability", "auc_own"] == alone["auc_own"]
    none = CreditScoreModel(COLUMNS, booster=OPTIONS, own_booster_gap=None).fit(*crossed)
    assert np.isnan(none.patterns_["auc_own"]).all()
    whole = crossed[0]
    assert own.predict_score(whole).tobytes() == none.predict_score(whole).tobytes(), "the full pattern stays as it is"


def test_scores_on_an_own_booster_add_up_and_hold_the_weights(own, crossed, tmp_path) -> None:
    X = crossed[0].head(300)
    withheld = [frozenset({"behaviour"}) if k % 3 else frozenset() for k in range(len(X))]
    told = own.explain(X, withheld=withheld)
    assert told.largest_gap < 1e-9
    assert (told.points[["swing", "cash"]].to_numpy()[[k for k in range(300) if k % 3]] == 0).all()
    alone = np.concatenate([own.predict_score(X.iloc[[k]], withheld=[withheld[k]]) for k in range(40)])
    assert alone.tobytes() == told.score[:40].tobytes()
    shares = own.category_shares(crossed[0], withheld={"behaviour"})
    assert shares["share"].to_numpy() == pytest.approx([0.35 / 0.55, 0.0, 0.2 / 0.55], abs=0.01)
    own.save(tmp_path / "it")
    again = CreditScoreModel.load(tmp_path / "it")
    assert again.predict_score(X, withheld=withheld).tobytes() == told.score.tobytes()
    pd.testing.assert_frame_equal(again.patterns_, own.patterns_)
    assert (
        again.predict_interval(X, withheld=withheld).tobytes() == own.predict_interval(X, withheld=withheld).tobytes()
    )


def test_a_pattern_is_not_told_whether_anything_was_on_record_in_what_it_withholds(crossed, monkeypatch) -> None:
    monkeypatch.setattr(parameters, "_check_gap", lambda gap: None)
    always_own = CreditScoreModel(COLUMNS, booster=OPTIONS, own_booster_gap=-1.0)
    X, y = crossed
    empty = np.random.default_rng(2).random(len(X)) < 0.3
    emptied = X.assign(**{name: X[name].mask(empty) for name in COLUMNS["behaviour"]})
    learned = [clone(always_own).fit(frame, y)._state.learned for frame in (X, emptied)]
    assert [one.patterns[1].booster for one in learned] == [1, 1]
    assert learned[0].uncertainty[1] == learned[1].uncertainty[1]


def test_a_score_depends_on_what_is_withheld_only_by_what_enters(own, crossed) -> None:
    X = crossed[0].head(200)
    score = own.predict_score(X, withheld={"behaviour"})
    rng = np.random.default_rng(1)
    for other in (X.assign(swing=rng.normal(size=200), cash=1e9), X.drop(columns=["swing", "cash"]),
                  X.assign(**{f"consented_{c}": c != "behaviour" for c in FIVE})):  # fmt: skip
        assert own.predict_score(other, withheld={"behaviour"}).tobytes() == score.tobytes()


def test_masking_at_random_keeps_calibration_and_choosing_for_oneself_does_not(own) -> None:
    table = own.patterns_
    assert table["actual_to_predicted"].iloc[:-1].between(0.97, 1.03).all()
    best = table.loc[BEST]
    assert best["chosen_actual_to_predicted"] > 1.05
    assert best["points"] > 0
    assert 0.2 < best["gaining"] < 0.8
    assert table.loc["credit_history + behaviour + ability", "points"] == 0


def test_rows_that_withhold_train_their_pattern_and_are_reported(crossed) -> None:
    X, y = crossed
    masked = X.copy()
    for category in FIVE:
        masked[f"consented_{category}"] = True
    refusing = np.arange(len(X)) % 4 == 0
    masked.loc[refusing, ["swing", "cash"]] = np.nan
    masked.loc[refusing, "consented_behaviour"] = False
    model = CreditScoreModel(COLUMNS, booster=OPTIONS).fit(masked, y)
    table = model.patterns_
    assert table["rows"].tolist() == [2250, 3000, 2250]
    assert table["chosen_rows"].tolist() == [2250, 750, 2250]
    assert table.loc["credit_history + ability", "chosen_actual_to_predicted"] == pytest.approx(1.0, abs=0.15)


def test_own_categories_are_never_tried_alone(crossed) -> None:
    X, y = crossed
    model = CreditScoreModel({"a": ["late"], "b": ["income", "swing", "cash"]}, {"a": 0.5, "b": 0.5}, booster=OPTIONS)
    assert np.isnan(model.fit(X, y).patterns_["auc_own"]).all()
