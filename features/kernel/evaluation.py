"""Features of a partition's observations: once over the prefix, once more where knowledge came late."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import Expression, Rows
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.stream import Integers, Mask, Observations, Stream
from benne.features.kernel.visibility import Footprint, Partition, Visibility
from benne.features.kernel.windows import Bounds, Locator

__all__ = ["Evaluation", "evaluate", "tables_of"]


class Evaluation:
    """Values of expressions at some observations, each computed once."""

    def __init__(self, streams: Mapping[str, Stream], observations: Observations) -> None:
        self._streams = dict(streams)
        self._observations = observations
        self._selected: dict[Rows, Stream] = {}
        self._locators: dict[Rows, Locator] = {}
        self._bounds: dict[Rows, Bounds] = {}
        self._values: dict[Expression, Floats | Integers] = {}

    @property
    def as_of(self) -> Integers:
        """The observations' moments."""
        return self._observations.as_of

    def value(self, expression: Expression) -> Floats | Integers:
        """The expression's value at each observation, shape (n,)."""
        if expression not in self._values:
            self._values[expression] = expression.evaluate(self)
        return self._values[expression]

    def bounds(self, rows: Rows) -> Bounds:
        """Where each observation's rows lie among the selected ones."""
        if rows not in self._bounds:
            always = rows.always
            if always not in self._locators:
                self._locators[always] = Locator(self._select(always), self._observations)
            self._bounds[rows] = self._locators[always].window(rows.near_days, rows.far_days)
        return self._bounds[rows]

    def column(self, rows: Rows, name: str) -> Integers:
        """A column of the selected rows."""
        return self._select(rows.always).columns[name].data

    def times(self, rows: Rows) -> Integers:
        """When the selected rows happened."""
        return self._select(rows.always).time

    def subjects(self, rows: Rows) -> Integers:
        """Whose the selected rows are."""
        return self._select(rows.always).subject

    def _select(self, rows: Rows) -> Stream:
        if rows not in self._selected:
            stream = self._stream(rows.stream)
            self._selected[rows] = stream.take(_matching(stream, rows)) if rows.conditions else stream
        return self._selected[rows]

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            self._streams[name] = DERIVED[name].build(self._streams)
        return self._streams[name]


def evaluate(
    expressions: Mapping[str, Expression], partition: Partition, observations: Observations
) -> tuple[dict[str, Floats], Mask]:
    """Compute every expression at every observation from what was known before it.

    Parameters
    ----------
    expressions : mapping of str to Expression
    partition : Partition
    observations : Observations

    Returns
    -------
    values : dict of str to ndarray of float64, shape (n,)
    late : ndarray of bool, shape (n,)
        Which observations could not wholly be computed on the prefix of events, because
        something that had happened was not yet known, had been corrected, or was filtered.

    Notes
    -----
    Where every event before ``as_of`` was known and stands, what is visible is a prefix of the
    member's sorted events, and all observations share one set of prefix sums. The others get
    a copy of just their visible events, of just the tables concerned, and the same primitives
    run on that.
    """
    shared = Evaluation(partition.streams, observations)
    visibility = Visibility(partition, observations)
    values = {name: np.empty(len(observations), dtype=np.float64) for name in expressions}
    late = np.zeros(len(observations), dtype=bool)
    for footprint, names in _by_footprint(expressions, partition).items():
        own = visibility.needs_copies(footprint)
        late |= own
        if not own.all():
            for name in names:
                values[name][:] = shared.value(expressions[name])
        for rows, streams, subjects in visibility.copies(footprint, np.flatnonzero(own)):
            copied = Evaluation(streams, subjects)
            for name in names:
                values[name][rows] = copied.value(expressions[name])
    return values, late


def tables_of(expression: Expression) -> frozenset[str]:
    """The event tables an expression may read."""
    return frozenset(t for s in expression.streams() for t in (DERIVED[s].tables if s in DERIVED else (s,)))


def _by_footprint(expressions: Mapping[str, Expression], partition: Partition) -> dict[Footprint, list[str]]:
    """Expressions that read the same tables: one late table makes no other wait."""
    groups: dict[Footprint, list[str]] = {}
    for name, expression in expressions.items():
        footprint = Footprint(tables_of(expression) & set(partition.streams), expression.looks_ahead())
        groups.setdefault(footprint, []).append(name)
    return groups


def _matching(stream: Stream, rows: Rows) -> Mask:
    keep = np.ones(len(stream), dtype=bool)
    for condition in rows.conditions:
        values = stream.columns[condition.column]
        if condition.codes:
            holds = np.isin(values.data, condition.codes)
        else:
            holds = (values.data >= condition.low) & (values.data <= condition.high)
        keep &= ~(holds & values.known) if condition.excluding else holds & values.known
    return keep
