"""Measurements held against limits: each check passes, warns, stops, or has too little to go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benne.features.quality.categories import CategoryQuality
from benne.features.quality.cells import SMALLEST_CELL, Share, percent
from benne.features.quality.columns import FeatureQuality
from benne.features.quality.frame import FrameQuality
from benne.features.quality.reference import Reference, TableReference
from benne.features.quality.refusals import Refusals
from benne.features.quality.tables import TableQuality
from benne.features.quality.thresholds import CHECKS, Limit, Thresholds

__all__ = ["STATUSES", "Check", "Status", "run_checks"]

Status = Literal["stop", "warn", "insufficient", "pass"]

STATUSES: Final[tuple[Status, ...]] = ("stop", "warn", "insufficient", "pass")
"""The gravest first."""

_Finding = tuple[str, str, float | Share | None, str | None]  # kind, subject, value, what to show of it


@dataclass(frozen=True)
class Check:
    """One value held against one limit.

    Parameters
    ----------
    kind : str
        One of :data:`~benne.features.quality.thresholds.CHECKS`.
    subject : str
        What was checked: a table, ``table/source``, ``table.column``, a feature, a category, or
        a kind of things.
    status : {"stop", "warn", "insufficient", "pass"}
    value : float or None
        None where it may not be shown, or there was too little to go by.
    text : str
        The value in words.
    limit : Limit
    """

    kind: str
    subject: str
    status: Status
    value: float | None
    text: str
    limit: Limit


def run_checks(
    tables: Sequence[TableQuality], frame: FrameQuality, thresholds: Thresholds,
    reference: Reference | None, refusals: Refusals | None,
) -> tuple[Check, ...]:  # fmt: skip
    """Run every check that the measurements allow.

    Returns
    -------
    tuple of Check
        The gravest first; then in the order of :data:`CHECKS`, of the tables and of the features.
    """
    findings: list[_Finding] = [_unconsented(frame), *_refused(refusals)]
    for table in tables:
        findings += _of_table(table, reference.tables.get(table.name) if reference else None)
    for feature in frame.features:
        findings += _of_feature(feature, frame.cell, thresholds)
    findings += [finding for category in frame.categories for finding in _of_category(category, frame.cell)]
    if reference is not None:
        findings += _missing(tables, frame, reference)
    checks = [_judged(*finding, thresholds) for finding in findings]
    order = {kind: place for place, kind in enumerate(CHECKS)}
    return tuple(sorted(checks, key=lambda check: (STATUSES.index(check.status), order[check.kind])))


def _judged(kind: str, subject: str, value: float | Share | None, text: str | None, thresholds: Thresholds) -> Check:
    limit = thresholds.limit(kind, subject)
    exact = value.exact if isinstance(value, Share) else value
    if exact is None:
        return Check(kind, subject, "insufficient", None, text or f"fewer than {SMALLEST_CELL} members", limit)
    shown = value.shown if isinstance(value, Share) else round(exact, 3)
    said = value.text if isinstance(value, Share) else _FORMS[CHECKS[kind].unit](exact)
    return Check(kind, subject, limit.judge(exact), shown, text or said, limit)


def _unconsented(frame: FrameQuality) -> _Finding:
    wrong = [feature.name for feature in frame.features if feature.unconsented]
    return "unconsented_values", "features", float(len(wrong)), f"in {', '.join(wrong)}" if wrong else "none"


def _refused(refusals: Refusals | None) -> Iterator[_Finding]:
    if refusals is None:
        return
    for subject, share in refusals.shares().items():
        if share.whole:
            yield "refused_share", subject, share if share.whole >= SMALLEST_CELL else None, None


def _of_table(table: TableQuality, before: TableReference | None) -> Iterator[_Finding]:
    enough = table.members >= SMALLEST_CELL
    yield "stale_days", table.name, table.stale_days, None
    if len(table.sources) > 1:
        for source in table.sources:
            yield "stale_days", f"{table.name}/{source.name}", source.stale_days, None
            yield "duplicate_share", f"{table.name}/{source.name}", source.duplicates, None
    yield "lag_days", table.name, table.lag_days.get(0.5), None
    yield "duplicate_share", table.name, table.duplicates if enough else None, None
    yield "corrected_share", table.name, table.corrected if enough else None, None
    if before is None:
        return
    if before.covered:
        yield "coverage_drop", table.name, _drop(before.covered, table.covered.exact or 0.0), None
    for column, share in table.nulls.items():
        if filled := before.filled.get(column):
            null = share.exact
            yield "filled_drop", f"{table.name}.{column}", None if null is None else _drop(filled, 1 - null), None


def _of_feature(feature: FeatureQuality, cell: int, thresholds: Thresholds) -> Iterator[_Finding]:
    enough = feature.observations >= cell
    constant = feature.distinct in ("0", "1") and feature.filled.part in (0, feature.observations)
    yield "single_value", feature.name, float(constant) if enough else None, "yes" if constant else "no"
    before = feature.reference
    if feature.outliers is not None and before is None:
        yield "outlier_share", feature.name, feature.outliers, None
    if before is None:
        return
    if feature.outliers is not None:
        # What rests on few members is none, as it is in the reference: the same build shows no rise.
        few = feature.outliers.shown is None and (feature.outliers.exact or 0.0) < 0.5
        now = 0.0 if few else feature.outliers.exact or 0.0
        yield "outlier_rise", feature.name, max(now - (before.outliers or 0.0), 0.0), None
    yield "psi", feature.name, *_psi(feature, thresholds.limit("psi", feature.name))
    if before.filled:
        yield "filled_drop", feature.name, _drop(before.filled, feature.filled.exact or 0.0) if enough else None, None
    if before.held is not None and feature.held.whole >= cell:
        yield "held_rise", feature.name, max((feature.held.exact or 0.0) - before.held, 0.0), None


def _psi(feature: FeatureQuality, limit: Limit) -> tuple[float | None, str | None]:
    """The index, or that there are too few members to tell it from chance."""
    lowest = min((bound for bound in (limit.warn, limit.stop) if bound is not None), default=None)
    if feature.psi is None or feature.psi_by_chance is None:
        return None, None
    if lowest is not None and feature.psi_by_chance > lowest / 2:
        return None, f"chance alone makes {feature.psi_by_chance:.2f} with so few"
    return feature.psi, None


def _of_category(category: CategoryQuality, cell: int) -> Iterator[_Finding]:
    if category.present:
        yield "thin_share", category.name, category.thin if category.thin.whole >= cell else None, None


def _missing(tables: Sequence[TableQuality], frame: FrameQuality, reference: Reference) -> Iterator[_Finding]:
    here = {
        "tables": {table.name for table in tables},
        "sources": {f"{table.name}/{source.name}" for table in tables for source in table.sources},
        "features": {feature.name for feature in frame.features},
    }
    before = {
        "tables": set(reference.tables),
        "sources": {f"{name}/{source}" for name, table in reference.tables.items() for source in table.sources},
        "features": set(reference.features),
    }
    for things, names in here.items():
        gone = sorted(before[things] - names)
        yield "missing", things, float(len(gone)), ", ".join(gone) or "none"


def _drop(before: float, now: float) -> float:
    """How much of what there was is gone; 0 where there is more."""
    return max(1 - now / before, 0.0)


_FORMS: Final[dict[str, Callable[[float], str]]] = {
    "days": lambda value: f"{value:.1f} days",
    "share": percent,
    "count": lambda value: f"{value:g}",
    "index": lambda value: f"{value:.3f}",
}
