"""The figures of monitoring that gates may ask for."""

from __future__ import annotations

from benne.experiments.measure import Measure
from benne.scoring.monitoring.report import MonitoringReport

__all__ = ["monitoring_measures"]


def monitoring_measures(report: MonitoringReport) -> dict[str, Measure]:
    """Figures of the latest period and the latest vintage.

    Returns
    -------
    dict of str to Measure
        ``score_psi``, ``worst_feature_psi``, ``alarms``, ``warnings``; where outcomes were given also ``auc``,
        ``calibration_slope``, ``bad_rate`` and ``actual_to_predicted``, ``INSUFFICIENT`` where too few have matured.
    """
    return {
        name.partition(".")[2]: Measure(value=told["value"], n=told["n"], note=told["note"])
        for name, told in report.measures().items()
    }
