"""From a score to words; pure: nothing here reads, writes, asks or decides."""

from benne.explain.member import CategoryLine, FeatureLine, MemberExplanation, explain_member
from benne.explain.rounding import whole_parts

__all__ = ["CategoryLine", "FeatureLine", "MemberExplanation", "explain_member", "whole_parts"]
