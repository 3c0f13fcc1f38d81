"""One attack: each member spends a budget on the moves that better their own score most for what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benne.experiments.gaming.costs import CostTable
from benne.experiments.gaming.moves import Move
from benne.experiments.gaming.rescoring import Attacked

__all__ = ["ATTACKS", "Attack", "Pushed", "attacks_of", "push"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ATTACKS = ("cheap", "cheap and medium", "anything", "collusion", "burst")

_WORTH_IT = 1e-9
_MOST_ROUNDS = 40
_ROWS_AT_ONCE = 50_000
_SHARED = 0.25
"""What a move costs each of a ring of colluding members: they serve one another."""


@dataclass(frozen=True)
class Attack:
    """What an attack may use.

    Parameters
    ----------
    name : str
    eases : frozenset of str
        Moves of which ease it allows.
    budget : float
        Small efforts of each member.
    days : int
        Moves that take longer do not show in time.
    only : frozenset of str or None
        Moves within these categories alone; None allows all.
    factor : float
        Of every cost.
    """

    name: str
    eases: frozenset[str]
    budget: float
    days: int
    only: frozenset[str] | None = None
    factor: float = 1.0

    def allows(self, move: Move) -> bool:
        """Whether a move is one of this attack's."""
        return (
            move.ease in self.eases and move.days <= self.days and (self.only is None or move.categories <= self.only)
        )


@dataclass(frozen=True, eq=False)
class Pushed:
    """Members after an attack.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
    scores : ndarray of float64, shape (n,)
    spent : ndarray of float64, shape (n,)
        Small efforts.
    points_of : dict of str to float
        Points won by each move, added up over members.
    movers_of : dict of str to int
        Members who made it.
    """

    X: Floats
    scores: Floats
    spent: Floats
    points_of: dict[str, float]
    movers_of: dict[str, int]


def attacks_of(costs: CostTable) -> tuple[Attack, ...]:
    """The attacks that are tried, in the order of :data:`ATTACKS`."""
    budget = costs.budget
    high, medium, low = (frozenset({ease}) for ease in ("high", "medium", "low"))
    return (
        Attack("cheap", high, budget.cheap, budget.time_days),
        Attack("cheap and medium", high | medium, budget.medium, budget.time_days),
        Attack("anything", high | medium | low, budget.any, budget.time_days),
        Attack("collusion", high | medium, budget.cheap, budget.time_days, frozenset({"social"}), _SHARED),
        Attack("burst", high | medium, budget.medium, budget.burst_days),
    )


def push(members: Attacked, moves: Sequence[Move], attack: Attack) -> Pushed:
    """Have every member make the best of their budget.

    Parameters
    ----------
    members : Attacked
    moves : sequence of Move
    attack : Attack

    Returns
    -------
    Pushed

    Notes
    -----
    Greedy by points per effort, every candidate scored exactly by the model; after each move all moves that share a
    category with it are scored anew. Greedy is not the optimum, so that a gain is one that can be had, not the most.
    """
    allowed = [move for move in moves if attack.allows(move)]
    search = _Search(members, allowed, attack)
    for _ in range(_MOST_ROUNDS):
        if not search.step():
            break
    return Pushed(search.X, search.scores, search.spent, search.points_of, search.movers_of)


class _Search:
    """The state of the greedy search: values, scores, and what each candidate would bring."""

    def __init__(self, members: Attacked, moves: Sequence[Move], attack: Attack) -> None:
        self._members, self._attack = members, attack
        self._candidates = [(move, rung) for move in moves for rung in range(1, move.rungs + 1)]
        n = len(members)
        self.X, self.scores, self.spent = members.X.copy(), members.scores(), np.zeros(n)
        self.points_of: dict[str, float] = {}
        self.movers_of: dict[str, int] = {}
        self._gain = np.full((n, len(self._candidates)), -np.inf)
        self._cost = np.full((n, len(self._candidates)), np.inf)
        self._may = {move.categories: members.may_move(move.categories) for move, _ in self._candidates}
        for k in range(len(self._candidates)):
            self._look(k, np.ones(n, dtype=bool))

    def step(self) -> bool:
        """One move for everybody who still gains by one; False where nobody does."""
        worth = (self._gain > _WORTH_IT) & (self._cost <= self._attack.budget - self.spent[:, None] + _WORTH_IT)
        if not worth.any():
            return False
        rate = np.where(worth, self._gain, 0.0) / np.where(worth, self._cost, 1.0)
        chosen = np.where(worth.any(axis=1), rate.argmax(axis=1), -1)
        touched: dict[frozenset[str], Bools] = {}
        for k in np.unique(chosen[chosen >= 0]):
            rows = chosen == k
            self._make(int(k), rows)
            categories = self._candidates[int(k)][0].categories
            touched[categories] = touched.get(categories, np.zeros(len(rows), dtype=bool)) | rows
        for k, (move, _) in enumerate(self._candidates):
            stale = [rows for categories, rows in touched.items() if categories & move.categories]
            if stale:
                self._look(k, np.any(stale, axis=0))
        return True

    def _make(self, k: int, rows: Bools) -> None:
        move, rung = self._candidates[k]
        self.X[rows] = move.made(self.X[rows], rung)
        self.spent[rows] += self._cost[rows, k]
        before = self.scores[rows]
        self.scores[rows] = self._scored(self.X[rows], np.flatnonzero(rows))
        self.points_of[move.name] = self.points_of.get(move.name, 0.0) + float((self.scores[rows] - before).sum())
        self.movers_of[move.name] = self.movers_of.get(move.name, 0) + int(rows.sum())

    def _look(self, k: int, rows: Bools) -> None:
        """Score a candidate for those for whom it may have changed."""
        move, rung = self._candidates[k]
        self._gain[rows, k] = -np.inf
        climb = rung - move.standing(self.X)
        places = np.flatnonzero(rows & self._may[move.categories] & (climb > 0))
        if len(places):
            after = self._scored(move.made(self.X[places], rung), places)
            self._gain[places, k] = after - self.scores[places]
            self._cost[places, k] = climb[places] * move.cost * self._attack.factor

    def _scored(self, X: Floats, rows: npt.NDArray[np.intp]) -> Floats:
        parts = range(0, len(X), _ROWS_AT_ONCE)
        return np.concatenate(
            [self._members.scores(X[k : k + _ROWS_AT_ONCE], rows[k : k + _ROWS_AT_ONCE]) for k in parts]
        )
