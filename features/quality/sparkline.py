"""A histogram small enough for a table row, as inline SVG."""

from __future__ import annotations

from html import escape

from benne.features.quality.histogram import Histogram

__all__ = ["sparkline"]

_WIDTH, _HEIGHT, _GAP = 132, 30, 1


def sparkline(now: Histogram | None, before: Histogram | None, label: str) -> str:
    """Bars of what is, and over them a line of what was; empty without a histogram.

    Parameters
    ----------
    now, before : Histogram or None
        With the same bars.
    label : str
        What a screen reader says.

    Notes
    -----
    Heights are shares of each histogram's own total, on a square root scale so that a long tail
    stays visible. A bar too small to be shown is a dot on the ground.
    """
    if now is None:
        return ""
    shares, old = _shares(now), None if before is None else _shares(before)
    tallest = max([share for share in [*shares, *(old or ())] if share is not None], default=0.0) or 1.0
    width = _WIDTH / len(shares)
    drawn = "".join(_bar(place, share, width, tallest) for place, share in enumerate(shares))
    line = "" if old is None else _line(old, width, tallest)
    said = escape(f"Histogram of {label}, from {now.edges[0]:g} to {now.edges[-1]:g}", quote=True)
    return (
        f'<svg class="spark" role="img" aria-label="{said}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}">{drawn}{line}</svg>'
    )


def _shares(histogram: Histogram) -> list[float | None]:
    total = sum(count or 0 for count in histogram.counts) or 1
    return [None if count is None else count / total for count in histogram.counts]


def _height(share: float, tallest: float) -> float:
    return float((_HEIGHT - 2) * (share / tallest) ** 0.5)


def _bar(place: int, share: float | None, width: float, tallest: float) -> str:
    left = place * width
    if share is None:
        return f'<circle cx="{left + width / 2:.1f}" cy="{_HEIGHT - 1.5}" r="0.9"/>'
    height = _height(share, tallest)
    if not height:
        return ""
    return f'<rect x="{left:.1f}" y="{_HEIGHT - height:.1f}" width="{width - _GAP:.1f}" height="{height:.1f}"/>'


def _line(shares: list[float | None], width: float, tallest: float) -> str:
    points = []
    for place, share in enumerate(shares):
        y = _HEIGHT - _height(share or 0.0, tallest)
        points += [f"{place * width:.1f},{y:.1f}", f"{(place + 1) * width - _GAP:.1f},{y:.1f}"]
    return f'<polyline points="{" ".join(points)}"/>'
