"""What can be computed from the tables there are, category by category."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benne.features.categories import CATEGORIES
from benne.features.events.events import Events, KnownSince
from benne.features.kernel.program import Program, program, tables_of
from benne.features.kernel.stream import NEVER, Integers
from benne.features.registered import registry as registered
from benne.features.specification import FeatureSpec, Registry

__all__ = ["Part", "Plan", "available"]


@dataclass(frozen=True)
class Part:
    """What one category computes.

    Parameters
    ----------
    category : str
    specs : tuple of FeatureSpec
    tables : frozenset of str
        The event tables it reads.
    program : Program
    known_since : ndarray of int64, shape (features, 1)
        From when on the source knew everything that each feature needs; before that it is null.
    """

    category: str
    specs: tuple[FeatureSpec, ...]
    tables: frozenset[str]
    program: Program
    known_since: Integers

    @cached_property
    def ranges(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Minimum and maximum of each feature, shape (features, 1)."""
        low, high = (np.array([[getattr(s, end)] for s in self.specs]) for end in ("minimum", "maximum"))
        return low, high


@dataclass(frozen=True)
class Plan:
    """What the five categories compute, the same for every engine.

    Parameters
    ----------
    parts : tuple of Part
        Categories of which the tables carry nothing are left out.
    absent : dict of str to str
        Feature to the columns that are missing for it.
    """

    parts: tuple[Part, ...]
    absent: dict[str, str]

    @classmethod
    def of(cls, known_since: KnownSince, registry: Registry | None = None, *, known_by: int = NEVER) -> Plan:
        """Plan the features that these columns can carry.

        Parameters
        ----------
        known_since : mapping of (str, str) to int
            For every (table, column) that holds a value, when the first one became known.
        registry : Registry, optional
            By default the registered features.
        known_by : int
            The last moment whose knowledge is asked for: a column that was empty until then is
            not there, whatever came since. Microseconds since 1970-01-01 UTC.
        """
        specs = registered if registry is None else registry
        known = {pair: since for pair, since in known_since.items() if since < known_by}
        absent = _absent(known, specs)
        parts = [_part(c, tuple(specs[n] for n in specs.columns(c) if n not in absent), known) for c in CATEGORIES]
        return cls(tuple(part for part in parts if part.specs), absent)

    @cached_property
    def names(self) -> list[str]:
        """The features there will be, in order."""
        return [spec.name for part in self.parts for spec in part.specs]

    @property
    def tables(self) -> frozenset[str]:
        """Every event table that some feature reads."""
        return frozenset[str]().union(*(part.tables for part in self.parts))


def available(events: Events, registry: Registry | None = None) -> tuple[list[str], dict[str, str]]:
    """Which features these events can carry.

    Parameters
    ----------
    events : Events
    registry : Registry, optional
        By default the registered features.

    Returns
    -------
    present : list of str
    absent : dict of str to str
        Feature to the event columns that are missing for it.
    """
    plan = Plan.of(events.known_since, registry)
    return plan.names, plan.absent


def _absent(known: KnownSince, registry: Registry) -> dict[str, str]:
    absent = {}
    for name, spec in registry.items():
        missing = [clause for clause in spec.expression.needs() if not any(pair in known for pair in clause)]
        if missing:
            absent[name] = "; ".join(sorted(" or ".join(sorted(f"{t}.{c}" for t, c in clause)) for clause in missing))
    return absent


def _part(category: str, specs: tuple[FeatureSpec, ...], known: KnownSince) -> Part:
    tables = {table for spec in specs for table in tables_of(spec.expression)}
    # A table without a row is one the platform does not have: nobody missed a payment there.
    there = {table: known[table, "event_time"] for table in tables if (table, "event_time") in known}
    since = np.array([[_since(spec, known)] for spec in specs], dtype=np.int64).reshape(-1, 1)
    return Part(category, specs, frozenset(there), program({s.name: s.expression for s in specs}, there), since)


def _since(spec: FeatureSpec, known: KnownSince) -> int:
    """From when on at least one alternative of every clause is known."""
    return max(min(known[pair] for pair in clause if pair in known) for clause in spec.expression.needs())
