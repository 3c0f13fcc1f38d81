"""The data quality report of one build, and the door that stops a build."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benne.errors import QualityError
from benne.features.events.events import Events
from benne.features.quality.checks import STATUSES, Check, Status, run_checks
from benne.features.quality.documents import as_bytes, write_whole
from benne.features.quality.frame import FrameQuality, measure_frame
from benne.features.quality.record import record
from benne.features.quality.reference import Reference
from benne.features.quality.refusals import Refusals
from benne.features.quality.tables import TableQuality, measure_tables
from benne.features.quality.thresholds import CHECKS, Thresholds
from benne.features.registered import registry as registered
from benne.features.specification import Registry

__all__ = ["QualityReport", "check_quality", "quality_report"]

_NAMED = 5


@dataclass(frozen=True)
class QualityReport:
    """What was measured of a build's events and features, and how it stands against limits.

    Made by :func:`quality_report`. Holds no subject id and no single member's value.

    Parameters
    ----------
    as_of : str
        The clock, ISO 8601 in UTC.
    events_fingerprint : str
    tables : tuple of TableQuality
    frame : FrameQuality
    checks : tuple of Check
        The gravest first.
    thresholds : Thresholds
    compared_with : Reference or None
    refusals : Refusals or None
    registry : Registry
        Of the features' labels and units.
    """

    as_of: str
    events_fingerprint: str
    tables: tuple[TableQuality, ...]
    frame: FrameQuality
    checks: tuple[Check, ...]
    thresholds: Thresholds
    compared_with: Reference | None
    refusals: Refusals | None
    registry: Registry = field(repr=False)

    @property
    def verdict(self) -> Status:
        """The gravest of: stop, warn, insufficient where nobody is observed enough, pass."""
        worst = self.checks[0].status
        if worst in ("stop", "warn"):
            return worst
        return "insufficient" if self.frame.observations < self.frame.cell else "pass"

    @property
    def stop(self) -> bool:
        """Whether a build must stop."""
        return bool(self.of("stop"))

    def of(self, status: Status) -> tuple[Check, ...]:
        """The checks with one outcome."""
        return tuple(check for check in self.checks if check.status == status)

    def counts(self) -> dict[Status, int]:
        """How many checks came to what."""
        return {status: len(self.of(status)) for status in STATUSES}

    def reference(self) -> Reference:
        """What later reports may be compared with.

        Raises
        ------
        QualityError
            This build must stop: its faults would become the norm.
        """
        check_quality(self)
        return Reference.of(self.as_of, self.events_fingerprint, self.tables, self.frame.features)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, the form of its JSON file: see docs/quality.md."""
        before = self.compared_with
        return {
            **record(self.as_of, self.events_fingerprint, self.tables, self.frame, self.checks),
            "verdict": self.verdict,
            "counts": self.counts(),
            "refusals": self.refusals and self.refusals.as_document(),
            "reference": before and {"as_of": before.as_of, "events_fingerprint": before.events_fingerprint},
            "thresholds": self.thresholds.as_document(),
        }

    def write_json(self, path: str | Path) -> Path:
        """Write the report for programs: the same report is the same bytes."""
        return write_whole(as_bytes(self.as_dict()), path)

    def write_html(self, path: str | Path) -> Path:
        """Write the report for people: one file that needs nothing else.

        Raises
        ------
        ModuleNotFoundError
            Jinja is not installed; it comes with ``benne[report]``.
        """
        from benne.features.quality.html import page

        return write_whole(page(self, self.registry).encode(), path)


def quality_report(
    events: Events,
    features: pd.DataFrame,
    *,
    as_of: datetime,
    thresholds: Thresholds | None = None,
    reference: Reference | None = None,
    refusals: Refusals | None = None,
    registry: Registry | None = None,
) -> QualityReport:
    """Measure events and the features built from them, and hold them against limits.

    Parameters
    ----------
    events : Events
    features : DataFrame
        From :func:`benne.features.build_features` on these events.
    as_of : datetime
        The clock (aware) that freshness is measured against: now, or the newest ``as_of`` of
        the features.
    thresholds : Thresholds, optional
        By default those of :data:`~benne.features.quality.thresholds.CHECKS`.
    reference : Reference, optional
        An earlier build. Without one nothing is said of drift.
    refusals : Refusals, optional
        What was turned away before.
    registry : Registry, optional
        By default the registered features.

    Returns
    -------
    QualityReport

    Raises
    ------
    FeatureColumnsError, FeatureTypeError, FeatureValueError
        The frame is not one of features.
    EventSchemaError
        The clock is naive.

    Notes
    -----
    The event tables are read by DuckDB and never loaded; the frame is read column by column.
    """
    limits = Thresholds() if thresholds is None else thresholds
    tables = measure_tables(events, as_of)
    specs = registered if registry is None else registry
    if reference is None:
        frame = measure_frame(events, features, specs, {})
    else:
        frame = measure_frame(events, features, specs, reference.features, reference.days_until(as_of))
    return QualityReport(
        as_of=as_of.astimezone(UTC).isoformat(), events_fingerprint=events.fingerprint, tables=tables, frame=frame,
        checks=run_checks(tables, frame, limits, reference, refusals), thresholds=limits,
        compared_with=reference, refusals=refusals, registry=specs,
    )  # fmt: skip


def check_quality(report: QualityReport) -> None:
    """Let a build go on, or stop it.

    Raises
    ------
    QualityError
        A check stops; the message names the gravest ones, what they came to, and what to do.
    """
    stops = report.of("stop")
    if not stops:
        return
    named = "; ".join(f"{check.subject}: {CHECKS[check.kind].label}, {check.text}" for check in stops[:_NAMED])
    more = f"; and {len(stops) - _NAMED} more" if len(stops) > _NAMED else ""
    raise QualityError(
        f"Data must be within the limits to build on, got {len(stops)} check(s) beyond: {named}{more}. "
        f"{CHECKS[stops[0].kind].advice} Or set other thresholds."
    )
