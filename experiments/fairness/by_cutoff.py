"""Who passes each cut-off: rates of every group beside those of its reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness import metrics
from benne.experiments.fairness.calibration_gaps import GAP, counted_once, gap_figures
from benne.experiments.fairness.groups import Grouping
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import interval, resampled_sums
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models.resampling import Resampler

__all__ = ["COMPARED", "INSUFFICIENT", "REVIEW", "comparable_at", "cutoff_table", "figures_at", "sums_at_cutoffs"]

Floats = npt.NDArray[np.float64]

COMPARED: Final = (
    "adverse_impact_ratio", "equal_opportunity_difference", "false_positive_difference", "false_negative_difference",
)  # fmt: skip
"""Figures of a group against its reference at a cut-off."""

REVIEW: Final = "review"
INSUFFICIENT: Final = "INSUFFICIENT"
_ROWS, _GOOD, _BAD, _SELECTED, _SELECTED_GOOD, _SELECTED_BAD, _SELECTED_PREDICTED, _SELECTED_MEMBERS = range(8)
_OF_ALL, _OF_CUTOFF = 3, 5  # columns that are summed, once and for each cut-off


def cutoff_table(
    scored: ScoredMembers, groupings: Sequence[Grouping], cutoffs: Sequence[float], options: FairnessOptions, seed: int
) -> pd.DataFrame:
    """Figures of every group at every cut-off.

    Returns
    -------
    DataFrame
        One row for each attribute, group and cut-off: ``rows``, ``good``, ``bad``, ``selected``, ``selection_rate``;
        for each of :data:`COMPARED` the value and its 95 % interval (``_low``, ``_high``), null where too little is
        known; ``selected_known`` outcomes and the ``calibration_gap`` among those who pass, with its interval, of the
        reference too; ``finding`` (``reference``, ``review``, ``INSUFFICIENT`` or empty) and ``why``.
    """
    resampler = Resampler(len(scored.score), scored.members, seed, options.resamples)
    return pd.DataFrame([
        line for grouping, cutoff, sums in sums_at_cutoffs(scored, groupings, cutoffs, resampler)
        for line in _lines(grouping, cutoff, sums, options)
    ])  # fmt: skip


def sums_at_cutoffs(
    scored: ScoredMembers, groupings: Sequence[Grouping], cutoffs: Sequence[float], resampler: Resampler
) -> Iterator[tuple[Grouping, float, Floats]]:
    """What the figures of every grouping at every cut-off are made of.

    Yields
    ------
    Grouping
    float
        The cut-off.
    ndarray of float64, shape (1 + resamples, groups, 8)
        Rows, good, bad, selected, selected good, selected bad, PDs of the selected whose outcome is known, and members
        among those; the first are the rows as they are.
    """
    columns = _columns(scored, cutoffs)
    for grouping in groupings:
        sums = resampled_sums(columns, grouping.code, len(grouping.names), resampler)
        for k, cutoff in enumerate(cutoffs):
            first = _OF_ALL + _OF_CUTOFF * k
            yield grouping, float(cutoff), sums[:, :, [*range(_OF_ALL), *range(first, first + _OF_CUTOFF)]]


def _columns(scored: ScoredMembers, cutoffs: Sequence[float]) -> Floats:
    """What is summed: rows, good, bad, and of each cut-off what :func:`sums_at_cutoffs` says of the selected."""
    known = ~np.isnan(scored.bad)
    shown = np.rint(scored.score)  # decisions are made on the whole points that are shown
    good, bad = (known & (scored.bad == 0)).astype(np.float64), (known & (scored.bad == 1)).astype(np.float64)
    columns = [np.ones(len(good)), good, bad]
    for cutoff in cutoffs:
        selected = (shown >= cutoff).astype(np.float64)
        judged = known & (shown >= cutoff)
        columns += [selected, selected * good, selected * bad, judged * scored.pd_of_bad]
        columns.append(counted_once(scored.members, judged))
    return np.column_stack(columns)


def _lines(grouping: Grouping, cutoff: float, sums: Floats, options: FairnessOptions) -> list[dict[str, Any]]:
    rates, compared = figures_at(sums, grouping.reference)
    ends = {name: interval(drawn[1:]) for name, drawn in compared.items()}
    lines = []
    for g, name in enumerate(grouping.names):
        line: dict[str, Any] = {"attribute": grouping.attribute, "group": name, "cutoff": cutoff}
        line |= {"rows": int(sums[0, g, _ROWS]), **_outcomes(sums[0, g]), "selected": int(sums[0, g, _SELECTED])}
        line["selection_rate"] = float(rates[0, g])
        lacking = _lacking(sums[0, g], sums[0, grouping.reference], options)
        for key in COMPARED:
            told = g != grouping.reference and key not in lacking
            line[key] = float(compared[key][0, g]) if told else np.nan
            for end, values in zip(("low", "high"), ends[key], strict=True):
                line[f"{key}_{end}"] = float(values[g]) if told else np.nan
        gap, why = _gap_of_the_selected(sums[:, g], options)
        lines.append(line | gap | _finding(line, g == grouping.reference, lacking | why, options))
    return lines


def _outcomes(group: Floats) -> dict[str, float]:
    """What became of the group; nothing where it is known of few."""
    few = 0 < group[_GOOD] + group[_BAD] < SMALLEST_GROUP
    return {"good": np.nan if few else int(group[_GOOD]), "bad": np.nan if few else int(group[_BAD])}


def _gap_of_the_selected(sums: Floats, options: FairnessOptions) -> tuple[dict[str, Any], dict[str, str]]:
    bad = sums[:, _SELECTED_BAD]
    known = sums[:, _SELECTED_GOOD] + bad
    gap, why = gap_figures(
        np.column_stack([known, bad, sums[:, _SELECTED_PREDICTED]]), int(sums[0, _SELECTED_MEMBERS]), options
    )
    return {"selected_known": int(known[0])} | gap, {GAP[0]: f"gap of those who pass: {why}"} if why else {}


def figures_at(sums: Floats, reference: int) -> tuple[Floats, dict[str, Floats]]:
    """Selection rates, and figures against the reference (:data:`COMPARED`); each of shape (1 + resamples, groups)."""
    rows, good, bad, selected, selected_good, selected_bad = (sums[:, :, k] for k in range(_SELECTED_BAD + 1))
    rates = metrics.selection_rate(selected, rows)
    passed = metrics.true_positive_rate(selected_good, good)
    wrongly = metrics.false_positive_rate(selected_bad, bad)
    missed = metrics.false_negative_rate(selected_good, good)
    of = slice(reference, reference + 1)
    return rates, {
        "adverse_impact_ratio": metrics.adverse_impact_ratio(rates, rates[:, of]),
        "equal_opportunity_difference": metrics.difference(passed, passed[:, of]),
        "false_positive_difference": metrics.difference(wrongly, wrongly[:, of]),
        "false_negative_difference": metrics.difference(missed, missed[:, of]),
    }


def comparable_at(sums: Floats, reference: int, options: FairnessOptions, name: str) -> npt.NDArray[np.bool_]:
    """Of which groups a figure of :data:`COMPARED` can be told, shape (groups,); never of the reference."""
    told = [g != reference and name not in _lacking(group, sums[0, reference], options)
            for g, group in enumerate(sums[0])]  # fmt: skip
    return np.array(told, dtype=np.bool_)


def _lacking(group: Floats, reference: Floats, options: FairnessOptions) -> dict[str, str]:
    """Which figures rest on too little, and on what."""
    if min(group[_ROWS], reference[_ROWS]) < options.fewest_rows:
        return dict.fromkeys(COMPARED, f"fewer than {options.fewest_rows} rows")
    few, found = options.fewest_outcomes, {}
    if reference[_SELECTED] < few:
        found["adverse_impact_ratio"] = f"fewer than {few} of the reference pass"
    elif group[_ROWS] * reference[_SELECTED] / reference[_ROWS] < few:
        found["adverse_impact_ratio"] = f"fewer than {few} of the group would pass at the reference's rate"
    if min(group[_GOOD], reference[_GOOD]) < few:
        found |= dict.fromkeys(COMPARED[1::2], _few("good", group[_GOOD], few))
    if min(group[_BAD], reference[_BAD]) < few:
        found["false_positive_difference"] = _few("bad", group[_BAD], few)
    return found


def _few(kind: str, of_group: float, few: int) -> str:
    return f"nobody of the group became {kind}" if of_group == 0 else f"fewer than {few} {kind} rows"


def _finding(line: dict[str, Any], is_reference: bool, lacking: dict[str, str], options: FairnessOptions) -> Any:
    why = "; ".join(dict.fromkeys(lacking.values()))
    if is_reference:
        return {"finding": "reference", "why": lacking.get(GAP[0], "")}
    if "adverse_impact_ratio" in lacking:
        return {"finding": INSUFFICIENT, "why": why}
    ratio = line["adverse_impact_ratio"]
    if ratio > 1.0 / options.review_below:  # whichever of the two is called the reference
        why = "; ".join(filter(None, ["the reference passes less often than four fifths of this group's rate", why]))
    return {"finding": REVIEW if not options.review_below <= ratio <= 1.0 / options.review_below else "", "why": why}
