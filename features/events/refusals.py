"""What the door refuses, as data: one refusal for each rule broken in each file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventError, EventSchemaError, EventValueError

__all__ = ["EXAMPLES", "Findings", "Place", "Refusal", "Rule", "error_of"]

EXAMPLES = 5
"""How many positions a refusal shows."""


@dataclass(frozen=True)
class Rule:
    """What must hold of a table or column, and what to do where it does not.

    Parameters
    ----------
    column : str
        Empty: the whole table.
    must : str
        Goes on after "<table>.<column> must".
    advice : str
        One sentence.
    """

    column: str
    must: str
    advice: str


@dataclass(frozen=True)
class Place:
    """Where rows come from.

    Parameters
    ----------
    table : str
    file : str
        Relative to the raw folder; empty for a table in memory.
    first_row : int
        Position of the first of the rows in the file.
    """

    table: str
    file: str = ""
    first_row: int = 0


@dataclass(frozen=True)
class Refusal:
    """One rule that does not hold in one file, or in one table in memory.

    It says where and what, never a value: a member's data is not in it.

    Parameters
    ----------
    table : str
    column : str
        Empty: the whole table.
    file : str
        Relative to the raw folder; empty for a table in memory.
    must : str
        What must hold.
    advice : str
        What to do.
    rows : int
        How many rows break the rule; 0 where the columns or the file itself are wrong.
    positions : tuple of int
        The first few of them, from 0 within the file.
    got : str
        What columns or file are instead; empty where rows are wrong.
    others : str
        How the table's other files compare, where they do.
    subject : str
        What must hold the rule; by default the column or table.
    """

    table: str
    column: str
    file: str
    must: str
    advice: str
    rows: int = 0
    positions: tuple[int, ...] = ()
    got: str = ""
    others: str = ""
    subject: str = ""

    @property
    def about_rows(self) -> bool:
        """Whether single rows are wrong, rather than columns or the file."""
        return self.rows > 0

    @property
    def thing(self) -> str:
        """What must hold the rule, as messages name it."""
        return self.subject or ".".join(part for part in (self.table, self.column) if part)


def error_of(refusals: Sequence[Refusal]) -> EventError:
    """The error for one rule, broken in one file or in several."""
    first = refusals[0]
    if not first.about_rows:
        where = f" in {first.file}{first.others}" if first.file else ""
        return EventSchemaError(f"{first.thing} must {first.must}, got {first.got}{where}. {first.advice}")
    wrong = f"{sum(r.rows for r in refusals)} row(s) where it is not ({_positions(refusals)})"
    got = f"{first.got}: {wrong}" if first.got else wrong
    return EventValueError(f"{first.thing} must {first.must}, got {got}. {first.advice}")


def _positions(refusals: Sequence[Refusal]) -> str:
    several_tables, left, parts = len({r.table for r in refusals}) > 1, EXAMPLES, []
    for refusal in refusals:
        shown = refusal.positions[:left]
        where = refusal.file or (refusal.table if several_tables else "")
        if shown:
            parts.append(f"rows {', '.join(map(str, shown))}" + (f" of {where}" if where else ""))
        left -= len(shown)
    more = ", …" if sum(r.rows for r in refusals) > EXAMPLES - left else ""
    return ", ".join(parts) + more


class Findings:
    """Takes refusals: stops at the first, or collects them all.

    Parameters
    ----------
    stop : bool
        Whether the first refusal is raised.
    """

    def __init__(self, *, stop: bool = True) -> None:
        self._stop = stop
        self._found: dict[tuple[str, str, str, str], Refusal] = {}

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything found so far, in the order found, one for each rule and file."""
        return tuple(self._found.values())

    def incomplete(self, table: str) -> bool:
        """Whether part of a table could not be read, so that what is missing from it is unknown."""
        return any(r.table == table and not r.about_rows for r in self._found.values())

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Take the refusals of one rule.

        Raises
        ------
        EventSchemaError, EventValueError
            If the first refusal stops.
        """
        if refusals and self._stop:
            raise error_of(refusals)
        for refusal in refusals:
            key = (refusal.table, refusal.column, refusal.file, refusal.must)
            before = self._found.get(key)
            self._found[key] = refusal if before is None else _joined(before, refusal)

    def rows(self, place: Place, wrong: pa.Array, rule: Rule) -> None:
        """Refuse the rows of a batch for which a boolean array is true; null counts as false."""
        at = np.flatnonzero(pc.fill_null(wrong, False).to_numpy(zero_copy_only=False))
        self.add(list(row_refusals(rule, place, [(place.file, at + place.first_row)])))


def row_refusals(
    rule: Rule, place: Place, by_file: Iterable[tuple[str, npt.NDArray[np.int64]]], got: str = ""
) -> Iterable[Refusal]:
    """One refusal for each file that has rows which break a rule."""
    for file, at in by_file:
        if at.size:
            shown = tuple(at[:EXAMPLES].tolist())
            yield Refusal(place.table, rule.column, file, rule.must, rule.advice, len(at), shown, got)


def _joined(before: Refusal, later: Refusal) -> Refusal:
    if not later.about_rows:
        return before
    return replace(before, rows=before.rows + later.rows, positions=(before.positions + later.positions)[:EXAMPLES])
