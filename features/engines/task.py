"""What an engine is asked for: the same whatever engine it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benne.features.categories import CATEGORIES
from benne.features.compute import UNREAD
from benne.features.consent_mask import ConsentMask
from benne.features.events.events import Events
from benne.features.kernel.stream import Integers
from benne.features.observations import ObservedMembers
from benne.features.plan import Plan

__all__ = ["Members", "Task"]


@dataclass(frozen=True)
class Members:
    """Whose rows are read, and until when.

    Parameters
    ----------
    subject_ids : ndarray of str
        Sorted; a member's place is their code.
    until : mapping of str to ndarray of int64, shape (members,)
        Per table to read, the moment from which on a member's rows go no further than the reader.
    """

    subject_ids: npt.NDArray[np.object_]
    until: dict[str, Integers]

    def table(self) -> pa.Table:
        """One row a member."""
        until = {f"until_{name}": moments for name, moments in self.until.items()}
        ids = pa.array(self.subject_ids, pa.string())
        return pa.table({"code": np.arange(len(ids)), "subject_id": ids, **until})


@dataclass(frozen=True)
class Task:
    """Observations of some members, and what may be computed at each.

    Parameters
    ----------
    events : Events
    plan : Plan
    observed : ObservedMembers
    mask : ndarray of bool, shape (n, 5)
        Whether each category is consented to at each observation.
    consents : ConsentMask
        For the other members in ``interactions``.
    """

    events: Events
    plan: Plan
    observed: ObservedMembers
    mask: npt.NDArray[np.bool_]
    consents: ConsentMask

    def members(self) -> Members:
        """Per member and table: until when some consented category reads it."""
        until = {}
        for table in sorted(self.plan.tables):
            moments = np.full(len(self.observed.members), UNREAD)
            for part in self.plan.parts:
                if table in part.tables:
                    rows = self.mask[:, CATEGORIES.index(part.category)]
                    np.maximum.at(moments, self.observed.codes[rows], self.observed.as_of[rows])
            until[table] = moments
        return Members(self.observed.members, until)
