"""Measurements as plain data: the versioned form of the report's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benne.features.quality.categories import CategoryQuality
from benne.features.quality.cells import SMALLEST_CELL, Share
from benne.features.quality.checks import Check
from benne.features.quality.columns import FeatureQuality
from benne.features.quality.documents import FORMAT
from benne.features.quality.frame import FrameQuality
from benne.features.quality.tables import SourceQuality, TableQuality

__all__ = ["record"]


def record(
    as_of: str, fingerprint: str, tables: Sequence[TableQuality], frame: FrameQuality, checks: Sequence[Check]
) -> dict[str, Any]:
    """Everything measured, and every check; null is what may not be shown, or does not apply."""
    return {
        "format": FORMAT,
        "kind": "benne quality report",
        "as_of": as_of,
        "events_fingerprint": fingerprint,
        "observations": frame.observations,
        "members": frame.members,
        "smallest_cell": {"members": SMALLEST_CELL, "observations": frame.cell},
        "checks": [_check(check) for check in checks],
        "tables": {table.name: _table(table) for table in tables},
        "categories": {category.name: _category(category) for category in frame.categories},
        "features": {feature.name: _feature(feature) for feature in frame.features},
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "check": check.kind,
        "subject": check.subject,
        "status": check.status,
        "value": check.value,
        "text": check.text,
        "warn": check.limit.warn,
        "stop": check.limit.stop,
    }


def _table(table: TableQuality) -> dict[str, Any]:
    return {
        "rows": table.rows,
        "members": _few(table.members),
        "covered": table.covered.shown,
        "newest_event": table.newest_event and table.newest_event.isoformat(),
        "newest_known": table.newest_known and table.newest_known.isoformat(),
        "stale_days": table.stale_days,
        "lag_days": _quantiles(table.lag_days),
        "corrected": table.corrected.shown,
        "duplicates": table.duplicates.shown,
        "nulls": _shares(table.nulls),
        "sources": {source.name: _source(source) for source in table.sources},
        "sources_not_shown": table.sources_not_shown,
    }


def _source(source: SourceQuality) -> dict[str, Any]:
    return {
        "rows": source.rows,
        "members": source.members,
        "stale_days": source.stale_days,
        "duplicates": source.duplicates.shown,
    }


def _category(category: CategoryQuality) -> dict[str, Any]:
    return {
        "consented": category.consented.shown,
        "thin": category.thin.shown,
        "sparse": category.sparse.shown,
        "present": list(category.present),
        "absent": dict(category.absent),
    }


def _feature(feature: FeatureQuality) -> dict[str, Any]:
    return {
        "category": feature.category,
        "observations": _few(feature.observations),
        "filled": feature.filled.shown,
        "zeros": feature.zeros.shown,
        "held_at_range": feature.held.shown,
        "distinct": feature.distinct,
        "quantiles": _quantiles(feature.quantiles),
        "outliers": feature.outliers and feature.outliers.shown,
        "psi": None if feature.psi is None else round(feature.psi, 6),
        "psi_by_chance": None if feature.psi_by_chance is None else round(feature.psi_by_chance, 6),
        "histogram": feature.histogram and asdict(feature.histogram),
    }


def _few(count: int) -> int | None:
    return None if 0 < count < SMALLEST_CELL else count


def _shares(shares: Mapping[str, Share]) -> dict[str, float | None]:
    return {name: share.shown for name, share in shares.items()}


def _quantiles(quantiles: Mapping[float, float]) -> dict[str, float]:
    return {f"p{round(100 * quantile):02d}": value for quantile, value in quantiles.items()}
