"""Whether what was predicted of each vintage came true, and whether its labels can be believed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from benne.models.calibration import calibration_report, wilson_interval
from benne.models.scale import ScoreScale
from benne.scoring.monitoring.chance import other_by_chance
from benne.scoring.monitoring.group_vintages import off_by
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed

__all__ = ["vintage_lines"]

Floats = npt.NDArray[np.float64]

_FEWEST_BADS: Final = 10
_TAIL: Final = 0.1
_EXPECTED: Final = 3.0  # bads that a tail must lead to expect before it is judged


def vintage_lines(
    seen: Observed, bad: Floats, scale: ScoreScale, reference_auc: float | None, judge: Judge
) -> list[dict[str, Any]]:
    """One line for each period of observation: how many, how bad, and how well it was foreseen.

    Parameters
    ----------
    seen : Observed
    bad : ndarray of float64, shape (n,)
        NaN where not known.
    scale : ScoreScale
    reference_auc : float or None
        Of the training, out of fold.
    judge : Judge
    """
    lines, before = [], (0.0, 0.0)
    for k, period in enumerate(seen.periods):
        rows = seen.rows_of(k)
        own, pd_of = bad[rows], seen.pd[rows]
        known = np.isfinite(own)
        own, pd_of, score = own[known], np.clip(pd_of[known], 1e-12, 1.0 - 1e-12), seen.score[rows][known]
        line = _vintage(period, own, pd_of, score, scale)
        lines.append(line)
        if len(own) < judge.fewest:
            continue
        _calibration(period, own, pd_of, judge)
        _ranking(period, line, reference_auc, judge)
        _jump(period, own, pd_of, before, judge)
        _discordance(period, own, pd_of, judge)
        before = before[0] + float(own.sum()), before[1] + float(pd_of.sum())
    return lines


def _vintage(period: str, bad: Floats, pd_of: Floats, score: Floats, scale: ScoreScale) -> dict[str, Any]:
    line: dict[str, Any] = {"period": period, "matured": len(bad) if len(bad) >= _FEWEST_BADS else 0}
    if len(bad) < _FEWEST_BADS:
        return line
    low, high = wilson_interval(np.array([bad.sum()]), np.array([float(len(bad))]))
    line |= {"predicted": float(pd_of.mean()), "observed": float(bad.mean()), "observed_low": float(low[0]),
             "observed_high": float(high[0])}  # fmt: skip
    few = min(bad.sum(), len(bad) - bad.sum())
    if few >= _FEWEST_BADS:
        auc = float(roc_auc_score(bad, -_places(score, pd_of)))
        report = calibration_report(logit(pd_of), bad, scale)
        line |= {"auc": auc, "auc_error": _auc_error(auc, float(bad.sum()), float(len(bad) - bad.sum())),
                 "slope": report.slope, "intercept": report.intercept, "ece": report.ece}  # fmt: skip
    return line


def _places(score: Floats, pd_of: Floats) -> Floats:
    """Place of each row by its score, and by its PD among rows of the same score.

    Scores end at 350 and 950. The training's AUC is of log-odds, which do not: where many members stand at an end, the
    scores alone would seem to have lost what the ends cut off.
    """
    order = np.lexsort((-pd_of, score))
    other = (np.diff(score[order]) != 0.0) | (np.diff(pd_of[order]) != 0.0)
    places = np.empty(len(order))
    places[order] = np.concatenate([[0.0], np.cumsum(other)])
    return places


def _auc_error(auc: float, bads: float, goods: float) -> float:
    """Hanley & McNeil, *Radiology* 143, 1982."""
    q1, q2 = auc / (2.0 - auc), 2.0 * auc**2 / (1.0 + auc)
    spread = auc * (1.0 - auc) + (bads - 1.0) * (q1 - auc**2) + (goods - 1.0) * (q2 - auc**2)
    return float(np.sqrt(max(spread, 0.0) / (bads * goods)))


def _calibration(period: str, bad: Floats, pd_of: Floats, judge: Judge) -> None:
    """Bads against those predicted; exactly, since few may be expected."""
    expected, found = float(pd_of.sum()), float(bad.sum())
    if other_by_chance(found, len(bad), expected / len(bad)) < judge.significance(1):
        said = (
            f"Of all members, {bad.mean():.1%} turned bad in {period} where {expected / len(bad):.1%} were predicted."
        )
        judge.tell("calibration", "", off_by(found, expected), period, said)


def _ranking(period: str, line: dict[str, Any], reference: float | None, judge: Judge) -> None:
    if reference is None or "auc" not in line:
        return
    lost = reference - line["auc"]
    if lost > judge.bound(1) * line["auc_error"]:
        way = " The score points the other way." if line["auc"] < 0.5 else ""
        judge.tell("auc", "", lost, period, f"AUC is {line['auc']:.3f} in {period}, {reference:.3f} in training.{way}")


def _jump(period: str, bad: Floats, pd_of: Floats, before: tuple[float, float], judge: Judge) -> None:
    """Bad over predicted against that of the vintages before: a change of which the scores know nothing."""
    if before[0] < _FEWEST_BADS:
        return
    expected = before[0] / before[1] * float(pd_of.sum())
    # Both sides are uncertain: of all bads, those of this period are as its share of those predicted leads to expect.
    both, share = float(bad.sum()) + before[0], float(pd_of.sum()) / (float(pd_of.sum()) + before[1])
    if other_by_chance(float(bad.sum()), int(both), share) < judge.significance(1):
        said = f"{bad.mean():.1%} turned bad in {period}; scores and vintages before say {expected / len(bad):.1%}."
        judge.tell("labels_jump", "", off_by(float(bad.sum()), expected), period, said)


def _discordance(period: str, bad: Floats, pd_of: Floats, judge: Judge) -> None:
    """Bads among the tenth with the least PD, and goods among that with the most, beyond those predicted."""
    order, size = np.argsort(pd_of, kind="stable"), int(_TAIL * len(bad))
    for of, rows, wrong in (("best", order[:size], bad), ("worst", order[len(order) - size :], 1.0 - bad)):
        chance = pd_of[rows] if of == "best" else 1.0 - pd_of[rows]
        expected, found = max(float(chance.sum()), _EXPECTED), float(wrong[rows].sum())
        if size and found - expected > judge.bound(2) * np.sqrt(expected):
            often = f"{found / expected:.1f} times as often as predicted"
            said = f"Among the {of} tenth of scores of {period}, labels contradict the score {often}."
            judge.tell("labels_discordant", of, found / expected - 1.0, period, said)
