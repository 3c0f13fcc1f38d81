"""Scores and what goes with them, without points: for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benne.models.consent_patterns import Withheld

if TYPE_CHECKING:
    from benne.models.credit_score_model import CreditScoreModel

__all__ = ["Figures", "figures_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """Of n rows: score, probability of bad, whether thin, and whether rare (None where the model cannot tell)."""

    score: Floats
    pd: Floats
    thin: Bools
    rare: Bools | None


def figures_of(model: CreditScoreModel, X: Any, withheld: Withheld = ()) -> Figures:
    """What ``explain`` says of rows, without points, in one pass; arguments and errors as ``predict_score``."""
    rows = model._rows(X, withheld)
    lines = model._function.lines(rows.X, rows.codes)
    rare = None if model._rarity is None else model._rarity.rare(rows.X)
    return Figures(lines.score, expit(lines.log_odds), rows.thin, rare)
