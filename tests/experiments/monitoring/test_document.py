"""Monitoring as a page and a document: what is in them, nothing of few, and the same bytes each time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.experiments.monitoring import monitoring_document, monitoring_measures, write_monitoring_report
from benne.experiments.report.model_document import AboutDocument
from benne.scoring.monitoring.monitor import Evidence, monitor

NOW = datetime(2027, 6, 1, tzinfo=UTC)
ABOUT = AboutDocument(model_id="benne/0123456789abcdef", config_hash="ab" * 32, made_at=NOW, by="ada")


@pytest.fixture(scope="module")
def report(training_run):
    rows = training_run.test.features
    months = [pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-02-01", tz="UTC")]
    subjects = rows.index.get_level_values("subject_id")
    frames = [rows.set_axis(pd.MultiIndex.from_arrays([subjects, [month] * len(rows)], names=rows.index.names))
              for month in months]  # fmt: skip
    frames[1] = frames[1].assign(income=frames[1]["income"] + 3.0)
    features = pd.concat(frames)
    bad = np.tile(training_run.test.bad, 2)
    outcomes = features.index.to_frame(index=False).assign(bad=bad)
    turned = outcomes["as_of"] + pd.to_timedelta(np.arange(len(bad)) % 360, unit="D")
    outcomes["bad_at"] = turned.where(outcomes["bad"] == 1)
    return monitor(training_run.model, features, Evidence(outcomes=outcomes), clock=lambda: NOW)


def test_the_document_has_the_form_of_all_documents_about_a_model(report):
    document = json.loads(json.dumps(monitoring_document(report, ABOUT), allow_nan=False))
    assert (document["format"], document["kind"], document["by"]) == (1, "monitoring", "ada")
    assert document["model"] == {"model_id": ABOUT.model_id, "config_hash": ABOUT.config_hash}
    assert document["made_at"] == "2027-06-01T00:00:00+00:00"
    assert document["measures"]["monitoring.worst_feature_psi"]["note"] == "income in 2026-02"
    first = document["tables"]["features"][0]
    assert (first["feature"], first["in_period"], first["latest_psi"]) == ("income", "2026-02", first["most_psi"])
    assert document["series"]["income"]["psi"][1] == first["most_psi"]
    assert {"psi.income"} <= {alert["name"] for alert in document["tables"]["alerts"]}


def test_no_share_is_of_fewer_than_ten(report):
    shares = [
        (value, line["rows"]) for name in ("bands", "patterns") for line in report.tables[name]
        for key, value in line.items() if key not in ("period", "rows", "psi", "psi_by_chance") and value
    ]  # fmt: skip
    assert shares
    assert min(share * rows for share, rows in shares) >= 10 - 1e-9


def test_bands_and_curves_are_told_by_vintage(report):
    tables = monitoring_document(report, ABOUT)["tables"]
    assert {line["period"] for line in tables["outcomes_by_band_and_period"]} == {"2026-01", "2026-02"}
    assert {(line["period"], line["month"]) for line in tables["vintage_curves"]} == {
        (period, month) for period in ("2026-01", "2026-02") for month in range(1, 13)
    }


def test_page_and_document_are_the_same_bytes_each_time_and_stand_alone(report, tmp_path):
    one, other = (write_monitoring_report(report, tmp_path / name, ABOUT) for name in ("a", "b"))
    assert [path.name for path in one] == ["monitoring.html", "monitoring.json"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    page = one[0].read_text()
    assert page.count("<svg") == 6, "shifts, vintages, their ranking, bands, bands by vintage, and curves"
    assert "Vintages as they mature" in page
    assert "income has shifted" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_measures_are_those_of_the_document(report):
    told = monitoring_document(report, ABOUT)["measures"]
    assert {f"monitoring.{name}": one.as_dict() for name, one in monitoring_measures(report).items()} == told
    assert monitoring_measures(report)["alarms"].value == len(report.alarms) > 0
