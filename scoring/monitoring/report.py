"""What monitoring has found: tables by period, alerts, and what a document about the model says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from benne.scoring.monitoring.alerts import Alert

__all__ = ["KIND", "MEASURES", "MonitoringReport"]

KIND: Final = "monitoring"
MEASURES: Final = (
    "score_psi", "worst_feature_psi", "alarms", "warnings", "auc", "calibration_slope", "bad_rate",
    "actual_to_predicted",
)  # fmt: skip
"""Figures of a document, each under ``monitoring.`` and its name; the last four where there are outcomes."""
_DIGITS: Final = 10


@dataclass(frozen=True)
class MonitoringReport:
    """What monitoring has found.

    Parameters
    ----------
    made_at : datetime
        With a time zone.
    periods : tuple of str
        From the earliest on.
    tables : mapping of str to list of dict
        ``features``: a line for each feature and period. ``scores``, ``bands``, ``patterns``, ``files``, and where
        there were such ``refusals``, ``reviews``, ``vintages``, ``outcomes_by_band``, ``outcomes_by_pattern``, both
        also ``_and_period``: a line for each period or group. ``vintage_curves``, where outcomes are dated: a line for
        each period and month of its age. Nothing in them is of fewer than ten rows. Cells count rows, not bads: of a
        cell of ten or more its bad rate is told, be the bads fewer; by band or pattern not where nobody or everybody
        turned bad, and in ``vintage_curves`` only where ten did and ten did not.
    alerts : tuple of Alert
        Alarms first, then by period.
    notes : tuple of str
    outcomes : str or None
        None where none were given, ``measured``, or ``INSUFFICIENT`` where none has matured or all are alike.
    rows : int
    """

    made_at: datetime
    periods: tuple[str, ...]
    tables: Mapping[str, list[dict[str, Any]]] = field(repr=False)
    alerts: tuple[Alert, ...]
    notes: tuple[str, ...]
    outcomes: str | None
    rows: int

    @property
    def alarms(self) -> tuple[Alert, ...]:
        """Alerts that are alarms."""
        return tuple(alert for alert in self.alerts if alert.severity == "alarm")

    @property
    def warnings(self) -> tuple[Alert, ...]:
        """Alerts that are warnings."""
        return tuple(alert for alert in self.alerts if alert.severity == "warning")

    def measures(self) -> dict[str, dict[str, Any]]:
        """Figures of the latest period, and of the latest vintage, as documents about a model hold them."""
        score, latest = self.tables["scores"][-1], self.periods[-1]
        features = [line for line in self.tables["features"] if line["period"] == latest and line["psi"] is not None]
        worst = max(features, key=lambda line: line["psi"], default=None)
        found = {
            "score_psi": _measure(score["psi"], score["rows"], f"in {latest}"),
            "worst_feature_psi": _measure(
                worst["psi"] if worst else None,
                worst["rows"] if worst else 0,
                f"{worst['feature']} in {latest}" if worst else "",
            ),
            "alarms": _measure(float(len(self.alarms)), self.rows, "over all periods"),
            "warnings": _measure(float(len(self.warnings)), self.rows, "over all periods"),
        }
        vintages = [line for line in self.tables.get("vintages", []) if line.get("observed") is not None]
        if self.outcomes is not None:
            last = vintages[-1] if vintages and self.outcomes == "measured" else {}
            n, note = last.get("matured", 0), f"in {last['period']}" if last else "no outcomes have matured"
            found["auc"] = _measure(last.get("auc"), n, note)
            found["calibration_slope"] = _measure(last.get("slope"), n, note)
            predicted, observed = last.get("predicted"), last.get("observed")
            found["bad_rate"] = _measure(observed, n, note)
            found["actual_to_predicted"] = _measure(observed / predicted if predicted else None, n, note)
        return {f"monitoring.{name}": measure for name, measure in found.items()}

    def content(self) -> dict[str, Any]:
        """What a document about the model says of it, ready for JSON: the same findings, the same bytes."""
        tables = {name: [_plain(line) for line in lines] for name, lines in self.tables.items()}
        tables |= {"alerts": [alert.as_dict() for alert in self.alerts], "features": self._summed_up()}
        return {
            "measures": self.measures(), "tables": tables, "notes": list(self.notes), "periods": list(self.periods),
            "outcomes": self.outcomes, "rows": self.rows, "series": self._series(),
        }  # fmt: skip

    def _summed_up(self) -> list[dict[str, Any]]:
        """One line for each feature: the period in which it moved most, and the latest."""
        found = []
        for name, lines in self._by_feature().items():
            worst = max(lines, key=lambda line: -1.0 if line["psi"] is None else line["psi"])
            latest = {f"latest_{key}": lines[-1][key] for key in ("psi", "nulls", "outside", "unchanged")}
            most = {"most_psi": worst["psi"], "psi_by_chance": worst["psi_by_chance"], "in_period": worst["period"]}
            found.append(_plain({"feature": name, **most, **latest}))
        return sorted(found, key=lambda line: (-(line["most_psi"] or 0.0), line["feature"]))

    def _series(self) -> dict[str, dict[str, list[Any]]]:
        """Each feature's figures by period."""
        return {
            name: {
                key: [_plain(line)[key] for line in lines] for key in ("rows", "psi", "nulls", "outside", "unchanged")
            }
            for name, lines in self._by_feature().items()
        }

    def _by_feature(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.tables["features"]:
            found.setdefault(line["feature"], []).append(line)
        return found


def _measure(value: float | None, n: int, note: str) -> dict[str, Any]:
    """In the form of :class:`benne.experiments.measure.Measure`, which this layer does not know."""
    known = value is not None and math.isfinite(value)
    return {
        "value": round(float(value), _DIGITS) if known and value is not None else None, "low": None, "high": None,
        "n": int(n), "state": "measured" if known else "INSUFFICIENT", "note": note,
    }  # fmt: skip


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in line.items():
        if isinstance(value, (bool, np.bool_)):
            found[name] = bool(value)
        elif isinstance(value, (int, np.integer)):
            found[name] = int(value)
        elif isinstance(value, (float, np.floating)):
            found[name] = round(float(value), _DIGITS) if math.isfinite(value) else None
        else:
            found[name] = value
    return found
