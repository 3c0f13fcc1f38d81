"""Everything an evaluation report says, as tables and figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from benne.experiments.challengers import Comparison
from benne.experiments.report.profit import Profit
from benne.experiments.report.ranking import Bands
from benne.experiments.report.stability import Stability
from benne.models import CalibrationReport, ScoreScale

if TYPE_CHECKING:
    from benne.experiments.report.label_influence import LabelInfluence

__all__ = ["Consent", "Contract", "EvaluationReport", "RunFacts"]


@dataclass(frozen=True)
class RunFacts:
    """What was trained on what.

    Parameters
    ----------
    rows, members : dict of str to int
        Of ``train`` and ``test``.
    bad_rate : dict of str to float
    left_out : dict of str to dict of str to str
        Rows that were not trained on or not scored, by side and reason: a share of those there
        were, in words where it is of fewer than ten.
    split : str
        ``member`` or ``time``.
    since : str or None
        The day from which test rows are, where they are later than all training rows.
    features, trees : int
        Of the model.
    seeds : dict of str to int
        Of the ``model`` and of the ``report``.
    versions : dict of str to str
        Of the libraries on which the figures depend.
    """

    rows: dict[str, int]
    members: dict[str, int]
    bad_rate: dict[str, float]
    left_out: dict[str, dict[str, str]]
    split: str
    since: str | None
    features: int
    trees: int
    seeds: dict[str, int]
    versions: dict[str, str]


@dataclass(frozen=True)
class Contract:
    """Shares of the categories, what they cost, and what other tolerances would: see ``ContractReport``.

    ``shares`` has the test rows' shares beside those of the reference sample.
    """

    shares: pd.DataFrame = field(repr=False)
    price: pd.DataFrame = field(repr=False)
    frontier: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Consent:
    """Figures by pattern of consent: as members ``used`` it on the test rows, and as ``allowed``, out of fold."""

    used: pd.DataFrame = field(repr=False)
    allowed: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class EvaluationReport:
    """How one training run turned out, on members it was not trained on.

    No figure rests on a group of fewer than ten rows.

    Parameters
    ----------
    facts : RunFacts
    scale : ScoreScale
    metrics : DataFrame
        One row per metric, Gini included: ``value`` and its 95 % bootstrap interval, ``low`` and ``high``.
    weighted : dict of str to float
        Metrics under the rows' weights; empty where they have none. All else is unweighted.
    calibration : CalibrationReport
        Of the test rows; small deciles and bands joined.
    bands : Bands
    lift, distribution : DataFrame
    stability : Stability
    profit : Profit
    contract : Contract
    consent : Consent
    learning : DataFrame or None
    comparison : Comparison or None
    not_compared : str
        Why there is no comparison, '' where there is.
    labels : LabelInfluence
        What an earlier score had to do with the labels.
    """

    facts: RunFacts
    scale: ScoreScale
    metrics: pd.DataFrame
    weighted: dict[str, float]
    calibration: CalibrationReport
    bands: Bands
    lift: pd.DataFrame = field(repr=False)
    distribution: pd.DataFrame = field(repr=False)
    stability: Stability
    profit: Profit
    contract: Contract
    consent: Consent
    learning: pd.DataFrame | None = field(repr=False)
    comparison: Comparison | None
    not_compared: str
    labels: LabelInfluence
