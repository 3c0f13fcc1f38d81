"""What a builder may say: rows of a stream in a window, and aggregates of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from benne.errors import RegistrationError
from benne.features.events.tables import TABLES
from benne.features.kernel import operations as op
from benne.features.kernel.derived import DERIVED, Clause
from benne.features.kernel.layout import TABLE_COLUMNS

if TYPE_CHECKING:
    from benne.features.kernel.program import Lowering

__all__ = [
    "ActivePeriods", "Count", "DaysSinceFirst", "DaysSinceLast", "Difference", "Distinct", "Expression",
    "Largest", "Latest", "Ratio", "Rows", "Scaled", "Smallest", "Sum", "Total", "Variation", "stream",
]  # fmt: skip

_LOWEST, _HIGHEST = -(2**63) + 1, 2**63 - 1  # the least int64 is null


@dataclass(frozen=True)
class Condition:
    """A column between two numbers, or among codes; never true where the column is null.

    An ``excluding`` condition is the opposite, and true where the column is null.
    """

    column: str
    codes: tuple[int, ...] = ()
    low: int = _LOWEST
    high: int = _HIGHEST
    excluding: bool = False

    @property
    def only_known(self) -> bool:
        """Whether it asks nothing but that the column be known."""
        return not self.codes and (self.low, self.high) == (_LOWEST, _HIGHEST)

    def lowered(self) -> tuple[int, int, int]:
        """Kind, low (or the set of codes as bits) and high, as compiled code takes them."""
        if not self.codes:
            return op.BETWEEN, self.low, self.high
        return op.NOT_ONE_OF if self.excluding else op.ONE_OF, sum(1 << code for code in set(self.codes)), 0


@dataclass(frozen=True)
class Rows:
    """Some rows of a stream, in a window before ``as_of``; see :func:`stream`."""

    stream: str
    conditions: tuple[Condition, ...] = ()
    near_days: int = 0
    far_days: int | None = None

    def where(self, **values: str | int | tuple[str, ...]) -> Rows:
        """Only rows whose column is one of these values (categories by name, flags as 0 or 1)."""
        added = tuple(
            Condition(column, low=int(v), high=int(v)) if isinstance(v, int)
            else Condition(column, codes=_codes(self.stream, column, v))
            for column, v in values.items()
        )  # fmt: skip
        return replace(self, conditions=self.conditions + added)

    def excluding(self, **values: str | tuple[str, ...]) -> Rows:
        """Without rows whose column is one of these values; rows that do not say stay."""
        added = tuple(Condition(c, codes=_codes(self.stream, c, v), excluding=True) for c, v in values.items())
        return replace(self, conditions=self.conditions + added)

    def at_least(self, **lows: int) -> Rows:
        """Only rows whose column is known and not below a number."""
        added = tuple(Condition(column, low=low) for column, low in lows.items())
        return replace(self, conditions=self.conditions + added)

    def at_most(self, **highs: int) -> Rows:
        """Only rows whose column is known and not above a number."""
        added = tuple(Condition(column, high=high) for column, high in highs.items())
        return replace(self, conditions=self.conditions + added)

    def known(self, *columns: str) -> Rows:
        """Only rows that say something in these columns."""
        return replace(self, conditions=self.conditions + tuple(Condition(c) for c in columns))

    def within(self, days: int) -> Rows:
        """Only rows in ``[as_of - days, as_of)``."""
        return self.between(0, days)

    def between(self, near_days: int, far_days: int) -> Rows:
        """Only rows in ``[as_of - far_days, as_of - near_days)``; negative days look at a schedule.

        Raises
        ------
        RegistrationError
            If it looks ahead in a stream that is no schedule.
        """
        if near_days < 0 and not (self.stream in TABLES and TABLES[self.stream].schedule):
            raise RegistrationError(
                f"Rows of {self.stream} must lie before as_of, got a window that ends {-near_days} days after it. "
                "Only a schedule is known ahead."
            )
        return replace(self, near_days=near_days, far_days=far_days)

    @property
    def always(self) -> Rows:
        """The same rows without their window."""
        return replace(self, near_days=0, far_days=None)

    def may_hold(self, column: str, value: str) -> bool:
        """Whether a row whose column is a certain category can be among these."""
        (code,) = _codes(self.stream, column, value)
        for condition in (c for c in self.conditions if c.column == column and c.codes):
            if (code in condition.codes) == condition.excluding:
                return False
        return True

    def needs(self, *columns: str) -> frozenset[Clause]:
        """What must be present for these rows, and these columns of them, to say anything."""
        named = {c.column for c in self.conditions if not c.excluding} | set(columns)
        derived = DERIVED.get(self.stream)
        if derived is None:
            return frozenset(frozenset({(self.stream, column)}) for column in {"event_time", *named})
        own = [derived.columns.get(c, frozenset[Clause]()) for c in named]
        taken = {c for c in named if c in TABLE_COLUMNS[derived.tables[0]] and c not in derived.columns}
        copied = frozenset(frozenset({(derived.tables[0], c)}) for c in taken - derived.never_null)
        return derived.needs.union(copied, *own)


def stream(name: str) -> Rows:
    """All rows of an event table, or of a derived stream, before ``as_of``.

    Examples
    --------
    >>> failed = stream("payments").where(status="failed").within(180)
    >>> sorted(column for clause in failed.needs() for table, column in clause)
    ['event_time', 'status']
    """
    if name not in TABLES and name not in DERIVED:
        raise KeyError(f"A stream must be an event table or one of {', '.join(DERIVED)}, got {name!r}.")
    return Rows(name)


def _codes(table: str, column: str, values: str | int | tuple[str, ...]) -> tuple[int, ...]:
    if isinstance(values, int):
        return (values,)
    source, name = (table, column) if table in TABLES else DERIVED[table].categories[column]
    known = TABLES[source].column(name).values
    wanted = (values,) if isinstance(values, str) else values
    strange = [value for value in wanted if value not in known]
    if strange:
        raise RegistrationError(
            f"Rows of {source} must be chosen by {column} among {', '.join(known)}, got {', '.join(strange)}. "
            "Correct the name."
        )
    return tuple(known.index(value) for value in wanted)


class Expression(ABC):
    """A value for each observation."""

    @abstractmethod
    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""

    def needs(self) -> frozenset[Clause]:
        """What must be present for the value to be computed at all."""
        return frozenset[Clause]().union(*(part.needs() for part in self.parts()))

    def reads(self) -> frozenset[tuple[str, str]]:
        """Every (table, column) the value may be computed from."""
        return frozenset(pair for clause in self.needs() for pair in clause)

    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""
        return ()

    def selections(self) -> tuple[Rows, ...]:
        """The rows of streams it is made of."""
        own = getattr(self, "rows", None)
        return ((own,) if isinstance(own, Rows) else ()) + tuple(r for part in self.parts() for r in part.selections())

    def streams(self) -> frozenset[str]:
        """Every stream it reads."""
        return frozenset(rows.stream for rows in self.selections())

    def looks_ahead(self) -> bool:
        """Whether it reads a schedule beyond ``as_of``."""
        return any(rows.near_days < 0 for rows in self.selections())


@dataclass(frozen=True)
class _OfRows(Expression):
    rows: Rows

    _operation: ClassVar[int]

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.aggregate(self._operation, self.rows)

    def needs(self) -> frozenset[Clause]:
        """What it reads."""
        return self.rows.needs()


class Count(_OfRows):
    """How many rows; 0 where none."""

    _operation = op.COUNT


class DaysSinceLast(_OfRows):
    """Days from the last row to ``as_of``; null where there are no rows."""

    _operation = op.DAYS_SINCE_LAST


class DaysSinceFirst(_OfRows):
    """Days from the first row to ``as_of``; null where there are no rows."""

    _operation = op.DAYS_SINCE_FIRST


@dataclass(frozen=True)
class _OfColumn(Expression):
    rows: Rows
    column: str

    _operation: ClassVar[int]

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.aggregate(self._operation, self.rows, self.column)

    def needs(self) -> frozenset[Clause]:
        """What it reads."""
        return self.rows.needs(self.column)


class Total(_OfColumn):
    """Sum of a column; 0 where there are no rows."""

    _operation = op.TOTAL


class Largest(_OfColumn):
    """Largest value of a column; null where there are no rows."""

    _operation = op.LARGEST


class Smallest(_OfColumn):
    """Smallest value of a column; null where there are no rows."""

    _operation = op.SMALLEST


class Latest(_OfColumn):
    """Last value of a column; null where there are no rows."""

    _operation = op.LATEST


class Distinct(_OfColumn):
    """How many different values of a column of ids or categories; 0 where there are no rows."""

    _operation = op.DISTINCT


@dataclass(frozen=True)
class ActivePeriods(Expression):
    """In how many of the last ``periods`` periods of ``days`` days there was a row."""

    rows: Rows
    days: int = 30
    periods: int = 6

    def selections(self) -> tuple[Rows, ...]:
        """The rows of each period."""
        return tuple(_period(self.rows, self.days, k) for k in range(self.periods))

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.ADD, [to.aggregate(op.ANY, period) for period in self.selections()])

    def needs(self) -> frozenset[Clause]:
        """What it reads."""
        return self.rows.needs()


@dataclass(frozen=True)
class Variation(Expression):
    """Coefficient of variation of the totals of the last ``periods`` periods; null where nothing."""

    rows: Rows
    column: str
    days: int = 30
    periods: int = 6

    def selections(self) -> tuple[Rows, ...]:
        """The rows of each period."""
        return tuple(_period(self.rows, self.days, k) for k in range(self.periods))

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.VARIATION, [to.aggregate(op.TOTAL, rows, self.column) for rows in self.selections()])

    def needs(self) -> frozenset[Clause]:
        """What it reads."""
        return self.rows.needs(self.column)


def _period(rows: Rows, days: int, k: int) -> Rows:
    return rows.between(k * days, (k + 1) * days)


@dataclass(frozen=True)
class Ratio(Expression):
    """One value over another; null where the second is null or below ``at_least``."""

    numerator: Expression
    denominator: Expression
    at_least: float = 1.0

    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""
        return (self.numerator, self.denominator)

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.RATIO, [self.numerator.lower(to), self.denominator.lower(to)], self.at_least)


@dataclass(frozen=True)
class Sum(Expression):
    """Sum of values."""

    terms: tuple[Expression, ...]

    def __init__(self, *terms: Expression) -> None:
        object.__setattr__(self, "terms", terms)

    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""
        return self.terms

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.ADD, [term.lower(to) for term in self.terms])


@dataclass(frozen=True)
class Difference(Expression):
    """One value less another."""

    left: Expression
    right: Expression

    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""
        return (self.left, self.right)

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.SUBTRACT, [self.left.lower(to), self.right.lower(to)])


@dataclass(frozen=True)
class Scaled(Expression):
    """A value divided by a constant: basis points to shares, a half-year to months."""

    value: Expression
    divisor: float

    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""
        return (self.value,)

    def lower(self, to: Lowering) -> int:
        """The register that will hold the value."""
        return to.step(op.DIVIDE, [self.value.lower(to)], self.divisor)
