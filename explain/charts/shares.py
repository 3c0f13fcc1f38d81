"""Shares before and now as pairs of bars, and figures against limits: pictures of many, for whoever runs a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benne.explain.charts.colours import ADVERSE, FAVOURABLE, INK, LINE, QUIET
from benne.explain.charts.svg import drawing, element, label, limit_line, shortened

__all__ = ["Level", "Pair", "level_bars", "paired_bars"]

_WIDTH: Final = 640
_LABELS: Final = 200.0
_LONG_LABELS: Final = 290.0  # features, whose names tell apart only at their ends
_NUMBERS: Final = 64.0
_SIZE: Final = 13
_CROWDED: Final = 30.0  # between two limits: less, and their figures would lie over each other


@dataclass(frozen=True, slots=True)
class Pair:
    """A share before and now, each from 0 to 1; None where it is not told.

    Attributes
    ----------
    named : str
    before, now : float or None
    """

    named: str
    before: float | None
    now: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """A figure from zero upwards, and whether it is beyond its limit; None where it is not told.

    Attributes
    ----------
    named : str
    value : float or None
    beyond : bool
    """

    named: str
    value: float | None
    beyond: bool = False


def paired_bars(
    pairs: Sequence[Pair], title: str, legend: tuple[str, str], *, missing: str = "–", name: str = "shares"
) -> str:
    """Shares before and now, one pair of bars below another.

    Parameters
    ----------
    pairs : sequence of Pair
    title : str
        For whoever does not see it.
    legend : (str, str)
        What was before is called, and what is now.
    missing : str
        Stands where a share is not told.
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> picture = paired_bars([Pair("good", 0.9, 0.7)], "Bands", ("Training", "Now"))
    >>> "good: Training 90.0 %, Now 70.0 %" in picture
    True
    """
    most = max((share for pair in pairs for share in (pair.before, pair.now) if share is not None), default=0.0)
    scale = (_WIDTH - _LABELS - _NUMBERS) / max(most, 0.01)
    parts = _legend(legend)
    for k, pair in enumerate(pairs):
        y = 34.0 + 38.0 * k
        parts.append(_named(pair.named, y + 18))
        parts += _bar(pair.before, scale, y, LINE, _percent(pair.before, missing))
        parts += _bar(pair.now, scale, y + 15, FAVOURABLE, _percent(pair.now, missing))
    told = "; ".join(
        f"{pair.named}: {legend[0]} {_percent(pair.before, missing)}, {legend[1]} {_percent(pair.now, missing)}"
        for pair in pairs
    )
    return drawing((_WIDTH, int(40 + 38 * len(pairs))), title, told or missing, *parts, name=name)


def level_bars(
    levels: Sequence[Level], limits: Sequence[float], title: str, *, missing: str = "–", name: str = "levels"
) -> str:
    """Figures as bars with their limits as lines through them.

    Parameters
    ----------
    levels : sequence of Level
    limits : sequence of float
    title : str
        For whoever does not see it.
    missing : str
        Stands where a figure is not told.
    name : str
        Unique among the charts of a page.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> picture = level_bars([Level("income", 0.31, beyond=True)], [0.1, 0.25], "Shift")
    >>> "income 0.31" in picture
    True
    """
    most = max([*limits, *(level.value for level in levels if level.value is not None)], default=1.0)
    scale, bottom = (_WIDTH - _LONG_LABELS - _NUMBERS) / max(1.1 * most, 1e-9), 22.0 + 26.0 * len(levels)
    parts = _limits(limits, scale, bottom)
    for k, level in enumerate(levels):
        y = 22.0 + 26.0 * k
        parts.append(_named(level.named, y + 13, _LONG_LABELS))
        colour = ADVERSE if level.beyond else FAVOURABLE
        parts += _bar(level.value, scale, y + 2, colour, _figure(level.value, missing), _LONG_LABELS)
    words = "; ".join(f"{one.named} {_figure(one.value, missing)}" for one in levels)
    return drawing((_WIDTH, int(bottom + 6)), title, words or missing, *parts, name=name)


def _limits(limits: Sequence[float], scale: float, bottom: float) -> list[str]:
    """Lines under their figures, which stand apart where bars far beyond leave little room between two limits."""
    found = []
    for limit in limits:
        x, anchor = _LONG_LABELS + limit * scale, "middle"
        if 0 < (max(limits) - min(limits)) * scale < _CROWDED:
            anchor = "start" if limit > min(limits) else "end"
        found.append(limit_line((x, x), (16.0, bottom), QUIET))
        found.append(label(f"{limit:g}", x, 12.0, font_size=11, fill=QUIET, text_anchor=anchor))
    return found


def _named(name: str, y: float, room: float = _LABELS) -> str:
    return label(shortened(name, room / _SIZE - 0.6), 0.0, y, font_size=_SIZE, fill=INK)


def _bar(value: float | None, scale: float, y: float, colour: str, told: str, left: float = _LABELS) -> list[str]:
    width = 0.0 if value is None else max(value * scale, 0.5)
    found = [label(told, left + width + 6, y + 11, font_size=12, fill=INK)]
    if value is not None:
        found.append(element("rect", x=left, y=y, width=width, height=13.0, fill=colour))
    return found


def _legend(legend: tuple[str, str]) -> list[str]:
    found = []
    for k, (words, colour) in enumerate(zip(legend, (LINE, FAVOURABLE), strict=True)):
        x = _LABELS + 180.0 * k
        found.append(element("rect", x=x, y=6.0, width=13.0, height=13.0, fill=colour))
        found.append(label(shortened(words, 13.0), x + 19, 17.0, font_size=12, fill=QUIET))
    return found


def _figure(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:.2f}"


def _percent(share: float | None, missing: str) -> str:
    return missing if share is None else f"{100 * share:.1f} %"
