"""Points as bars from zero: of the five categories, and of single features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from benne.explain.charts.colours import ADVERSE, FAVOURABLE, INK, LINE, QUIET
from benne.explain.charts.svg import drawing, element, label, shortened
from benne.explain.lines import CategoryLine, FeatureLine
from benne.explain.texts import Texts

__all__ = ["category_bars", "feature_bars"]

_WIDTH: Final = 640
_LABELS: Final = 216.0
_NUMBERS: Final = 52.0
_SIZE: Final = 13  # of letters


@dataclass(frozen=True)
class _Axis:
    """Points to places, with zero somewhere between the ends."""

    low: float
    high: float
    left: float
    right: float

    def at(self, points: float) -> float:
        return self.left + (points - self.low) / (self.high - self.low) * (self.right - self.left)


def category_bars(categories: Sequence[CategoryLine], texts: Texts, *, name: str = "categories") -> str:
    """What each category gave or took, beside the least and the most that others have and their average.

    Parameters
    ----------
    categories : sequence of CategoryLine
    texts : Texts
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.
    """
    values = [line.points for line in categories]
    for line in categories:
        values += [line.reach.least, line.reach.most] if line.reach else []
    axis, step, top = _axis(values, _LABELS, _WIDTH - _NUMBERS), 38.0, 12.0
    rows = [part for k, line in enumerate(categories) for part in _category(line, axis, top + step * (k + 0.5), texts)]
    bottom = top + step * len(categories)
    legend = _legend(axis.left, bottom + 20, texts) if any(line.reach for line in categories) else []
    size = (_WIDTH, int(bottom + (32 if legend else 6)))
    described = _sentences((_category_in_words(line, texts) for line in categories), texts)
    parts = [*rows, _zero(axis, top, bottom), *legend]
    return drawing(size, texts.say("explanation.chart.categories"), described, *parts, name=name)


def feature_bars(features: Sequence[FeatureLine], texts: Texts, *, name: str = "features") -> str:
    """What single features gave or took, each under its sentence.

    Parameters
    ----------
    features : sequence of FeatureLine
        In the order they are shown.
    texts : Texts
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.
    """
    axis, step, top = _axis([line.points for line in features], 12.0, _WIDTH - _NUMBERS), 40.0, 4.0
    rows: list[str] = []
    for k, line in enumerate(features):
        y = top + step * k
        rows.append(label(shortened(line.sentence, 46.0), 12.0, y + 15, font_size=_SIZE, fill=INK))
        rows += [*_bar(line.points, line.shown, axis, y + 27, texts, height=11.0), _zero(axis, y + 20, y + 34)]
    bottom = top + step * len(features)
    described = _sentences((f"{line.sentence} ({texts.points(line.shown)})" for line in features), texts)
    size = (_WIDTH, int(bottom + 6))
    return drawing(size, texts.say("explanation.chart.features"), described, *rows, name=name)


def _axis(values: Iterable[float], left: float, right: float) -> _Axis:
    """With a margin on both sides, and never of no width."""
    found = [0.0, *values]
    low, high = min(found), max(found)
    margin = max(0.06 * (high - low), 1.0)
    return _Axis(low - margin, high + margin, left, right)


def _zero(axis: _Axis, top: float, bottom: float) -> str:
    x = axis.at(0.0)
    return element("line", x1=x, x2=x, y1=top, y2=bottom, stroke=QUIET, stroke_width=1.0)


def _category(line: CategoryLine, axis: _Axis, y: float, texts: Texts) -> list[str]:
    named = label(shortened(line.label, (_LABELS - 8) / _SIZE), 0.0, y + 4.5, font_size=_SIZE, fill=INK)
    if line.withheld:
        mark = label(texts.say("common.withheld"), axis.at(0.0) + 8, y + 4.5, font_size=_SIZE, fill=QUIET)
        return [named, mark]
    return [named, *_reach(line, axis, y), *_bar(line.points, line.shown, axis, y, texts), *_average(line, axis, y)]


def _bar(points: float, shown: int, axis: _Axis, y: float, texts: Texts, *, height: float = 14.0) -> list[str]:
    zero, end = axis.at(0.0), axis.at(points)
    colour = FAVOURABLE if points >= 0 else ADVERSE
    return [
        element(
            "rect", x=min(zero, end), y=y - height / 2, width=max(abs(end - zero), 0.5), height=height, fill=colour
        ),
        label(
            texts.points(shown), float(_WIDTH), y + 4.5, font_size=_SIZE, font_weight="bold", text_anchor="end",
            fill=INK if shown == 0 else colour,
        ),
    ]  # fmt: skip


def _reach(line: CategoryLine, axis: _Axis, y: float) -> list[str]:
    """From the least to the most that others have, behind the bar."""
    if line.reach is None:
        return []
    low, high = axis.at(line.reach.least), axis.at(line.reach.most)
    return [element("rect", x=low, y=y - 11, width=max(high - low, 0.5), height=22.0, rx=3, fill=LINE)]


def _average(line: CategoryLine, axis: _Axis, y: float) -> list[str]:
    if line.reach is None:
        return []
    x = axis.at(line.reach.average)
    corners = f"{x - 5:.2f},{y:.2f} {x:.2f},{y - 7:.2f} {x + 5:.2f},{y:.2f} {x:.2f},{y + 7:.2f}"
    return [element("polygon", points=corners, fill="#ffffff", stroke=INK, stroke_width=1.5)]


def _legend(left: float, y: float, texts: Texts) -> list[str]:
    x = left + 190
    corners = f"{x:.2f},{y - 4:.2f} {x + 5:.2f},{y - 11:.2f} {x + 10:.2f},{y - 4:.2f} {x + 5:.2f},{y + 3:.2f}"
    return [
        element("rect", x=left, y=y - 11, width=22.0, height=14.0, rx=3, fill=LINE),
        label(texts.say("explanation.chart.reach"), left + 28, y, font_size=11, fill=QUIET),
        element("polygon", points=corners, fill="#ffffff", stroke=INK, stroke_width=1.5),
        label(texts.say("explanation.chart.average"), x + 16, y, font_size=11, fill=QUIET),
    ]


def _category_in_words(line: CategoryLine, texts: Texts) -> str:
    if line.withheld:
        return f"{line.label}{texts.say('explanation.withheld_mark')}"
    told = f"{line.label} {texts.points(line.shown)}"
    if line.reach is None:
        return told
    least, most, average = (round(part) for part in (line.reach.least, line.reach.most, line.reach.average))
    others = texts.say(
        "explanation.chart.others", least=texts.points(least), most=texts.points(most), average=texts.points(average)
    )
    return told + others


def _sentences(parts: Iterable[str], texts: Texts) -> str:
    return texts.say("explanation.chart.separator").join(parts)
