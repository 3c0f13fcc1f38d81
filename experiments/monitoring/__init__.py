"""What monitoring has found, as a page, a document and measures that gates ask for."""

from benne.experiments.monitoring.measures import monitoring_measures
from benne.experiments.monitoring.writing import AboutMonitoring, monitoring_document, write_monitoring_report

__all__ = ["AboutMonitoring", "monitoring_document", "monitoring_measures", "write_monitoring_report"]
