"""Reference histograms as plain JSON, and back, without loss; and what they must be like to have come out of a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from benne.errors import ModelDirectoryError
from benne.features.quality.drift import Bins
from benne.models.cohorts import SMALLEST_COHORT
from benne.models.reference_histograms import SMALLEST_BIN, ReferenceHistograms

__all__ = ["check_histograms", "histograms_from", "histograms_to"]

Json = dict[str, Any]


def histograms_to(kept: ReferenceHistograms) -> Json:
    """One record per feature, in the model's order."""
    features = [
        {"column": name, **_bins_to(bins), "range": _listed(kept.ranges[name])} for name, bins in kept.features.items()
    ]
    return {
        "rows": kept.rows, "members": kept.members, "features": features, "score": _bins_to(kept.score),
        "bands": [[name, count] for name, count in kept.bands.items()],
        "patterns": [[sorted(used), count] for used, count in kept.patterns.items()],
        "thin": kept.thin, "rare_from": kept.rare_from, "mean_pd": kept.mean_pd,
    }  # fmt: skip


def histograms_from(data: Json) -> ReferenceHistograms:
    """Inverse of :func:`histograms_to`."""
    ranges = {one["column"]: one["range"] for one in data["features"]}
    return ReferenceHistograms(
        rows=data["rows"],
        members=data["members"],
        features={one["column"]: _bins_from(one) for one in data["features"]},
        ranges={name: None if ends is None else (ends[0], ends[1]) for name, ends in ranges.items()},
        score=_bins_from(data["score"]),
        bands=dict(data["bands"]),
        patterns={frozenset(used): count for used, count in data["patterns"]},
        thin=data["thin"],
        rare_from=data["rare_from"],
        mean_pd=data["mean_pd"],
    )


def check_histograms(
    kept: ReferenceHistograms, columns: Sequence[str], bands: Sequence[str], patterns: Sequence[frozenset[str]]
) -> None:
    """Refuse histograms that no fit leaves behind.

    Raises
    ------
    ModelDirectoryError
    """
    _must(_whole(kept.rows) and kept.rows >= SMALLEST_COHORT and _whole(kept.members), f"{SMALLEST_COHORT} rows")
    _must(0 < kept.members <= kept.rows, "no more members than rows")
    _must(tuple(kept.features) == tuple(columns), "a histogram of every feature, in the model's order")
    for bins in (*kept.features.values(), kept.score):
        _must(_sound(bins, kept.rows), f"bins in order, of {SMALLEST_BIN} rows or more each")
    _must(sum(kept.score.counts) == kept.rows, "a score for every row")
    for ends in kept.ranges.values():
        _must(ends is None or (all(map(_number, ends)) and ends[0] <= ends[1]), "ranges from low to high")
    _must(tuple(kept.bands) == tuple(dict.fromkeys(bands)), "the bands of the scale")
    _must(tuple(kept.patterns) == tuple(patterns), "every allowed pattern of consent")
    for counts in (kept.bands, kept.patterns, {"thin": kept.thin}):
        _must(_counts(counts, kept.rows), f"counts of {SMALLEST_BIN} rows or more")
    _must(_whole(kept.rare_from) and kept.rare_from >= 1, "a number of values from which a row is rare")
    _must(_number(kept.mean_pd) and 0.0 <= kept.mean_pd <= 1.0, "a mean PD within [0, 1]")


def _sound(bins: Bins, rows: int) -> bool:
    cells = (*bins.counts, bins.nulls)
    return (
        len(bins.counts) == len(bins.edges) + 1
        and all(map(_number, bins.edges))
        and all(low < high for low, high in zip(bins.edges, bins.edges[1:], strict=False))
        and all(_whole(cell) and _kept(cell) for cell in cells)
        and bins.total <= rows
    )


def _counts(counts: Mapping[Any, int | None], rows: int) -> bool:
    known = [count for count in counts.values() if count is not None]
    return all(_whole(count) and _kept(count) for count in known) and sum(known) <= rows


def _kept(count: int) -> bool:
    return count == 0 or count >= SMALLEST_BIN


def _bins_to(bins: Bins) -> Json:
    return {"edges": list(bins.edges), "counts": list(bins.counts), "nulls": bins.nulls}


def _bins_from(data: Json) -> Bins:
    return Bins(tuple(data["edges"]), tuple(data["counts"]), data["nulls"])


def _listed(ends: tuple[float, float] | None) -> list[float] | None:
    return None if ends is None else list(ends)


def _whole(value: object) -> bool:
    return type(value) is int


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ModelDirectoryError(f"Histograms of a saved model must have {what}, got others. Restore it, or fit anew.")
