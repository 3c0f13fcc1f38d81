"""Fairness of a score: who passes, whether PDs come true in every group, and what stands in for what is protected."""

from benne.experiments.fairness.assessing import FairnessReport, assess_fairness
from benne.experiments.fairness.document import AboutAudit, fairness_document, write_fairness_report
from benne.experiments.fairness.measures import fairness_measures
from benne.experiments.fairness.options import FairnessOptions

__all__ = [
    "AboutAudit",
    "FairnessOptions",
    "FairnessReport",
    "assess_fairness",
    "fairness_document",
    "fairness_measures",
    "write_fairness_report",
]
