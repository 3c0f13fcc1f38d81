"""From figures to alerts: a figure tells when it is beyond its limit and beyond chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benne.scoring.monitoring.alerts import Alert
from benne.scoring.monitoring.chance import deviations
from benne.scoring.monitoring.thresholds import Thresholds

__all__ = ["Judge"]

_ADVICE: Final = {
    "psi": "Compare the histograms; if members have changed, validate the model on them.",
    "trend": "It has moved a little every period in one direction: look before it has moved far.",
    "nulls": "Look for a column that was renamed, or that its source no longer fills.",
    "outside": "Look for a change of unit, currency or sign at the source.",
    "constant": "The source is broken, or sends a stand-in for what it does not know.",
    "stale": "The feed has stopped: values are those of the period before.",
    "thin": "Look for a source that no longer comes.",
    "rare": "The model has learned from few members like these: validate it on them.",
    "refused": "Look at what changed for those who are refused: consents, sources, or rules.",
    "overturned": "Reviews change many decisions: look at which, and why.",
    "differs": "Scores on record are not the model's for these features: find out which model or code made them.",
    "calibration": "Calibrate the model anew, or find out what changed with these members.",
    "auc": "Look at the score's direction and at the features that moved, then train anew.",
    "order": "A better band turned bad more often than the one below: do not rely on bands until it is understood.",
    "labels_jump": "Outcomes changed where scores did not: look at how labels are made before training on them.",
    "maturing": "It turns bad at another pace than those before: look why before it is mature.",
    "labels_discordant": "Labels contradict the surest scores: have some of them checked by hand.",
    "labels_conflicting": "The same row has both outcomes: find out which is right; neither was counted.",
    "labels_repeated": "Ask the source to send each outcome once.",
}  # fmt: skip


@dataclass
class Judge:
    """Collects what is beyond its limit.

    Parameters
    ----------
    thresholds : Thresholds
    alerts : list of Alert
        In the order of their finding.
    """

    thresholds: Thresholds
    alerts: list[Alert] = field(default_factory=list)

    @property
    def fewest(self) -> int:
        """Rows below which nothing is judged."""
        return self.thresholds.rules.fewest

    def significance(self, tests: int) -> float:
        """How unlikely by chance one of several tests of a period must be (Bonferroni)."""
        return self.thresholds.rules.significance / max(1, tests)

    def bound(self, tests: int) -> float:
        """Standard errors that one of several tests of a period must pass."""
        return deviations(self.thresholds.rules.significance, tests)

    def tell(self, kind: str, of: str, value: float, period: str, found: str) -> None:
        """Add an alert if the value is beyond the limits of its kind.

        Parameters
        ----------
        kind : str
            Of the limits.
        of : str
            What it is about, such as a feature; empty for the whole.
        value : float
        period : str
        found : str
            What was found, in words, for people.
        """
        severity = self.thresholds.limits[kind].judge(value)
        if severity is not None:
            limit = self.thresholds.limits[kind].of(severity)
            name = f"{kind}.{of}" if of else kind
            self.alerts.append(
                Alert(name=name, severity=severity, value=float(value), threshold=limit, period=period,
                      message=f"{found} {_ADVICE[kind]}")
            )  # fmt: skip
