"""What a report may show of people: no cell of fewer than fifty members, no exact figure of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Final, Self

__all__ = ["SMALLEST_CELL", "Share", "coarse", "hide_small", "percent"]

SMALLEST_CELL: Final = 50
"""Members a figure must rest on; with fewer there is no figure, and a check says insufficient."""


@dataclass(frozen=True)
class Share:
    """A part of a whole, which knows whether it may be shown.

    Parameters
    ----------
    part, whole : int
        Rows or observations; ``0 <= part <= whole``.
    hidden : bool
        Whether the part, or what is left of the whole, concerns some but fewer than
        :data:`SMALLEST_CELL` members.

    Examples
    --------
    >>> Share.of(200, 1000).shown, Share.of(0, 1000).shown
    (0.2, 0.0)
    >>> Share.of(3, 1000).shown is None, Share.of(3, 1000).text, Share.of(997, 1000).text
    (True, 'few', 'nearly all')
    """

    part: int
    whole: int
    hidden: bool

    @classmethod
    def of(cls, part: int, whole: int, cell: int = SMALLEST_CELL) -> Self:
        """A share whose cells are small where they hold some but fewer than ``cell`` rows."""
        return cls(part, whole, 0 < part < cell or 0 < whole - part < cell)

    @property
    def exact(self) -> float | None:
        """For comparing with a limit, never for showing; None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def shown(self) -> float | None:
        """To six digits; None where it is hidden, or a share of nothing."""
        return None if self.hidden or not self.whole else round(self.part / self.whole, 6)

    @property
    def text(self) -> str:
        """In words: a percentage, ``few`` or ``nearly all``."""
        if not self.whole:
            return "–"
        if self.hidden:
            return "few" if 2 * self.part <= self.whole else "nearly all"
        return percent(self.part / self.whole)


def percent(share: float) -> str:
    """A share in per cent; what is not nothing never reads 0."""
    if 0 < abs(share) < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %"


def coarse(value: float, digits: int = 3) -> float:
    """A value to some significant digits, so that it is no single member's any more.

    Examples
    --------
    >>> coarse(123_456.0), coarse(-0.0123456), coarse(0.0)
    (123000.0, -0.0123, 0.0)
    """
    if value == 0:
        return 0.0
    return float(round(value, digits - 1 - floor(log10(abs(value)))))


def hide_small(counts: Sequence[int], cell: int = SMALLEST_CELL) -> tuple[int | None, ...]:
    """Counts that may stand in a table whose total is known: None where a cell is small.

    A lone small cell would follow from the total and the others, so the next smallest goes too.

    Examples
    --------
    >>> hide_small([0, 7, 60, 900])
    (0, None, None, 900)
    >>> hide_small([0, 7, 8, 900])
    (0, None, None, 900)
    """
    hidden = {place for place, count in enumerate(counts) if 0 < count < cell}
    if len(hidden) == 1:
        others = [place for place, count in enumerate(counts) if count >= cell]
        hidden |= set(sorted(others, key=lambda place: counts[place])[:1])
    return tuple(None if place in hidden else count for place, count in enumerate(counts))
