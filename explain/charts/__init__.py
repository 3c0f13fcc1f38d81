"""Pictures of a score as SVG: without scripts or styles, each with its words for who does not see it."""

from benne.explain.charts.bars import category_bars, feature_bars
from benne.explain.charts.gauge import gauge
from benne.explain.charts.history import Cause, ScorePoint, score_line
from benne.explain.charts.shares import Level, Pair, level_bars, paired_bars
from benne.explain.charts.trend import trend_line

__all__ = [
    "Cause", "Level", "Pair", "ScorePoint", "category_bars", "feature_bars", "gauge", "level_bars", "paired_bars",
    "score_line", "trend_line",
]  # fmt: skip
