"""From a score to words; pure: nothing here reads, writes, asks or decides."""

from benne.explain.about import About, about_model
from benne.explain.explanation import MemberExplanation
from benne.explain.lines import CategoryLine, FeatureLine
from benne.explain.member import explain_member
from benne.explain.reasons import KeyFactor, Method, Reason, Reasons, key_factors_of, reasons_of
from benne.explain.rounding import whole_parts
from benne.explain.shap_values import shap_explanation
from benne.explain.texts import texts_of

__all__ = [
    "About",
    "CategoryLine",
    "FeatureLine",
    "KeyFactor",
    "MemberExplanation",
    "Method",
    "Reason",
    "Reasons",
    "about_model",
    "explain_member",
    "key_factors_of",
    "reasons_of",
    "shap_explanation",
    "texts_of",
    "whole_parts",
]
