"""Rows as a fairness audit sees them: scores, outcomes, and what is protected about their members."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.errors import FairnessError
from benne.experiments.members import members_of
from benne.models import CreditScoreModel, withheld_of
from benne.scoring.batch import unscorable

__all__ = ["ScoredMembers", "attributes_of", "checked_outcomes", "outcomes_of", "scored_members"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ScoredMembers:
    """Scored rows, each with what is protected about its member.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        350 to 950.
    log_odds : ndarray of float64, shape (n,)
        Predicted, of bad.
    bad : ndarray of float64, shape (n,)
        1 became bad, 0 did not, NaN is not known.
    members : ndarray of int, shape (n,)
        Rows of one member share a number.
    protected : DataFrame, shape (n, attributes)
        Of each row's member; null where not stated. Its index counts rows.
    kept : ndarray of int, shape (n,)
        Positions of these rows among those that were given.
    left_out : dict of str to int
        Rows that were given and are not here, by reason; members of whom nothing protected is on record are here, and
        counted.
    """

    score: Floats = field(repr=False)
    log_odds: Floats = field(repr=False)
    bad: Floats = field(repr=False)
    members: Indices = field(repr=False)
    protected: pd.DataFrame = field(repr=False)
    kept: Indices = field(repr=False)
    left_out: dict[str, int]

    @property
    def pd_of_bad(self) -> Floats:
        """Predicted probability of bad, shape (n,)."""
        return np.asarray(expit(self.log_odds), dtype=np.float64)


def scored_members(
    model: CreditScoreModel, features: pd.DataFrame, bad: npt.ArrayLike, protected: pd.DataFrame
) -> ScoredMembers:
    """Score rows and look up what is protected about their members.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        Indexed by (``subject_id``, ``as_of``), with its consent columns.
    bad : array-like, shape (n,)
        1, 0, or NaN where not known.
    protected : DataFrame
        Indexed by ``subject_id``; one row for each member.

    Raises
    ------
    FairnessError
        If outcomes are of another length or value, none is known, the attributes are no table of members, or no row
        can be scored.
    """
    outcomes = checked_outcomes(bad, len(features))
    attributes, unknown = attributes_of(features, protected)
    every = withheld_of(features)
    kept = np.flatnonzero(unscorable(model, features, every) == "")
    if not len(kept):
        raise FairnessError(
            "At least one row must be such that the model scores it, got none. Pass rows it was made for."
        )
    rows = features.iloc[kept]
    log_odds = model.decision_function(rows, withheld=[every[k] for k in kept])
    return ScoredMembers(
        score=model.scale_.score(log_odds), log_odds=log_odds, bad=outcomes[kept], members=members_of(rows),
        protected=attributes.iloc[kept].reset_index(drop=True), kept=kept,
        left_out={"not scored": len(features) - len(kept), "nothing protected on record": unknown,
                  "outcome not known": int(np.isnan(outcomes[kept]).sum())},
    )  # fmt: skip


def outcomes_of(features: pd.DataFrame, outcomes: pd.DataFrame) -> Floats:
    """What became of each row, NaN where it is not known.

    Parameters
    ----------
    features : DataFrame, shape (n, …)
        Indexed by (``subject_id``, ``as_of``).
    outcomes : DataFrame
        ``subject_id``, ``as_of``, ``bad``.

    Raises
    ------
    FairnessError
        If a column is missing, an observation has two outcomes, or none is of the features.
    """
    keys = ["subject_id", "as_of"]
    if absent := [name for name in (*keys, "bad") if name not in outcomes.columns]:
        raise FairnessError(f"Outcomes must have the columns subject_id, as_of and bad, got no {absent[0]!r}. Add it.")
    if outcomes.duplicated(keys).any():
        raise FairnessError("Outcomes must name each observation once, got a repeated one. Keep one outcome for each.")
    bad = outcomes.set_index(keys)["bad"].reindex(features.index)
    return checked_outcomes(bad.to_numpy(dtype=np.float64, na_value=np.nan), len(features))


def checked_outcomes(bad: Any, rows: int) -> Floats:
    """Outcomes as floats.

    Raises
    ------
    FairnessError

    Examples
    --------
    >>> checked_outcomes([0, 1, None], 3).tolist()
    [0.0, 1.0, nan]
    >>> checked_outcomes([None, None], 2)
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: At least one outcome must be known, got none: all are censored. Wait until some are.
    """
    try:
        known = pd.to_numeric(pd.Series(bad).reset_index(drop=True)).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):  # its text may quote a value
        raise FairnessError(
            "Outcomes must be one column of numbers or nulls, got something else. Recode them."
        ) from None
    if known.shape != (rows,):
        raise FairnessError(f"Outcomes must be one for each of {rows} rows, got shape {known.shape}. Align them.")
    if not np.isin(known[~np.isnan(known)], (0.0, 1.0)).all():
        raise FairnessError("Outcomes must be 0 (good), 1 (bad) or null (not known), got other values. Recode them.")
    if np.isnan(known).all():
        raise FairnessError("At least one outcome must be known, got none: all are censored. Wait until some are.")
    return known


def attributes_of(features: pd.DataFrame, protected: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """What is protected about each row's member, and of how many rows nothing is on record.

    Raises
    ------
    FairnessError
        If features or attributes have another index, a member stands twice, there is no attribute, or nobody of the
        features is among the members.
    """
    if "subject_id" not in features.index.names:
        raise FairnessError("Features must be indexed by (subject_id, as_of), got another index. Use build_features().")
    if protected.index.name != "subject_id" or protected.index.duplicated().any() or not len(protected.columns):
        raise FairnessError(
            "Protected attributes must be a table with one row for each member, indexed by subject_id, got another. "
            "Read them by the protected store, or set the index."
        )
    subjects = pd.Index(features.index.get_level_values("subject_id"))
    known = subjects.isin(protected.index)
    if not known.any():
        raise FairnessError(
            f"Protected attributes must be of members of the features, got none of {subjects.nunique():,} among "
            f"{len(protected):,}. Key both with the same key."
        )
    return protected.reindex(subjects), int((~known).sum())
