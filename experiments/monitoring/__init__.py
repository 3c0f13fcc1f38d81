"""What monitoring has found, as a page, a document and measures that gates ask for."""

from benne.experiments.monitoring.document import monitoring_document, write_monitoring_report
from benne.experiments.monitoring.measures import monitoring_measures

__all__ = ["monitoring_document", "monitoring_measures", "write_monitoring_report"]
