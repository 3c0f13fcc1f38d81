"""What a validation measures on rows that the model has not seen: anew, and never the author's own figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.errors import ReferenceUnknown
from benne.experiments.figures import CalibrationError, figures_table
from benne.experiments.measure import Measure, outside
from benne.experiments.report.groups import SMALLEST_GROUP, join_small, observed_columns
from benne.experiments.report.sample import Sample, withheld_label
from benne.features.quality.drift import count_into, expected_by_chance, population_stability
from benne.models import CreditScoreModel, withheld_of
from benne.models.calibration import CalibrationReport
from benne.scoring.batch import unscorable

__all__ = [
    "FEWEST_OF_A_PATTERN",
    "calibration_measures",
    "discrimination_measures",
    "latency",
    "pattern_table",
    "points_gap",
    "ranking_measures",
    "stability",
]

Floats = npt.NDArray[np.float64]

FEWEST_OF_A_PATTERN: Final = 100
"""Rows from which on a pattern of consent is judged."""

_LIES_HIGH: Final = "its interval lies too high: drawing anew adds chance, and an error cannot be negative"
_ROWS_TIMED: Final = 200
_PERCENTILE: Final = 95.0


def discrimination_measures(sample: Sample, seed: int, resamples: int) -> dict[str, Measure]:
    """AUC, KS and calibration error with bootstrap intervals over members; the error's lies too high, and says so.

    What chance alone brings to the error allows for several rows of a member.
    """
    line = figures_table({"model": sample.log_odds}, sample.bad, sample.resampler(seed, resamples)).iloc[0]
    n, error = len(sample.bad), CalibrationError(sample.log_odds, sample.bad)
    chance = f"{error.by_chance(sample.members):.4f} would be expected by chance of PDs that are right"
    told = f"{chance}; {_LIES_HIGH}"
    beyond = Measure(value=error.beyond_chance(sample.members), n=n, note=chance)
    return {"calibration.ece_beyond_chance": beyond} | {
        name: Measure(value=float(line[key]), low=float(line[f"{key}_low"]), high=float(line[f"{key}_high"]), n=n,
                      note=told if key == "ece" else "")
        for name, key in (("discrimination.auc", "auc"), ("discrimination.ks", "ks"), ("calibration.ece", "ece"))
    }  # fmt: skip


def calibration_measures(report: CalibrationReport, patterns: pd.DataFrame) -> dict[str, Measure]:
    """How far the worst band and the worst pattern lie outside their intervals, as a share of their PD.

    Notes
    -----
    A share: a point of a hundred is little where one in five turns bad, and all of the PD where one in a hundred does.
    Wilson's intervals take rows as independent: where members have several rows that are alike they are too narrow, and
    a model whose PDs are right is found to miss more often than one time in twenty.
    """
    return {
        "calibration.band_miss": _worst(join_small(report.by_band), report.rows, "band"),
        "calibration.pattern_miss": _worst_pattern(patterns),
    }


def ranking_measures(report: CalibrationReport) -> dict[str, Measure]:
    """Bands whose bad rate is not below that of the band under them: at all, and beyond chance.

    Notes
    -----
    Beyond chance: the 95 % intervals of the two do not overlap. They take rows as independent, as
    :func:`calibration_measures` does.
    """
    bands = join_small(report.by_band)
    if len(bands) < 2:
        unknown = Measure(value=None, n=report.rows, note="all rows are of one band, or nearly all")
        return {"ranking.bands_not_lower": unknown, "ranking.bands_reversed": unknown}
    under, over = bands.iloc[:-1], bands.iloc[1:]
    not_lower = over["observed"].to_numpy() >= under["observed"].to_numpy()
    reversed_ = over["observed_low"].to_numpy() > under["observed_high"].to_numpy()
    return {
        name: Measure(value=float(which.sum()), n=report.rows, note=", ".join(map(str, over.index[which])))
        for name, which in (("ranking.bands_not_lower", not_lower), ("ranking.bands_reversed", reversed_))
    }


def pattern_table(model: CreditScoreModel, features: pd.DataFrame, bad: Floats) -> pd.DataFrame:
    """Each pattern of consent that may be scored, on all rows that consent to at least that much.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        Rows that the model scores.
    bad : ndarray of float64, shape (n,)

    Returns
    -------
    DataFrame
        ``rows``, ``predicted`` PD, ``observed`` bad rate and its 95 % interval, by what is withheld. Patterns that
        fewer than ten rows allow are left out. The interval takes rows as independent.
    """
    names, own = list(model.contract_report_.shares.index), withheld_of(features)
    found: dict[str, tuple[int, float, float]] = {}
    for used in model.pattern_reports_:
        withheld = frozenset(names) - used
        rows, without = _allowing(model, features, own, used, withheld)
        if len(rows) >= SMALLEST_GROUP:
            pd_of = expit(model.decision_function(features.iloc[rows], withheld=without))
            label = withheld_label([name for name in names if name in withheld])
            found[label] = (len(rows), float(pd_of.sum()), float(bad[rows].sum()))
    sums = pd.DataFrame(found.values(), index=pd.Index(list(found), name="pattern"), columns=["rows", "pd", "bad"])
    return observed_columns(sums["rows"], sums["pd"], sums["bad"])


def stability(sample: Sample) -> Measure:
    """Population stability of the scores against those of the model's own training rows."""
    try:
        reference = sample.model.histograms_
    except ReferenceUnknown as error:
        return Measure(value=None, n=len(sample.score), note=str(error))
    current = count_into(reference.score.edges, np.sort(sample.score), 0)
    alike = max(len(sample.members) / len(np.unique(sample.members)), reference.rows_per_member)
    by_chance = expected_by_chance(reference.score, current, int(np.ceil(alike)))
    psi = population_stability(reference.score, current)
    return Measure(value=psi, n=len(sample.score), note=f"{by_chance:.4f} would be expected by chance")


