"""What attacks on a model's scores have won, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import GamingError
from benne.experiments.gaming.attack import ATTACKS
from benne.experiments.gaming.costs import CostTable
from benne.experiments.gaming.damage import PdDamage, RankDamage
from benne.experiments.gaming.withholding import Withholding

if TYPE_CHECKING:
    from benne.experiments.gaming.spending import SpendingResult

__all__ = ["AttackResult", "GamingOptions", "GamingReport"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GamingOptions:
    """How attacks are tried.

    Parameters
    ----------
    costs : CostTable
        What moves cost; by default the table that comes with Benne.
    members : int
        Members attacked at most, drawn by seed; the best pattern is looked for of ten times as many.
    fewest : int
        Members needed for any figure; below, everything is INSUFFICIENT. At least 30.
    cutoffs : tuple of float
        Scores that matter; empty takes the lower ends of the model's bands.
    shares : tuple of float
        Shares of members who game, for the damage to ranks.
    attacks : tuple of str
        Which to try, of :data:`benne.experiments.gaming.attack.ATTACKS`.

    Raises
    ------
    GamingError
    """

    costs: CostTable = field(default_factory=CostTable.default)
    members: int = 1000
    fewest: int = 100
    cutoffs: tuple[float, ...] = ()
    shares: tuple[float, ...] = (0.1, 0.5, 1.0)
    attacks: tuple[str, ...] = ATTACKS

    def __post_init__(self) -> None:
        if not 30 <= self.fewest <= self.members:
            raise GamingError(f"fewest must be from 30 to members ({self.members}), got {self.fewest}. Raise it.")
        if not all(0 < share <= 1 for share in self.shares):
            raise GamingError(f"shares must lie within (0, 1], got {list(self.shares)}. Correct them.")
        if not self.attacks or not set(self.attacks) <= set(ATTACKS):
            raise GamingError(
                f"attacks must be among {', '.join(ATTACKS)}, got {list(self.attacks)}. Name some of them."
            )


@dataclass(frozen=True, eq=False)
class AttackResult:
    """One attack on all members.

    Parameters
    ----------
    name : str
    points : ndarray of float64, shape (n,)
        Each member's gain.
    spent : float
        Mean effort.
    crossing : dict of float to float
        For each cut-off the share of members below it whom the attack takes over it; NaN where fewer than ten are.
    pd_damage : PdDamage
        If everybody did it.
    ranks : tuple of RankDamage
        If some did.
    moves : DataFrame
        One row a move, the most rewarding first: ``points`` mean over all members, ``made`` share who made it.
    by_category : DataFrame
        ``points`` mean change of each category's points, and what its moves do alone, in the columns of
        :func:`benne.experiments.gaming.origins.damage_alone`.
    by_feature : DataFrame
        The same of each feature that moved or whose points changed, and its ``category`` and ``ease``.
    """

    name: str
    points: Floats
    spent: float
    crossing: dict[float, float]
    pd_damage: PdDamage
    ranks: tuple[RankDamage, ...]
    moves: pd.DataFrame
    by_category: pd.DataFrame
    by_feature: pd.DataFrame

    def figures(self) -> dict[str, float]:
        """Gains in points: ``mean``, ``median``, ``p90``, ``max``, and the share ``gaining``."""
        if not len(self.points):
            return dict.fromkeys(("mean", "median", "p90", "max", "gaining"), float("nan"))
        median, p90 = np.quantile(self.points, [0.5, 0.9])
        return {
            "mean": float(self.points.mean()), "median": float(median), "p90": float(p90),
            "max": float(self.points.max()), "gaining": float((self.points > 1e-9).mean()),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class GamingReport:
    """What every attack has won.

    Parameters
    ----------
    options : GamingOptions
    seed : int
    rows : int
        Members attacked.
    left_out : int
        Rows that the model does not score.
    attacks : tuple of AttackResult
        Empty where members are too few, or no feature's ease of gaming is on record.
    withholding : Withholding or None
        Of at most ten times as many members as are attacked.
    spending : SpendingResult or None
        Of :func:`benne.experiments.gaming.spending_test`, where events were given; see :meth:`with_spending`.
    notes : tuple of str
    """

    options: GamingOptions
    seed: int
    rows: int
    left_out: int
    attacks: tuple[AttackResult, ...]
    withholding: Withholding | None
    spending: SpendingResult | None = None
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """``measured``, or ``INSUFFICIENT`` where no move was tried."""
        return "measured" if self.attacks else "INSUFFICIENT"

    def attack(self, name: str) -> AttackResult | None:
        """An attack by its name; None where nothing was measured."""
        return next((one for one in self.attacks if one.name == name), None)
