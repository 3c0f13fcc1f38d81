"""What scores mean for each group: how high they are, how well they rank, and whether the PDs come true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness import metrics
from benne.experiments.fairness.calibration_gaps import gap_figures
from benne.experiments.fairness.groups import Grouping
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval, resampled_sums
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.resampling import Resampler, price_table

__all__ = ["drawn_differences", "group_table"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_SMD: Final = "standardised_mean_difference"
_MIDDLE: Final = (SCORE_MIN + SCORE_MAX) / 2  # squares of what is centred lose no digits
_ROWS, _SCORE, _SQUARES, _KNOWN, _BAD, _PREDICTED = range(6)


def group_table(
    scored: ScoredMembers, groupings: Sequence[Grouping], options: FairnessOptions, seed: int
) -> pd.DataFrame:
    """Figures of every group.

    Returns
    -------
    DataFrame
        One row for each attribute and group: ``rows``, ``members``, ``known`` outcomes, ``bad``, ``mean_score``;
        ``standardised_mean_difference``, ``calibration_gap`` and ``auc`` with their 95 % intervals, null where too
        little is known; ``predicted``, ``observed``; ``finding`` and ``why``.
    """
    columns = _columns(scored)
    return pd.DataFrame([
        line for grouping in groupings for line in _of_grouping(scored, grouping, columns, options, seed)
    ])  # fmt: skip


def drawn_differences(
    scored: ScoredMembers, grouping: Grouping, options: FairnessOptions, resampler: Resampler
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Standardised mean differences of a grouping, and of which groups they can be told.

    Returns
    -------
    ndarray of float64, shape (1 + resamples, groups)
        The first are of the rows as they are.
    ndarray of bool, shape (groups,)
        Never of the reference.
    """
    sums = resampled_sums(_columns(scored), grouping.code, len(grouping.names), resampler)
    rows, of = sums[0, :, _ROWS], grouping.reference
    enough = np.minimum(rows, rows[of]) >= options.fewest_rows
    enough[of] = False
    return _differences(sums, of), enough


def _columns(scored: ScoredMembers) -> Floats:
    known = (~np.isnan(scored.bad)).astype(np.float64)
    centred = scored.score - _MIDDLE
    return np.column_stack(
        [np.ones(len(known)), centred, centred**2, known, np.nan_to_num(scored.bad), known * scored.pd_of_bad]
    )


def _of_grouping(
    scored: ScoredMembers, grouping: Grouping, columns: Floats, options: FairnessOptions, seed: int
) -> list[dict[str, Any]]:
    resampler = Resampler(len(scored.score), scored.members, seed, options.resamples)
    sums = resampled_sums(columns, grouping.code, len(grouping.names), resampler)
    smd = _differences(sums, grouping.reference)
    low, high = interval(smd[1:])
    lines = []
    for g, name in enumerate(grouping.names):
        at, inside = sums[0, g], np.flatnonzero(grouping.code == g)
        members = _members_known(scored, inside)
        gap, no_gap = gap_figures(sums[:, g, [_KNOWN, _BAD, _PREDICTED]], members, options)
        lacking = _lacking(at, sums[0, grouping.reference], members, g == grouping.reference, options)
        line: dict[str, Any] = {
            "attribute": grouping.attribute, "group": name, "rows": int(at[_ROWS]),
            "members": len(np.unique(scored.members[inside])), "known": int(at[_KNOWN]), "bad": int(at[_BAD]),
            "mean_score": _MIDDLE + at[_SCORE] / at[_ROWS],
        }  # fmt: skip
        line |= _told(_SMD, smd[0, g], low[g], high[g], known=_SMD not in lacking)
        line |= gap | _rates(at, members) | _auc(scored, inside, "auc" not in lacking, options, seed)
        lines.append(line | _finding(g == grouping.reference, lacking, no_gap))
    return lines


def _differences(sums: Floats, reference: int) -> Floats:
    rows, mean = sums[:, :, _ROWS], metrics.selection_rate(sums[:, :, _SCORE], sums[:, :, _ROWS])
    spread = metrics.variance(rows, sums[:, :, _SCORE], sums[:, :, _SQUARES])
    of = slice(reference, reference + 1)
    return metrics.standardised_mean_difference(
        (mean, mean[:, of]), (spread, spread[:, of]), (rows, rows[:, of])
    )  # fmt: skip


def _lacking(
    group: Floats, reference: Floats, members: int, is_reference: bool, options: FairnessOptions
) -> dict[str, str]:
    """Which figures rest on too little, and on what; of the calibration gap :func:`gap_figures` says it."""
    few, found = options.fewest_outcomes, {}
    if is_reference:
        found[_SMD] = ""
    elif min(group[_ROWS], reference[_ROWS]) < options.fewest_rows:
        found[_SMD] = f"fewer than {options.fewest_rows} rows"
    if group[_KNOWN] < options.fewest_rows:
        found["auc"] = f"fewer than {options.fewest_rows} known outcomes"
    elif members < SMALLEST_GROUP:
        found["auc"] = "outcomes are known of fewer than ten members"
    elif group[_BAD] < few:
        found["auc"] = "no AUC: nobody of the group became bad" if group[_BAD] == 0 else f"no AUC: fewer than {few} bad"
    elif group[_KNOWN] - group[_BAD] < few:
        found["auc"] = f"no AUC: fewer than {few} good"
    return found


def _members_known(scored: ScoredMembers, inside: Indices) -> int:
    """Members of whom at least one outcome is known."""
    return len(np.unique(scored.members[inside][~np.isnan(scored.bad[inside])]))


def _rates(sums: Floats, members: int) -> dict[str, float]:
    """What became of the group; nothing where it is known of fewer than ten members."""
    if members < SMALLEST_GROUP:
        return dict.fromkeys(("known", "bad"), 0 if not members else np.nan) | {"predicted": np.nan, "observed": np.nan}
    return {"predicted": float(sums[_PREDICTED] / sums[_KNOWN]), "observed": float(sums[_BAD] / sums[_KNOWN])}


def _auc(scored: ScoredMembers, inside: Indices, known: bool, options: FairnessOptions, seed: int) -> dict[str, float]:
    if not known:
        return _told("auc", np.nan, np.nan, np.nan, known=False)
    rows = inside[~np.isnan(scored.bad[inside])]
    resampler = Resampler(len(rows), scored.members[rows], seed, options.resamples)
    found = price_table({"group": scored.log_odds[rows]}, scored.bad[rows], np.ones(len(rows)), resampler).iloc[0]
    return _told("auc", found["auc"], found["auc_low"], found["auc_high"], known=True)


def _told(key: str, value: Any, low: Any, high: Any, *, known: bool) -> dict[str, float]:
    figures = (value, low, high) if known else (np.nan,) * 3
    return {name: float(one) for name, one in zip((key, f"{key}_low", f"{key}_high"), figures, strict=True)}


def _finding(is_reference: bool, lacking: dict[str, str], no_gap: str) -> dict[str, str]:
    why = "; ".join(text for text in dict.fromkeys([*lacking.values(), no_gap]) if text)
    return {"finding": "reference" if is_reference else "INSUFFICIENT" if why else "", "why": why}
