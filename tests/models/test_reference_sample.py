"""What a model knows of those it compares with: averages that can be worked out by hand, and nobody's own."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from benne.errors import CategoryError, ModelDirectoryError, ParameterError, ReferenceUnknown
from benne.models import CreditScoreModel
from benne.models.category_layout import CategoryLayout
from benne.models.reference_sample import JUST_ABOVE, ReferenceSample, summarised

LAYOUT = CategoryLayout(("history", "social"), (0, 0, 1), (0.9, 0.1))
USED = frozenset({"history", "social"})


def sample(points, scores) -> ReferenceSample:
    return ReferenceSample("abc", LAYOUT, {USED: summarised(np.array(points), np.array(scores), LAYOUT, "f" * 64)})


def steps(members: int) -> ReferenceSample:
    """Member k scores 400 + k, has k points of a, 1 of b, and minus k of c."""
    k = np.arange(members, dtype=float)
    return sample(np.column_stack([k, np.ones(members), -k]), 400.0 + k)


def test_averages_of_everybody_are_plain_means() -> None:
    average = steps(200).average_points()
    assert average.points == {"a": 99.5, "b": 1.0, "c": -99.5}
    assert (average.members, average.score, steps(200).average_score()) == (200, 499.5, 499.5)


def test_the_ends_of_a_category_are_means_of_fifty() -> None:
    ranges = steps(200).category_range()
    history, social = ranges["history"], ranges["social"]
    assert (history.least, history.average, history.most) == (25.5, 100.5, 175.5)
    assert (social.least, social.average, social.most) == (-174.5, -99.5, -24.5)
    assert list(steps(200).category_range(())) == ["history", "social"]


@pytest.mark.parametrize(
    ("mark", "members", "score"),
    [
        (424.5, 50, 424.5),  # cohorts have mean scores of 424.5, 474.5, 524.5 and 574.5
        (410.0, 50, 424.5),
        (425.0, 50, 474.5),  # none within 20 points: the nearest above
        (950.0, 50, 574.5),  # nobody above: the highest
    ],
)
def test_just_above_a_mark_are_fifty_or_more(mark: float, members: int, score: float) -> None:
    average = steps(200).average_points(mark=mark)
    assert (average.members, average.score) == (members, score)


def test_all_cohorts_within_twenty_points_of_the_mark_count() -> None:
    scores = 600.0 + np.arange(1000) / 10.0
    found = sample(np.column_stack([scores, scores, scores]), scores).average_points(mark=650.0)
    within = [part for part in np.array_split(scores, 20) if 650.0 <= part.mean() < 650.0 + JUST_ABOVE]
    assert found.members == sum(map(len, within)) == 200
    assert found.points["a"] == pytest.approx(np.concatenate(within).mean(), abs=1e-9)


@pytest.mark.parametrize(
    ("withheld", "error", "message"),
    [
        ("social", ParameterError, "withheld must be a set of categories"),
        ({"socail"}, CategoryError, "1 other name.* much like 'social'"),
    ],
)
def test_a_misspelt_category_is_not_taken_for_none(withheld, error, message) -> None:
    for ask in (steps(200).average_points, steps(200).category_range, steps(200).hash, steps(200).average_score):
        with pytest.raises(error, match=message):
            ask(withheld)


@pytest.mark.parametrize("mark", [349.9, 950.1, float("nan")])
def test_a_mark_that_is_no_score_is_refused(mark) -> None:
    with pytest.raises(ParameterError, match="A mark must be within 350 to 950, got"):
        steps(200).average_points(mark=mark)


def test_below_fifty_nothing_is_known_but_the_hash() -> None:
    few = steps(49)
    assert (few.known, few.size(), few.hash()) == (False, 49, "f" * 64)
    with pytest.raises(ReferenceUnknown, match="over 50 members or more of the reference sample, got 49"):
        few.average_points()
    assert steps(50).known


# ------------------------------------------------------------------ a model


@pytest.mark.parametrize("withheld", [frozenset(), frozenset({"social"}), frozenset({"behaviour", "social"})])
def test_a_fit_keeps_the_averages_of_its_own_rows(model: CreditScoreModel, members, withheld) -> None:
    explained = model.explain(members.X, withheld)  # the reference sample are all rows of so small a fit
    average = model.reference_.average_points(withheld)
    np.testing.assert_allclose(list(average.points.values()), explained.points.mean(), rtol=0, atol=1e-9)
    assert average.score == pytest.approx(explained.score.mean(), abs=1e-9)
    assert average.members == model.reference_.size() == len(members.X)
    order = np.argsort(explained.score, kind="stable")
    cohorts = [part for part in np.array_split(order, 30) if 500.0 <= explained.score[part].mean() < 520.0]
    just_above = model.reference_.average_points(withheld, mark=500.0)
    assert just_above.members == sum(map(len, cohorts))
    wanted = explained.points.to_numpy()[np.concatenate(cohorts)].mean(axis=0)
    np.testing.assert_allclose(list(just_above.points.values()), wanted, rtol=0, atol=1e-9)
    ranges = model.reference_.category_range(withheld)
    assert withheld.isdisjoint(ranges)
    income = np.sort(explained.category_points["ability"])
    assert ranges["ability"].least == pytest.approx(income[:50].mean(), abs=1e-9)
    assert ranges["ability"].most == pytest.approx(income[-50:].mean(), abs=1e-9)


def test_the_hash_is_the_one_of_the_contract_report(model) -> None:
    assert model.reference_.hash() == model.reference_.hash({"social"}) == model.contract_report_.reference_sha256
    with pytest.raises(ReferenceUnknown, match="withheld as a score allows it"):
        model.reference_.hash({"ability"})


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_it_survives_being_saved_to_the_bit(model, saved) -> None:
    loaded = CreditScoreModel.load(saved).reference_
    for withheld in ((), {"social"}):
        assert loaded.average_points(withheld, 450.0) == model.reference_.average_points(withheld, 450.0)
        assert loaded.category_range(withheld) == model.reference_.category_range(withheld)
        assert (loaded.hash(withheld), loaded.size()) == (model.reference_.hash(), 1500)


def test_every_number_that_is_saved_is_of_fifty_members_or_more(saved) -> None:
    table = pq.read_table(saved / "reference_points.parquet")
    assert min(table.column("members").to_pylist()) >= 50
    assert len(table) == 8 / 2 * 30, "four patterns, thirty cohorts each"


def rewritten(saved, change) -> None:
    import hashlib

    path = saved / "reference_points.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (saved / "manifest.json").write_text(json.dumps(manifest))


def replaced(name, values):
    def change(table):
        at = table.column_names.index(name)
        return table.set_column(at, name, [values(table.column(name).to_numpy())])

    return change


def other_metadata(**changes):
    def change(table):
        patterns = [one | changes for one in json.loads(table.schema.metadata[b"patterns"])]
        return table.replace_schema_metadata({"patterns": json.dumps(patterns)})

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("points of income", lambda v: v + 1.0), "averages of features that sum to those of their category"),
        (replaced("points of income", lambda v: v * np.nan), "averages over 50 members or more"),
        (replaced("members", lambda v: np.where(np.arange(len(v)) % 2, 99, 1)), "averages over 50 members or more"),
        (replaced("score", lambda v: v[::-1].copy()), "averages over 50 members or more"),
        (replaced("pattern", lambda v: v * 0), "averages over 50 members or more"),
        (other_metadata(sha256="0" * 64), "one hash of its reference sample"),
        (other_metadata(rows=3), "averages over 50 members or more"),
        (other_metadata(least=[]), "averages over 50 members or more"),
        (lambda table: table.drop_columns(["points of income"]), "complete and well formed, got KeyError"),
        (lambda table: table.replace_schema_metadata(None), "complete and well formed, got TypeError"),
    ],
)
def test_averages_that_no_fit_leaves_behind_are_found_out(saved, change, message) -> None:
    rewritten(saved, change)
    with pytest.raises(ModelDirectoryError, match=message):
        CreditScoreModel.load(saved)


def test_a_model_of_the_format_before_still_scores_and_knows_no_averages(model, saved, newcomers, tmp_path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    for name in ("reference_points.parquet", "histograms.json"):
        (saved / name).unlink()
        del manifest["files"][name]
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format_version": 3}))
    loaded = CreditScoreModel.load(saved)
    np.testing.assert_array_equal(loaded.predict_score(newcomers.X), model.predict_score(newcomers.X))
    assert not loaded.reference_.known
    with pytest.raises(ReferenceUnknown, match=r"saved by an older Benne\. Fit it anew"):
        loaded.reference_.average_points()
    loaded.save(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "manifest.json").read_text())["format_version"] == 3
    loaded.save(saved)
    CreditScoreModel.load(saved)
