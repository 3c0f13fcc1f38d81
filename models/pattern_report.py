"""What each pattern of consent is worth, to the platform and to the member."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.models.pattern_fitting import PatternFit
from benne.models.scale import ScoreScale
from benne.models.trained_booster import TrainingData

__all__ = ["BEST", "pattern_name", "pattern_table"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BEST = "best for oneself"
"""The row of members who each withhold what betters their score most."""


def pattern_name(used: frozenset[str], names: Sequence[str]) -> str:
    """The categories used, in their order.

    Examples
    --------
    >>> pattern_name(frozenset({"social", "ability"}), ("ability", "behaviour", "social"))
    'ability + social'
    """
    return " + ".join(name for name in names if name in used)


def pattern_table(
    fits: Sequence[PatternFit], data: TrainingData, names: Sequence[str], scale: ScoreScale
) -> pd.DataFrame:
    """Figures out of fold for every pattern.

    Parameters
    ----------
    fits : sequence of PatternFit
        The full pattern first.
    data : TrainingData
    names : sequence of str
        Categories.
    scale : ScoreScale

    Returns
    -------
    DataFrame
        One row a pattern, and :data:`BEST` last:

        - ``booster``: ``shared`` or ``own``; ``rows`` whose consent covers the pattern; ``auc`` of
          the shared booster and ``auc_own`` of one for this pattern alone (NaN where not tried).
        - ``actual_to_predicted``: bad members over those predicted among members who consent to
          everything, when the pattern masks the rest. Who is masked does not depend on anything:
          that is what calibration claims.
        - ``chosen_rows`` who withhold just this, and the same ratio among them, ``chosen_actual_to_predicted``:
          they chose to, and where it is off that cannot be mended without making withholding evidence.
        - ``points``: mean change of the score by withholding; ``gaining``: share of members whose score
          it betters.
    """
    full = data.consented.all(axis=1) & np.all([np.isfinite(fit.log_odds) for fit in fits], axis=0)
    scores = np.stack([scale.score(fit.log_odds[full]) for fit in fits])
    rows = [_row(fit, data, names, full, scores[k] - scores[0]) for k, fit in enumerate(fits)]
    best = np.argmax(scores, axis=0)
    chosen = np.stack([fit.log_odds[full] for fit in fits])[best, np.arange(len(best))]
    change = scores.max(axis=0) - scores[0]
    rows.append({
        "booster": "", "rows": int(full.sum()), "auc": np.nan, "auc_own": np.nan, "actual_to_predicted": np.nan,
        "chosen_rows": int(full.sum()), "chosen_actual_to_predicted": _ratio(data, full, chosen),
        "points": float(change.mean()), "gaining": float((change > 0).mean()),
    })  # fmt: skip
    index = [*(pattern_name(fit.shipped.used, names) for fit in fits), BEST]
    return pd.DataFrame(rows, index=pd.Index(index, name="categories"))


def _row(fit: PatternFit, data: TrainingData, names: Sequence[str], full: Bools, change: Floats) -> dict[str, object]:
    inside = np.array([name in fit.shipped.used for name in names])
    exactly = fit.rows & (data.consented == inside).all(axis=1)
    return {
        "booster": "own" if fit.shipped.booster else "shared",
        "rows": int(fit.rows.sum()),
        "auc": fit.auc,
        "auc_own": fit.auc_own,
        "actual_to_predicted": _ratio(data, full, fit.log_odds[full]),
        "chosen_rows": int(exactly.sum()),
        "chosen_actual_to_predicted": _ratio(data, exactly, fit.log_odds[exactly]),
        "points": float(change.mean()),
        "gaining": float((change > 0).mean()),
    }


def _ratio(data: TrainingData, rows: Bools, log_odds: Floats) -> float:
    weight = data.weights[rows]
    predicted = float(weight @ expit(log_odds))
    return float(weight @ data.bad[rows]) / predicted if predicted > 0 else float("nan")
