"""Moves: what a member can do to features, a rung at a time, in the direction that betters a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.experiments.gaming.costs import EASES, CostTable, Effort
from benne.features.specification import FeatureSpec

__all__ = ["Move", "moves_of", "unknown_ease"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_FEWEST_VALUES = 30


@dataclass(frozen=True, eq=False)
class Move:
    """Features that move together, towards values that other members attain.

    Parameters
    ----------
    name : str
        What moves, in the words of the registry or the cost table.
    columns : tuple of int
        Places in the model's features.
    categories : frozenset of str
    ease : str
        The least easy of its features'.
    cost : float
        Of one rung.
    days : int
        Until it shows.
    signs : ndarray, shape (columns,)
        +1 where the value is raised, -1 where it is lowered.
    targets : ndarray, shape (rungs, columns)
        The value of each rung.
    """

    name: str
    columns: tuple[int, ...]
    categories: frozenset[str]
    ease: str
    cost: float
    days: int
    signs: Floats
    targets: Floats

    @property
    def rungs(self) -> int:
        """How far it goes."""
        return len(self.targets)

    def standing(self, X: Floats) -> Ints:
        """The highest rung that each row's values have all reached, 0 for none; shape (n,)."""
        own = X[:, list(self.columns)] * self.signs
        reached = (own[:, None, :] >= self.targets * self.signs).all(axis=2)
        return np.asarray(np.cumprod(reached, axis=1).sum(axis=1), dtype=np.int64)

    def made(self, X: Floats, rung: int) -> Floats:
        """The rows with values of at least a rung, counted from 1; a null becomes a value; shape (n, features)."""
        after = X.copy()
        columns = list(self.columns)
        target = np.broadcast_to(self.targets[rung - 1], (len(X), len(columns)))
        own = X[:, columns]
        better = np.isnan(own) | ((target - own) * self.signs > 0)
        after[:, columns] = np.where(better, target, own)
        return after


def moves_of(
    X: Floats,
    names: Sequence[str],
    category_of: Mapping[str, str],
    registry: Mapping[str, FeatureSpec],
    costs: CostTable,
) -> list[Move]:
    """Every move there is for these members.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
        Of the members whose values are the rungs; NaN where not known or withheld.
    names : sequence of str
    category_of : mapping of str to str
    registry : mapping of str to FeatureSpec
    costs : CostTable

    Returns
    -------
    list of Move
        Features of one reason group, or of one list of the cost table, are one move. Where nobody says which way is
        better, there are two, up and down. A feature with fewer than 30 values has none.
    """
    efforts = {name: costs.effort(name, registry.get(name)) for name in names}
    found = []
    for title, members in _groups(names, registry, costs).items():
        movable = [name for name in members if _moves(efforts[name], X[:, names.index(name)])]
        if movable:
            found += list(_ways(title, movable, X, names, category_of, efforts, costs))
    return found


def unknown_ease(names: Sequence[str], registry: Mapping[str, FeatureSpec], costs: CostTable) -> list[str]:
    """Features that no attack moves, because nobody has said how easily they are moved."""
    return [name for name in names if costs.effort(name, registry.get(name)) is None]


def _moves(effort: Effort | None, values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return effort is not None and not effort.held and len(known) >= _FEWEST_VALUES and known.min() < known.max()


def _groups(names: Sequence[str], registry: Mapping[str, FeatureSpec], costs: CostTable) -> dict[str, list[str]]:
    together = {name: one.name for one in costs.together for name in one.features}
    groups: dict[str, list[str]] = {}
    for name in names:
        spec = registry.get(name)
        alone = name if spec is None else f"{spec.reason_group} ({spec.gaming})"
        groups.setdefault(together.get(name, alone), []).append(name)
    return groups


def _ways(
    title: str, members: Sequence[str], X: Floats, names: Sequence[str], category_of: Mapping[str, str],
    efforts: Mapping[str, Effort | None], costs: CostTable,
) -> Iterator[Move]:  # fmt: skip
    known = [effort for name in members if (effort := efforts[name]) is not None]
    columns = [names.index(name) for name in members]
    free = any(effort.direction == 0 for effort in known)
    for way, label in ((1.0, ", more"), (-1.0, ", less")) if free else ((1.0, ""),):
        signs = np.array([-float(effort.direction) or way for effort in known])
        yield Move(
            name=title + label,
            columns=tuple(columns),
            categories=frozenset(category_of[name] for name in members),
            ease=max((effort.ease for effort in known), key=EASES.index),
            cost=max(effort.cost for effort in known),
            days=max(effort.days for effort in known),
            signs=signs,
            targets=_rungs(X[:, columns], signs, costs.rungs),
        )


def _rungs(values: Floats, signs: Floats, shares: Sequence[float]) -> Floats:
    """Values that a share of others do not exceed in the favourable direction, shape (rungs, columns)."""
    columns = [
        signs[k] * np.quantile(signs[k] * known, shares, method="inverted_cdf")
        for k, known in enumerate(column[~np.isnan(column)] for column in values.T)
    ]
    return np.column_stack(columns)
