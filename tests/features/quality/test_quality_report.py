from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from benne.features.quality import CHECKS, Refusals, quality_report
from benne.features.quality.histogram import Histogram
from benne.features.quality.sparkline import sparkline

DAY = 86_400_000_000


@pytest.fixture
def report(platform, frame, clock):
    return quality_report(platform(), frame(), as_of=clock)


@pytest.fixture
def faulty(platform, frame, clock, now):
    old = [now - 40 * DAY] * 800
    store = platform(payments={"event_time": old, "known_at": old, "source": ["bank", "<b>shop</b>"] * 400})
    before = quality_report(platform(), frame(), as_of=clock).reference()
    return quality_report(store, frame(bill_share_180d=[np.nan] * 400), as_of=clock, reference=before,
                          refusals=Refusals(1000, 500))  # fmt: skip


class Page(HTMLParser):
    """Tags with their attributes, and the text, of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture
def page(faulty, tmp_path):
    return faulty.write_html(tmp_path / "report.html").read_text("utf-8")


def test_the_same_input_gives_the_same_bytes(platform, frame, clock, tmp_path):
    first, second = (
        quality_report(platform(), frame(), as_of=clock).write_json(tmp_path / name).read_bytes() for name in "ab"
    )
    assert first == second


def test_the_json_says_its_form_and_everything_measured(report):
    said = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert (said["format"], said["kind"], said["verdict"]) == (1, "benne quality report", "pass")
    assert set(said) == {
        "format", "kind", "as_of", "events_fingerprint", "observations", "members", "smallest_cell", "checks", "tables",
        "categories", "features", "verdict", "counts", "refusals", "reference", "thresholds",
    }  # fmt: skip
    assert list(said["tables"]) == ["members", "payments", "incomes"]
    assert said["features"]["income_monthly_180d"]["quantiles"]["p50"] == 69_100.0
    assert said["counts"]["pass"] == len(said["checks"])


def test_the_gravest_checks_come_first(faulty):
    statuses = [check.status for check in faulty.checks]
    assert statuses == sorted(statuses, key=["stop", "warn", "insufficient", "pass"].index)
    assert faulty.verdict == "stop"


def test_neither_file_holds_a_subject_id_or_an_extreme(platform, frame, clock, tmp_path):
    income = frame()["income_monthly_180d"].to_numpy(copy=True)
    income[7] = 987_654_321.0
    report = quality_report(platform(), frame(income_monthly_180d=income), as_of=clock)
    files = report.write_json(tmp_path / "report.json"), report.write_html(tmp_path / "report.html")
    written = "".join(file.read_text("utf-8") for file in files)
    assert re.search(r"\bm\d+\b", written) is None
    assert "987" not in written.replace("0.987", "")


def test_a_reader_sees_the_verdict_then_what_stops_then_what_warns(page):
    places = [page.index(text) for text in ("must stop.", "<h2>What stops", "<h2>What warns", "<h2>Event tables")]
    assert places == sorted(places)


def test_every_outcome_is_said_in_words_and_not_by_colour_alone(page):
    badges = re.findall(r'<span class="badge (\w+)">(\w+)</span>', page)
    assert badges
    assert all(word == status.upper() for status, word in badges)


def test_the_page_is_one_file_that_asks_nothing_of_the_network(page):
    loaded = {name for _, attributes in Page(page).tags for name in attributes}
    assert loaded & {"src", "href", "xlink:href", "srcset", "data"} == set()
    assert "<script" not in page
    assert "@import" not in page


def test_the_page_can_be_read_aloud(page):
    parsed = Page(page)
    tags = [tag for tag, _ in parsed.tags]
    assert ("html", {"lang": "en"}) in parsed.tags
    assert {"title", "main", "header", "h1"} <= set(tags)
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in parsed.tags if tag == "th")
    assert all(attributes["aria-label"] for tag, attributes in parsed.tags if tag == "svg")
    assert tags.count("table") == tags.count("thead")


def test_every_feature_with_a_histogram_is_drawn_over_its_reference(faulty, page):
    drawn = [feature for feature in faulty.frame.features if feature.histogram]
    assert page.count("<svg") == page.count("<polyline") == len(drawn) == 4


def test_names_from_outside_are_shown_as_text(page):
    assert "<b>shop" not in page
    assert "&lt;b&gt;shop" in page


def test_the_page_names_every_limit_in_force(page):
    assert [kind for kind in CHECKS if f"<code>{kind}</code>" not in page] == []


def test_without_jinja_the_html_says_what_to_install(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package jinja2. Install it: .*'benne\[report\]'"):
        report.write_html(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_bar_as_tall_as_the_tallest_fills_the_picture_and_small_ones_are_dots():
    drawn = sparkline(Histogram((0.0, 1.0, 2.0, 3.0), (400, None, 100)), None, "a & b")
    assert re.findall(r'height="([\d.]+)"/>', drawn) == ["28.0", "14.0"]  # a quarter of it is half as tall
    assert drawn.count("<circle") == 1
    assert "a &amp; b" in drawn


def test_without_a_histogram_nothing_is_drawn():
    assert sparkline(None, None, "nothing") == ""
