"""An earlier score that decides in the outcome window, and so has a hand in the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.outcomes import Observed, sigmoid

__all__ = ["GRANTED_EFFECT", "REFUSED_ABOVE", "with_feedback"]

GRANTED_EFFECT: Final = 0.7
"""Added to the log odds of bad of a member who is granted credit because of the score: more to pay back."""

REFUSED_ABOVE: Final = 0.8
"""How far above ``base_log_odds`` the earlier score must see a member's log odds of bad to refuse them."""

_NOISE: Final = 1.0
"""Standard deviation of the earlier score's error, in log odds."""


def with_feedback(rng: np.random.Generator, observed: Observed, options: SimulatorOptions) -> Observed:
    """Let an earlier score decide about a share of the members, and their labels come about under its decisions.

    Whom it grants credit, turns bad more often than they would have; whom it refuses, has no outcome. ``pd`` stays the
    probability without it, which nobody sees any more.

    Parameters
    ----------
    rng : Generator
    observed : Observed
    options : SimulatorOptions
        ``score_feedback`` is the share of observations that it decides about.
    """
    if not options.score_feedback:
        return observed
    m = len(observed.pd)
    decided = rng.random(m) < options.score_feedback
    log_odds = np.log(observed.pd / (1.0 - observed.pd))
    seen = log_odds + rng.normal(0.0, _NOISE, m)
    refused = decided & (seen > options.base_log_odds + REFUSED_ABOVE)
    granted = decided & ~refused
    redrawn = rng.random(m) < sigmoid(log_odds + GRANTED_EFFECT)
    return replace(observed, bad=np.where(granted, redrawn, observed.bad & ~refused), influenced=decided, lost=refused)
