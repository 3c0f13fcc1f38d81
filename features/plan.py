"""What can be computed from the tables there are, category by category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benne.features.categories import CATEGORIES
from benne.features.events.events import Events
from benne.features.kernel.program import Program, program, tables_of
from benne.features.registered import registry as registered
from benne.features.specification import FeatureSpec, Registry

__all__ = ["Part", "Plan", "available"]

Has = Callable[[str, str], bool]


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
    """

    category: str
    specs: tuple[FeatureSpec, ...]
    tables: frozenset[str]
    program: Program

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
    def of(cls, has: Has, registry: Registry | None = None) -> Plan:
        """Plan the features that these columns can carry.

        Parameters
        ----------
        has : callable
            Whether a (table, column) holds at least one value.
        registry : Registry, optional
            By default the registered features.
        """
        specs = registered if registry is None else registry
        absent = _absent(has, specs)
        parts = [_part(c, tuple(specs[n] for n in specs.columns(c) if n not in absent), has) for c in CATEGORIES]
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
    plan = Plan.of(events.has, registry)
    return plan.names, plan.absent


def _absent(has: Has, registry: Registry) -> dict[str, str]:
    absent = {}
    for name, spec in registry.items():
        missing = [clause for clause in spec.expression.needs() if not any(has(*pair) for pair in clause)]
        if missing:
            absent[name] = "; ".join(sorted(" or ".join(sorted(f"{t}.{c}" for t, c in clause)) for clause in missing))
    return absent


def _part(category: str, specs: tuple[FeatureSpec, ...], has: Has) -> Part:
    tables = {table for spec in specs for table in tables_of(spec.expression)}
    # A table without a row is one the platform does not have: nobody missed a payment there.
    present = frozenset(table for table in tables if has(table, "event_time"))
    return Part(category, specs, present, program({s.name: s.expression for s in specs}, present))
