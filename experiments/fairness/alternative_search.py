"""What a search for a less discriminatory alternative tries, and what it may cost: declared before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benne.errors import FairnessError

__all__ = ["AlternativeSearch"]

_TOLERANCES: Final = ("auc_tolerance", "brier_tolerance", "ece_tolerance", "equal_opportunity_tolerance", "least_gain")


@dataclass(frozen=True, kw_only=True)
class AlternativeSearch:
    """How much is tried, and how much performance may be given for it: both declared before.

    Parameters
    ----------
    draws : int, default=20
        Candidates beside the model as given.
    seed : int, default=0
        Of the split, of what is drawn, and of the bootstrap.
    test_share : float, default=0.3
        Share of members that candidates are measured on.
    auc_tolerance, brier_tolerance, ece_tolerance : float
        How much worse than the model as given a candidate may be.
    equal_opportunity_tolerance : float, default=0.02
        By how much the largest equal-opportunity difference may be wider.
    least_gain : float, default=0.005
        By how much the adverse impact ratio, or the standardised mean difference, must be better, or worse, to count.
    fewest_bad : int, default=50
        Bad rows to measure on, and good ones, from which on anything is kept or rejected.

    Examples
    --------
    >>> AlternativeSearch(draws=0).check()
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: A search must try at least one alternative, got 0. Take 20.
    """

    draws: int = 20
    seed: int = 0
    test_share: float = 0.3
    auc_tolerance: float = 0.01
    brier_tolerance: float = 0.003
    ece_tolerance: float = 0.01
    equal_opportunity_tolerance: float = 0.02
    least_gain: float = 0.005
    fewest_bad: int = 50

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        FairnessError
        """
        if self.draws < 1:
            raise FairnessError(f"A search must try at least one alternative, got {self.draws!r}. Take 20.")
        if self.fewest_bad < 10:
            raise FairnessError(f"fewest_bad must be at least 10, got {self.fewest_bad!r}. Take 50.")
        for name in _TOLERANCES:
            if not 0.0 <= getattr(self, name) < 1.0:
                raise FairnessError(f"{name} must be from 0 to below 1, got {getattr(self, name)!r}. Take a small one.")
