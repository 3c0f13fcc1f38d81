"""Pictures of a score as SVG: without scripts or styles, each with its words for who does not see it."""

from benne.explain.charts.bars import category_bars, feature_bars
from benne.explain.charts.gauge import gauge
from benne.explain.charts.history import Cause, ScorePoint, score_line

__all__ = ["Cause", "ScorePoint", "category_bars", "feature_bars", "gauge", "score_line"]
