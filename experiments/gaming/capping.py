"""A cap on what cheap features can give: found by fitting and attacking, not by decree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from sklearn.base import clone

from benne.errors import GamingError, WeightContractError
from benne.experiments.gaming.penalties import penalised
from benne.experiments.gaming.report import GamingOptions
from benne.experiments.gaming.stress import stress_test
from benne.experiments.splitting import Splitting, split_rows
from benne.experiments.training import LabelledRows, TrainingSplit
from benne.features import registry, split_mask
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.models.resampling import metrics_of
from benne.scoring.batch import unscorable

__all__ = ["PENALTIES_TRIED", "Capped", "cap_cheap"]

PENALTIES_TRIED: Final = (1.0, 0.3, 0.1, 0.03, 0.0)
"""What the gain of a split on a cheap feature is multiplied by; at 0 it is never split on."""

_HELD_OUT: Final = 0.3


@dataclass(frozen=True, eq=False)
class Capped:
    """Booster options under which cheap moves win no more than a cap.

    Parameters
    ----------
    cap : float
        Points.
    penalty : float
        The mildest that was found to be enough.
    options : BoosterOptions
        To be given to the model.
    cheap : tuple of str
        The features that are held down.
    trials : DataFrame
        One row a penalty tried, the mildest first: ``penalty``, ``cheap_points`` (90th percentile of what members can
        win by cheap moves) and ``auc``, both on members held out of the training rows.
    """

    cap: float
    penalty: float
    options: BoosterOptions
    cheap: tuple[str, ...]
    trials: pd.DataFrame

    @property
    def price(self) -> float:
        """AUC lost on the members held out; below 0 it is gained."""
        return float(self.trials["auc"].iloc[0] - self.trials["auc"].iloc[-1])


def cap_cheap(
    rows: LabelledRows,
    model: CreditScoreModel,
    cap: float,
    *,
    gaming: GamingOptions | None = None,
    seed: int = 0,
    on_trial: Callable[[float], None] | None = None,
) -> Capped:
    """Find the mildest penalty on features of high ease under which cheap moves win at most ``cap`` points.

    Parameters
    ----------
    rows : LabelledRows
        To train on. 30 % of their members are held out, to be attacked; no row of the final test is needed.
    model : CreditScoreModel
        Not fitted, and left so.
    cap : float
        Points that 90 % of members at most can win; see ``cheap_points`` of
        :func:`benne.experiments.gaming.gaming_measures`.
    gaming : GamingOptions, optional
    seed : int
    on_trial : callable, optional
        Told each penalty before it is tried.

    Returns
    -------
    Capped

    Raises
    ------
    GamingError
        If the cap is negative, no feature is cheap, too few members are held out, or no penalty holds the cap.
    WeightContractError
        If a category rests on cheap features alone, so that the contract cannot hold without them.

    Notes
    -----
    A penalty changes which features trees split on. The contract gives a category its share all the same, so that what
    cheap features lose the others of their category take up. Each trial is one fit.
    """
    gaming = gaming or GamingOptions()
    columns = split_mask(rows.features)[0].columns.tolist()
    efforts = {name: gaming.costs.effort(name, registry.get(name)) for name in columns}
    cheap = tuple(name for name, effort in efforts.items() if effort is not None and effort.ease == "high")
    if not (np.isfinite(cap) and cap >= 0) or not cheap:
        raise GamingError(
            f"A cap must be points from 0 up on a model with cheap features, got {cap:g} and {len(cheap)} such "
            "features. Correct it, or leave it out."
        )
    split = _inner(rows, seed)
    found: list[dict[str, float]] = []
    for penalty in PENALTIES_TRIED:
        (on_trial or (lambda _: None))(penalty)
        options = penalised(model.booster or BoosterOptions(), columns, dict.fromkeys(cheap, penalty))
        found.append({"penalty": penalty, **_tried(split, model, options, gaming, seed)})
        if found[-1]["cheap_points"] <= cap:
            return Capped(cap, penalty, options, cheap, pd.DataFrame(found))
    least = min(trial["cheap_points"] for trial in found)
    raise GamingError(
        f"No penalty on cheap features holds the cap of {cap:g} points, the least was {least:.1f}. Raise it."
    )


def _inner(rows: LabelledRows, seed: int) -> TrainingSplit:
    how = split_rows(rows.features.index, Splitting("member", _HELD_OUT, seed))
    return TrainingSplit(rows.part(how.train, how.left_out), rows.part(how.test, {}), how)


def _tried(
    split: TrainingSplit, model: CreditScoreModel, options: BoosterOptions, gaming: GamingOptions, seed: int
) -> dict[str, float]:
    """Fit under a penalty, attack members held out, and see how the ranks are without an attack."""
    fitted = clone(model).set_params(booster=options, own_booster_gap=None, unconstrained_price=False)
    try:
        split.fit(fitted)
    except WeightContractError as error:
        raise WeightContractError(
            f"The contract cannot hold with cheap features held down: {error} Raise the cap, or give the category "
            "features that are not cheap."
        ) from None
    test = _scorable(split.test, fitted)
    report = stress_test(fitted, test.features, options=replace(gaming, attacks=("cheap",)), seed=seed)
    attack = report.attack("cheap")
    if attack is None:
        raise GamingError(f"At least {gaming.fewest} members must be held out to attack, got {report.rows}. Add some.")
    log_odds = fitted.decision_function(test.features, withheld=withheld_of(test.features))
    auc = metrics_of(log_odds, test.bad, np.ones(len(test.bad)))["auc"]
    return {"cheap_points": attack.figures()["p90"], "auc": float(auc)}


def _scorable(rows: LabelledRows, model: CreditScoreModel) -> LabelledRows:
    keep = unscorable(model, rows.features, withheld_of(rows.features)) == ""
    return rows.part(keep, {})
