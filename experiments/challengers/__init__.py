"""Other models on the same columns and rows: what ours is measured against in every run."""

from benne.experiments.challengers.comparison import CHALLENGERS, OURS, Comparison, compare

__all__ = ["CHALLENGERS", "OURS", "Comparison", "compare"]
