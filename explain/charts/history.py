"""A score over time, and what moved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from benne.explain.charts.colours import FAVOURABLE, INK, LINE, QUIET
from benne.explain.charts.svg import drawing, element, label
from benne.explain.texts import Texts
from benne.models.scale import SCORE_MAX, SCORE_MIN

__all__ = ["Cause", "ScorePoint", "score_line"]

Cause = Literal["data", "consent", "model", "expiry"]
_SIZE: Final = (640, 236)
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 624.0, 14.0, 176.0
_MOST_TOLD: Final = 24


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A score at a moment, and what mostly moved it there.

    Attributes
    ----------
    when : datetime
    score : float
        350 to 950.
    cause : {'data', 'consent', 'model', 'expiry'} or None
        Whatever moved it most since the point before; None for the first, and where nothing did.
    """

    when: datetime
    score: float
    cause: Cause | None = None


def score_line(points: Sequence[ScorePoint], texts: Texts, *, name: str = "history") -> str:
    """A score over time, marked by what moved it.

    Parameters
    ----------
    points : sequence of ScorePoint
        In the order of time.
    texts : Texts
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG; of nothing, one that says so.
    """
    title = texts.say("explanation.chart.history")
    if not points:
        nothing = texts.say("explanation.chart.no_history")
        return drawing((640, 40), title, nothing, label(nothing, 12, 25, font_size=13, fill=QUIET), name=name)
    frame = _Frame.around(points)
    places = [(frame.x(point.when), frame.y(point.score)) for point in points]
    path = element(
        "polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in places), fill="none", stroke=FAVOURABLE,
        stroke_width=2,
    )  # fmt: skip
    marks = [_mark(point.cause, x, y) for point, (x, y) in zip(points, places, strict=True)]
    parts = [*frame.rules(), path, *marks, *_ends(points, places), *_dates(points, texts), *_legend(points, texts)]
    return drawing(_SIZE, title, _in_words(points, texts), *parts, name=name)


@dataclass(frozen=True)
class _Frame:
    """Moments and scores to places."""

    first: float
    last: float
    low: float
    high: float

    @classmethod
    def around(cls, points: Sequence[ScorePoint]) -> _Frame:
        times = [point.when.timestamp() for point in points]
        scores = [point.score for point in points]
        low = max(SCORE_MIN, 50.0 * ((min(scores) - 20) // 50))
        high = min(SCORE_MAX, 50.0 * ((max(scores) + 20) // 50 + 1))
        return cls(times[0], max(times[-1], times[0] + 1.0), low, high)

    def x(self, when: datetime) -> float:
        return _LEFT + 8 + (when.timestamp() - self.first) / (self.last - self.first) * (_RIGHT - _LEFT - 24)

    def y(self, score: float) -> float:
        return _BOTTOM - (score - self.low) / (self.high - self.low) * (_BOTTOM - _TOP)

    def rules(self) -> list[str]:
        step = 50.0 if self.high - self.low <= 300 else 100.0
        scores = [self.low + step * k for k in range(int((self.high - self.low) / step) + 1)]
        lines = [
            element("line", x1=_LEFT, x2=_RIGHT, y1=self.y(s), y2=self.y(s), stroke=LINE, stroke_width=1)
            for s in scores
        ]
        return [
            *lines,
            *(label(f"{s:.0f}", _LEFT - 6, self.y(s) + 4, font_size=11, fill=QUIET, text_anchor="end") for s in scores),
        ]


def _mark(cause: Cause | None, x: float, y: float) -> str:
    """Another shape for each cause, so that nobody needs to tell colours apart."""
    look = {"fill": "#ffffff", "stroke": INK, "stroke_width": 1.6}
    if cause == "consent":
        return element("rect", x=x - 4.5, y=y - 4.5, width=9.0, height=9.0, **look)
    if cause == "model":
        return element("polygon", points=_corners(x, y, (0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)), **look)
    if cause == "expiry":
        return element("polygon", points=_corners(x, y, (0, -6), (6, 5), (-6, 5)), **look)
    return element("circle", cx=x, cy=y, r=4.5 if cause == "data" else 3.0, **look)


def _corners(x: float, y: float, *steps: tuple[float, float]) -> str:
    return " ".join(f"{x + dx:.2f},{y + dy:.2f}" for dx, dy in steps)


def _ends(points: Sequence[ScorePoint], places: Sequence[tuple[float, float]]) -> list[str]:
    """The first and the last score as numbers."""
    ends = {0: "start", len(points) - 1: "end"}
    return [
        label(
            round(points[k].score), places[k][0], places[k][1] - 10, font_size=13, font_weight="bold", fill=INK,
            text_anchor=side,
        )
        for k, side in ends.items()
    ]  # fmt: skip


def _dates(points: Sequence[ScorePoint], texts: Texts) -> list[str]:
    first, last = texts.day(points[0].when), texts.day(points[-1].when)
    told = [label(first, _LEFT, _BOTTOM + 20, font_size=11, fill=QUIET)]
    if last != first:
        told.append(label(last, _RIGHT, _BOTTOM + 20, font_size=11, fill=QUIET, text_anchor="end"))
    return told


def _legend(points: Sequence[ScorePoint], texts: Texts) -> list[str]:
    causes: list[Cause] = list(dict.fromkeys(point.cause for point in points if point.cause is not None))
    found = []
    for k, cause in enumerate(causes):
        x = _LEFT + 8 + 148.0 * k
        found.append(_mark(cause, x, _BOTTOM + 44))
        words = texts.say(f"explanation.chart.cause.{cause}")
        found.append(label(words, x + 12, _BOTTOM + 48, font_size=11, fill=QUIET))
    return found


def _in_words(points: Sequence[ScorePoint], texts: Texts) -> str:
    told = []
    for point in points[-_MOST_TOLD:]:
        cause = "" if point.cause is None else f" ({texts.say(f'explanation.chart.cause.{point.cause}')})"
        told.append(f"{texts.day(point.when)} {round(point.score)}{cause}")
    return texts.say("explanation.chart.separator").join(told)