def points_gap(model: CreditScoreModel, features: pd.DataFrame) -> Measure:
    """Largest distance of a score from the sum of its points."""
    explained = model.explain(features, withheld=withheld_of(features))
    return Measure(value=float(explained.largest_gap), n=len(features))


def latency(model: CreditScoreModel, features: pd.DataFrame, clock: Callable[[], float]) -> Measure:
    """95th percentile of the time that one row takes, in milliseconds, after one row to warm up.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features + 5)
        The first rows of it are scored one by one.
    clock : callable returning float
        Seconds; the figure differs from run to run and from machine to machine.
    """
    rows = features.iloc[:_ROWS_TIMED]
    withheld, taken = withheld_of(rows), []
    model.predict_score(rows.iloc[:1], withheld=withheld[:1])
    for place in range(len(rows)):
        began = clock()
        model.predict_score(rows.iloc[place : place + 1], withheld=withheld[place : place + 1])
        taken.append(1_000.0 * (clock() - began))
    return Measure(value=float(np.percentile(taken, _PERCENTILE)), n=len(rows), note="on the validator's machine")


def _allowing(
    model: CreditScoreModel,
    features: pd.DataFrame,
    own: list[frozenset[str]],
    used: frozenset[str],
    withheld: frozenset[str],
) -> tuple[npt.NDArray[np.intp], list[frozenset[str]]]:
    """Rows that consent to a pattern at least and can be scored under it, and what each then withholds."""
    rows = np.flatnonzero([not (one & used) for one in own])
    without = [withheld | own[k] for k in rows]
    kept = np.flatnonzero(unscorable(model, features.iloc[rows], without) == "") if len(rows) else rows
    return rows[kept], [without[k] for k in kept]


def _worst_pattern(patterns: pd.DataFrame) -> Measure:
    """Of patterns that enough rows allow; a small one is named, for its wide interval would let anything pass."""
    told = patterns[patterns["rows"] >= FEWEST_OF_A_PATTERN]
    if not len(told):
        return Measure(value=None, n=0, note=f"no pattern has {FEWEST_OF_A_PATTERN} rows")
    found, small = _worst(told, int(told["rows"].min()), "pattern"), patterns.index.difference(told.index, sort=False)
    if not len(small):
        return found
    return dataclasses.replace(found, note=f"{found.note}; not judged, of too few rows: {'; '.join(map(str, small))}")


def _worst(table: pd.DataFrame, n: int, what: str) -> Measure:
    if not len(table):
        return Measure(value=None, n=0, note=f"no {what} has {SMALLEST_GROUP} rows")
    predicted, low, high = (table[name].to_numpy(np.float64) for name in ("predicted", "observed_low", "observed_high"))
    missed = outside(predicted, low, high) / predicted
    worst = int(np.argmax(missed))
    if not missed[worst] > 0:
        return Measure(value=0.0, n=n, note=f"every {what} within its interval")
    line = table.iloc[worst]
    told = f"{line['predicted']:.1%} predicted, {line['observed_low']:.1%} to {line['observed_high']:.1%} seen"
    return Measure(value=float(missed[worst]), n=n, note=f"{what}: {table.index[worst]}, {told}")
