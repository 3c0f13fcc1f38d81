"""A fairness audit of a model: everything that is measured, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness.by_band import band_table
from benne.experiments.fairness.by_cutoff import cutoff_table
from benne.experiments.fairness.by_group import group_table
from benne.experiments.fairness.flip_test import flip_test, protected_inputs
from benne.experiments.fairness.groups import Grouping, groupings_of
from benne.experiments.fairness.options import FairnessOptions, checked_cutoffs
from benne.experiments.fairness.proxies import proxy_scan
from benne.experiments.fairness.scored_members import ScoredMembers, scored_members
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel, ScoreScale

__all__ = ["Disparities", "FairnessReport", "assess_fairness", "disparities_of"]


@dataclass(frozen=True)
class Disparities:
    """What differs between groups.

    Parameters
    ----------
    by_cutoff : DataFrame
        See :func:`benne.experiments.fairness.by_cutoff.cutoff_table`.
    by_group : DataFrame
        See :func:`benne.experiments.fairness.by_group.group_table`.
    by_band : DataFrame
        See :func:`benne.experiments.fairness.by_band.band_table`.
    """

    by_cutoff: pd.DataFrame = field(repr=False)
    by_group: pd.DataFrame = field(repr=False)
    by_band: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FairnessReport:
    """A fairness audit of one model.

    Parameters
    ----------
    cutoffs : tuple of float
    options : FairnessOptions
    seed : int
    rows, members : int
        That were scored.
    left_out : dict of str to int
        Rows by reason; members of whom nothing protected is on record are in the group "not stated".
    disparities : Disparities
    proxies : DataFrame
        See :func:`benne.experiments.fairness.proxies.proxy_scan`.
    flips : DataFrame
        See :func:`benne.experiments.fairness.flip_test.flip_test`.
    protected_inputs : tuple of str
        Inputs of the model that are about something protected by their name or what they are computed from.
    """

    cutoffs: tuple[float, ...]
    options: FairnessOptions
    seed: int
    rows: int
    members: int
    left_out: dict[str, int]
    disparities: Disparities
    proxies: pd.DataFrame = field(repr=False)
    flips: pd.DataFrame = field(repr=False)
    protected_inputs: tuple[str, ...]


def assess_fairness(
    model: CreditScoreModel,
    features: pd.DataFrame,
    bad: npt.ArrayLike,
    protected: pd.DataFrame,
    *,
    cutoffs: Sequence[float],
    seed: int = 0,
    options: FairnessOptions | None = None,
) -> FairnessReport:
    """Measure what a model does to groups, on rows that it has not seen.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        Indexed by (``subject_id``, ``as_of``), with its consent columns.
    bad : array-like, shape (n,)
        1 became bad, 0 did not, NaN or None is not known.
    protected : DataFrame
        Protected attributes, one row for each member, indexed by ``subject_id``; null is a group of its own, "not
        stated", and so is whoever is not in it.
    cutoffs : sequence of float
        Lowest scores that pass, 350 to 950.
    seed : int
        Of bootstrap, folds and flips.
    options : FairnessOptions, optional

    Returns
    -------
    FairnessReport
        The same for the same rows, model and seed.

    Raises
    ------
    FairnessError
        If cut-offs, outcomes or attributes are not what they must be: a cut-off that is no score, outcomes that are all
        censored, attributes of other members, an attribute with one group.
    """
    options, passing = options or FairnessOptions(), checked_cutoffs(cutoffs)
    options.check()
    scored = scored_members(model, features, bad, protected)
    groupings = groupings_of(scored.protected, scored.members, options)
    rows = features.iloc[scored.kept]
    inputs = rows[[name for name in rows.columns if name not in MASK_COLUMNS.values()]]
    return FairnessReport(
        cutoffs=passing, options=options, seed=seed, rows=len(scored.score),
        members=len(np.unique(scored.members)), left_out=scored.left_out,
        disparities=disparities_of(scored, groupings, passing, model.scale_, options, seed),
        proxies=proxy_scan(inputs, scored.protected, groupings, scored.members, options, seed),
        flips=flip_test(model, rows, scored.protected, seed),
        protected_inputs=tuple(protected_inputs([str(name) for name in inputs.columns])),
    )  # fmt: skip


def disparities_of(
    scored: ScoredMembers,
    groupings: list[Grouping],
    cutoffs: tuple[float, ...],
    scale: ScoreScale,
    options: FairnessOptions,
    seed: int,
) -> Disparities:
    """What differs between groups of rows that are scored already, by whatever model."""
    return Disparities(
        cutoff_table(scored, groupings, cutoffs, options, seed),
        group_table(scored, groupings, options, seed),
        band_table(scored, groupings, scale, options, seed),
    )
