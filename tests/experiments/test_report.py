"""The evaluation report as a whole: what is in it, what is not, and that it is always the same."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from benne.errors import LabelError, WeightContractError
from benne.experiments.challengers import OURS, compare
from benne.experiments.labelling import LabelledRows
from benne.experiments.report import ProfitTerms, ReportOptions, report_on, write_report
from benne.experiments.report.document import as_document, records_of
from benne.experiments.report.learning import learning_curve
from benne.experiments.report.page import _signed, page
from benne.experiments.report.sample import sample_of
from benne.experiments.training import train_model
from benne.models import DEFAULT_BANDS, Band, ScoreScale

CHROMIUM = shutil.which("chromium")
QUICK = ReportOptions(learning_shares=(0.5,), resamples=50)


@pytest.fixture(scope="module")
def run_over_time(rows, new_model):
    """Three moments, each with members of its own, tested on the last two."""
    moments = [pd.Timestamp(day, tz="UTC") for day in ("2025-01-01", "2025-04-01", "2025-05-01")]
    frame = rows.features.reset_index()
    frame["as_of"] = np.repeat(moments, [len(frame) - 500, 250, 250])
    observed = frame.set_index(["subject_id", "as_of"])
    return train_model(LabelledRows(observed, rows.bad, {}), new_model(), order="time", test_share=0.4)


@pytest.fixture(scope="module")
def report(training_run):
    return report_on(training_run, QUICK)


@pytest.fixture(scope="module")
def written(training_run, tmp_path_factory) -> list[Path]:
    return write_report(report_on(training_run, QUICK), tmp_path_factory.mktemp("report"))


# ------------------------------------------------------------------------ files


def test_three_files_are_written_and_named(written):
    assert [path.name for path in written] == ["evaluation.html", "evaluation.json", "fit_seconds.json"]
    assert all(path.stat().st_size for path in written)


def test_the_same_run_written_again_is_the_same_bytes(training_run, written, tmp_path):
    again = write_report(report_on(training_run, QUICK), tmp_path)
    for before, after in zip(written[:2], again[:2], strict=True):
        assert before.read_bytes() == after.read_bytes(), before.name


def test_another_seed_gives_other_intervals_and_the_same_figures(training_run, written, tmp_path):
    before = json.loads(written[1].read_text("utf-8"))["metrics"]["auc"]
    options = dataclasses.replace(QUICK, seed=1, learning_shares=(), challengers=())
    after = json.loads(write_report(report_on(training_run, options), tmp_path)[1].read_text("utf-8"))["metrics"]["auc"]
    assert before["value"] == after["value"]
    assert before["low"] != after["low"]


def test_a_comparison_that_has_been_made_is_not_made_again(training_run, monkeypatch):
    made = compare(training_run.model, training_run.train, training_run.test, names=["logistic regression"])
    monkeypatch.setattr("benne.experiments.report.reporting.compare", lambda *_, **__: pytest.fail("compared again"))
    assert report_on(training_run, dataclasses.replace(QUICK, learning_shares=()), comparison=made).comparison is made


def test_fits_are_timed_beside_the_report_and_not_in_it(written):
    seconds = json.loads(written[2].read_text("utf-8"))
    assert seconds["logistic regression"] > 0
    assert seconds[OURS] > 0
    assert "seconds" not in written[1].read_text("utf-8")


# --------------------------------------------------------------------- document


def test_the_document_holds_every_section(written):
    document = json.loads(written[1].read_text("utf-8"))
    assert set(document) == {
        "format", "run", "metrics", "metrics_weighted", "calibration", "bands", "lift", "distribution", "stability",
        "profit", "contract", "consent", "learning", "challengers", "labels",
    }  # fmt: skip
    assert set(document["metrics"]) == {"auc", "gini", "ks", "brier", "log_loss", "ece"}
    assert {row["model"] for row in document["contract"]["price"]} == {"unconstrained", "additive", "contracted"}
    assert [row["tolerance"] for row in document["contract"]["frontier"]] == [0.0, 0.02, 0.05, 0.1, 0.2, 1.0]
    assert document["challengers"]["table"][-1]["model"] == OURS


def test_its_figures_are_those_of_the_run(training_run, report):
    metrics = training_run.evaluation.metrics
    assert {name: report.metrics.loc[name, "value"] for name in ("auc", "gini", "ks", "brier", "log_loss", "ece")} == {
        name: pytest.approx(metrics[name]) for name in ("auc", "gini", "ks", "brier", "log_loss", "ece")
    }
    assert report.facts.rows == {"train": len(training_run.train.bad), "test": len(training_run.test.bad)}
    assert report.contract.shares["test"].tolist() == training_run.evaluation.shares["share"].tolist()
    assert report.calibration.by_decile["rows"].sum() == len(training_run.test.bad)


def test_gini_and_its_interval_follow_from_the_auc(report):
    assert report.metrics.loc["gini"].tolist() == pytest.approx((2 * report.metrics.loc["auc"] - 1).tolist())


def test_patterns_are_reported_as_used_and_as_allowed(report):
    used = report.consent.used
    assert used.index.tolist() == ["nothing withheld", "withheld: Social relationships"]
    assert used["rows"].sum() == report.facts.rows["test"]
    assert {"nothing withheld", "withheld: Social relationships"} <= set(report.consent.allowed.index)


def groups_of_rows(document: object) -> list[int]:
    """Every count of rows or members anywhere in a document."""
    if isinstance(document, list):
        return [count for held in document for count in groups_of_rows(held)]
    if isinstance(document, dict):
        own = [value for key, value in document.items() if key in ("rows", "members") and isinstance(value, int)]
        return own + [count for value in document.values() for count in groups_of_rows(value)]
    return []


def test_no_group_of_fewer_than_ten_rows_is_in_it(training_run, report):
    counts = groups_of_rows(as_document(report))
    assert len(counts) > 20
    assert [count for count in counts if 0 < count < 10] == []
    few = dataclasses.replace(training_run.split, test=training_run.test.part(np.arange(43), {"value-not-scorable": 3}))
    small = as_document(
        report_on(dataclasses.replace(training_run, split=few), dataclasses.replace(QUICK, learning_shares=()))
    )
    assert [count for count in groups_of_rows(small) if 0 < count < 10] == []
    assert small["run"]["left_out"]["test"] == {"value-not-scorable": "few"}
    assert (small["challengers"]["test_rows"], small["challengers"]["ours_alone"]) == (None, None)


def test_a_report_on_a_few_rows_is_refused(training_run):
    few = dataclasses.replace(training_run.split, test=training_run.test.part(np.arange(9), {}))
    with pytest.raises(LabelError, match="must rest on at least 10 rows"):
        report_on(dataclasses.replace(training_run, split=few), QUICK)


def test_what_is_not_known_is_null_and_never_not_a_number():
    table = pd.DataFrame({"auc": [np.nan, 0.123456789012345], "rows": np.array([3, 4])}, index=["a", "b"])
    assert records_of(table.rename_axis("part")) == [
        {"part": "a", "auc": None, "rows": 3}, {"part": "b", "auc": 0.123456789, "rows": 4}
    ]  # fmt: skip


# --------------------------------------------------------------------- time


def test_periods_are_reported_where_test_rows_are_of_several(run_over_time):
    report = report_on(
        run_over_time, dataclasses.replace(QUICK, learning_shares=(), challengers=["logistic regression"])
    )
    assert report.stability.periods.index.tolist() == ["2025-04", "2025-05"]
    assert (report.facts.split, report.facts.since) == ("time", "2025-04-01")
    text = page(report)
    assert "other members from 2025-04-01 on" in text
    assert 'id="periods-figure_1"' in text


# ---------------------------------------------------------------- learning curve


def test_the_learning_curve_ends_with_the_run_itself(training_run, report):
    curve = report.learning
    assert curve.index.tolist() == [0.5, 1.0]
    assert curve["members"].tolist() == [420, 840]
    assert curve["auc"].iloc[-1] == pytest.approx(training_run.evaluation.metrics["auc"])
    assert curve["note"].tolist() == ["", ""]


def test_a_share_too_small_for_a_model_says_so(training_run, monkeypatch):
    def no_slope(*_, **__):
        raise WeightContractError("no slope")

    monkeypatch.setattr(type(training_run.model), "fit", no_slope)
    test = sample_of(training_run.model, training_run.test)
    curve = learning_curve(training_run, test, QUICK)
    assert curve["note"].tolist() == ["no model: WeightContractError", ""]
    assert curve["auc"].notna().tolist() == [False, True]


# ------------------------------------------------------------------------- page


class Reader(HTMLParser):
    """Opens and closes every element, and collects ids and addresses."""

    VOID = frozenset({"meta", "br", "use", "path", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(written) -> str:
    return written[0].read_text("utf-8")


def test_the_page_needs_nothing_else(text):
    assert not re.search(r"https?:|//\w|@import|<script|<link|<img|<iframe", text)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert all(address.startswith("#") and address[1:] in reader.ids for address in reader.addresses)
    assert all(f in reader.ids for f in re.findall(r"url\(#([^)]+)\)", text))


def test_nobody_can_be_found_in_the_files(training_run, written):
    subjects = [str(s) for s in training_run.test.features.index.get_level_values("subject_id")[:50]]
    for path in written:
        assert not any(subject in path.read_text("utf-8") for subject in subjects)


def test_pictures_take_the_colours_of_the_page_in_light_and_in_dark(text):
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    assert len(drawings) == 10
    for svg in drawings:
        assert not re.search(r"#[0-9a-f]{6}\b", svg)
    used, declared = set(re.findall(r"var\((--\w+)\)", text)), set(re.findall(r"(--\w+): #", text))
    assert used <= declared
    assert "prefers-color-scheme: dark" in text


def test_names_from_outside_are_escaped(report):
    bands = (*DEFAULT_BANDS[:1], *(Band(f"<b>{band.name}", band.lowest, band.highest) for band in DEFAULT_BANDS[1:]))
    table = report.bands.table.set_axis([f"<b>{name}" for name in report.bands.table.index], axis=0).rename_axis("band")
    hostile = dataclasses.replace(
        report, scale=ScoreScale(bands=bands), bands=dataclasses.replace(report.bands, table=table)
    )
    assert "<b>fair" not in page(hostile)
    assert "&lt;b&gt;fair" in page(hostile)


def test_what_was_not_compared_or_asked_for_is_said(training_run):
    options = dataclasses.replace(QUICK, learning_shares=(), challengers=())
    text = page(report_on(training_run, options))
    assert "Not compared. Nobody was asked for." in text
    assert "Learning curve" not in text


def test_weighted_figures_are_shown_where_rows_have_weights(report):
    assert "Under the rows' weights: AUC 0.7000." in page(dataclasses.replace(report, weighted={"auc": 0.7}))


def test_a_cutoff_with_a_few_rows_above_has_no_figure_on_the_page(training_run):
    options = dataclasses.replace(QUICK, learning_shares=(), challengers=(), profit=ProfitTerms(cutoff=949.0))
    assert "Fewer than 10 rows lie on one side of 949" in page(report_on(training_run, options))


@pytest.mark.parametrize(("value", "shown"), [(-0.00001, "0.0000"), (-0.25, "−0.2500"), (0.25, "+0.2500"), (None, "–")])
def test_a_difference_has_its_sign_unless_it_rounds_to_nothing(value, shown):
    assert _signed(value) == shown


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium to draw the page")
@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_a_real_browser_draws_the_page(written, tmp_path, scheme):
    picture = tmp_path / "page.png"
    subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1180,1200",
         f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={tmp_path}",
         f"--screenshot={picture}", written[0].as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    drawn = imread(picture)[..., :3]
    ground = drawn[5, 5].mean()
    assert (ground < 0.2) == (scheme == 0)
    # A page that failed to draw is of one colour.
    assert (np.abs(drawn - drawn[5, 5]).sum(axis=2) > 0.1).mean() > 0.03
