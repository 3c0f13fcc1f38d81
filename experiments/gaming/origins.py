"""Where an attack's points and damage come from: each category's and each feature's moves alone, all else as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.gaming.costs import CostTable
from benne.experiments.gaming.damage import pd_damage, rank_damage
from benne.experiments.gaming.rescoring import Attacked
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.features import registry
from benne.models.explanation import Explanation

__all__ = ["DAMAGE", "Before", "damage_alone", "of_categories", "of_features"]

Floats = npt.NDArray[np.float64]

DAMAGE = ("pd_fall", "actual_to_predicted", "auc_lost")
"""What the moves of a category or a feature do by themselves."""

_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Before:
    """Members as they were before any attack.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
    explained : Explanation
        Of the same rows.
    """

    log_odds: Floats
    explained: Explanation


def damage_alone(members: Attacked, pushed: Floats, before: Floats, parts: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """What the moves of each part do where everybody makes them and no other move of the attack is made.

    Parameters
    ----------
    members : Attacked
    pushed : ndarray of float64, shape (n, features)
        Values after the attack.
    before : ndarray of float64, shape (n,)
        Log odds of bad before it.
    parts : mapping of str to sequence of int
        Places of each part's features among the model's.

    Returns
    -------
    DataFrame
        One row a part: ``moved`` share of members whose values of it the attack moved; ``pd_fall`` what that takes off
        the mean predicted PD; ``actual_to_predicted`` afterwards, as of
        :class:`benne.experiments.gaming.damage.PdDamage`, NaN without known PD and outcomes; ``auc_lost`` where
        everybody does it, NaN without ten members of each class. All NaN where from one to nine members moved.

    Notes
    -----
    Log odds add up over categories, so that points do. PDs and ranks do not: what parts take off need not sum to what
    the whole attack does.
    """
    rows = {name: _alone(members, pushed, before, list(columns)) for name, columns in parts.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["moved", *DAMAGE], dtype=np.float64)


def of_categories(members: Attacked, pushed: Floats, before: Before, now: Explanation) -> pd.DataFrame:
    """By category: mean change of its ``points``, which add up to the gain, and what its moves do alone."""
    points = (now.category_points - before.explained.category_points).mean()
    parts = {
        str(name): [k for k, feature in enumerate(members.names) if members.model.category_of[feature] == name]
        for name in points.index
    }
    return pd.DataFrame({"points": points}).join(damage_alone(members, pushed, before.log_odds, parts))


def of_features(members: Attacked, pushed: Floats, before: Before, now: Explanation, costs: CostTable) -> pd.DataFrame:
    """By feature: its ``category`` and ``ease``, mean change of its ``points``, and what its moves do alone.

    Also features that did not move: a sibling in the same trees is worth more or less for it.
    """
    points = (now.points - before.explained.points).mean()
    moved = np.asarray(_moved(members, pushed).any(axis=0), dtype=np.bool_)
    names = [name for k, name in enumerate(members.names) if moved[k] or abs(points[name]) > _NOTHING]
    efforts = {name: costs.effort(name, registry.get(name)) for name in names}
    table = pd.DataFrame(
        {"category": [members.model.category_of[name] for name in names],
         "ease": [effort.ease if (effort := efforts[name]) else "" for name in names],
         "points": [float(points[name]) for name in names]},
        index=pd.Index(names, name="feature"),
    )  # fmt: skip
    parts = {name: [members.names.index(name)] for name in names}
    damage = damage_alone(members, pushed, before.log_odds, parts)
    return table.join(damage).sort_values("points", ascending=False, kind="stable")


def _alone(members: Attacked, pushed: Floats, before: Floats, columns: list[int]) -> list[float | None]:
    moved = int(_moved(members, pushed)[:, columns].any(axis=1).sum())
    if 0 < moved < SMALLEST_GROUP:
        return [None] * (1 + len(DAMAGE))
    mixed = members.X.copy()
    mixed[:, columns] = pushed[:, columns]
    after = members.log_odds(mixed) if moved else before
    damage = pd_damage(members, before, after)
    ranks = rank_damage(members, before, after, (1.0,), 0)  # everybody: nothing is drawn
    return [
        moved / len(members), damage.understated, damage.actual_to_predicted, ranks[0].lost if ranks else None,
    ]  # fmt: skip


def _moved(members: Attacked, pushed: Floats) -> npt.NDArray[np.bool_]:
    """Which values an attack moved, shape (n, features); a null that stays null did not move."""
    return np.asarray((pushed != members.X) & ~(np.isnan(pushed) & np.isnan(members.X)), dtype=np.bool_)
