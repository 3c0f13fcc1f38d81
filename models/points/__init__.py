"""Exact points: what each category and each feature adds to the log odds."""

from benne.models.points.additive_trees import AdditiveTrees

__all__ = ["AdditiveTrees"]
