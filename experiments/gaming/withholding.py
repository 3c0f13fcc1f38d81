"""Best-pattern withholding: each member withholds what betters their score most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.experiments.gaming.rescoring import Attacked
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.models.calibration import wilson_interval
from benne.models.pattern_report import pattern_name

__all__ = ["FEWEST_BAD", "Withholding", "withhold"]

Floats = npt.NDArray[np.float64]

FEWEST_BAD: Final = 10
"""Bad members that a pattern must predict of those who choose it; below, its error is not judged."""

_RESAMPLES: Final = 400


@dataclass(frozen=True, eq=False)
class Withholding:
    """What withholding is worth to members.

    Parameters
    ----------
    table : DataFrame
        One row a pattern: ``possible`` members who could take it, ``points`` mean change of the score if all did,
        ``gaining`` share whom it betters, NaN where it is possible for fewer than ten; ``choosing`` members whose best
        it is, and of those ``predicted`` mean PD, ``actual`` and ``actual_to_predicted``, each with the ends of its
        95 % interval; NaN where fewer than ten choose it. ``state`` is INSUFFICIENT where nobody knows what became of
        them, or the pattern predicts fewer than ten bad members of those who choose it.
    truth : str
        What ``actual`` is: ``known PD``, ``outcomes``, or empty where neither was given.
    points : ndarray of float64, shape (n,)
        Won by each member's best pattern; 0 where what they consent to is best.
    scores, pd : ndarray of float64, shape (n,)
        Of each member under their best pattern.
    """

    table: pd.DataFrame
    truth: str
    points: Floats
    scores: Floats
    pd: Floats


def withhold(members: Attacked, seed: int = 0) -> Withholding:
    """Score every member under every pattern that their consent covers, and let each take the best.

    Parameters
    ----------
    members : Attacked
    seed : int
        Of the bootstrap over members that known PDs need.

    Notes
    -----
    The interval of an actual bad rate is Wilson's; that of a mean known PD, which has no chance of outcomes in it, is
    of a bootstrap over those who choose the pattern. The ends of the ratio are those, over the predicted mean.
    """
    model = members.model
    names = list(dict.fromkeys(model.category_of.values()))
    base = members.log_odds()
    log_odds = {used: _under(members, used, names) for used in model.patterns[1:]}
    stacked = np.stack([base, *log_odds.values()])
    scores = model.scale_.score(np.where(np.isfinite(stacked), stacked, np.inf))
    best = scores.argmax(axis=0)
    chosen = stacked[best, np.arange(len(members))]
    table = _table(members, {pattern_name(used, names): one for used, one in log_odds.items()}, scores[0], best, seed)
    truth = "" if members.truth is None else members.truth[1]
    return Withholding(table, truth, scores.max(axis=0) - scores[0], scores.max(axis=0), expit(chosen))


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
    members: Attacked, log_odds: Mapping[str, Floats], given: Floats, best: npt.NDArray[np.intp], seed: int
) -> pd.DataFrame:
    rows = []
    for k, one in enumerate(log_odds.values(), start=1):
        possible = np.isfinite(one)
        enough = possible.sum() >= SMALLEST_GROUP
        change = members.model.scale_.score(one[possible]) - given[possible]
        rows.append({
            "possible": int(possible.sum()) if enough or not len(change) else np.nan,
            "points": float(change.mean()) if enough else np.nan,
            "gaining": float((change > 0).mean()) if enough else np.nan,
            **_choosing(members, expit(one), np.flatnonzero(best == k), seed),
        })  # fmt: skip
    return pd.DataFrame(rows, index=pd.Index(list(log_odds), name="categories"))


def _choosing(members: Attacked, predicted: Floats, taken: npt.NDArray[np.intp], seed: int) -> dict[str, object]:
    """What is predicted of those who choose a pattern, and what becomes of them."""
    told = len(taken) >= SMALLEST_GROUP
    mean = float(predicted[taken].mean()) if told else np.nan
    actual = _actual(members, taken, seed) if told else (np.nan, np.nan, np.nan)
    ratios = [end / mean for end in actual] if told and mean > 0 else [np.nan] * 3
    judged = np.isfinite(ratios[0]) and len(taken) * mean >= FEWEST_BAD
    return {
        "choosing": len(taken) if told or not len(taken) else np.nan, "predicted": mean,
        **_with_ends("actual", actual), **_with_ends("actual_to_predicted", ratios),
        "state": "measured" if judged else "INSUFFICIENT",
    }  # fmt: skip


def _with_ends(name: str, values: Sequence[float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def _actual(members: Attacked, taken: npt.NDArray[np.intp], seed: int) -> tuple[float, float, float]:
    """Mean of the truth among some members and the ends of its 95 % interval; NaN where nobody knows it."""
    if members.truth is None:
        return np.nan, np.nan, np.nan
    values, mean = members.truth[0][taken], float(members.truth[0][taken].mean())
    if members.known_pd is None:
        low, high = wilson_interval(np.array([values.sum()]), np.array([float(len(values))]))
        return mean, float(low[0]), float(high[0])
    rng = np.random.default_rng(seed)
    drawn = values[rng.integers(len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return mean, float(low), float(high)
