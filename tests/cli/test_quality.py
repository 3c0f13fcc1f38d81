from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.cli.quality import QualityFiles, report_quality
from benne.errors import ObservationError
from benne.features import MASK_COLUMNS, load_events
from benne.features.events.keys import SubjectKey
from benne.features.frames import Provenance, write_features

CLOCK = pd.Timestamp("2025-07-01", tz="UTC")
MEMBERS = 200


@pytest.fixture(scope="module")
def events():
    """Two hundred members who joined a day before the clock and paid that day."""
    members = [f"person {i}" for i in range(MEMBERS)]
    times = pd.Series([CLOCK - pd.Timedelta(days=1)] * MEMBERS)
    common = {"member_id": members, "event_time": times, "known_at": times, "source": "platform"}
    records = [f"r{i}" for i in range(MEMBERS)]
    raw = {
        "members": pd.DataFrame({"record_id": records, **common, "adult": True}),
        "payments": pd.DataFrame({"record_id": records, **common, "direction": "out", "amount": range(MEMBERS)}),
    }
    return load_events(raw, key=SubjectKey(b"k" * 32), ingested_at=CLOCK.to_pydatetime())


@pytest.fixture(scope="module")
def frame():
    """A frame of one feature that differs from member to member."""
    index = [[f"subject {i}" for i in range(MEMBERS)], pd.DatetimeIndex([CLOCK] * MEMBERS).as_unit("us")]
    built = pd.DataFrame({"counterparties_365d": np.arange(MEMBERS) % 20 + 1.0})
    built = built.assign(**dict.fromkeys(MASK_COLUMNS.values(), True))
    return built.set_axis(pd.MultiIndex.from_arrays(index, names=["subject_id", "as_of"]))


@pytest.fixture
def build(events, frame, tmp_path):
    """Where a store and a frame built from it lie."""
    events.save(tmp_path / "events")
    note = Provenance("the test's own", None, None, events.fingerprint, events.key_fingerprint)
    write_features(frame, tmp_path / "features.parquet", note)
    return tmp_path


def test_a_clean_build_passes_and_leaves_its_reports_and_a_reference(run, build):
    result = run(
        "features", "quality", build / "events", build / "features.parquet", "--out", build / "q.html",
        "--json", build / "q.json", "--save-reference", build / "ref.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("pass: 0 stop, 0 warn, 0 insufficient, ")
    assert json.loads((build / "q.json").read_text("utf-8"))["verdict"] == "pass"
    assert (build / "q.html").read_text("utf-8").startswith("<!doctype html>")
    assert json.loads((build / "ref.json").read_text("utf-8"))["kind"] == "benne quality reference"


def test_the_next_build_is_compared_with_the_reference(run, build):
    asked = ("features", "quality", build / "events", build / "features.parquet")
    run(*asked, "--save-reference", build / "ref.json")
    result = run(*asked, "--reference", build / "ref.json", "--json", "-")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["reference"]["as_of"] == "2025-07-01T00:00:00+00:00"
    assert said["features"]["counterparties_365d"]["psi"] == 0.0


def test_a_check_that_stops_ends_with_its_own_exit_code_and_a_report_but_no_reference(run, build):
    result = run(
        "features", "quality", build / "events", build / "features.parquet", "--json", build / "q.json",
        "--as-of", "2025-09-01T00:00:00Z", "--save-reference", build / "ref.json",
    )  # fmt: skip
    assert result.exit_code == 8
    assert "payments: days since anything became known, 63.0 days" in result.stderr
    assert json.loads((build / "q.json").read_text("utf-8"))["verdict"] == "stop"
    assert not (build / "ref.json").exists()


def test_limits_and_refusals_come_from_files(run, build):
    (build / "limits.toml").write_text("format = 1\n[stale_days.only.payments]\nwarn = 70\n", "utf-8")
    (build / "refused.toml").write_text("format = 1\nrows_offered = 10000\nrows_refused = 60\n", "utf-8")
    result = run(
        "features", "quality", build / "events", build / "features.parquet", "--as-of", "2025-09-01T00:00:00Z",
        "--thresholds", build / "limits.toml", "--refusals", build / "refused.toml",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "rows" in result.stdout
    assert "0.6 %" in result.stdout


def test_features_of_other_events_are_refused(run, build, events, frame):
    other = Provenance("the test's own", None, None, "another fingerprint", events.key_fingerprint)
    write_features(frame, build / "other.parquet", other)
    result = run("features", "quality", build / "events", build / "other.parquet")
    assert result.exit_code == 3
    assert "must be built from the events reported on" in result.stderr


def test_a_file_of_limits_that_cannot_be_read_is_bad_input(run, build):
    result = run(
        "features", "quality", build / "events", build / "features.parquet", "--thresholds", build / "none.toml"
    )
    assert result.exit_code == 3
    assert "Thresholds must be a JSON file, or a TOML file" in result.stderr


def test_a_build_can_ask_for_its_report_itself(events, frame, tmp_path):
    report = report_quality(events, frame, QualityFiles(out=tmp_path / "q.html"))
    assert (report.verdict, report.as_of) == ("pass", "2025-07-01T00:00:00+00:00")
    assert (tmp_path / "q.html").exists()


def test_without_observations_somebody_must_say_the_time(events, frame):
    with pytest.raises(ObservationError, match="must have a clock, got none and nobody observed"):
        report_quality(events, frame.iloc[:0], QualityFiles())
