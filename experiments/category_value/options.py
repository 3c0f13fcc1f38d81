"""How the worth of categories is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benne.errors import ParameterError
from benne.models.resampling import RESAMPLES

__all__ = ["FEWEST_OF_A_KIND", "ValueOptions"]

FEWEST_OF_A_KIND: Final = 100
"""Bad and good test rows below which nothing is said: an interval of an AUC is then some ten points wide."""


@dataclass(frozen=True)
class ValueOptions:
    """How the worth of categories is measured.

    Parameters
    ----------
    accepted : tuple of float, default=(0.5, 0.8)
        Shares of members at which groups are compared: with and without the category, as many are accepted.
    free : bool, default=True
        Whether to ask as well what the category adds where weights are free; twice as many fits.
    seed : int, default=0
        Of the bootstrap.
    resamples : int
    """

    accepted: tuple[float, ...] = (0.5, 0.8)
    free: bool = True
    seed: int = 0
    resamples: int = RESAMPLES

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        ParameterError
        """
        if not self.accepted or any(not 0.0 < share < 1.0 for share in self.accepted):
            raise ParameterError(f"accepted must be shares between 0 and 1, got {self.accepted!r}. Such as (0.5, 0.8).")
        if self.resamples < 1:
            raise ParameterError(f"resamples must be at least 1, got {self.resamples!r}.")
