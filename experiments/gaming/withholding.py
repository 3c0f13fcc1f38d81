"""Best-pattern withholding: each member withholds what betters their score most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.experiments.gaming.rescoring import Attacked
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models.pattern_report import pattern_name

__all__ = ["Withholding", "withhold"]

Floats = npt.NDArray[np.float64]

"""Members of whom a line of the table speaks at least."""


@dataclass(frozen=True, eq=False)
class Withholding:
    """What withholding is worth to members.

    Parameters
    ----------
    table : DataFrame
        One row a pattern: ``possible`` members who could take it, ``points`` mean change of the score if all did,
        ``gaining`` share whom it betters, NaN where it is possible for fewer than ten; ``choosing`` members whose best
        it is, and of those ``predicted`` mean PD, ``actual`` and ``actual_to_predicted``; NaN where fewer than ten
        choose it.
    points : ndarray of float64, shape (n,)
        Won by each member's best pattern; 0 where what they consent to is best.
    scores, pd : ndarray of float64, shape (n,)
        Of each member under their best pattern.
    """

    table: pd.DataFrame
    points: Floats
    scores: Floats
    pd: Floats


def withhold(members: Attacked) -> Withholding:
    """Score every member under every pattern that their consent covers, and let each take the best."""
    model = members.model
    names = list(dict.fromkeys(model.category_of.values()))
    base = members.log_odds()
    log_odds = {used: _under(members, used, names) for used in model.patterns[1:]}
    stacked = np.stack([base, *log_odds.values()])
    scores = model.scale_.score(np.where(np.isfinite(stacked), stacked, np.inf))
    best = scores.argmax(axis=0)
    chosen = stacked[best, np.arange(len(members))]
    table = _table(members, {pattern_name(used, names): one for used, one in log_odds.items()}, scores[0], best)
    return Withholding(table, scores.max(axis=0) - scores[0], scores.max(axis=0), expit(chosen))


def _under(members: Attacked, used: frozenset[str], names: list[str]) -> Floats:
    """Log odds under one pattern, infinite for whom it is no choice: withheld already, or too little is left."""
    dropped = frozenset(names) - used
    less = np.array([not (used & one) and one < dropped for one in members.withheld], dtype=bool)
    found = np.full(len(members), np.inf)
    rows = np.flatnonzero(less)
    if len(rows):
        frame = pd.DataFrame(members.X[rows], columns=members.names)
        thin, strange = members.model.refusals(frame, dropped)
        kept = rows[~(thin | strange)]
        if len(kept):
            found[kept] = members.model.decision_function(frame[~(thin | strange)], withheld=dropped)
    return found


def _table(
    members: Attacked, log_odds: Mapping[str, Floats], given: Floats, best: npt.NDArray[np.intp]
) -> pd.DataFrame:
    truth = members.truth
    rows = []
    for k, one in enumerate(log_odds.values(), start=1):
        possible = np.isfinite(one)
        enough = possible.sum() >= SMALLEST_GROUP
        change = members.model.scale_.score(one[possible]) - given[possible]
        taken = best == k
        told = taken.sum() >= SMALLEST_GROUP
        predicted = float(expit(one[taken]).mean()) if told else np.nan
        actual = float(truth[0][taken].mean()) if told and truth is not None else np.nan
        rows.append({
            "possible": int(possible.sum()) if enough or not len(change) else np.nan,
            "points": float(change.mean()) if enough else np.nan,
            "gaining": float((change > 0).mean()) if enough else np.nan,
            "choosing": int(taken.sum()) if told or not taken.any() else np.nan, "predicted": predicted,
            "actual": actual,
            "actual_to_predicted": actual / predicted if told else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows, index=pd.Index(list(log_odds), name="categories"))
