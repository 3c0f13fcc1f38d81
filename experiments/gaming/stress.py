"""The stress test: how far a score can be pushed by members who stay what they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.gaming.attack import Attack, Pushed, attacks_of, push
from benne.experiments.gaming.damage import pd_damage, rank_damage
from benne.experiments.gaming.moves import Move, moves_of, unknown_ease
from benne.experiments.gaming.origins import Before, of_categories, of_features
from benne.experiments.gaming.report import AttackResult, GamingOptions, GamingReport
from benne.experiments.gaming.rescoring import Attacked, attackable
from benne.experiments.gaming.spending import SpendingResult
from benne.experiments.gaming.withholding import withhold
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.features import registry
from benne.models import CreditScoreModel
from benne.models.explanation import Explanation

__all__ = ["stress_test", "with_spending"]

Floats = npt.NDArray[np.float64]

_TIMES_AS_MANY: Final = 10
"""Members whose best pattern is looked for, times those attacked: that is quick, and few choose any one pattern."""


def stress_test(
    model: CreditScoreModel,
    features: pd.DataFrame,
    bad: npt.ArrayLike | None = None,
    *,
    known_pd: npt.ArrayLike | None = None,
    options: GamingOptions | None = None,
    seed: int = 0,
) -> GamingReport:
    """Attack the scores of members in every way there is, and measure what it wins and what it does.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features) or with the five consent columns beside them
        Of members who were not trained on; what they withhold stays withheld.
    bad : array-like, shape (n,), optional
        1 where the member became bad, else 0; without, damage to ranks is not measured.
    known_pd : array-like, shape (n,), optional
        The probability that outcomes were drawn from, as only a simulator knows it.
    options : GamingOptions, optional
    seed : int
        Of the members drawn, and of those who game.

    Returns
    -------
    GamingReport
        The same for the same rows and seed.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from benne.experiments.gaming import CostTable
    >>> from benne.models import BoosterOptions
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"late_days": rng.gamma(2.0, 5.0, 600), "friends": rng.gamma(2.0, 1.0, 600)})
    >>> y = (rng.random(600) < 1 / (1 + np.exp(2 + X["friends"] - X["late_days"] / 5))).astype(int)
    >>> model = CreditScoreModel(categories={"paid": ["late_days"], "social": ["friends"]},
    ...     weights={"paid": 0.6, "social": 0.4}, booster=BoosterOptions(max_trees=40, threads=1)).fit(X, y)
    >>> cheap = dataclasses.replace(CostTable.default(), features={
    ...     "friends": {"ease": "high", "direction": -1, "why": "Friends are made by a click."}})
    >>> report = stress_test(model, X, y, options=GamingOptions(costs=cheap))
    >>> report.attack("cheap").figures()["p90"] > 20
    True
    >>> stress_test(model, X.head(50), y[:50]).state
    'INSUFFICIENT'
    """
    options = options or GamingOptions()
    members, everybody = (
        attackable(model, features, _array(bad), _array(known_pd), most, seed)
        for most in (options.members, _TIMES_AS_MANY * options.members)
    )
    moves = moves_of(members.X, members.names, model.category_of, registry, options.costs) if len(members) else []
    notes = tuple(_notes(members, moves, options))
    if len(members) < options.fewest:
        return GamingReport(options, seed, len(members), members.left_out, (), None, notes=notes)
    withheld = withhold(everybody, seed)  # nobody need say what that costs: it is a right
    if not moves:
        return GamingReport(options, seed, len(members), members.left_out, (), withheld, notes=notes)
    before = Before(members.log_odds(), _explain(members, members.X))
    attacks = tuple(
        _result(members, push(members, moves, attack), attack, before, options, seed)
        for attack in attacks_of(options.costs)
        if attack.name in options.attacks
    )
    return GamingReport(options, seed, len(members), members.left_out, attacks, withheld, notes=notes)


def with_spending(report: GamingReport, spending: SpendingResult) -> GamingReport:
    """The same report with the test of spending beside it."""
    return dataclasses.replace(report, spending=spending)


def _array(values: npt.ArrayLike | None) -> Floats | None:
    return None if values is None else np.asarray(values, dtype=np.float64)


def _notes(members: Attacked, moves: Sequence[Move], options: GamingOptions) -> Iterator[str]:
    unknown = unknown_ease(members.names, registry, options.costs)
    if unknown:
        yield f"{len(unknown)} features are not attacked: nobody has said how easily they are moved."
    if len(members) < options.fewest:
        yield f"Fewer than {options.fewest} members are scored, so that nothing is measured."
    elif not moves:
        yield "No feature can be moved, so that withholding alone is measured."
    yield "Gains are greedy: they can be had; more may be possible. Costs are a judgement, declared beforehand."


def _explain(members: Attacked, X: Floats) -> Explanation:
    return members.model.explain(pd.DataFrame(X, columns=members.names), withheld=list(members.withheld))


def _result(
    members: Attacked, pushed: Pushed, attack: Attack, before: Before, options: GamingOptions, seed: int
) -> AttackResult:
    scores, after = members.model.scale_.score(before.log_odds), members.log_odds(pushed.X)
    now = _explain(members, pushed.X)
    cutoffs = options.cutoffs or tuple(float(band.lowest) for band in members.model.scale_.bands[1:])
    return AttackResult(
        name=attack.name,
        points=pushed.scores - scores,
        spent=float(pushed.spent.mean()),
        crossing={cutoff: _crossing(scores, pushed.scores, cutoff) for cutoff in cutoffs},
        pd_damage=pd_damage(members, before.log_odds, after),
        ranks=rank_damage(members, before.log_odds, after, options.shares, seed),
        moves=_moves(pushed, len(members)),
        by_category=of_categories(members, pushed.X, before, now),
        by_feature=of_features(members, pushed.X, before, now, options.costs),
    )


def _crossing(before: Floats, after: Floats, cutoff: float) -> float:
    below = np.rint(before) < cutoff  # decisions are made on the whole points that are shown
    return float((np.rint(after[below]) >= cutoff).mean()) if below.sum() >= SMALLEST_GROUP else float("nan")


def _moves(pushed: Pushed, n: int) -> pd.DataFrame:
    names = sorted(pushed.points_of, key=lambda name: (-pushed.points_of[name], name))
    return pd.DataFrame(
        {"points": [pushed.points_of[name] / n for name in names],
         "made": [pushed.movers_of[name] / n for name in names]},
        index=pd.Index(names, name="move"),
    )  # fmt: skip
