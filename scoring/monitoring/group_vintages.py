"""What was predicted and what came true, by band or pattern of consent and vintage, over the last periods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benne.features.quality.cells import hide_small
from benne.models.calibration import wilson_interval
from benne.scoring.monitoring.chance import other_by_chance, repeated, risen_by_chance
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed
from benne.scoring.monitoring.shares import FEWEST

__all__ = ["GroupVintages", "check_calibration", "check_order", "off_by"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


class _Cell(NamedTuple):
    """A group over the periods ``first`` to ``last``."""

    group: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class GroupVintages:
    """Rows whose outcome is known, by group and period; see :meth:`of`.

    Parameters
    ----------
    kind : str
        ``band`` or ``pattern``.
    names : tuple of str
        Of the groups; bands from the lowest up.
    periods : tuple of str
    rows, bads, expected : ndarray of float64, shape (periods, groups)
        How many, how many turned bad, and how many were predicted to.
    bad, pd : ndarray of float64, shape (n,)
        Of each row with an outcome.
    members, group, period : ndarray of int, shape (n,)
    """

    kind: str
    names: tuple[str, ...]
    periods: tuple[str, ...]
    rows: Floats
    bads: Floats
    expected: Floats
    bad: Floats
    pd: Floats
    members: Indices
    group: Indices
    period: Indices

    @classmethod
    def of(
        cls, kind: str, of_row: npt.NDArray[np.object_], order: Sequence[str], seen: Observed, bad: Floats
    ) -> GroupVintages:
        """Count.

        Parameters
        ----------
        kind : str
        of_row : ndarray of str, shape (n,)
            The group of each row; other names than those of ``order`` are not counted.
        order : sequence of str
        seen : Observed
        bad : ndarray of float64, shape (n,)
            NaN where not known.
        """
        place = np.full(len(bad), -1, dtype=np.intp)
        for k, name in enumerate(order):
            place[of_row == name] = k
        inside = np.isfinite(bad) & (place >= 0)
        group, period = place[inside], seen.period_of_row[inside]
        shape = (len(seen.periods), len(order))
        cell, length = period * shape[1] + group, shape[0] * shape[1]
        rows, bads, expected = (
            np.bincount(cell, weight, minlength=length).reshape(shape).astype(np.float64)
            for weight in (None, bad[inside], seen.pd[inside])
        )
        return cls(
            kind=kind, names=tuple(order), periods=seen.periods, rows=rows, bads=bads, expected=expected,
            bad=bad[inside], pd=seen.pd[inside], members=seen.members[inside], group=group, period=period,
        )  # fmt: skip

    def pooled(self) -> list[dict[str, Any]]:
        """A line for each group over all periods; without figures where it, or one it would give away, is small."""
        rows, bads, expected = (table.sum(axis=0) for table in (self.rows, self.bads, self.expected))
        shown = hide_small(rows.astype(int).tolist(), FEWEST)
        return [
            {self.kind: name, **_line(told, float(bads[k]), float(expected[k]))}
            for k, (name, told) in enumerate(zip(self.names, shown, strict=True))
        ]

    def by_period(self) -> list[dict[str, Any]]:
        """A line for each group and period in which it has rows.

        Notes
        -----
        Totals by period and by group are told too: a small cell hides another of its period, and one of its group.
        """
        hidden = _hidden(self.rows)
        return [
            {
                "period": period, self.kind: name,
                **_line(None if hidden[k, g] else int(self.rows[k, g]), self.bads[k, g], self.expected[k, g]),
            }
            for g, name in enumerate(self.names) for k, period in enumerate(self.periods) if self.rows[k, g]
        ]  # fmt: skip

    def windows(self, fewest: int) -> Iterator[list[_Cell]]:
        """Of each period, what is judged by then: each group over the last 1, 2, 4, ... periods that hold enough rows.

        Short windows find what has just begun, long ones what is rare.
        """
        until = np.vstack([np.zeros(len(self.names)), np.cumsum(self.rows, axis=0)])
        for last in range(len(self.periods)):
            spans = [1 << power for power in range((last + 1).bit_length())]
            yield [
                _Cell(g, last + 1 - span, last)
                for span in spans
                for g in range(len(self.names))
                if self.rows[last, g] and until[last + 1, g] - until[last + 1 - span, g] >= fewest
            ]

    def counts(self, cell: _Cell) -> tuple[float, float, float]:
        """Rows, bads and predicted bads of a window."""
        span = slice(cell.first, cell.last + 1)
        rows, bads, expected = (table[span, cell.group].sum() for table in (self.rows, self.bads, self.expected))
        return float(rows), float(bads), float(expected)

    def alike(self, cell: _Cell) -> float:
        """Rows of a window that count as one; see :func:`benne.scoring.monitoring.chance.repeated`."""
        own = (self.group == cell.group) & (self.period >= cell.first) & (self.period <= cell.last)
        return repeated(self.bad[own], self.pd[own], self.members[own])

    def span(self, cell: _Cell) -> str:
        """The window in words."""
        first, last = self.periods[cell.first], self.periods[cell.last]
        return f"in {last}" if first == last else f"from {first} to {last}"


def check_calibration(found: GroupVintages, judge: Judge) -> None:
    """Bads of each group against those predicted, over windows; of each group and period the least likely is told."""
    for cells in found.windows(judge.fewest):
        bound, worst = judge.significance(len(cells)), dict[int, tuple[float, float, _Cell]]()
        for cell in cells:
            rows, bads, expected = found.counts(cell)
            share = min(expected / rows, 1.0)
            # Rows of one member are looked at only where they matter: they make nothing less likely.
            if other_by_chance(bads, int(rows), share) < bound:
                chance = other_by_chance(bads, int(rows), share, found.alike(cell))
                if chance < bound:
                    one = (chance, -off_by(bads, expected), cell)
                    worst[cell.group] = min(one, worst.get(cell.group, one))
        for group, (_, beyond, cell) in sorted(worst.items()):
            rows, bads, expected = found.counts(cell)
            said = (
                f"Of {found.kind} {found.names[group]}, {bads / rows:.1%} turned bad {found.span(cell)} where "
                f"{expected / rows:.1%} were predicted."
            )
            judge.tell("calibration", f"{found.kind}.{found.names[group]}", -beyond, found.periods[cell.last], said)


def check_order(found: GroupVintages, judge: Judge) -> None:
    """Whether a band turned bad more often than the next one below it of which there is enough, over windows."""
    for cells in found.windows(judge.fewest):
        bound, worst = judge.significance(len(cells)), dict[int, tuple[float, float, _Cell]]()
        for below, cell in pairwise(cells):
            if below.first != cell.first:  # the first band of a longer window
                continue
            (rows, bads, _), (before, bads_before, _) = found.counts(cell), found.counts(below)
            rise = bads / rows - bads_before / before
            if rise > 0.0 and risen_by_chance((bads, rows), (bads_before, before)) < bound:
                now, then = found.alike(cell), found.alike(below)
                chance = risen_by_chance(
                    (float(int(bads / now)), float(round(rows / now))),
                    (float(-int(-bads_before // then)), float(round(before / then))),
                )
                if chance < bound:
                    worst[cell.group] = min((chance, -rise, cell), worst.get(cell.group, (1.0, 0.0, cell)))
        for group, (_, fall, cell) in sorted(worst.items()):
            said = (
                f"{found.kind.capitalize()} {found.names[group]} turned bad more often than the one below it, "
                f"by {-fall:.1%}, {found.span(cell)}."
            )
            judge.tell("order", found.names[group], -fall, found.periods[cell.last], said)


def off_by(bads: float, expected: float) -> float:
    """How many times bads are those predicted, or the other way round, whichever is more, less 1.

    Examples
    --------
    >>> off_by(30.0, 20.0), off_by(20.0, 30.0), off_by(0.0, 2.0)
    (0.5, 0.5, 3.0)
    """
    part = max(bads, 0.5)  # none at all is not infinitely few
    return max(part / expected, expected / part) - 1.0 if expected else float("inf")


def _line(rows: int | None, bads: float, expected: float) -> dict[str, Any]:
    """Figures of a cell; without a bad rate where nobody or everybody turned bad, as it would be each member's own."""
    line: dict[str, Any] = {"rows": rows}
    if rows:
        low, high = wilson_interval(np.array([bads]), np.array([float(rows)]))
        seen = (float(bads / rows), float(low[0]), float(high[0])) if 0 < bads < rows else (None, None, None)
        line |= {"predicted": float(expected / rows)}
        line |= dict(zip(("observed", "observed_low", "observed_high"), seen, strict=True))
    return line


def _hidden(rows: Floats) -> Bools:
    """Which cells may not be told beside the totals of their period and of their group, shape (periods, groups)."""
    totals = hide_small(rows.sum(axis=0).astype(int).tolist(), FEWEST)
    hidden = np.asarray((rows > 0) & ((rows < FEWEST) | np.array([told is None for told in totals])))
    while True:
        lone = next((pair for pair in _lines_of(rows, hidden) if pair[1].sum() == 1 and (pair[0] > 0).sum() > 1), None)
        if lone is None:
            return hidden
        counts, marks = lone
        marks[np.argmin(np.where((counts > 0) & ~marks, counts, np.inf))] = True


def _lines_of(rows: Floats, hidden: Bools) -> Iterator[tuple[Floats, Bools]]:
    """Rows and columns, as views of both."""
    yield from zip(rows, hidden, strict=True)
    yield from zip(rows.T, hidden.T, strict=True)
