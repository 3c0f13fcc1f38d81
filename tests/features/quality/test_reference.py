from __future__ import annotations

import json

import pytest

from benne.errors import QualityInputError
from benne.features.quality import Reference, Refusals, quality_report


@pytest.fixture
def saved(platform, frame, clock, tmp_path):
    return quality_report(platform(), frame(), as_of=clock).reference().write(tmp_path / "reference.json")


def test_a_reference_is_read_as_it_was_written(platform, frame, clock, saved):
    assert Reference.read(saved) == quality_report(platform(), frame(), as_of=clock).reference()


def test_a_reference_holds_counts_of_fifty_and_more_and_no_subject_id(saved):
    said = json.loads(saved.read_text("utf-8"))
    for feature in said["features"].values():
        bins = feature["bins"]
        bars = feature["histogram"] or {"counts": []}
        counts = [*bins["counts"], bins["nulls"], *bars["counts"]]
        assert all(count is None or count == 0 or count >= 50 for count in counts)
    assert '"m1"' not in saved.read_text("utf-8")


def test_days_are_counted_from_the_references_clock(saved, clock):
    assert Reference.read(saved).days_until(clock) == 0.0
    assert Reference.read(saved).days_until(clock.replace(month=8)) == 31.0


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "benne quality report"},
        {"as_of": "yesterday"},
        {"as_of": "2025-07-01T00:00:00"},
        {"tables": []},
        {"features": {"late_count_30d": {}}},
    ],
)
def test_a_file_that_is_something_else_is_refused(saved, change):
    saved.write_text(json.dumps(json.loads(saved.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(QualityInputError, match="must be what --save-reference wrote, got something else"):
        Reference.read(saved)


@pytest.mark.parametrize("bins", [
    {"edges": [1.0], "counts": [50], "nulls": 0}, {"edges": [2.0, 1.0], "counts": [50, 50, 50], "nulls": 0},
    {"edges": [1.0], "counts": [50, -1], "nulls": 0},
])  # fmt: skip
def test_bins_that_cannot_be_are_refused(saved, bins):
    said = json.loads(saved.read_text("utf-8"))
    said["features"]["late_count_30d"]["bins"] = bins
    saved.write_text(json.dumps(said), "utf-8")
    with pytest.raises(QualityInputError, match="must be what --save-reference wrote, got something else"):
        Reference.read(saved)


def test_a_reference_of_another_version_is_refused(saved):
    saved.write_text(json.dumps(json.loads(saved.read_text("utf-8")) | {"format": 2}), "utf-8")
    with pytest.raises(QualityInputError, match="must have format 1, got 2"):
        Reference.read(saved)


def test_refusals_are_read_from_a_file(tmp_path):
    (tmp_path / "refused.json").write_text('{"format": 1, "rows_offered": 500, "rows_refused": 50}', "utf-8")
    assert Refusals.read(tmp_path / "refused.json").shares()["rows"].shown == 0.1


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"rows_offered": 1, "rows_refused": 2}, "No more can be refused than was offered"),
        ({"rows_offered": 1.5}, "rows_offered must be a whole number from 0, got 1.5"),
        ({"rows_offered": True}, "rows_offered must be a whole number from 0, got True"),
        ({"rows": 5}, "Refusals must be rows_offered, .*, got rows"),
    ],
)
def test_refusals_that_cannot_be_are_refused(tmp_path, said, complaint):
    (tmp_path / "refused.json").write_text(json.dumps({"format": 1} | said), "utf-8")
    with pytest.raises(QualityInputError, match=complaint):
        Refusals.read(tmp_path / "refused.json")
