"""What was measured beside what was aimed at: the rows of the last table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Row", "Target", "table"]

_TITLES = ("what", "ours", "peer", "ratio", "target", "met")


@dataclass(frozen=True)
class Target:
    """A bound, or none.

    Parameters
    ----------
    at_least, at_most : float, optional
    unit : str
        Follows numbers.
    note : str
        Shown where there is no bound.
    form : str
        How numbers are written.
    """

    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    note: str = "-"
    form: str = ".2f"

    def __str__(self) -> str:
        """As the table shows it."""
        if self.at_least is not None:
            return f"≥ {self.written(self.at_least)}"
        return self.note if self.at_most is None else f"≤ {self.written(self.at_most)}"

    def written(self, value: float) -> str:
        """A number in this form and unit."""
        return f"{value:{self.form}}{self.unit}"

    def met(self, value: float) -> str:
        """Whether a value keeps the bound."""
        if self.at_least is None and self.at_most is None:
            return "-"
        kept = (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)
        return "yes" if kept else "NO"


_NO_TARGET = Target()


@dataclass(frozen=True)
class Row:
    """One row, all text.

    Parameters
    ----------
    what, ours, peer, ratio, target, met : str
    """

    what: str
    ours: str
    peer: str
    ratio: str
    target: str
    met: str

    @classmethod
    def times(
        cls, what: str, ours: float, peer: str, theirs: float, target: Target | None = None, unit: str = "s"
    ) -> Row:
        """Time beside time; the ratio is theirs over ours."""
        ratio, bound = theirs / ours, target or _NO_TARGET
        return cls(
            what, f"{ours:.2f} {unit}", f"{peer} {theirs:.2f} {unit}", f"{ratio:.2f}x", str(bound), bound.met(ratio)
        )

    @classmethod
    def memory(cls, what: str, ours: float, peer: str, theirs: float) -> Row:
        """Megabytes beside megabytes; the ratio is theirs over ours."""
        return cls(what, f"{ours:,.0f} MB", f"{peer} {theirs:,.0f} MB", f"{theirs / ours:.2f}x", "-", "-")

    @classmethod
    def rates(cls, what: str, ours: float, peer: str, theirs: float, target: Target | None = None) -> Row:
        """Rows a second beside rows a second; the ratio is ours over theirs, as for the time a row takes."""
        ratio, bound = ours / theirs, target or _NO_TARGET
        return cls(what, f"{ours:,.0f}/s", f"{peer} {theirs:,.0f}/s", f"{ratio:.2f}x", str(bound), bound.met(ratio))

    @classmethod
    def accuracy(cls, what: str, ours: float, peer: str, theirs: float, target: Target | None = None) -> Row:
        """AUC beside AUC; in place of a ratio, ours minus theirs."""
        more, bound = ours - theirs, target or _NO_TARGET
        return cls(what, f"{ours:.4f}", f"{peer} {theirs:.4f}", f"{more:+.4f}", str(bound), bound.met(more))

    @classmethod
    def alone(cls, what: str, value: float, target: Target) -> Row:
        """A number with no peer."""
        return cls(what, target.written(value), "-", "-", str(target), target.met(value))


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of equal columns; a ratio says how many times better ours is than what stands under "peer"."""
    cells = [_TITLES, *((r.what, r.ours, r.peer, r.ratio, r.target, r.met) for r in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(_TITLES))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
