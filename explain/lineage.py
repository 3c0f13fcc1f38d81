"""Which event tables a feature is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.specification import FeatureSpec

__all__ = ["sources_of"]


def sources_of(features: Iterable[str], registry: Mapping[str, FeatureSpec]) -> tuple[str, ...]:
    """Event tables that some features are computed from, in the order of the tables.

    Parameters
    ----------
    features : iterable of str
        Those that are not in the registry have no known source.
    registry : mapping of str to FeatureSpec

    Examples
    --------
    >>> from benne.features import registry
    >>> sources_of(["on_time_share_365d"], registry)
    ('obligation_events', 'dues', 'repayments', 'account_status')
    >>> sources_of(["somebody_elses"], registry)
    ()
    """
    found: set[str] = set()
    for name in features:
        if name in registry:
            for rows in registry[name].expression.selections():
                found.update(DERIVED[rows.stream].tables if rows.stream in DERIVED else (rows.stream,))
    return tuple(table for table in TABLES if table in found)
