"""Whether PDs come true in each band of each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.fairness.calibration_gaps import gap_figures
from benne.experiments.fairness.groups import Grouping
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.resampled import resampled_sums
from benne.experiments.fairness.scored_members import ScoredMembers
from benne.experiments.report.groups import SMALLEST_GROUP, joined_labels
from benne.models import ScoreScale
from benne.models.resampling import Resampler

__all__ = ["band_table"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def band_table(
    scored: ScoredMembers, groupings: Sequence[Grouping], scale: ScoreScale, options: FairnessOptions, seed: int
) -> pd.DataFrame:
    """Observed and predicted bad rate of each group in each band, rows whose outcome is known.

    Returns
    -------
    DataFrame
        ``attribute``, ``group``, ``band``, ``rows``, ``predicted``, ``observed``, ``calibration_gap`` with its 95 %
        interval (null where too little is known), ``finding`` (``INSUFFICIENT`` or empty) and ``why``. A band of fewer
        than ten members joins its neighbour; there is none of a group of whom the outcome of fewer than ten members is
        known.
    """
    known = ~np.isnan(scored.bad)
    names = [band.name for band in scale.bands]
    place = np.full(len(known), -1, dtype=np.intp)
    place[known] = pd.Index(names).get_indexer(pd.Index(scale.band(scored.score[known])))
    resampler = Resampler(len(known), scored.members, seed, options.resamples)
    return pd.DataFrame([
        line for grouping in groupings for line in _of_grouping(scored, grouping, place, names, resampler, options)
    ])  # fmt: skip


def _of_grouping(
    scored: ScoredMembers,
    grouping: Grouping,
    place: Indices,
    names: Sequence[str],
    resampler: Resampler,
    options: FairnessOptions,
) -> Iterator[dict[str, Any]]:
    known = place >= 0
    columns = np.column_stack([known, np.nan_to_num(scored.bad), known * scored.pd_of_bad]).astype(np.float64)
    cells = np.where(known, grouping.code * len(names) + place, -1)
    sums = resampled_sums(columns, cells, len(grouping.names) * len(names), resampler)
    for g, group in enumerate(grouping.names):
        first = g * len(names)
        members = [np.unique(scored.members[cells == first + band]) for band in range(len(names))]
        for line in _of_group(sums[:, first : first + len(names)], members, names, options):
            yield {"attribute": grouping.attribute, "group": group} | line


def _of_group(
    sums: Floats, members: Sequence[Indices], names: Sequence[str], options: FairnessOptions
) -> Iterator[dict[str, Any]]:
    """Lines of one group from sums of shape (1 + resamples, bands, 3) and the members in each of its bands."""
    if _distinct(members) < SMALLEST_GROUP:
        return
    part = _joined(members)
    for k, label in enumerate(joined_labels(names, part)):
        of_band = sums[:, part == k].sum(axis=1)
        rows, bad, predicted = of_band[0]
        inside = _distinct([held for held, one in zip(members, part, strict=True) if one == k])
        gap, why = gap_figures(of_band, inside, options)
        yield {
            "band": label, "rows": int(rows),
            "predicted": predicted / rows if rows else np.nan, "observed": bad / rows if rows else np.nan,
            **gap, "finding": "INSUFFICIENT" if why and rows else "", "why": why if rows else "",
        }  # fmt: skip


def _joined(members: Sequence[Indices]) -> Indices:
    """Neighbouring bands until ten members are in them; an empty one stays, a small last one joins those before.

    A member whose rows are in several bands is one member wherever these are joined.
    """
    parts: list[list[int]] = []
    held: list[int] = []
    for band in range(len(members)):
        held = [*held, band]
        count = _distinct([members[one] for one in held])
        if count == 0 or count >= SMALLEST_GROUP:
            parts, held = [*parts, held], []
    while held and parts and _distinct([members[one] for one in held]) < SMALLEST_GROUP:
        held = [*parts.pop(), *held]
    parts += [held] if held else []
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _distinct(members: Sequence[Indices]) -> int:
    return len(np.unique(np.concatenate(members)))
