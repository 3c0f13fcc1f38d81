"""Everything that is wrong with raw events, as data, a table, JSON and text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, Final

import pandas as pd

from benne.features.events.refusals import EXAMPLES, Refusal, error_of

__all__ = ["RefusalReport"]

_FORMAT: Final = 1
_COLUMNS: Final = ("table", "column", "file", "rows", "positions", "must", "got", "others", "advice")


@dataclass(frozen=True)
class RefusalReport:
    """What :func:`check_raw` found: one refusal for each rule broken in each file.

    It holds table, column and file names, counts and positions, never a member's data.

    Parameters
    ----------
    refusals : tuple of Refusal
        Empty: the events would be taken.
    rows : mapping of str to int
        Per table, how many rows were read.
    files : mapping of str to int
        Per table, how many files were read.
    undated : mapping of str to int
        Per table, rows without ``known_at``, which would count as known from the ingest clock on.
    lifted : mapping of str to int
        Per table, rows known shortly before they happened, which would be lifted.
    unchecked : tuple of str
        Rules nothing can be said of until what they look into can be read.

    Examples
    --------
    >>> refusal = Refusal("payments", "amount", "payments/2.parquet", "be at least 0", "Correct them.",
    ...                   rows=2, positions=(3, 7))
    >>> report = RefusalReport((refusal,), rows={"payments": 10}, files={"payments": 3})
    >>> report.ok
    False
    >>> print(report)
    payments.amount must be at least 0, got 2 row(s) where it is not (rows 3, 7 of payments/2.parquet). Correct them.
    """

    refusals: tuple[Refusal, ...]
    rows: Mapping[str, int] = field(repr=False)
    files: Mapping[str, int] = field(repr=False)
    undated: Mapping[str, int] = field(default_factory=dict, repr=False)
    lifted: Mapping[str, int] = field(default_factory=dict, repr=False)
    unchecked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is refused."""
        return not self.refusals

    def by_rule(self) -> list[list[Refusal]]:
        """The refusals of each rule together, in the order found."""
        order: dict[tuple[str, str], int] = {}
        for refusal in self.refusals:
            order.setdefault((refusal.thing, refusal.must), len(order))
        ranked = sorted(self.refusals, key=lambda r: order[r.thing, r.must])
        return [list(group) for _, group in groupby(ranked, key=lambda r: (r.thing, r.must))]

    def to_frame(self) -> pd.DataFrame:
        """One row for each rule broken in each file.

        Returns
        -------
        DataFrame
            ``table``, ``column``, ``file``, ``rows``, ``positions`` (list of int, the first
            few from 0 in the file), ``must``, ``got``, ``others``, ``advice``; ``rows`` is 0 where columns
            or the file itself are wrong.
        """
        return pd.DataFrame([_row(refusal) for refusal in self.refusals], columns=list(_COLUMNS))

    def to_json(self) -> str:
        """The whole report, for a program to read."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON knows it."""
        counts = {name: dict(getattr(self, name)) for name in ("rows", "files", "undated", "lifted")}
        return {
            "format": _FORMAT,
            "ok": self.ok,
            "refusals": [_row(refusal) for refusal in self.refusals],
            **counts,
            "unchecked": list(self.unchecked),
        }

    def __str__(self) -> str:
        """One line for each rule that is broken."""
        lines = [_line(group) for group in self.by_rule()] or ["Nothing is refused."]
        return "\n".join([*lines, *(f"Not checked, as a file could not be read: {rule}." for rule in self.unchecked)])


def _row(refusal: Refusal) -> dict[str, Any]:
    return asdict(refusal) | {"positions": list(refusal.positions)}


def _line(group: list[Refusal]) -> str:
    others = [refusal.file for refusal in group[1 : EXAMPLES + 1] if not refusal.about_rows]
    more = f" The same in {', '.join(others)}{', …' if len(group) > EXAMPLES + 1 else ''}." if others else ""
    return f"{error_of(group)}{more}"
