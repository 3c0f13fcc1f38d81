"""Whether each category of a score earns its weight: accuracy, calibration and disparity with it and without it."""

from benne.experiments.category_value.options import ValueOptions
from benne.experiments.category_value.report import CategoryValue, CategoryValueReport
from benne.experiments.category_value.valuing import category_value, fits_of
from benne.experiments.category_value.verdicts import Verdict, verdict_of

__all__ = [
    "CategoryValue",
    "CategoryValueReport",
    "ValueOptions",
    "Verdict",
    "category_value",
    "fits_of",
    "verdict_of",
]
