"""The data quality report of a build: what came, how fresh and complete it is, and what has moved."""

from benne.features.quality.checks import Check
from benne.features.quality.reference import Reference
from benne.features.quality.refusals import Refusals
from benne.features.quality.report import QualityReport, check_quality, quality_report
from benne.features.quality.thresholds import CHECKS, CheckKind, Limit, Thresholds

__all__ = [
    "CHECKS",
    "Check",
    "CheckKind",
    "Limit",
    "QualityReport",
    "Reference",
    "Refusals",
    "Thresholds",
    "check_quality",
    "quality_report",
]
