"""Features of some members' observations from their loaded rows: the one way through the kernel for all engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.features.categories import CATEGORIES, SOCIAL
from benne.features.consent_mask import Consents
from benne.features.kernel.evaluation import evaluate
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.stream import Integers, Mask, Observations, Partition
from benne.features.kernel.visibility import EVERYBODY, Grants, restricted
from benne.features.plan import Part, Plan

__all__ = ["UNREAD", "Loaded", "compute"]

UNREAD = -(2**62)
"""A moment before all rows: nothing of a member is read until it."""


@dataclass(frozen=True)
class Loaded:
    """Rows of some members, and what the codes of members stand for.

    Parameters
    ----------
    partition : Partition
    member_ids : sequence of str
        The subject id of each code of another member in ``interactions``.
    """

    partition: Partition
    member_ids: Sequence[str]

    @property
    def subjects(self) -> int:
        """How many members' rows these are."""
        return int(self.partition.first.shape[1])


def compute(
    plan: Plan, loaded: Loaded, observations: Observations, mask: npt.NDArray[np.bool_], consents: Consents
) -> tuple[Floats, Mask]:
    """Compute every planned feature where it is consented to.

    Parameters
    ----------
    plan : Plan
    loaded : Loaded
    observations : Observations
        In any order.
    mask : ndarray of bool, shape (n, 5)
        Whether each category is consented to at each observation.
    consents : ConsentMask
        For the other members in ``interactions``.

    Returns
    -------
    values : ndarray of float64, shape (features, n)
        NaN where a category is withheld, where null, and where the source knew nothing yet of
        what the feature is made from.
    late : ndarray of bool, shape (n,)
        See :func:`benne.features.kernel.evaluation.evaluate`.
    """
    values = np.full((len(plan.names), len(observations)), np.nan)
    late = np.zeros(len(observations), dtype=bool)
    order = np.lexsort((observations.known_by, observations.as_of, observations.subject))
    start = 0
    for part in plan.parts:
        consented = order[mask[order, CATEGORIES.index(part.category)]]
        if len(consented):
            computed, own = _category(part, loaded, _taken(observations, consented), consents)
            within = np.clip(computed, *part.ranges)
            within[part.known_since >= observations.known_by[consented]] = np.nan
            values[start : start + len(part.specs), consented] = within
            late[consented] |= own
        start += len(part.specs)
    return values, late


def _category(part: Part, loaded: Loaded, consented: Observations, consents: Consents) -> tuple[Floats, Mask]:
    """Compute one category: of each member, only rows before their last consented observation are handed on."""
    until = np.full(loaded.subjects, UNREAD)
    np.maximum.at(until, consented.subject, consented.as_of)
    partition = restricted(part.program, loaded.partition, until)
    return evaluate(part.program, partition, consented, _grants(part, loaded, consents))


def _grants(part: Part, loaded: Loaded, consents: Consents) -> Grants:
    """Another member's part in an interaction counts only while they consent to social features."""
    if consents.grants_everything or "interactions" not in part.tables:
        return EVERYBODY
    return Grants(*consents.periods_of(loaded.member_ids, SOCIAL))


def _taken(observations: Observations, rows: Integers) -> Observations:
    return Observations(observations.subject[rows], observations.as_of[rows], observations.known_by[rows])
