"""What scores mean for each group: how high they are, how well they rank, and whether the PDs come true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness import metrics
from benne.experiments.fairness.groups import Grouping
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval, resampled_sums
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.experiments.report.groups import SMALLEST_GROUP, joined, joined_labels
from benne.models import SCORE_MAX, SCORE_MIN, ScoreScale
from benne.models.resampling import Resampler, price_table

__all__ = ["band_table", "group_table"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

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


def band_table(
    scored: ScoredMembers, groupings: Sequence[Grouping], scale: ScoreScale, options: FairnessOptions
) -> pd.DataFrame:
    """Observed and predicted bad rate of each group in each band, rows whose outcome is known.

    Returns
    -------
    DataFrame
        ``attribute``, ``group``, ``band``, ``rows``, ``predicted``, ``observed``, ``calibration_gap`` (null where a
        band holds fewer rows than are compared). A band of fewer than ten members joins its neighbour; there is none
        of a group of whom the outcome of fewer than ten members is known.
    """
    known = np.flatnonzero(~np.isnan(scored.bad))
    names = [band.name for band in scale.bands]
    place = pd.Index(names).get_indexer(pd.Index(scale.band(scored.score[known])))
    predicted, bad = scored.pd_of_bad[known], scored.bad[known]
    lines = []
    for grouping in groupings:
        code = grouping.code[known]
        for g, name in enumerate(grouping.names):
            inside = code == g
            once = _once(scored.members[known][inside])
            sums = [np.bincount(place[inside], weights=w, minlength=len(names))
                    for w in (once, np.ones(len(once)), predicted[inside], bad[inside])]  # fmt: skip
            about = {"attribute": grouping.attribute, "group": name}
            lines += [about | line for line in _of_bands(np.array(sums), names, options)]
    return pd.DataFrame(lines)


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
    compared = _figures(sums, grouping.reference)
    ends = {name: interval(drawn[1:]) for name, drawn in compared.items()}
    lines = []
    for g, name in enumerate(grouping.names):
        at, inside = sums[0, g], np.flatnonzero(grouping.code == g)
        lacking = _lacking(at, sums[0, grouping.reference], g == grouping.reference, options)
        line: dict[str, Any] = {
            "attribute": grouping.attribute, "group": name, "rows": int(at[_ROWS]),
            "members": len(np.unique(scored.members[inside])), "known": int(at[_KNOWN]), "bad": int(at[_BAD]),
            "mean_score": _MIDDLE + at[_SCORE] / at[_ROWS],
        }  # fmt: skip
        for key, drawn in compared.items():
            line |= _told(key, drawn[0, g], *(values[g] for values in ends[key]), known=key not in lacking)
        line |= _rates(at, _members_known(scored, inside)) | _auc(scored, inside, "auc" not in lacking, options, seed)
        lines.append(line | _finding(g == grouping.reference, lacking))
    return lines


def _figures(sums: Floats, reference: int) -> dict[str, Floats]:
    rows, mean = sums[:, :, _ROWS], metrics.selection_rate(sums[:, :, _SCORE], sums[:, :, _ROWS])
    spread = metrics.variance(rows, sums[:, :, _SCORE], sums[:, :, _SQUARES])
    of = slice(reference, reference + 1)
    return {
        "standardised_mean_difference": metrics.standardised_mean_difference(
            (mean, mean[:, of]), (spread, spread[:, of]), (rows, rows[:, of])
        ),
        "calibration_gap": metrics.calibration_gap(sums[:, :, _BAD], sums[:, :, _PREDICTED], sums[:, :, _KNOWN]),
    }


def _lacking(group: Floats, reference: Floats, is_reference: bool, options: FairnessOptions) -> dict[str, str]:
    few, found = options.fewest_outcomes, {}
    if is_reference:
        found["standardised_mean_difference"] = ""
    elif min(group[_ROWS], reference[_ROWS]) < options.fewest_rows:
        found["standardised_mean_difference"] = f"fewer than {options.fewest_rows} rows"
    if group[_KNOWN] < options.fewest_rows:
        found |= dict.fromkeys(("calibration_gap", "auc"), f"fewer than {options.fewest_rows} known outcomes")
    elif group[_BAD] < few:
        told = "nobody of the group became bad" if group[_BAD] == 0 else f"fewer than {few} bad rows"
        found |= dict.fromkeys(("calibration_gap", "auc"), told)
    elif group[_KNOWN] - group[_BAD] < few:
        found["auc"] = f"fewer than {few} good rows"
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


def _finding(is_reference: bool, lacking: dict[str, str]) -> dict[str, str]:
    why = "; ".join(text for text in dict.fromkeys(lacking.values()) if text)
    return {"finding": "reference" if is_reference else "INSUFFICIENT" if why else "", "why": why}


def _once(members: Indices) -> Floats:
    """1 for the first row of each member, 0 for the others, shape (n,): members are counted, not their rows."""
    found = np.zeros(len(members))
    found[np.unique(members, return_index=True)[1]] = 1.0
    return found


def _of_bands(sums: Floats, names: Sequence[str], options: FairnessOptions) -> list[dict[str, Any]]:
    if sums[0].sum() < SMALLEST_GROUP:
        return []
    part = joined([int(n) for n in sums[0]])
    labels = joined_labels(names, part)
    lines = []
    for k, label in enumerate(labels):
        _, rows, predicted, bad = sums[:, part == k].sum(axis=1)
        enough = rows >= options.fewest_rows
        lines.append({
            "band": label, "rows": int(rows),
            "predicted": predicted / rows if rows else np.nan, "observed": bad / rows if rows else np.nan,
            "calibration_gap": (bad - predicted) / rows if enough else np.nan,
        })  # fmt: skip
    return lines
