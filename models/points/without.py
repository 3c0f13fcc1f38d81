"""What trees say where a group of columns is not known: both branches of its comparisons, weighted by training rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benne.models.points.compiled import compiled
from benne.models.points.forest import Forest
from benne.models.points.kernel import compare

__all__ = ["Without"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROWS: Final = 256  # at a time, so that a tree's comparisons stay in the cache
_ROWS_AT_ONCE: Final = 4_096


class _Pairs(NamedTuple):
    """Trees and the groups of columns that they use; ``first[t] <= p < first[t + 1]`` are those of tree t.

    ``part`` is where in the sums a pair is added. Of a small tree, ``cells`` holds from ``begin`` on what not knowing
    the group adds, for every outcome of the comparisons; of a larger one, ``mask`` and ``weight`` hold for each leaf
    which of its path's columns are of the group, and what the leaf is worth without them.
    """

    first: Integers
    part: Integers
    begin: Integers
    cells: Floats
    mask: Integers
    weight: Floats


class Without:
    """The difference that it makes to each category function not to know groups of columns.

    A leaf of value v is worth ``v * prod_j z_j`` over the columns j of its path that are not known,
    where z_j is the share of training rows that j lets through, if the row agrees with the other
    columns, and else nothing: the value function of path-dependent TreeSHAP.

    Parameters
    ----------
    forest : Forest
        Laid out with the ways to its leaves.
    groups : sequence of sequence of int
        Columns of each group.
    threads : int

    Attributes
    ----------
    group, category : ndarray of int64, shape (parts,)
        A part is a group and a category whose trees use it.
    """

    def __init__(self, forest: Forest, groups: Sequence[Sequence[int]], threads: int) -> None:
        columns = 1 + max([int(forest.own.max(initial=-1)), *(column for group in groups for column in group)])
        members = np.zeros((len(groups), columns), dtype=np.bool_)
        for k, group in enumerate(groups):
            members[k, list(group)] = True
        self._forest, self._threads = forest, threads
        found = [_groups_of(forest, tree, members) for tree in range(len(forest.category))]
        keys = [(int(k), int(forest.category[tree])) for tree, of_tree in enumerate(found) for k in of_tree]
        parts = sorted(set(keys))
        place = {key: k for k, key in enumerate(parts)}
        self.group = np.array([group for group, _ in parts], dtype=np.int64)
        self.category = np.array([category for _, category in parts], dtype=np.int64)
        first = np.concatenate([[0], np.cumsum([len(of_tree) for of_tree in found], dtype=np.int64)]).astype(np.int64)
        part = np.array([place[key] for key in keys], dtype=np.int64)
        self._pairs = _tabled(forest, first, part, members[self.group])

    def changes(self, X: Floats) -> Floats:
        """What not knowing adds to the category function of each part, shape (n, parts); in log odds of bad.

        Each row's sums run over the trees in their order and over nothing else.
        """
        changes = np.empty((len(X), len(self.group)))
        starts = range(0, len(X), _ROWS_AT_ONCE)
        if len(starts) < 2 or self._threads == 1:
            for start in starts:
                self._some(X, start, changes)
        else:
            with ThreadPoolExecutor(min(self._threads, len(starts))) as pool:
                list(pool.map(lambda start: self._some(X, start, changes), starts))
        return changes

    def _some(self, X: Floats, start: int, changes: Floats) -> None:
        rows = slice(start, start + _ROWS_AT_ONCE)
        some = np.ascontiguousarray(X[rows], dtype=np.float64)
        sums = np.zeros((len(self.group), len(some)))
        _add_changes(self._forest, self._pairs, some, sums)
        changes[rows] = sums.T


def _groups_of(forest: Forest, tree: int, members: Bools) -> npt.NDArray[np.intp]:
    own = forest.own[forest.first_own[tree] : forest.first_own[tree + 1]]
    return np.flatnonzero(members[:, own].any(axis=1))


def _tabled(forest: Forest, first: Integers, part: Integers, members: Bools) -> _Pairs:
    trees = np.repeat(np.arange(len(forest.category)), np.diff(first))
    small = forest.first_cell[trees] >= 0
    nodes, leaves = np.diff(forest.first_node)[trees], np.diff(forest.first_leaf)[trees]
    outcomes = np.where(small, 1 << np.where(small, nodes, 0), 0)
    of_leaves = np.where(small, 0, leaves)
    begin = np.where(small, np.cumsum(outcomes) - outcomes, np.cumsum(of_leaves) - of_leaves).astype(np.int64)
    total = int(of_leaves.sum())
    pairs = _Pairs(first, part, begin, np.zeros(int(outcomes.sum())), np.zeros(total, dtype=np.int64), np.zeros(total))
    _fill(forest, pairs, trees.astype(np.int64), members)
    return pairs


@compiled
def _fill(forest: Forest, pairs: _Pairs, trees: Integers, members: Bools) -> None:
    """Work out what each pair needs to know of its tree."""
    for pair in range(len(trees)):
        tree, inside, begin = trees[pair], members[pairs.part[pair]], pairs.begin[pair]
        own, first_leaf = forest.own[forest.first_own[tree] : forest.first_own[tree + 1]], forest.first_leaf[tree]
        outcomes = 1 << (forest.first_node[tree + 1] - forest.first_node[tree]) if forest.first_cell[tree] >= 0 else 0
        for leaf in range(first_leaf, forest.first_leaf[tree + 1]):
            mask, weight = np.int64(0), forest.value[leaf]
            for slot in range(forest.first_slot[leaf], forest.first_slot[leaf + 1]):
                if inside[own[forest.slot_own[slot]]]:
                    mask |= 1 << (slot - forest.first_slot[leaf])
                    weight *= forest.slot_share[slot]
            if forest.first_cell[tree] < 0:
                pairs.mask[begin + leaf - first_leaf], pairs.weight[begin + leaf - first_leaf] = mask, weight
                continue
            for outcome in range(outcomes):
                differs = np.int64(0)
                for step in range(forest.first_step[leaf], forest.first_step[leaf + 1]):
                    if (outcome >> forest.step_node[step]) & 1 != forest.step_left[step]:
                        differs |= 1 << forest.step_slot[step]
                if differs & ~mask == 0:
                    pairs.cells[begin + outcome] += weight
                if differs == 0:
                    pairs.cells[begin + outcome] -= forest.value[leaf]


@compiled
def _add_changes(forest: Forest, pairs: _Pairs, X: Floats, sums: Floats) -> None:
    n, columns = X.shape
    rows_at_once, most = min(n, _ROWS), 1
    for tree in range(len(forest.category)):
        most = max(most, forest.first_node[tree + 1] - forest.first_node[tree])
    block, left = np.empty((columns, rows_at_once)), np.empty((most, rows_at_once), dtype=np.bool_)
    ways = np.empty(rows_at_once, dtype=np.int64)
    for start in range(0, n, _ROWS):
        rows = min(_ROWS, n - start)
        for column in range(columns):
            for r in range(rows):
                block[column, r] = X[start + r, column]
        for tree in range(len(forest.category)):
            if pairs.first[tree] == pairs.first[tree + 1]:
                continue
            compare(forest, tree, block, rows, left)
            if forest.first_cell[tree] >= 0:
                nodes = forest.first_node[tree + 1] - forest.first_node[tree]
                _small_tree(pairs, tree, nodes, left, ways, start, rows, sums)
            else:
                _large_tree(forest, pairs, tree, left, ways, start, rows, sums)


@compiled
def _small_tree(
    pairs: _Pairs, tree: int, nodes: int, left: Bools, ways: Integers, start: int, rows: int, sums: Floats
) -> None:
    ways[:rows] = 0
    for node in range(nodes):
        goes = left[node]
        for r in range(rows):
            ways[r] |= np.int64(goes[r]) << node
    for pair in range(pairs.first[tree], pairs.first[tree + 1]):
        cells, into = pairs.cells[pairs.begin[pair] :], sums[pairs.part[pair]]
        for r in range(rows):
            into[start + r] += cells[ways[r]]


@compiled
def _large_tree(
    forest: Forest, pairs: _Pairs, tree: int, left: Bools, ways: Integers, start: int, rows: int, sums: Floats
) -> None:
    """Leaf by leaf: what it gives the rows that agree with its path, and those that do but for the group."""
    for leaf in range(forest.first_leaf[tree], forest.first_leaf[tree + 1]):
        ways[:rows] = 0
        for step in range(forest.first_step[leaf], forest.first_step[leaf + 1]):
            goes, wanted, bit = left[forest.step_node[step]], forest.step_left[step], 1 << forest.step_slot[step]
            for r in range(rows):
                ways[r] |= bit * np.int64(goes[r] != wanted)
        value = forest.value[leaf]
        for pair in range(pairs.first[tree], pairs.first[tree + 1]):
            at, into = pairs.begin[pair] + leaf - forest.first_leaf[tree], sums[pairs.part[pair]]
            known, weight = ~pairs.mask[at], pairs.weight[at]
            for r in range(rows):
                if ways[r] & known == 0:
                    into[start + r] += weight - (value if ways[r] == 0 else 0.0)
