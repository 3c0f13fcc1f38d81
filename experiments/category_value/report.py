"""What every category of a model is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benne.experiments.category_value.options import ValueOptions
from benne.experiments.category_value.verdicts import Verdict

__all__ = ["CategoryValue", "CategoryValueReport"]


@dataclass(frozen=True, kw_only=True)
class CategoryValue:
    """What one category is worth.

    Differences are **with the category minus without it**, each with its paired 95 % interval; of AUC and KS, above 0
    is better with it, of Brier score, log loss and calibration error (ECE) below 0.

    Parameters
    ----------
    category : str
    weight : float
        That it carries beside the others.
    rows, bad : int
        Test rows that give it, and that every model here scores.
    held : dict or None
        Under the contract: the figures ``_with`` it, ``_without`` it (a model of its own, weights renormalised), and
        their ``_difference``. None where the weights cannot hold.
    free : dict or None
        The same where weights are free: whether there is anything in it that the others do not tell.
    withholding : dict or None
        What it costs members who give it to withhold it: the same model under the pattern without it. ``points_lost``
        on average, ``lose_share`` and ``gain_share`` of members whose score would fall or rise by five points or more,
        ``lower_band_share``, and the same differences of figures. None where no score stands without it.
    withheld_by : dict or None
        Members who do withhold it: ``rows``, ``predicted`` PD and ``observed`` bad rate with its 95 % interval; None
        where fewer than ten.
    disparity : list of dict
        See :func:`benne.experiments.category_value.disparity.disparities`.
    verdict : Verdict
    """

    category: str
    weight: float
    rows: int
    bad: int
    held: dict[str, Any] | None = field(repr=False)
    free: dict[str, Any] | None = field(repr=False)
    withholding: dict[str, Any] | None = field(repr=False)
    withheld_by: dict[str, Any] | None = field(repr=False)
    disparity: list[dict[str, Any]] = field(repr=False)
    verdict: Verdict


@dataclass(frozen=True)
class CategoryValueReport:
    """Whether each category of a model earns its weight.

    Parameters
    ----------
    values : tuple of CategoryValue
        In the order of the categories.
    folds : int
        In how many parts the rows were held out.
    options : ValueOptions
    """

    values: tuple[CategoryValue, ...]
    folds: int
    options: ValueOptions

    def of(self, category: str) -> CategoryValue:
        """The worth of one category.

        Raises
        ------
        KeyError
            If the model has none of that name.
        """
        return next((one for one in self.values if one.category == category), None) or _unknown(category)


def _unknown(category: str) -> CategoryValue:
    raise KeyError(category)
