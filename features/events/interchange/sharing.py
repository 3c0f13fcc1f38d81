"""Whose rows may leave, and under which reference: consent first, deny by default."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benne.features.categories import CREDIT_HISTORY
from benne.features.consent_mask import ConsentMask
from benne.features.events.events import Events
from benne.features.events.interchange.identifiers import member_refs
from benne.features.events.keys import SubjectKey
from benne.features.events.validation import microseconds

__all__ = ["SharedMembers"]


class SharedMembers:
    """The exporter's members that the other institution can know, and what they consented to.

    Parameters
    ----------
    events : Events
    identifiers : pyarrow.Table
        As :func:`read_identifiers` gives it.
    key, exchange_key : SubjectKey
        Of the events, and of the two institutions.
    consents : ConsentMask
        Of credit history, for the recipient and purpose of the package.
    """

    def __init__(
        self, events: Events, identifiers: pa.Table, key: SubjectKey, exchange_key: SubjectKey, consents: ConsentMask
    ) -> None:
        everybody = pc.unique(events.read("members").column("subject_id"))
        subjects = key.key_column(identifiers.column("member_id"), "member")
        ours = pc.is_in(subjects, everybody)
        self._subjects = subjects.filter(ours)
        self._refs = member_refs(identifiers, exchange_key).filter(ours)
        self._consents = consents
        self.without_identifier = len(everybody) - len(self._subjects)

    def __len__(self) -> int:
        """How many members have an identifier."""
        return len(self._subjects)

    def consenting(self, at: datetime) -> pa.Table:
        """``subject_id`` and ``member_ref`` of those who consent at a moment."""
        granted = pa.array(self._granted(at), type=pa.bool_())
        return pa.table({"subject_id": self._subjects.filter(granted), "member_ref": self._refs.filter(granted)})

    def withdrawn(self, since: datetime | None, at: datetime) -> pa.Array:
        """References of those who consented at ``since`` and do not any more."""
        ended = np.zeros(len(self), dtype=bool) if since is None else self._granted(since) & ~self._granted(at)
        return self._refs.filter(pa.array(ended, type=pa.bool_()))

    def _granted(self, at: datetime) -> npt.NDArray[np.bool_]:
        moments = np.full(len(self), microseconds(at))
        subjects = np.asarray(self._subjects.to_pylist(), dtype=object)
        return self._consents.granted(subjects, moments, CREDIT_HISTORY)
