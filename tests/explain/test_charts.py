from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.explain.charts import ScorePoint, category_bars, feature_bars, gauge, score_line
from benne.explain.charts.colours import ADVERSE, FAVOURABLE, INK, QUIET, ramp
from benne.explain.texts import LANGUAGES, texts_of
from benne.models.scale import BAND_SCHEMES, DEFAULT_BANDS, Band
from tests.explain.conftest import HOSTILE, NOON, full_about, said

SVG = "{http://www.w3.org/2000/svg}"
PRESENTATION = {
    "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "d", "points", "width", "height", "fill", "stroke",
    "stroke-width", "font-size", "font-weight", "text-anchor", "viewBox", "role", "class", "id", "aria-labelledby",
}  # fmt: skip
ELEMENTS = {"svg", "title", "desc", "path", "rect", "line", "polygon", "polyline", "circle", "text"}


def parsed(svg: str) -> ET.Element:
    """A chart, once it is seen to be nothing but drawing and words."""
    root = ET.fromstring(svg)
    for node in root.iter():
        assert node.tag.removeprefix(SVG) in ELEMENTS
        assert set(node.attrib) <= PRESENTATION
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title
    assert description is not None
    named = root.attrib["aria-labelledby"].split()
    assert [root[0].attrib["id"], root[1].attrib["id"]] == named
    return root


def words(root: ET.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def history(count: int = 6):
    causes = (None, "data", "consent", "model", "expiry", "data")
    return [ScorePoint(NOON + timedelta(days=30 * k), 560.0 + 15 * k, causes[k % 6]) for k in range(count)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_is_drawing_and_words_in_both_languages(language):
    texts = texts_of(language)
    shown = said(withheld=["social"], about=full_about(language, ("social",)))
    for svg in (
        gauge(shown.score, texts), category_bars(shown.categories, texts),
        feature_bars(list(shown.features())[:6], texts), score_line(history(), texts),
    ):  # fmt: skip
        parsed(svg)


@given(st.floats(350, 950))
def test_the_gauge_points_where_the_score_is(score):
    root = parsed(gauge(score, texts_of("en")))
    hand = root.findall(f"{SVG}polygon")[-1].attrib["points"].split()[0].split(",")
    angle = math.atan2(164.0 - float(hand[1]), 160.0 - float(hand[0]))
    assert 350 + 600 * angle / math.pi == pytest.approx(round(score), abs=0.2)
    band = next(band for band in DEFAULT_BANDS if band.lowest <= round(score) <= band.highest)
    assert texts_of("en").band(band.name) in words(root)
    assert str(round(score)) in words(root)


def test_the_gauge_takes_any_scheme_of_bands():
    texts = texts_of("en")
    assert "AA" in words(parsed(gauge(777.0, texts, BAND_SCHEMES["AAA-D"])))
    hostile = (Band('"><script>', 350, 600), Band("</svg>", 601, 950))
    assert '"><script>' in words(parsed(gauge(400.0, texts, hostile)))


def test_a_score_beyond_the_scale_is_refused():
    with pytest.raises(ValueError, match="must lie within 350 to 950"):
        gauge(949.9 + 1, texts_of("en"))


def test_bars_are_as_long_as_their_points_and_on_their_side_of_zero():
    shown = said(about=full_about())
    root = parsed(category_bars(shown.categories, texts_of("en")))
    zero = float(root.find(f"{SVG}line").attrib["x1"])
    bars = [node for node in root.iter(f"{SVG}rect") if node.attrib["fill"] in (FAVOURABLE, ADVERSE)]
    lengths = [
        (float(bar.attrib["width"]) if bar.attrib["fill"] == FAVOURABLE else -float(bar.attrib["width"]))
        for bar in bars
    ]
    points = [line.points for line in shown.categories]
    scale = lengths[0] / points[0]
    assert lengths == pytest.approx([scale * part for part in points], abs=0.02)
    for bar in bars:
        edge = float(bar.attrib["x"]) + (0 if bar.attrib["fill"] == FAVOURABLE else float(bar.attrib["width"]))
        assert edge == pytest.approx(zero, abs=0.02)
    averages = list(root.iter(f"{SVG}polygon"))[:-1]
    for node, line in zip(averages, shown.categories, strict=True):
        top = float(node.attrib["points"].split()[1].split(",")[0])
        assert (top - zero) / scale == pytest.approx(line.reach.average, abs=0.1)


def test_its_words_say_what_the_bars_do():
    shown = said(withheld=["social"], about=full_about("en", ("social",)))
    told = parsed(category_bars(shown.categories, texts_of("en"))).findtext(f"{SVG}desc")
    credit = shown.categories[0]
    assert f"Credit history +{credit.shown} (others from −60 to +45, +3 on average)" in told
    assert "Social relationships (withheld)" in told


def test_a_withheld_category_has_no_bar_and_no_number():
    shown = said(withheld=["social"])
    root = parsed(category_bars(shown.categories, texts_of("en")))
    assert "withheld" in words(root)
    assert len([node for node in root.iter(f"{SVG}rect") if node.attrib["fill"] in (FAVOURABLE, ADVERSE)]) == 4


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_words(text):
    texts, shown = texts_of("en"), said()
    line = replace(shown.categories[0], label=text)
    feature = replace(next(shown.features()), sentence=text)
    for svg in (category_bars([line], texts), feature_bars([feature], texts)):
        parsed(svg)
        assert "<script" not in svg
        assert not re.search(r"<[^>]*\bon\w+=", svg)


@given(st.lists(st.floats(350, 950), min_size=1, max_size=40))
def test_a_line_goes_up_where_the_score_does(scores):
    points = [ScorePoint(NOON + timedelta(days=k), score) for k, score in enumerate(scores)]
    line = parsed(score_line(points, texts_of("en"))).find(f"{SVG}polyline").attrib["points"].split()
    heights = [float(place.split(",")[1]) for place in line]
    assert all(0 <= height <= 236 for height in heights)
    assert all(a < b or (above - below) < 0.5 for (a, above), (b, below) in _pairs(heights, scores) if above > below)


def _pairs(heights, scores):
    both = list(zip(heights, scores, strict=True))
    return [(one, other) for one in both for other in both]


def test_each_cause_has_a_shape_and_a_word():
    root = parsed(score_line(history(), texts_of("en")))
    assert {"new facts", "consent changed", "new model", "facts grew too old"} <= set(words(root))
    assert "575 (new facts)" in root.findtext(f"{SVG}desc")


def test_without_any_score_the_line_says_so():
    assert "No score has been made yet." in words(parsed(score_line([], texts_of("en"))))


def test_a_name_that_is_no_id_is_refused():
    with pytest.raises(ValueError, match="A chart's name must be lower-case"):
        gauge(600.0, texts_of("en"), name='x" onload="')


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_of_words_can_be_read_on_white_and_bands_keep_their_order_in_grey():
    for colour in (FAVOURABLE, ADVERSE, INK, QUIET):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG 2.2, 1.4.3
    greys = [luminance(colour) for colour in ramp(5)]
    assert greys == sorted(greys, reverse=True)
    assert all(a - b > 0.03 for a, b in pairwise(greys))
