"""From events and observations to a feature frame with the consent mask beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benne.errors import ConsentError, ObservationError
from benne.features.categories import CATEGORIES, SOCIAL
from benne.features.consent_mask import MASK_COLUMNS, ConsentMask
from benne.features.engines.embedded import UNREAD, LoadedPartition, PartitionReader
from benne.features.events.events import Events
from benne.features.events.tables import TABLES
from benne.features.kernel.evaluation import evaluate, tables_of
from benne.features.kernel.finaliser import Floats, saturate
from benne.features.kernel.stream import Integers, Mask, Observations, Stream
from benne.features.kernel.visibility import SCHEDULE_DAYS, Partition, RowFilter
from benne.features.kernel.windows import DAY
from benne.features.observations import ObservedMembers, check_observations
from benne.features.registered import registry as registered
from benne.features.specification import FeatureSpec, Registry

__all__ = ["available", "build_features"]

_log = logging.getLogger(__name__)
_ENGINES = ("duckdb",)
_SCHEDULED = frozenset(name for name, table in TABLES.items() if table.schedule)

Progress = Callable[[int, int], None]


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
    present, absent = [], {}
    for name, spec in (registered if registry is None else registry).items():
        missing = [clause for clause in spec.expression.needs() if not any(events.has(*pair) for pair in clause)]
        if missing:
            absent[name] = "; ".join(sorted(" or ".join(sorted(f"{t}.{c}" for t, c in clause)) for clause in missing))
        else:
            present.append(name)
    return present, absent


def build_features(
    events: Events,
    observations: pd.DataFrame,
    *,
    consents: ConsentMask,
    engine: str = "duckdb",
    registry: Registry | None = None,
    progress: Progress | None = None,
    minors_reason: str | None = None,
) -> pd.DataFrame:
    """Compute every feature these events can carry, at each observation, where consent allows.

    Parameters
    ----------
    events : Events
    observations : DataFrame
        ``subject_id`` (str) and ``as_of`` (timezone-aware); one row each.
    consents : ConsentMask
        Which category may be computed for whom, from the ledger; or
        ``ConsentMask.all_granted(reason=...)``.
    engine : {"duckdb"}
    registry : Registry, optional
        By default the registered features.
    progress : callable, optional
        Called with members done and in all.
    minors_reason : str, optional
        Why members not attested to be adults may be observed all the same; logged. By default
        they are refused.

    Returns
    -------
    DataFrame
        Indexed by (``subject_id``, ``as_of``) in the order of ``observations``: one float64
        column per feature, then five boolean columns ``consented_<category>``. NaN under a
        false one was not computed; elsewhere it means what the registry says.

    Raises
    ------
    ObservationError
        An observation is malformed, repeated, of an unknown member, or not after joining.
    ConsentError
        ``consents`` is not a ConsentMask.

    Notes
    -----
    An event counts only if ``event_time < as_of`` and ``known_at < as_of``. The events that
    only withheld categories would read are not loaded at all.
    """
    if not isinstance(consents, ConsentMask):
        raise ConsentError(
            f"consents must be a ConsentMask, got {type(consents).__name__}. Take one from the ledger, "
            "or ConsentMask.all_granted(reason=...) for data whose terms allow it."
        )
    if engine not in _ENGINES:
        raise ObservationError(f"engine must be one of {', '.join(_ENGINES)}, got {engine!r}.")
    plan = _plan(events, registered if registry is None else registry)
    observed = check_observations(events, observations, minors_reason=minors_reason)
    mask = consents.table(observed.subject_ids, observed.as_of)
    values = {spec.name: np.full(len(observed), np.nan) for part in plan for spec in part.specs}
    late = np.zeros(len(observed), dtype=bool)
    tables = tuple(name for name in events.tables if any(name in part.tables for part in plan))
    by_subject = np.argsort(observed.codes, kind="stable")
    with PartitionReader(events, _subjects(plan, tables, observed, mask), tables) as reader:
        for loaded in reader.partitions():
            ends = np.searchsorted(observed.codes, [loaded.first_subject, loaded.end], sorter=by_subject)
            rows = by_subject[slice(*ends)]
            for part in plan:
                consented = rows[mask[MASK_COLUMNS[part.category]].to_numpy()[rows]]
                late[consented] |= _fill(values, part, loaded, observed, consented, consents)
            if progress is not None:
                progress(loaded.end, len(observed.members))
    _log.info("%d features at %d observations, %d of them late or filtered", len(values), len(late), late.sum())
    return pd.concat([pd.DataFrame(values), mask], axis=1).set_axis(observed.index(), axis=0)


@dataclass(frozen=True)
class _Part:
    """What one category computes, and from which tables."""

    category: str
    specs: tuple[FeatureSpec, ...]
    tables: frozenset[str]


def _plan(events: Events, registry: Registry) -> list[_Part]:
    present, _ = available(events, registry)
    parts = []
    for category in CATEGORIES:
        specs = tuple(registry[name] for name in present if registry[name].category == category)
        tables = {table for spec in specs for table in tables_of(spec.expression)}
        # A table without a row is one the platform does not have: nobody missed a payment there.
        parts.append(_Part(category, specs, frozenset(t for t in tables if events.has(t, "event_time"))))
    return [part for part in parts if part.specs]


def _subjects(
    plan: list[_Part], tables: tuple[str, ...], observed: ObservedMembers, mask: pd.DataFrame
) -> pd.DataFrame:
    """Per member and table: until when some consented category reads it."""
    columns: dict[str, object] = {"subject_id": observed.members}
    for table in tables:
        until = np.full(len(observed.members), UNREAD)
        for part in (p for p in plan if table in p.tables):
            rows = mask[MASK_COLUMNS[part.category]].to_numpy()
            np.maximum.at(until, observed.codes[rows], observed.as_of[rows])
        columns[f"until_{table}"] = until
    return pd.DataFrame(columns)


def _fill(
    values: Mapping[str, Floats], part: _Part, loaded: LoadedPartition,
    observed: ObservedMembers, rows: Integers, consents: ConsentMask,
) -> Mask:  # fmt: skip
    """Compute one category at consented observations; which of them took the slow path."""
    observations = Observations(observed.codes[rows] - loaded.first_subject, observed.as_of[rows])
    streams = _consented_streams(part, loaded, observations)
    partition = Partition(streams, _SCHEDULED, _filters(part, loaded, consents))
    computed, late = evaluate({s.name: s.expression for s in part.specs}, partition, observations)
    for spec in part.specs:
        values[spec.name][rows] = saturate(computed[spec.name], spec.minimum, spec.maximum)
    return late


def _consented_streams(part: _Part, loaded: LoadedPartition, consented: Observations) -> dict[str, Stream]:
    """Events up to each member's last consented observation; none of a member without one."""
    until = np.full(loaded.subjects, UNREAD)
    np.maximum.at(until, consented.subject, consented.as_of)
    streams = {}
    for name in part.tables:
        stream = loaded.streams[name]
        ahead = SCHEDULE_DAYS * DAY if name in _SCHEDULED else 0
        keep = stream.time < until[stream.subject] + ahead
        streams[name] = stream if keep.all() else stream.take(keep)
    return streams


def _filters(part: _Part, loaded: LoadedPartition, consents: ConsentMask) -> dict[str, RowFilter]:
    """Another member's part in an interaction counts only while they consent to social features."""
    if consents.grants_everything or "interactions" not in part.tables:
        return {}

    members = loaded.ids("member")

    def other_consents(rows: Stream, as_of: Integers) -> Mask:
        return consents.granted(members[rows.columns["other_id"].data], as_of, SOCIAL)

    return {"interactions": other_consents}
