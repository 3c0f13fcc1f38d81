"""Pictures of many: bars as long as their shares, lines at their limits, gaps where nothing is told."""

from __future__ import annotations

import pytest

from benne.explain.charts import Level, Pair, level_bars, paired_bars, trend_line
from tests.explain.test_charts import PRESENTATION, SVG, parsed, words

PRESENTATION.add("stroke-dasharray")


def widths(root, left=200.0):
    return [float(node.attrib["width"]) for node in root.iter(f"{SVG}rect") if float(node.attrib["x"]) == left]


def test_bars_are_as_long_as_their_shares():
    root = parsed(paired_bars([Pair("poor", 0.1, 0.4), Pair("good", 0.2, None)], "Bands", ("Before", "Now")))
    marks = widths(root)[1:]  # the first is the legend's
    assert [round(width / marks[0], 6) for width in marks] == [1.0, 4.0, 2.0]
    assert {"10.0 %", "40.0 %", "20.0 %", "–"} <= set(words(root))


def test_what_is_beyond_its_limit_has_another_colour_and_the_limits_are_lines():
    root = parsed(level_bars([Level("income", 0.5, beyond=True), Level("age", 0.05)], (0.1, 0.25), "Shift"))
    assert len({node.attrib["fill"] for node in root.iter(f"{SVG}rect")}) == 2
    lines = [float(node.attrib["x1"]) for node in root.iter(f"{SVG}line")]
    bars = widths(root, left=290.0)
    assert [round((x - 290) / bars[0], 3) for x in lines] == [0.2, 0.5]


@pytest.mark.parametrize(("most", "anchors"), [(0.5, ["middle", "middle"]), (3.2, ["end", "start"])])
def test_figures_of_limits_that_bars_far_beyond_crowd_do_not_lie_over_each_other(most, anchors):
    root = parsed(level_bars([Level("income", most, beyond=True)], (0.1, 0.25), "Shift"))
    above = [node for node in root.iter(f"{SVG}text") if node.text in ("0.1", "0.25")]
    assert [node.attrib["text-anchor"] for node in above] == anchors


def test_a_line_has_a_gap_where_nothing_is_told():
    root = parsed(trend_line([("w1", 0.1), ("w2", 0.2), ("w3", None), ("w4", 0.1)], (0.25,), "Weeks"))
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    assert len([node for node in root.iter(f"{SVG}line") if node.attrib["stroke-width"] == "2"]) == 1
    assert root.findtext(f"{SVG}desc") == "w1 0.10; w2 0.20; w3 –; w4 0.10"


@pytest.mark.parametrize(
    "draw",
    [lambda: paired_bars([], "T", ("a", "b")), lambda: level_bars([], (), "T"), lambda: trend_line([], (), "T")],
)
def test_of_nothing_a_picture_says_so(draw):
    assert parsed(draw()).findtext(f"{SVG}desc") == "–"


def test_hostile_names_stay_words():
    text = "<script>alert(1)</script>"
    parsed(paired_bars([Pair(text, 0.1, 0.2)], text, (text, text)))
    parsed(level_bars([Level(text, 0.1)], (0.1,), text))
    parsed(trend_line([(text, 0.1)], (0.1,), text))
