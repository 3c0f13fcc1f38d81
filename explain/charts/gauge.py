"""The score on its scale, as a half circle of bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from benne.explain.charts.colours import INK, QUIET, ramp
from benne.explain.charts.svg import drawing, element, label, shortened
from benne.explain.texts import Texts
from benne.models.scale import DEFAULT_BANDS, SCORE_MAX, SCORE_MIN, Band

__all__ = ["gauge"]

_SIZE: Final = (320, 196)
_CENTRE: Final = (160.0, 164.0)
_OUTER: Final = 118.0
_INNER: Final = 92.0
_GAP: Final = 0.012  # radians between bands


def gauge(score: float, texts: Texts, bands: Sequence[Band] = DEFAULT_BANDS, *, name: str = "gauge") -> str:
    """A score on its scale.

    Parameters
    ----------
    score : float
        350 to 950.
    texts : Texts
    bands : sequence of Band
        From the lowest to the highest.
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.

    Raises
    ------
    ValueError
        If the score is not on the scale.

    Examples
    --------
    >>> from benne.explain.texts import texts_of
    >>> "<title id=\\"gauge-title\\">Score 612 of 350 to 950 (Good)</title>" in gauge(612.3, texts_of("en"))
    True
    >>> gauge(1000.0, texts_of("en"))
    Traceback (most recent call last):
    ...
    ValueError: A score must lie within 350 to 950, got one beyond. Pass the score itself.
    """
    if not SCORE_MIN <= score <= SCORE_MAX:
        raise ValueError(
            f"A score must lie within {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, got one beyond. Pass the score itself."
        )
    whole = round(score)
    own = next(band for band in bands if band.lowest <= whole <= band.highest)
    title = texts.say(
        "explanation.head", score=whole, lowest=f"{SCORE_MIN:.0f}", highest=f"{SCORE_MAX:.0f}",
        band=texts.band(own.name),
    )  # fmt: skip
    spans = (
        texts.say("explanation.chart.band", band=texts.band(b.name), lowest=b.lowest, highest=b.highest) for b in bands
    )
    described = texts.say("explanation.list_comma").join(spans)
    return drawing(_SIZE, title, described, *_scale(bands), *_reading(whole, texts.band(own.name)), name=name)


def _scale(bands: Sequence[Band]) -> list[str]:
    parts = []
    for band, colour in zip(bands, ramp(len(bands)), strict=True):
        begin, end = _angle(band.lowest), _angle(min(band.highest + 1, SCORE_MAX))
        parts.append(element("path", d=_arc(begin + _GAP, end - _GAP), fill=colour))
    edges = [SCORE_MIN, *(float(band.lowest) for band in bands[1:]), SCORE_MAX]
    return [*parts, *(_edge(edge) for edge in edges)]


def _edge(score: float) -> str:
    x, y = _point(_angle(score), _OUTER + 7)
    side = "middle" if abs(x - _CENTRE[0]) < 12 else "end" if x < _CENTRE[0] else "start"
    if score in (SCORE_MIN, SCORE_MAX):
        side, (x, y) = "middle", _point(_angle(score), (_OUTER + _INNER) / 2)
        y += 15
    return label(f"{score:.0f}", x, y, font_size=10, fill=QUIET, text_anchor=side)


def _reading(whole: int, band: str) -> list[str]:
    angle = _angle(whole)
    tip, left, right = _point(angle, _OUTER + 3), _point(angle - 0.055, _INNER - 9), _point(angle + 0.055, _INNER - 9)
    corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in (tip, left, right))
    x, y = _CENTRE
    return [
        element("polygon", points=corners, fill=INK, stroke="#ffffff", stroke_width=1.5),
        label(whole, x, y - 22, font_size=46, font_weight="bold", fill=INK, text_anchor="middle"),
        label(shortened(band, 9.0), x, y + 2, font_size=16, fill=INK, text_anchor="middle"),
    ]


def _angle(score: float) -> float:
    """Radians from the left end, clockwise."""
    return math.pi * (score - SCORE_MIN) / (SCORE_MAX - SCORE_MIN)


def _point(angle: float, radius: float) -> tuple[float, float]:
    return _CENTRE[0] - radius * math.cos(angle), _CENTRE[1] - radius * math.sin(angle)


def _arc(begin: float, end: float) -> str:
    (ax, ay), (bx, by) = _point(begin, _OUTER), _point(end, _OUTER)
    (cx, cy), (dx, dy) = _point(end, _INNER), _point(begin, _INNER)
    return (
        f"M{ax:.2f} {ay:.2f}A{_OUTER:.0f} {_OUTER:.0f} 0 0 1 {bx:.2f} {by:.2f}"
        f"L{cx:.2f} {cy:.2f}A{_INNER:.0f} {_INNER:.0f} 0 0 0 {dx:.2f} {dy:.2f}Z"
    )
