"""What a validation is given to look at: rows of members who were not trained on, and what else gates ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benne.errors import GovernanceError
from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.labelling import LabelledRows
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.trained_members import trained_on
from benne.experiments.validation.candidate import Candidate
from benne.models.resampling import RESAMPLES

if TYPE_CHECKING:
    from benne.experiments.gaming.costs import CostTable
    from benne.features import Events

__all__ = ["Evidence", "ReadAttributes", "independent_rows"]

ReadAttributes = Callable[[Collection[str]], pd.DataFrame]
"""Reads protected attributes of the members named, one row for each, indexed by ``subject_id``."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a validator brings.

    Parameters
    ----------
    rows : LabelledRows
        Features with outcomes, whoever they are of; members who were trained on are left out.
    protected : DataFrame, callable or None
        Protected attributes, one row for each member, indexed by ``subject_id``; or what reads them, given the ids of
        those whom the validation looks at, and nobody else's.
    purpose : str
        For which they are read, where that is on record; such as ``fairness_audit:2026-q4``.
    events : Events or None
        Of the same members: what they spend is scaled up.
    costs : CostTable or None
        What moves cost whoever games; by default the table that comes with Benne, which knows the registered features.
    seed : int
        Of bootstrap, attacks and flips.
    resamples : int
        Of the bootstrap.
    seconds : callable returning float
        A clock for the latency of one row.
    """

    rows: LabelledRows = field(repr=False)
    protected: pd.DataFrame | ReadAttributes | None = field(default=None, repr=False)
    purpose: str = ""
    events: Events | None = field(default=None, repr=False)
    costs: CostTable | None = field(default=None, repr=False)
    seed: int = 0
    resamples: int = RESAMPLES
    seconds: Callable[[], float] = perf_counter

    def attributes_of(self, rows: LabelledRows) -> pd.DataFrame | None:
        """Protected attributes of the members of some rows; read here, where somebody must be asked for them."""
        if self.protected is None:
            return None
        subjects = rows.features.index.get_level_values("subject_id").unique()
        if isinstance(self.protected, pd.DataFrame):
            return self.protected[self.protected.index.isin(subjects)]
        return self.protected([str(subject_id) for subject_id in subjects])


def independent_rows(candidate: Candidate, rows: LabelledRows) -> tuple[LabelledRows, list[str]]:
    """The rows of members who were not trained on, and what must be said about that.

    Parameters
    ----------
    candidate : Candidate
    rows : LabelledRows

    Raises
    ------
    GovernanceError
        If the rows are those trained on, or fewer than ten are of other members.
    """
    if candidate.salt is not None and fingerprint_of(rows) == candidate.salt:
        raise GovernanceError(
            "A validation must rest on members who were not trained on, got the rows of the training. Bring others."
        )
    if candidate.trained is None or candidate.salt is None:
        return rows, []
    seen = trained_on(rows.features.index, candidate.trained, candidate.salt)
    kept = np.flatnonzero(~seen)
    if len(kept) < SMALLEST_GROUP:
        raise GovernanceError(
            f"A validation must rest on at least {SMALLEST_GROUP} rows of members who were not trained on, got fewer. "
            "Bring others."
        )
    return rows.part(kept, rows.left_out), [_told(int(seen.sum()), len(seen))]


def _told(seen: int, rows: int) -> str:
    if not seen:
        return "No row is of a member who was trained on."
    return f"{seen / rows:.0%} of the rows were of members who were trained on, and were left out."
