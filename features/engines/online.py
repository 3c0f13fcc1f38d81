"""The online engine: one member's features from the event store, by the same kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ObservationError
from benne.features.categories import CATEGORIES
from benne.features.compute import Loaded, compute
from benne.features.consent_mask import MASK_COLUMNS, Consents
from benne.features.engines.event_store import StoredMember
from benne.features.events.events import KnownSince
from benne.features.events.moments import microseconds, moment_of
from benne.features.kernel.layout import STREAMS, column
from benne.features.kernel.stream import Observations
from benne.features.plan import Plan
from benne.features.specification import Registry

__all__ = ["FeatureVector", "MemberSource", "OnlineFeatures", "vector_of"]

_MEMBERS, _ADULT = STREAMS["members"], column("members", "adult")


@dataclass(frozen=True)
class FeatureVector:
    """One member's features at one moment.

    Parameters
    ----------
    subject_id : str
    as_of : datetime
    names : tuple of str
    values : ndarray of float64, shape (features,)
        NaN where null, and where the category is withheld.
    consented : mapping of str to bool
        Per category.
    """

    subject_id: str
    as_of: datetime
    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    consented: Mapping[str, bool]

    def to_frame(self) -> pd.DataFrame:
        """One row as :func:`benne.features.build_features` gives it."""
        moment = pd.DatetimeIndex([self.as_of]).tz_convert("UTC").as_unit("us")
        subject = pd.Index([self.subject_id], dtype=object)
        index = pd.MultiIndex.from_arrays([subject, moment], names=["subject_id", "as_of"])
        values = pd.DataFrame(self.values[None, :], columns=list(self.names), index=index)
        mask = pd.DataFrame([[self.consented[c] for c in CATEGORIES]], columns=list(MASK_COLUMNS.values()), index=index)
        return pd.concat([values, mask], axis=1)


class MemberSource(Protocol):
    """Whatever holds members' rows; :class:`benne.features.engines.event_store.EventStore` does."""

    def member(self, subject_id: str) -> StoredMember: ...


class OnlineFeatures:
    """Computes one member's features when they are asked for.

    Parameters
    ----------
    store : MemberSource
        Such as an :class:`benne.features.engines.event_store.EventStore`.
    registry : Registry, optional
        By default the registered features.
    """

    def __init__(self, store: MemberSource, registry: Registry | None = None) -> None:
        self._store = store
        self._registry = registry
        # What the store's columns are known since, and the plan for each number of columns known.
        self._planned: tuple[KnownSince, dict[int, Plan]] = ({}, {})

    def compute(self, subject_id: str, as_of: datetime, *, consents: Consents) -> FeatureVector:
        """Compute every feature that is consented to.

        Parameters
        ----------
        subject_id : str
        as_of : datetime
            Timezone-aware, at most the store's watermark: what is not in the store yet would
            change it afterwards.
        consents : Consents
            Such as a :class:`benne.features.consent_mask.ConsentMask`.

        Raises
        ------
        ObservationError
            If the store does not know the member, they had not joined before ``as_of`` or are not
            attested to be an adult, or ``as_of`` lies after the watermark.
        """
        moment = microseconds(as_of)
        found = self._store.member(subject_id)
        return vector_of(found, subject_id, self._plan(found, moment), consents, as_of=moment)

    def _plan(self, found: StoredMember, as_of: int) -> Plan:
        known_since, plans = self._planned
        if known_since is not found.known_since:
            known_since, plans = self._planned = found.known_since, {}
        known = sum(since < as_of for since in known_since.values())
        if known not in plans:
            plans[known] = Plan.of(known_since, self._registry, known_by=as_of)
        return plans[known]


def vector_of(
    found: StoredMember, subject_id: str, plan: Plan, consents: Consents, *, as_of: int, known_by: int | None = None
) -> FeatureVector:
    """Compute what a plan holds of one member, wherever their rows came from.

    Parameters
    ----------
    found : StoredMember
    subject_id : str
    plan : Plan
    consents : Consents
    as_of : int
        Microseconds since 1970-01-01 UTC, at most the watermark.
    known_by : int, optional
        Only what was known before this moment is seen; by default ``as_of`` itself.

    Raises
    ------
    ObservationError
        As for :meth:`OnlineFeatures.compute`.
    """
    loaded = _observable(found, as_of)
    mask = consents.of_one(subject_id, as_of)
    seen = Observations(np.zeros(1, dtype=np.int64), _one(as_of), _one(as_of if known_by is None else known_by))
    values, _ = compute(plan, loaded, seen, mask, consents)
    consented = dict(zip(CATEGORIES, mask[0].tolist(), strict=True))
    return FeatureVector(subject_id, moment_of(as_of), tuple(plan.names), values[:, 0], consented)


def _one(moment: int) -> npt.NDArray[np.int64]:
    return np.array([moment], dtype=np.int64)


def _observable(found: StoredMember, as_of: int) -> Loaded:
    if as_of > found.watermark:
        raise ObservationError(
            "as_of must be at most the store's watermark, got a later moment. Append what came since, or advance it."
        )
    if found.loaded is None:
        raise ObservationError("A member must be in the event store, got one who is not. Append their joining first.")
    rows, partition = found.loaded.partition.rows, found.loaded.partition
    joined = slice(int(partition.first[_MEMBERS, 0]), int(partition.last[_MEMBERS, 0]))
    seen = (rows.time[joined] < as_of) & (rows.known_at[joined] < as_of) & (rows.superseded_at[joined] >= as_of)
    if not seen.any():
        raise ObservationError("as_of must be after the member joined and the platform knew it. Move as_of on.")
    cell = int(rows.cell_of[_MEMBERS, _ADULT])
    if not (rows.cells[cell + joined.start : cell + joined.stop][seen] == 1).any():
        raise ObservationError("A member must be attested to be an adult: members under 18 are not scored.")
    return found.loaded
