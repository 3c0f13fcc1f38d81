"""What an evaluation report is to assume and how much it is to try."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from benne.errors import ParameterError
from benne.experiments.challengers import CHALLENGERS
from benne.models import SCORE_MAX, SCORE_MIN
from benne.models.resampling import RESAMPLES

__all__ = ["ProfitTerms", "ReportOptions"]

TOLERANCES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 1.0)


@dataclass(frozen=True)
class ProfitTerms:
    """What a decision earns and costs, in any one unit.

    Parameters
    ----------
    gain_of_good : float, default=1.0
        Earned on a member who is accepted and turns out good.
    loss_of_bad : float, default=5.0
        Lost on one who is accepted and turns out bad.
    cutoff : float or None, default=None
        Lowest score that is accepted. None takes the score at which the predicted PD says that
        gain and loss are even.
    """

    gain_of_good: float = 1.0
    loss_of_bad: float = 5.0
    cutoff: float | None = None

    def check(self) -> None:
        """Refuse terms under which no decision means anything.

        Raises
        ------
        ParameterError
        """
        for name in ("gain_of_good", "loss_of_bad"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(f"{name} must be a positive number, got {value!r}.")
        if self.cutoff is not None and not SCORE_MIN <= self.cutoff <= SCORE_MAX:
            raise ParameterError(f"cutoff must be a score from 350 to 950 or None, got {self.cutoff!r}.")


@dataclass(frozen=True)
class ReportOptions:
    """What is reported.

    Parameters
    ----------
    profit : ProfitTerms
    learning_shares : tuple of float, default=(0.125, 0.25, 0.5)
        Shares of the training members on which the model is fitted again; with all of them it
        already is. Empty for no learning curve.
    tolerances : tuple of float
        Of the frontier.
    challengers : collection of str
        Of :data:`benne.experiments.challengers.CHALLENGERS`; by default all. Empty for no comparison.
    seed : int, default=0
        Of the bootstrap, and of who is left out on the learning curve.
    resamples : int
    """

    profit: ProfitTerms = field(default_factory=ProfitTerms)
    learning_shares: tuple[float, ...] = (0.125, 0.25, 0.5)
    tolerances: tuple[float, ...] = TOLERANCES
    challengers: Collection[str] = tuple(CHALLENGERS)
    seed: int = 0
    resamples: int = RESAMPLES

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        ParameterError
        """
        self.profit.check()
        if any(not 0.0 < share < 1.0 for share in self.learning_shares):
            raise ParameterError(f"learning_shares must each be between 0 and 1, got {self.learning_shares!r}.")
        if self.resamples < 1:
            raise ParameterError(f"resamples must be at least 1, got {self.resamples!r}.")
