"""From a score to words; pure: nothing here reads, writes, asks or decides."""

from benne.explain.about import About, about_model
from benne.explain.explanation import MemberExplanation
from benne.explain.lines import CategoryLine, FeatureLine
from benne.explain.member import explain_member
from benne.explain.rounding import whole_parts

__all__ = [
    "About",
    "CategoryLine",
    "FeatureLine",
    "MemberExplanation",
    "about_model",
    "explain_member",
    "whole_parts",
]
