"""What a score is worth to whoever would push it: attacks on members' scores, and what they do to the platform."""

from benne.experiments.gaming.costs import CostTable
from benne.experiments.gaming.document import gaming_document, write_gaming_report
from benne.experiments.gaming.measures import gaming_measures
from benne.experiments.gaming.penalties import guarded_against_spending, rewards_spending
from benne.experiments.gaming.report import AttackResult, GamingOptions, GamingReport
from benne.experiments.gaming.spending import SpendingResult, spending_test
from benne.experiments.gaming.stress import stress_test, with_spending

__all__ = [
    "AttackResult",
    "CostTable",
    "GamingOptions",
    "GamingReport",
    "SpendingResult",
    "gaming_document",
    "gaming_measures",
    "guarded_against_spending",
    "rewards_spending",
    "spending_test",
    "stress_test",
    "with_spending",
    "write_gaming_report",
]
