"""Who passes each cut-off: rates of every group beside those of its reference."""

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
from benne.models.resampling import Resampler

__all__ = ["COMPARED", "INSUFFICIENT", "REVIEW", "cutoff_table"]

Floats = npt.NDArray[np.float64]

COMPARED: Final = (
    "adverse_impact_ratio", "equal_opportunity_difference", "false_positive_difference", "false_negative_difference",
)  # fmt: skip
"""Figures of a group against its reference at a cut-off."""

REVIEW: Final = "review"
INSUFFICIENT: Final = "INSUFFICIENT"
_ROWS, _GOOD, _BAD, _SELECTED = 0, 1, 2, 3


def cutoff_table(
    scored: ScoredMembers, groupings: Sequence[Grouping], cutoffs: Sequence[float], options: FairnessOptions, seed: int
) -> pd.DataFrame:
    """Figures of every group at every cut-off.

    Returns
    -------
    DataFrame
        One row for each attribute, group and cut-off: ``rows``, ``good``, ``bad``, ``selected``, ``selection_rate``;
        for each of :data:`COMPARED` the value and its 95 % interval (``_low``, ``_high``), null where too little is
        known; ``finding`` (``reference``, ``review``, ``INSUFFICIENT`` or empty) and ``why``.
    """
    columns = _columns(scored, cutoffs)
    tables = []
    for grouping in groupings:
        resampler = Resampler(len(scored.score), scored.members, seed, options.resamples)
        sums = resampled_sums(columns, grouping.code, len(grouping.names), resampler)
        for k, cutoff in enumerate(cutoffs):
            at = sums[:, :, [0, 1, 2, *range(3 + 3 * k, 6 + 3 * k)]]
            tables += _lines(grouping, float(cutoff), at, options)
    return pd.DataFrame(tables)


def _columns(scored: ScoredMembers, cutoffs: Sequence[float]) -> Floats:
    """What is summed: rows, good, bad, and of each cut-off the selected, selected good and selected bad."""
    known = ~np.isnan(scored.bad)
    shown = np.rint(scored.score)  # decisions are made on the whole points that are shown
    good, bad = (known & (scored.bad == 0)).astype(np.float64), (known & (scored.bad == 1)).astype(np.float64)
    columns = [np.ones(len(good)), good, bad]
    for cutoff in cutoffs:
        selected = (shown >= cutoff).astype(np.float64)
        columns += [selected, selected * good, selected * bad]
    return np.column_stack(columns)


def _lines(grouping: Grouping, cutoff: float, sums: Floats, options: FairnessOptions) -> list[dict[str, Any]]:
    rates, compared = _figures(sums, grouping.reference)
    ends = {name: interval(drawn[1:]) for name, drawn in compared.items()}
    lines = []
    for g, name in enumerate(grouping.names):
        line: dict[str, Any] = {"attribute": grouping.attribute, "group": name, "cutoff": cutoff}
        line |= {key: int(sums[0, g, place]) for key, place in
                 (("rows", _ROWS), ("good", _GOOD), ("bad", _BAD), ("selected", _SELECTED))}  # fmt: skip
        line["selection_rate"] = float(rates[0, g])
        lacking = _lacking(sums[0, g], sums[0, grouping.reference], options)
        for key in COMPARED:
            told = g != grouping.reference and key not in lacking
            line[key] = float(compared[key][0, g]) if told else np.nan
            for end, values in zip(("low", "high"), ends[key], strict=True):
                line[f"{key}_{end}"] = float(values[g]) if told else np.nan
        lines.append(line | _finding(line, g == grouping.reference, lacking, options))
    return lines


def _figures(sums: Floats, reference: int) -> tuple[Floats, dict[str, Floats]]:
    """Selection rates, and figures against the reference; each of shape (1 + resamples, groups)."""
    rows, good, bad, selected, selected_good, selected_bad = (sums[:, :, k] for k in range(6))
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
        return {"finding": "reference", "why": ""}
    if "adverse_impact_ratio" in lacking:
        return {"finding": INSUFFICIENT, "why": why}
    ratio = line["adverse_impact_ratio"]
    if ratio > 1.0 / options.review_below:  # whichever of the two is called the reference
        why = "; ".join(filter(None, ["the reference passes less often than four fifths of this group's rate", why]))
    return {"finding": REVIEW if not options.review_below <= ratio <= 1.0 / options.review_below else "", "why": why}
