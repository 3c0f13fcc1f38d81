"""Every metric that a gate may ask for, in one table: what it is, and what a validation needs to measure it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["METRICS", "Evidence", "Metric"]

Evidence = Literal["model", "rows", "protected", "events"]
"""``model`` alone, ``rows`` with outcomes, ``protected`` attributes of their members, raw ``events``."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a gate may ask for.

    Parameters
    ----------
    evidence : str
        What a validation needs to be given.
    words : str
        What the figure is.
    """

    evidence: Evidence
    words: str


METRICS: Final[Mapping[str, Metric]] = MappingProxyType({
    "discrimination.auc": Metric("rows", "area under the ROC curve"),
    "discrimination.ks": Metric("rows", "largest distance between the score's distributions of good and bad"),
    "calibration.ece": Metric("rows", "mean distance between predicted PD and bad rate over deciles"),
    "calibration.ece_beyond_chance": Metric(
        "rows", "that distance beyond what 95 of 100 models whose PDs are right would stay under"
    ),
    "calibration.slope": Metric("rows", "slope of bad on the predicted log odds; 1 is perfect"),
    "calibration.slope_miss": Metric("rows", "how far 1 lies outside the interval of that slope"),
    "calibration.band_miss": Metric(
        "rows", "how far the predicted PD of the worst band lies outside its interval, as a share of that PD"
    ),
    "calibration.pattern_miss": Metric(
        "rows", "how far the predicted PD of the worst pattern of consent lies outside its interval, as a share of it"
    ),
    "ranking.bands_not_lower": Metric("rows", "bands whose bad rate is not below that of the band under them"),
    "ranking.bands_reversed": Metric("rows", "bands whose bad rate is above that of the band under them beyond chance"),
    "stability.psi": Metric("rows", "population stability of the score against its reference"),
    "contract.largest_miss": Metric("model", "largest distance of a category's share from its weight"),
    "points.largest_gap": Metric("rows", "largest distance of a score from the sum of its points"),
    "latency.one_row_ms": Metric("rows", "95th percentile of the time that one row takes, in milliseconds"),
    "documentation.card_complete": Metric("model", "entries that the model card lacks"),
    "documentation.without_rationale": Metric(
        "model", "features of which neither the registry nor the card gives a rationale"
    ),
    "labels.influenced_share": Metric("rows", "share of outcomes that the score may have brought about"),
    "fairness.adverse_impact_ratio": Metric("protected", "lowest ratio of a group's acceptance to the reference's"),
    "fairness.equal_opportunity_gap": Metric("protected", "largest gap of acceptance among the good"),
    "fairness.calibration_gap": Metric("protected", "largest gap of calibration between groups"),
    "fairness.standardised_mean_difference": Metric("protected", "largest gap of mean score, in deviations"),
    "fairness.flip_test": Metric("protected", "scores that change with a protected attribute"),
    "gaming.cheap_points": Metric("rows", "points that nine in ten members cannot exceed by cheap moves"),
    "gaming.cheap_medium_points": Metric(
        "rows", "points that nine in ten members cannot exceed by moves of high and medium ease"
    ),
    "gaming.rank_damage": Metric("rows", "AUC that cheap moves cost"),
    "gaming.pd_error": Metric("rows", "error of the PD under cheap moves"),
    "gaming.pattern_points": Metric("rows", "mean points gained by withholding what is worst"),
    "gaming.pattern_pd_error": Metric(
        "rows", "how far the PD of the worst pattern that is chosen for being best lies outside its interval"
    ),
    "gaming.spending_raises": Metric("events", "members whose score rises with spending on the platform alone"),
})  # fmt: skip
