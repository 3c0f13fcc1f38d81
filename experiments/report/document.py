"""The report as plain JSON: the same figures, the same bytes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.experiments.challengers import Comparison
from benne.experiments.report.evaluation_report import EvaluationReport
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.label_influence import LabelInfluence, influence_measures

__all__ = ["FORMAT", "as_document", "records_of", "timings_of"]

FORMAT: Final = 1
"""Version of the document's form."""

_DIGITS: Final = 10
"""Decimals kept: far below any interval, far above what another processor may sum differently."""

_TIMES: Final = "fit_seconds"


def as_document(report: EvaluationReport) -> dict[str, Any]:
    """The report for programs; null stands for what does not exist, such as an AUC of one class.

    How long fits took is not in it: that would differ at every run. See :func:`timings_of`.
    """
    stability, profit = report.stability, report.profit
    return {
        "format": FORMAT,
        "run": _plain(dataclasses.asdict(report.facts)),
        "metrics": {line.pop("metric"): line for line in records_of(report.metrics)},
        "metrics_weighted": _plain(report.weighted),
        "calibration": {
            **{name: _plain(getattr(report.calibration, name)) for name in ("slope", "intercept", "ece")},
            "by_decile": records_of(report.calibration.by_decile),
            "by_band": records_of(report.calibration.by_band),
        },
        "bands": {
            "monotone": report.bands.monotone, "not_lower": list(report.bands.not_lower),
            "table": records_of(report.bands.table),
        },
        "lift": records_of(report.lift),
        "distribution": records_of(report.distribution),
        "stability": {
            "psi": _plain(stability.psi), "psi_by_chance": _plain(stability.by_chance),
            "periods": records_of(stability.periods),
        },
        "profit": {
            **_plain(dataclasses.asdict(profit.terms)), "even_score": _plain(profit.even),
            "at_cutoff": None if profit.at_cutoff is None else records_of(profit.curve)[profit.at_cutoff],
            "best": records_of(profit.curve)[profit.best],
            "best_cutoff_low": profit.best_low, "best_cutoff_high": profit.best_high,
            "curve": records_of(profit.curve),
        },
        "contract": {
            "shares": records_of(report.contract.shares),
            "price": records_of(report.contract.price), "frontier": records_of(report.contract.frontier),
        },
        "consent": {"used": records_of(report.consent.used), "allowed": records_of(report.consent.allowed)},
        "learning": records_of(report.learning),
        "labels": _labels(report.labels),
        "challengers": _compared(report.comparison) or {"not_compared": report.not_compared},
    }  # fmt: skip


def records_of(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Lines of a table, its index first where it has a name; none for no table."""
    if table is None:
        return []
    named = table.reset_index() if table.index.name else table
    return [{str(key): _plain(value) for key, value in line.items()} for line in named.to_dict("records")]


def timings_of(comparison: Comparison) -> dict[str, float | None]:
    """Seconds each contestant took to fit; null where nobody looked at the clock."""
    return {str(name): _plain(seconds) for name, seconds in comparison.table[_TIMES].items()}


def _labels(labels: LabelInfluence) -> dict[str, Any]:
    """Counts of fewer than ten are not told; shares of a whole hide them too."""
    counts = {name: getattr(labels, name) for name in ("rows", "known", "influenced", "offered", "without_outcome",
                                                       "refused_by_score")}  # fmt: skip
    few = {name for name, count in counts.items() if count is not None and 0 < count < SMALLEST_GROUP}
    shown = {name: None if name in few else _plain(count) for name, count in counts.items()}
    measures = {name: one.as_dict() for name, one in influence_measures(labels).items()}
    if "influenced" in few or "without_outcome" in few:
        measures = {name: one | {"value": None, "low": None, "high": None} for name, one in measures.items()}
    return {
        **shown, "measures": measures, "notes": labels.notes, "figures": records_of(labels.parts),
        "by_band": records_of(labels.by_band),
    }  # fmt: skip


def _compared(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    counts: dict[str, int | None] = {"test_rows": comparison.test_rows, "ours_alone": comparison.ours_alone}
    if 0 < comparison.ours_alone < SMALLEST_GROUP:  # either would tell how few they are
        counts = dict.fromkeys(counts)
    table = records_of(comparison.table.drop(columns=_TIMES))
    return {"train_rows": comparison.train_rows, **counts, "table": table}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return round(float(value), _DIGITS) if math.isfinite(value) else None
    return value
