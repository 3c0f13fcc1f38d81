"""The Federal Reserve's table of scores by group: what one score means for different people, from 174,047 of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FairnessError
from benne.experiments.datasets.originals import Original, Originals, data_folder
from benne.experiments.fairness import metrics

__all__ = ["ScoreTable", "read_score_table"]

Floats = npt.NDArray[np.float64]

_FOLDER: Final = "fed_transrisk_by_race"
_DOWNLOAD: Final = (
    "It is data/creditscore of github.com/fairmlbook/fairmlbook.github.io, from federalreserve.gov/boarddocs/"
    "rptcongress/creditscore. Put the three files there."
)
_SHARES: Final = Original(
    ("transrisk_cdf_by_race_ssa.csv",), ("04c9691aa4b9fad43cc9722bc35a7d3f3f02ae1d724d49ae9d3bbe153f5b4f67",)
)
_BAD: Final = Original(
    ("transrisk_performance_by_race_ssa.csv",), ("77af654ac4173978c3cdb3a9186becb12ec35666d9e34e5b666a6a3972692ff9",)
)
_COUNTS: Final = Original(("totals.csv",), ("60ba4af53f9e61dedad3a5c4246390e666760e7552c98b08084dd3abf6b73f13",))
_NAMES: Final = {"Non- Hispanic white": "white", "Black": "black", "Hispanic": "Hispanic", "Asian": "Asian"}


@dataclass(frozen=True)
class ScoreTable:
    """How scores are distributed in each group, and how many turn bad at each score.

    Parameters
    ----------
    groups : tuple of str
        The first is the reference.
    score : ndarray of float64, shape (scores,)
        In ascending order.
    share : ndarray of float64, shape (scores, groups)
        Share of the group at each score; columns sum to 1.
    bad_rate : ndarray of float64, shape (scores, groups)
    people : ndarray of float64, shape (groups,)

    Raises
    ------
    FairnessError
        If shares do not sum to 1, or a rate is none.

    Examples
    --------
    >>> table = ScoreTable(("r", "g"), np.array([1.0, 2.0]), np.array([[0.2, 0.6], [0.8, 0.4]]),
    ...                    np.array([[0.5, 0.5], [0.1, 0.2]]), np.array([100.0, 50.0]))
    >>> table.at_cutoffs([2.0]).round(3)[["group", "selection_rate", "adverse_impact_ratio"]].to_dict("records")[1]
    {'group': 'g', 'selection_rate': 0.4, 'adverse_impact_ratio': 0.5}
    """

    groups: tuple[str, ...]
    score: Floats = field(repr=False)
    share: Floats = field(repr=False)
    bad_rate: Floats = field(repr=False)
    people: Floats = field(repr=False)

    def __post_init__(self) -> None:
        if not np.allclose(self.share.sum(axis=0), 1.0, atol=1e-6) or (self.share < 0).any():
            raise FairnessError("Shares of a score table must sum to 1 in each group, got others. Correct the table.")
        if not ((self.bad_rate >= 0) & (self.bad_rate <= 1)).all():
            raise FairnessError("Bad rates of a score table must be from 0 to 1, got others. Correct the table.")

    def by_group(self) -> pd.DataFrame:
        """Mean, median and spread of the score, bad rate, and the standardised mean difference from the reference."""
        mean = self.score @ self.share
        variances = (self.score**2) @ self.share - mean**2
        smd = metrics.standardised_mean_difference(
            (mean, mean[:1]), (variances, variances[:1]), (self.people, self.people[:1])
        )
        middle = [self.score[int(np.searchsorted(np.cumsum(column), 0.5))] for column in self.share.T]
        observed = (self.share * self.bad_rate).sum(axis=0)
        return pd.DataFrame({
            "group": self.groups, "people": self.people.astype(np.int64), "mean": mean, "median": middle,
            "spread": np.sqrt(variances), "bad_rate": observed, "standardised_mean_difference": smd,
            "calibration_gap": observed - (self.share * self.pooled()[:, None]).sum(axis=0),
        })  # fmt: skip

    def at_cutoffs(self, cutoffs: Sequence[float]) -> pd.DataFrame:
        """Selection rate, adverse impact ratio, and how many good and bad pass, of each group at each cut-off."""
        good = self.share * (1.0 - self.bad_rate)
        bad = self.share * self.bad_rate
        tables = []
        for cutoff in cutoffs:
            passes = self.score >= cutoff
            rate = self.share[passes].sum(axis=0)
            rates = metrics.true_positive_rate(good[passes].sum(axis=0), good.sum(axis=0))
            wrong = metrics.false_positive_rate(bad[passes].sum(axis=0), bad.sum(axis=0))
            tables.append(pd.DataFrame({
                "cutoff": float(cutoff), "group": self.groups, "selection_rate": rate,
                "adverse_impact_ratio": metrics.adverse_impact_ratio(rate, rate[:1]),
                "good_who_pass": rates, "equal_opportunity_difference": metrics.difference(rates, rates[:1]),
                "false_positive_difference": metrics.difference(wrong, wrong[:1]),
            }))  # fmt: skip
        return pd.concat(tables, ignore_index=True)

    def same_score(self, scores: Sequence[float]) -> pd.DataFrame:
        """Bad rate of each group at the same score."""
        place = [int(np.argmin(np.abs(self.score - one))) for one in scores]
        return pd.DataFrame(self.bad_rate[place], columns=list(self.groups)).assign(score=self.score[place])

    def pooled(self) -> Floats:
        """Bad rate of everybody at each score: what the score says of whoever has it, shape (scores,)."""
        weight = self.share * self.people
        total = weight.sum(axis=1)
        pooled = np.divide(
            (weight * self.bad_rate).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0
        )
        return np.asarray(np.where(np.isnan(pooled), self.bad_rate.mean(axis=1), pooled))

    def profits(self, break_even: float = 0.18) -> dict[str, float]:
        """Largest profit under a rule, as a share of that with a cut-off of each group's own.

        Parameters
        ----------
        break_even : float
            Bad rate at which a loan earns nothing: a good one earns it, a bad one costs one less it.

        Returns
        -------
        dict of str to float
            ``one_cutoff`` for everybody, ``equal_opportunity`` (the same share of good people passes) and
            ``demographic_parity`` (the same share of people passes), between scores by straight lines.

        References
        ----------
        Hardt, Price and Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016, section 7: 99.3 %,
        92.8 % and 69.8 % on this table.
        """
        gain = self.share * (break_even * (1.0 - self.bad_rate) - (1.0 - break_even) * self.bad_rate)
        earned, passing = _from_the_top(gain), _from_the_top(self.share)
        good = _from_the_top(self.share * (1.0 - self.bad_rate))
        part = self.people / self.people.sum()
        best = float(earned.max(axis=0) @ part)
        rates = np.linspace(0.0, 1.0, 2001)
        return {
            "one_cutoff": float((earned @ part).max()) / best,
            "equal_opportunity": _best_at_equal(rates, good / good[-1], earned, part) / best,
            "demographic_parity": _best_at_equal(rates, passing, earned, part) / best,
        }


def read_score_table(folder: str | Path | None = None) -> ScoreTable:
    """Read the Federal Reserve's table (TransRisk scores of 2003, bad within 18 to 24 months, race by SSA records).

    Parameters
    ----------
    folder : path, optional
        See :func:`benne.experiments.datasets.data_folder`.

    Raises
    ------
    DatasetError
        If a file is missing or is not the known original.

    References
    ----------
    Board of Governors of the Federal Reserve System, "Report to the Congress on credit scoring and its effects on the
    availability and affordability of credit", August 2007; Hardt, Price and Srebro 2016.
    """
    originals = Originals(data_folder(folder), _FOLDER, _DOWNLOAD)
    below, bad = (originals.read(one).set_index("Score")[list(_NAMES)] for one in (_SHARES, _BAD))
    people = originals.read(_COUNTS)[list(_NAMES)].to_numpy(dtype=np.float64)[0]
    share = np.diff(below.to_numpy() / 100.0, axis=0, prepend=0.0)
    score = below.index.to_numpy(dtype=np.float64)
    return ScoreTable(tuple(_NAMES.values()), score, share, bad.to_numpy() / 100.0, people)


def _from_the_top(values: Floats) -> Floats:
    """Sums over whoever has at least each score, the highest first, before it nobody; shape (scores + 1, groups)."""
    return np.vstack([np.zeros(values.shape[1]), np.cumsum(values[::-1], axis=0)])


def _best_at_equal(rates: Floats, reached: Floats, earned: Floats, part: Floats) -> float:
    """Largest profit where the same rate is reached in every group."""
    at = np.stack([np.interp(rates, reached[:, g], earned[:, g]) for g in range(len(part))], axis=1)
    return float((at @ part).max())
