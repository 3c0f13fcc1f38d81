"""Everything that is wrong with a package, collected before anything is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benne.errors import EventSchemaError, EventValueError

__all__ = ["Findings"]

_EXAMPLES = 5


@dataclass
class _Rows:
    count: int = 0
    first: list[int] = field(default_factory=list)


class Findings:
    """What is wrong, in words without values: of files, and of rows by table, column and position.

    Examples
    --------
    >>> findings = Findings()
    >>> findings.rows("dues.amount_due must be at least 1", np.array([False, True]), first_row=10)
    >>> findings.messages
    ('dues.amount_due must be at least 1, got 1 row(s) where it is not (rows 11)',)
    >>> findings.refuse("The package must be as declared")
    Traceback (most recent call last):
    ...
    benne.errors.EventValueError: The package must be as declared, got 1 thing(s) that are not: ...
    """

    def __init__(self) -> None:
        self._forms: list[str] = []
        self._rows: dict[str, _Rows] = {}

    def form(self, must: str) -> None:
        """A file, column or field is not as it must be."""
        self._forms.append(must)

    def rows(self, must: str, wrong: npt.NDArray[np.bool_], first_row: int = 0) -> None:
        """Some rows are not; batches of one table add up."""
        places = np.flatnonzero(wrong)
        if places.size:
            self.positions(must, (places[:_EXAMPLES] + first_row).tolist(), int(places.size))

    def positions(self, must: str, first: list[int], count: int) -> None:
        """The same, where the first positions and the number are known."""
        found = self._rows.setdefault(must, _Rows())
        found.count += count
        found.first = (found.first + first)[:_EXAMPLES]

    @property
    def messages(self) -> tuple[str, ...]:
        """One line each; empty where all is well."""
        return (*self._forms, *(_line(must, rows) for must, rows in self._rows.items()))

    def refuse(self, what: str, advice: str = "Ask the sender to correct them") -> None:
        """Raise where anything was found: of form, else of rows."""
        said = self.messages
        if said:
            text = f"{what}, got {len(said)} thing(s) that are not: {'; '.join(said)}. {advice}."
            raise (EventSchemaError if self._forms else EventValueError)(text)


def _line(must: str, rows: _Rows) -> str:
    more = ", …" if rows.count > len(rows.first) else ""
    return f"{must}, got {rows.count} row(s) where it is not (rows {', '.join(map(str, rows.first))}{more})"
