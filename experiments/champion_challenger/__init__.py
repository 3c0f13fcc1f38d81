"""Two models on the same rows: who would be treated otherwise, who moves, and why."""

from benne.experiments.champion_challenger.comparing import ModelComparison, compare_models
from benne.experiments.champion_challenger.document import (
    AboutComparison,
    comparison_document,
    comparison_measures,
    write_comparison,
)

__all__ = [
    "AboutComparison",
    "ModelComparison",
    "compare_models",
    "comparison_document",
    "comparison_measures",
    "write_comparison",
]
