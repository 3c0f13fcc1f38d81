"""What every training run is judged by: one page, and the same figures for programs."""

from benne.experiments.report.evaluation_report import EvaluationReport
from benne.experiments.report.options import ProfitTerms, ReportOptions
from benne.experiments.report.reporting import report_on
from benne.experiments.report.writing import write_report

__all__ = ["EvaluationReport", "ProfitTerms", "ReportOptions", "report_on", "write_report"]
