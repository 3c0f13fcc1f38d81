"""The figures of a fairness audit that a gate asks for: the worst of each kind, and of whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.experiments.fairness.assessing import Disparities, FairnessReport
from benne.experiments.fairness.calibration_gaps import GAP
from benne.experiments.measure import Measure

__all__ = ["disparity_measures", "fairness_measures", "worst_gap"]

_NAMED: Final = 3


def fairness_measures(report: FairnessReport) -> dict[str, Measure]:
    """The worst figures of an audit.

    Returns
    -------
    dict of str to Measure
        ``adverse_impact_ratio`` (least), ``equal_opportunity_gap`` and ``standardised_mean_difference`` (largest,
        absolute) over attributes, groups and cut-offs; a ratio above 1 counts as its inverse, that of the reference
        beside the group: no choice of the reference hides anybody. ``calibration_gap`` (absolute): the one that is
        worst for sure, see :func:`worst_gap`.
        ``flip_test``: scores that changed with a protected attribute, and inputs that are about one. One is
        INSUFFICIENT where an attribute has nobody to compare, or at some cut-off; groups that were too small beside
        others that were not are named in its note.
    """
    changed = int(report.flips["changed"].sum()) + len(report.protected_inputs)
    lines = report.flips.to_dict("records")
    carried = [f"{line['attribute']} by {line['carried_by']}" for line in lines if line["carried_by"]]
    carried += [f"{name} is about something protected" for name in report.protected_inputs]
    flips = Measure(value=float(changed), n=report.rows, note="; ".join(carried))
    return {**disparity_measures(report.disparities), "flip_test": flips}


def disparity_measures(found: Disparities) -> dict[str, Measure]:
    """The worst of the figures that need scores alone; see :func:`fairness_measures`."""
    at, of = found.by_cutoff, found.by_group
    compared = of[of["finding"] != "reference"]
    return {
        "adverse_impact_ratio": _worst(_either_way(at), "adverse_impact_ratio", np.argmin, absolute=False),
        "equal_opportunity_gap": _worst(at, "equal_opportunity_difference", np.argmax, absolute=True),
        "calibration_gap": worst_gap(found),
        "standardised_mean_difference": _worst(
            compared, "standardised_mean_difference", np.argmax, absolute=True
        ),
    }  # fmt: skip


def worst_gap(found: Disparities) -> Measure:
    """The worst calibration gap of all that can be judged: of groups, of those who pass each cut-off, of bands.

    Returns
    -------
    Measure
        The gap whose interval is farthest from 0 (the largest near end, absolute), the reference's among them: of so
        many parts the largest figure is mostly that of the smallest. Where every interval holds 0 it is the largest
        gap of a whole group. INSUFFICIENT where an attribute has no group to judge but its reference.
    """
    of = found.by_group
    others = of[of["finding"] != "reference"]
    if nothing := _nothing_known(others, others[others["calibration_gap"].notna()]):
        return Measure(value=None, n=_counted_once(of), note=f"too few to compare: {', '.join(nothing)}")
    parts = [
        of.assign(n=of["known"], where=""),
        found.by_cutoff.assign(n=found.by_cutoff["selected_known"],
                               where=[f" who pass {cutoff:g}" for cutoff in found.by_cutoff["cutoff"]]),
        found.by_band.assign(n=found.by_band["rows"], where=" in band " + found.by_band["band"]),
    ]  # fmt: skip
    every = pd.concat([part[["attribute", "group", "where", "n", *GAP]] for part in parts], ignore_index=True)
    judged = every[every["calibration_gap"].notna()]
    ends = [_absolute(low, high) for low, high in judged[list(GAP[1:])].itertuples(index=False)]
    near = np.nan_to_num([low for low, _ in ends])
    value = judged["calibration_gap"].abs().to_numpy()
    k = int(np.argmax(near if near.max() > 0.0 else np.where(judged["where"] == "", value, -1.0)))
    row = judged.iloc[k]
    return Measure(
        value=float(value[k]), low=ends[k][0], high=ends[k][1], n=int(row["n"]),
        note=f"{row['attribute']}: {row['group']}{row['where']}" + _left_out(of[of["calibration_gap"].isna()]),
    )  # fmt: skip


def _worst(table: pd.DataFrame, name: str, pick: Callable[[Any], Any], *, absolute: bool) -> Measure:
    asked = table[table["finding"] != "reference"]
    known = asked[asked[name].notna()]
    if nothing := _nothing_known(asked, known):
        return Measure(value=None, n=_counted_once(table), note=f"too few to compare: {', '.join(nothing)}")
    value = known[name].to_numpy(dtype=np.float64)
    row = known.iloc[int(pick(np.abs(value) if absolute else value))]
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    if absolute:
        low, high = _absolute(low, high)
    return Measure(
        value=abs(float(row[name])) if absolute else float(row[name]), low=low, high=high, n=int(row["rows"]),
        note=_label(row) + _left_out(asked[asked[name].isna()]),
    )  # fmt: skip


def _either_way(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios above 1 as those of the reference to the group."""
    lines = [{str(key): value for key, value in line.items()} for line in table.to_dict("records")]
    called = {(one["attribute"], one["cutoff"]): one["group"] for one in lines if one["finding"] == "reference"}
    return pd.DataFrame([_turned(one, called) if one["adverse_impact_ratio"] > 1.0 else one for one in lines])


def _turned(line: dict[str, Any], called: dict[tuple[str, float], str]) -> dict[str, Any]:
    low, value, high = (float(line[f"adverse_impact_ratio{end}"]) for end in ("_low", "", "_high"))
    name = f"{called[line['attribute'], line['cutoff']]} (the reference) beside {line['group']}"
    return line | {
        "group": name, "adverse_impact_ratio": 1.0 / value, "adverse_impact_ratio_low": 1.0 / high,
        "adverse_impact_ratio_high": 1.0 / low if low > 0 else np.nan,
    }  # fmt: skip


def _nothing_known(asked: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """Attributes, and cut-offs of them, of which no group could be compared; two together may fail."""
    by = [name for name in ("attribute", "cutoff") if name in asked.columns]
    single = asked[~asked["attribute"].str.contains(" x ", regex=False)]
    have = {tuple(row) for row in known[by].itertuples(index=False)}
    lacking = [row for row in single[by].drop_duplicates().itertuples(index=False) if tuple(row) not in have]
    return [" at ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in row) for row in lacking]


def _counted_once(table: pd.DataFrame) -> int:
    """Rows of the audit: each stands in one group of every attribute, at every cut-off."""
    by = [name for name in ("attribute", "cutoff") if name in table.columns]
    return int(table.groupby(by)["rows"].sum().max())


def _absolute(low: float, high: float) -> tuple[float, float]:
    ends = sorted((abs(low), abs(high)))
    return (0.0 if low <= 0.0 <= high else ends[0]), ends[1]


def _label(row: Any) -> str:
    cutoff = f" at {row['cutoff']:g}" if "cutoff" in row.index else ""
    return f"{row['attribute']}: {row['group']}{cutoff}"


def _left_out(lacking: pd.DataFrame) -> str:
    names = list(dict.fromkeys(f"{row.attribute}: {row.group}" for row in lacking.itertuples()))
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f" (INSUFFICIENT: {', '.join(names[:_NAMED])}{more})"
