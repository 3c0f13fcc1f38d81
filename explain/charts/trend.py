"""A figure week by week, with its limits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from benne.explain.charts.colours import FAVOURABLE, INK, LINE, QUIET
from benne.explain.charts.svg import drawing, element, label, limit_line

__all__ = ["trend_line"]

_SIZE: Final = (640, 200)
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 624.0, 16.0, 158.0


def trend_line(
    points: Sequence[tuple[str, float | None]], limits: Sequence[float], title: str, *, missing: str = "–",
    name: str = "trend",
) -> str:  # fmt: skip
    """A figure over time; where it is not told, the line has a gap.

    Parameters
    ----------
    points : sequence of (str, float or None)
        When, and how much from zero upwards.
    limits : sequence of float
        Drawn as lines.
    title : str
        For whoever does not see it.
    missing : str
        Stands in words where a figure is not told.
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> "2026-03-01 0.04; 2026-03-08 –" in trend_line([("2026-03-01", 0.04), ("2026-03-08", None)], [0.1], "Shift")
    True
    """
    most = max([*limits, *(value for _, value in points if value is not None), 1e-9])
    rise = (_BOTTOM - _TOP) / (1.1 * most)
    parts = [element("line", x1=_LEFT, x2=_RIGHT, y1=_BOTTOM, y2=_BOTTOM, stroke=LINE, stroke_width=1.0)]
    for limit in limits:
        y = _BOTTOM - limit * rise
        parts.append(limit_line((_LEFT, _RIGHT), (y, y), QUIET))
        parts.append(label(f"{limit:g}", _LEFT - 6, y + 4, font_size=11, fill=QUIET, text_anchor="end"))
    places = [
        (_x(k, len(points)), None if value is None else _BOTTOM - value * rise) for k, (_, value) in enumerate(points)
    ]
    parts += _line(places)
    parts += _ends(points)
    told = "; ".join(f"{when} {missing if value is None else f'{value:.2f}'}" for when, value in points)
    return drawing(_SIZE, title, told or missing, *parts, name=name)


def _x(place: int, count: int) -> float:
    return _LEFT + 8 + (_RIGHT - _LEFT - 16) * place / max(count - 1, 1)


def _line(places: Sequence[tuple[float, float | None]]) -> list[str]:
    found: list[str] = []
    for (x1, y1), (x2, y2) in itertools.pairwise(places):
        if y1 is not None and y2 is not None:
            found.append(element("line", x1=x1, x2=x2, y1=y1, y2=y2, stroke=FAVOURABLE, stroke_width=2.0))
    found += [element("circle", cx=x, cy=y, r=4.0, fill=FAVOURABLE) for x, y in places if y is not None]
    return found


def _ends(points: Sequence[tuple[str, float | None]]) -> list[str]:
    if not points:
        return []
    first, last = points[0][0], points[-1][0]
    return [
        label(first, _LEFT, _BOTTOM + 20, font_size=11, fill=INK),
        label(last, _RIGHT, _BOTTOM + 20, font_size=11, fill=INK, text_anchor="end"),
    ]
