"""The report as one HTML file that needs nothing else: what stops first, then what warns, then the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from benne.features.categories import CATEGORY_LABELS
from benne.features.quality.cells import SMALLEST_CELL
from benne.features.quality.checks import Check, Status
from benne.features.quality.columns import FeatureQuality
from benne.features.quality.sparkline import sparkline
from benne.features.quality.tables import TableQuality
from benne.features.quality.thresholds import CHECKS, Limit, Thresholds
from benne.features.specification import Registry

if TYPE_CHECKING:
    from jinja2 import Environment

    from benne.features.quality.report import QualityReport

__all__ = ["page"]

_WORDS: Final[dict[Status, str]] = {
    "stop": "STOP", "warn": "WARN", "insufficient": "INSUFFICIENT", "pass": "PASS",
}  # fmt: skip
_SENTENCES: Final[dict[Status, str]] = {
    "stop": "A build on these data must stop.",
    "warn": "Nothing stops a build, but something wants a look.",
    "insufficient": f"Too little to judge by: fewer than {SMALLEST_CELL} members are observed.",
    "pass": "Nothing stops and nothing warns.",
}


def page(report: QualityReport, registry: Registry) -> str:
    """The whole page.

    Parameters
    ----------
    report : QualityReport
    registry : Registry
        For the features' labels and units.

    Raises
    ------
    ModuleNotFoundError
        Jinja is not installed; it comes with ``benne[report]``.
    """
    worst = _worst(report.checks)
    return str(
        _environment().get_template("quality.html.j2").render(
            report=report, words=_WORDS, sentence=_SENTENCES[report.verdict], counts=report.counts(),
            stops=_lines(report.of("stop")), warnings=_lines(report.of("warn")),
            insufficient=_lines(report.of("insufficient")),
            tables=[_table(table, worst) for table in report.tables],
            sources=_sources(report), nulls=_nulls(report),
            categories=[
                {"quality": category, "label": CATEGORY_LABELS[category.name], "status": worst.get(category.name)}
                for category in report.frame.categories
            ],
            features=_features(report, registry, worst),
            limits=_limits(report.thresholds), smallest=SMALLEST_CELL,
        )
    )  # fmt: skip


def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "The HTML report needs the package jinja2. Install it: pip install 'benne[report]'", name=error.name
        ) from error
    environment = Environment(
        loader=PackageLoader("benne.features.quality", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = _number
    return environment


def _worst(checks: Sequence[Check]) -> dict[str, Status]:
    """The gravest outcome by table, feature or category; checks come the gravest first."""
    worst: dict[str, Status] = {}
    for check in checks:
        for subject in (check.subject, check.subject.partition("/")[0].partition(".")[0]):
            worst.setdefault(subject, check.status)
    return worst


def _lines(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [
        {
            "subject": check.subject.replace("/", " from "),
            "label": CHECKS[check.kind].label,
            "text": check.text,
            "warn": _bound(check.limit.warn, check.kind),
            "stop": _bound(check.limit.stop, check.kind),
            "advice": CHECKS[check.kind].advice,
            "status": check.status,
        }
        for check in checks
    ]


def _bound(value: float | None, kind: str) -> str:
    if value is None:
        return "never"
    unit = CHECKS[kind].unit
    if unit == "share":
        return f"{100 * value:g} %"
    return f"{value:g} days" if unit == "days" else f"{value:g}"


def _table(table: TableQuality, worst: dict[str, Status]) -> dict[str, Any]:
    return {"quality": table, "lag": table.lag_days, "status": worst.get(table.name)}


def _sources(report: QualityReport) -> list[dict[str, Any]]:
    # Where a table has one source, the table's own checks of these kinds are the source's.
    worst: dict[str, Status] = {}
    for check in report.checks:
        if check.kind in ("stale_days", "duplicate_share"):
            worst.setdefault(check.subject, check.status)
    return [
        {"table": table.name, "quality": source,
         "status": worst.get(f"{table.name}/{source.name}" if len(table.sources) > 1 else table.name)}
        for table in report.tables
        for source in table.sources
    ]  # fmt: skip


def _nulls(report: QualityReport) -> list[dict[str, Any]]:
    before = {} if report.compared_with is None else report.compared_with.tables
    outcome = {check.subject: check.status for check in report.checks if check.kind == "filled_drop"}
    rows = []
    for table in report.tables:
        for column, share in table.nulls.items():
            filled = before[table.name].filled.get(column) if table.name in before else None
            name = f"{table.name}.{column}"
            if not share.part and filled in (None, 1.0):
                continue
            rows.append({"name": name, "now": share.text, "status": outcome.get(name),
                         "before": "–" if filled is None else f"{100 * (1 - filled):.1f} %"})  # fmt: skip
    return rows


def _features(report: QualityReport, registry: Registry, worst: dict[str, Status]) -> dict[str, list[dict[str, Any]]]:
    """Rows by the label of their category."""
    rows = {
        CATEGORY_LABELS[category.name]: [
            _feature(feature, registry, worst) for feature in report.frame.features if feature.category == category.name
        ]
        for category in report.frame.categories
    }
    return {label: found for label, found in rows.items() if found}


def _feature(feature: FeatureQuality, registry: Registry, worst: dict[str, Status]) -> dict[str, Any]:
    spec = registry[feature.name]
    before = None if feature.reference is None else feature.reference.histogram
    return {
        "quality": feature, "label": spec.label, "unit": spec.unit,
        "status": worst.get(feature.name), "picture": sparkline(feature.histogram, before, spec.label),
        "nulls": _complement(feature), "psi": "–" if feature.psi is None else f"{feature.psi:.3f}",
        "quantiles": [_number(feature.quantiles.get(quantile)) for quantile in (0.01, 0.5, 0.99)],
    }  # fmt: skip


def _complement(feature: FeatureQuality) -> str:
    return {"few": "nearly all", "nearly all": "few"}.get(feature.filled.text) or (
        "–" if feature.filled.exact is None else f"{100 * (1 - feature.filled.exact):.1f} %"
    )


def _limits(thresholds: Thresholds) -> list[dict[str, Any]]:
    rows = []
    for kind, said in thresholds.as_document().items():
        rows.append(_limit_row(kind, "all", Limit(said.get("warn"), said.get("stop"))))
        rows += [
            _limit_row(kind, subject, Limit(limit.get("warn"), limit.get("stop")))
            for subject, limit in said.get("only", {}).items()
        ]
    return rows


def _limit_row(kind: str, subject: str, limit: Limit) -> dict[str, str]:
    return {
        "kind": kind, "label": CHECKS[kind].label, "subject": subject,
        "warn": _bound(limit.warn, kind), "stop": _bound(limit.stop, kind),
    }  # fmt: skip


def _number(value: float | None) -> str:
    """A figure short enough for a column: thousands apart, three digits, k and M for large ones."""
    if value is None:
        return "–"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g} {letter}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"
