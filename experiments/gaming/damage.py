"""What gaming does to a score's users: predicted risk falls while the true one stays, and ranks get mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benne.experiments.gaming.rescoring import Attacked
from benne.models.resampling import metrics_of

__all__ = ["PdDamage", "RankDamage", "pd_damage", "rank_damage"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_FEWEST_OF_A_CLASS = 10
_DRAWS = 20


@dataclass(frozen=True)
class PdDamage:
    """The PD of members who game, against the truth, which does not move.

    Parameters
    ----------
    before, after : float
        Mean predicted PD.
    actual : float or None
        Mean known PD, or share that became bad; None where neither is given.
    truth : str
        Which of the two ``actual`` is.
    """

    before: float
    after: float
    actual: float | None
    truth: str

    @property
    def understated(self) -> float:
        """What the attack alone takes off the mean predicted PD."""
        return self.before - self.after

    @property
    def error(self) -> float | None:
        """Mean of actual less predicted after the attack; above zero, risk is understated."""
        return None if self.actual is None else self.actual - self.after

    @property
    def actual_to_predicted(self) -> float | None:
        """Actual over predicted after the attack."""
        return None if self.actual is None or self.after <= 0 else self.actual / self.after


@dataclass(frozen=True)
class RankDamage:
    """AUC where a share of members games.

    Parameters
    ----------
    who : str
        ``anybody``, or ``lowest scores``: who needs points games most.
    share : float
    auc_before, auc : float
        Before, and the mean over draws of who games.
    """

    who: str
    share: float
    auc_before: float
    auc: float

    @property
    def lost(self) -> float:
        """AUC lost."""
        return self.auc_before - self.auc


def pd_damage(members: Attacked, before: Floats, after: Floats) -> PdDamage:
    """Compare predicted and actual PD.

    Parameters
    ----------
    members : Attacked
    before, after : ndarray of float64, shape (n,)
        Log odds of bad.
    """
    truth = members.truth
    actual = None if truth is None else float(truth[0].mean())
    return PdDamage(float(expit(before).mean()), float(expit(after).mean()), actual, "" if truth is None else truth[1])


def rank_damage(
    members: Attacked, before: Floats, after: Floats, shares: Sequence[float], seed: int
) -> tuple[RankDamage, ...]:
    """AUC before, and where some members game and the others do not.

    Parameters
    ----------
    members : Attacked
    before, after : ndarray of float64, shape (n,)
        Log odds of bad.
    shares : sequence of float
        Shares of members who game: drawn at random (the mean of 20 draws), or those of the lowest scores.
    seed : int

    Returns
    -------
    tuple of RankDamage
        Empty without outcomes, or with fewer than ten members of a class.
    """
    bad = members.bad
    if bad is None or min(bad.sum(), len(bad) - bad.sum()) < _FEWEST_OF_A_CLASS:
        return ()
    honest, rng, riskiest_first = _auc(before, bad), np.random.default_rng(seed), np.argsort(-before, kind="stable")
    found = []
    for share in shares:
        count = round(share * len(bad))
        draws = [rng.permutation(len(bad))[:count] for _ in range(1 if share >= 1 else _DRAWS)]
        at_random = float(np.mean([_auc(_gamed(before, after, who), bad) for who in draws]))
        found.append(RankDamage("anybody", float(share), honest, at_random))
        if share < 1:
            lowest = _auc(_gamed(before, after, riskiest_first[:count]), bad)
            found.append(RankDamage("lowest scores", float(share), honest, lowest))
    return tuple(found)


def _gamed(before: Floats, after: Floats, who: Indices) -> Floats:
    mixed = before.copy()
    mixed[who] = after[who]
    return mixed


def _auc(log_odds: Floats, bad: Floats) -> float:
    return float(metrics_of(log_odds, bad, np.ones(len(bad)))["auc"])
