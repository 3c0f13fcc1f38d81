"""What a model keeps of the looks of its training data: counts of ten or more that can be checked by hand."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from benne.errors import ModelDirectoryError, ReferenceMismatch, ReferenceUnknown
from benne.features.quality.drift import count_into
from benne.models import CreditScoreModel, withheld_of
from benne.models.category_layout import CategoryLayout
from benne.models.reference_histograms import SMALLEST_BIN, ReferenceRows, counted_histograms

LAYOUT = CategoryLayout(("history", "social"), (0, 0, 1), (0.9, 0.1))
BOTH, ALONE = frozenset({"history", "social"}), frozenset({"history"})
BANDS = ("low", "high")


def kept(rows: int = 100, **changes):
    """Row k has k, k modulo 2 and, where it consents to social (k < 60), k again, but for the first 12."""
    k = np.arange(rows, dtype=float)
    social = np.where(k < 12, np.nan, k)
    consented = np.column_stack([np.ones(rows, dtype=bool), k < 60])
    given = ReferenceRows(
        X=np.column_stack([k, k % 2, np.where(k < 60, social, np.nan)]), consented=consented,
        codes=np.where(k < 60, 0, 1), score=400.0 + k, pd=np.full(rows, 0.2), thin=k < 30, members=rows // 2,
    )  # fmt: skip
    given = dataclasses.replace(given, **changes)
    return counted_histograms(given, "abc", LAYOUT, [BOTH, ALONE], (BANDS, np.where(given.score < 450, *BANDS)))


def test_each_feature_is_counted_over_the_rows_that_consent_to_its_category():
    found = kept()
    assert (found.features["a"].total, found.features["b"].counts) == (100, (0, 50, 50, 0))
    assert (found.features["c"].total, found.features["c"].nulls, sum(found.features["c"].counts)) == (60, 12, 48)
    assert (found.rows, found.members, found.rows_per_member, found.mean_pd, found.thin) == (100, 50, 2.0, 0.2, 30)
    assert (found.bands, found.patterns) == ({"low": 50, "high": 50}, {BOTH: 60, ALONE: 40})
    assert sum(found.score.counts) == 100


def test_ranges_leave_nine_values_on_each_side_unless_ten_share_the_end():
    assert kept().ranges["a"] == (8.991, 90.09), "the tenth from each end, 9 and 90, outward by a thousandth"
    assert kept().ranges["b"] == (0.0, 1.0)


def test_no_count_is_of_fewer_than_ten():
    k = np.arange(100)
    found = kept(codes=np.where(k < 95, 0, 1), score=np.where(k < 4, 460.0, 400.0), thin=k < 3)
    assert found.patterns == {BOTH: None, ALONE: None}
    assert (found.bands, found.thin) == ({"low": None, "high": None}, None)
    cells = [cell for bins in (*found.features.values(), found.score) for cell in (*bins.counts, bins.nulls)]
    assert min(cell for cell in cells if cell) >= SMALLEST_BIN


def test_of_fewer_than_fifty_rows_nothing_is_kept(members, categories, quick):
    assert kept(rows=49) is None
    few = CreditScoreModel(categories, booster=quick).fit(members.X[:45], members.y[:45])
    with pytest.raises(ReferenceUnknown, match=r"saved by an older Benne or has fewer than 50 rows\. Fit it anew"):
        _ = few.histograms_


@pytest.mark.parametrize(
    ("columns", "got"),
    [("abd", "'c' missing"), ("abcd", "'d' besides"), ("bac", "another order"), ("ab", "'c' missing")],
)
def test_other_features_are_refused(columns, got):
    kept().check_columns("abc")
    with pytest.raises(ReferenceMismatch, match=f"must be the model's 3 in its order, got {len(columns)} with {got}"):
        kept().check_columns(columns)


# ------------------------------------------------------------------ a model


def test_a_fit_counts_its_own_rows(model, members):
    found = model.histograms_
    assert (found.rows, found.members, list(found.features)) == (1500, 1500, list(members.X))
    income = np.sort(members.X["income"])
    assert found.features["income"] == count_into(found.features["income"].edges, income, 0)
    assert found.features["savings"].nulls == members.X["savings"].isna().sum()
    told = model.explain(members.X)
    assert found.score == count_into(found.score.edges, np.sort(told.score), 0)
    assert found.mean_pd == pytest.approx(told.pd.mean(), abs=1e-6)
    assert {name: count for name, count in found.bands.items() if count} == {
        str(name): int((told.band == name).sum()) for name in np.unique(told.band) if (told.band == name).sum() >= 10
    }


def test_rows_that_withhold_a_category_are_scored_by_what_they_consent_to(members, categories, quick, masked_frame):
    refuses = np.arange(1500) % 3 == 0
    X = masked_frame(members.X, {"social": refuses})
    model = CreditScoreModel(categories, booster=quick).fit(X, members.y)
    found = model.histograms_
    assert found.features["friends"].total == 1000
    assert {used: n for used, n in found.patterns.items() if n} == {
        model.patterns[0]: 1000, model.patterns[0] - {"social"}: 500
    }  # fmt: skip
    scores = model.predict_score(X, withheld_of(X))
    assert found.score == count_into(found.score.edges, np.sort(scores), 0)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_histograms_survive_being_saved(model, saved):
    assert CreditScoreModel.load(saved).histograms_ == model.histograms_


def test_a_model_of_format_4_still_scores_and_has_none(model, saved, newcomers, tmp_path):
    (saved / "histograms.json").unlink()
    manifest = json.loads((saved / "manifest.json").read_text())
    del manifest["files"]["histograms.json"]
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format_version": 4}))
    loaded = CreditScoreModel.load(saved)
    np.testing.assert_array_equal(loaded.predict_score(newcomers.X), model.predict_score(newcomers.X))
    with pytest.raises(ReferenceUnknown, match="saved by an older Benne"):
        _ = loaded.histograms_
    loaded.save(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["format_version"] == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["features"].reverse(), "a histogram of every feature, in the model's order"),
        (lambda d: d["score"]["counts"].__setitem__(0, 3), "bins in order, of 10 rows or more each"),
        (lambda d: d["score"]["edges"].reverse(), "bins in order, of 10 rows or more each"),
        (lambda d: d["features"][0].update(nulls=1), "bins in order, of 10 rows or more each"),
        (lambda d: d["features"][0]["range"].reverse(), "ranges from low to high"),
        (lambda d: d["score"]["counts"].__setitem__(0, 100), "a score for every row"),
        (lambda d: d.update(rows=12), "50 rows"),
        (lambda d: d.update(members=2000), "no more members than rows"),
        (lambda d: d["bands"].pop(), "the bands of the scale"),
        (lambda d: d["patterns"].pop(), "every allowed pattern of consent"),
        (lambda d: d.update(thin=4), "counts of 10 rows or more"),
        (lambda d: d.update(rare_from=0), "a number of values from which a row is rare"),
        (lambda d: d.update(mean_pd=1.5), r"a mean PD within \[0, 1\]"),
        (lambda d: d.pop("thin"), "complete and well formed, got KeyError"),
    ],
)
def test_histograms_that_no_fit_leaves_behind_are_found_out(saved, change, message):
    path = saved / "histograms.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (saved / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelDirectoryError, match=message):
        CreditScoreModel.load(saved)
