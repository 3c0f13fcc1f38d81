"""What another model would change on the same rows, each change with its paired bootstrap interval."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benne.experiments.fairness.by_cutoff import comparable_at, figures_at, sums_at_cutoffs
from benne.experiments.fairness.by_group import drawn_differences
from benne.experiments.fairness.groups import Grouping, groupings_of
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.experiments.figures import figures_table
from benne.models.resampling import Resampler

__all__ = ["CHANGED", "common_rows", "paired_changes"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Cells = dict[tuple[str, str, float], Floats]

_LOSSES: Final = ("auc", "brier", "ece")
_RATIO, _OPPORTUNITY, _DIFFERENCE = "adverse_impact_ratio", "equal_opportunity_gap", "standardised_mean_difference"

CHANGED: Final = (*_LOSSES, _RATIO, _OPPORTUNITY, _DIFFERENCE)
"""Figures whose change is told."""


def paired_changes(
    given: ScoredMembers, other: ScoredMembers, cutoffs: Sequence[float], options: FairnessOptions, seed: int
) -> dict[str, float]:
    """What another model changes beside the one that is given.

    Parameters
    ----------
    given, other : ScoredMembers
        The same rows, every outcome known, scored by either; see :func:`common_rows`.
    cutoffs : sequence of float
    options : FairnessOptions
    seed : int

    Returns
    -------
    dict of str to float
        For each of :data:`CHANGED` the figure of the other less that of the given (``auc_change``) and its 95 %
        interval (``_low``, ``_high``), both models in the same resamples of whole members. Null where nothing can be
        compared.

    Notes
    -----
    The least ratio (either way), the largest equal-opportunity difference and the largest standardised mean difference
    are each over the groups and cut-offs at which *both* models can be judged: a model of which a group can no longer
    be judged gains nothing by it.
    """
    groupings = groupings_of(given.protected, given.members, options)
    resampler = Resampler(len(given.bad), given.members, seed, options.resamples)
    losses = figures_table({"given": given.log_odds, "other": other.log_odds}, given.bad, resampler)
    told = {
        f"{name}_change{end}": float(losses[f"{name}_difference{end}"].iloc[0])
        for name in _LOSSES for end in ("", "_low", "_high")
    }  # fmt: skip
    mine, theirs = (_cells(one, groupings, cutoffs, options, resampler) for one in (given, other))
    for name, worst in ((_RATIO, np.min), (_OPPORTUNITY, np.max), (_DIFFERENCE, np.max)):
        told |= _change(name, mine[name], theirs[name], worst)
    return told


def common_rows(one: ScoredMembers, other: ScoredMembers) -> tuple[ScoredMembers, ScoredMembers]:
    """Both on the rows that both models score."""
    kept = np.intersect1d(one.kept, other.kept)
    return tuple(_of_rows(scored, np.flatnonzero(np.isin(scored.kept, kept))) for scored in (one, other))  # type: ignore[return-value]


def _of_rows(scored: ScoredMembers, rows: Indices) -> ScoredMembers:
    if len(rows) == len(scored.kept):
        return scored
    return dataclasses.replace(
        scored, score=scored.score[rows], log_odds=scored.log_odds[rows], bad=scored.bad[rows],
        members=scored.members[rows], protected=scored.protected.iloc[rows].reset_index(drop=True),
        kept=scored.kept[rows],
    )  # fmt: skip


def _cells(
    scored: ScoredMembers,
    groupings: Sequence[Grouping],
    cutoffs: Sequence[float],
    options: FairnessOptions,
    resampler: Resampler,
) -> Mapping[str, Cells]:
    """Each figure of every group and cut-off that can be judged, how far it is from equal; shape (1 + resamples,)."""
    found: dict[str, Cells] = {_RATIO: {}, _OPPORTUNITY: {}, _DIFFERENCE: {}}
    for grouping, cutoff, sums in sums_at_cutoffs(scored, groupings, cutoffs, resampler):
        compared = figures_at(sums, grouping.reference)[1]
        for name, key, turned in (
            (_RATIO, _RATIO, _either_way), (_OPPORTUNITY, "equal_opportunity_difference", np.abs),
        ):  # fmt: skip
            for g in np.flatnonzero(comparable_at(sums, grouping.reference, options, key)):
                found[name][grouping.attribute, grouping.names[g], cutoff] = turned(compared[key][:, g])
    for grouping in groupings:
        differences, told = drawn_differences(scored, grouping, options, resampler)
        for g in np.flatnonzero(told):
            found[_DIFFERENCE][grouping.attribute, grouping.names[g], 0.0] = np.abs(differences[:, g])
    return found


def _either_way(ratio: Floats) -> Floats:
    """Ratios above 1 as those of the reference to the group."""
    with np.errstate(divide="ignore"):
        return np.minimum(ratio, 1.0 / ratio)


def _change(name: str, mine: Cells, theirs: Cells, worst: Callable[..., Any]) -> dict[str, float]:
    both = [key for key in mine if key in theirs]
    columns = (f"{name}_change", f"{name}_change_low", f"{name}_change_high")
    if not both:
        return dict.fromkeys(columns, np.nan)
    changes = worst([theirs[key] for key in both], axis=0) - worst([mine[key] for key in both], axis=0)
    low, high = interval(changes[1:])
    return dict(zip(columns, (float(changes[0]), float(low), float(high)), strict=True))
