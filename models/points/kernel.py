"""One compiled pass over rows: what every category adds and, where asked for, every feature."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from benne.models.points.compiled import compiled
from benne.models.points.forest import CATEGORICAL, MOST_COLUMNS, ZERO_MISSING, Forest
from benne.models.points.shapley import add_leaf

__all__ = ["add_up", "compare"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROWS: Final = 256  # at a time: their states, a tree's table and the columns it uses stay in the cache
_ZERO: Final = float(np.float32(1e-35))  # LightGBM's: what is nearer to zero than this is zero
_LARGEST_CATEGORY: Final = 2147483647.0


@compiled
def add_up(forest: Forest, X: Floats, features: bool, g: Floats, phi: Floats) -> None:
    """Add what the trees give each row.

    Parameters
    ----------
    forest : Forest
    X : ndarray of float64, shape (n, columns)
    features : bool
        Whether ``phi`` is wanted.
    g : ndarray of float64, shape (categories, n)
        The sum of each category's leaf values is added, tree after tree.
    phi : ndarray of float64, shape (columns, n)
        Each feature's Shapley value is added, tree after tree.

    Notes
    -----
    Each row's sums run over the small trees in their order, then over the larger ones, and over
    nothing else, so that a row alone equals the same row among others bit for bit. Each pass over
    the trees is one function: to hand so many arrays to a function for every tree costs more
    than a tree does.
    """
    n, columns = X.shape
    block, ways = np.empty((columns, min(n, _ROWS))), np.empty(min(n, _ROWS), dtype=np.int64)
    for start in range(0, n, _ROWS):
        rows = min(_ROWS, n - start)
        for column in range(columns):
            for r in range(rows):
                block[column, r] = X[start + r, column]
        if rows == 1:
            _small_trees_of_one(forest, block[:, 0], start, features, g, phi)
        else:
            _small_trees(forest, block, start, rows, ways, features, g, phi)
        _large_trees(forest, block, start, rows, ways, features, g, phi)


@compiled
def _small_trees(
    forest: Forest, block: Floats, start: int, rows: int, ways: Integers, features: bool, g: Floats, phi: Floats
) -> None:
    """All comparisons of a tree, then what the table says of their outcome."""
    cells, own, first_own, first_node = forest.cells, forest.own, forest.first_own, forest.first_node
    column, threshold, kind, nan_left = forest.column, forest.threshold, forest.kind, forest.nan_left
    for tree in range(len(forest.category)):
        if forest.first_cell[tree] < 0:
            continue
        ways[:rows] = forest.first_cell[tree]
        width = 1 + first_own[tree + 1] - first_own[tree]
        for node in range(first_node[tree], first_node[tree + 1]):
            values, limit, step = block[column[node]], threshold[node], width << (node - first_node[tree])
            if kind[node] == CATEGORICAL:
                words = forest.words[forest.first_word[node] : forest.first_word[node + 1]]
                for r in range(rows):
                    ways[r] += step if _in_set(words, values[r]) else 0
            elif kind[node] == ZERO_MISSING:
                for r in range(rows):
                    ways[r] += step if _zero_missing_left(values[r], limit, nan_left[node]) else 0
            elif nan_left[node]:  # NaN is neither above a number nor below
                for r in range(rows):
                    ways[r] += 0 if values[r] > limit else step
            else:
                for r in range(rows):
                    ways[r] += step if values[r] <= limit else 0
        sums = g[forest.category[tree]]
        for r in range(rows):
            sums[start + r] += cells[ways[r]]
        if features:
            for k in range(first_own[tree], first_own[tree + 1]):
                points, cell = phi[own[k]], 1 + k - first_own[tree]
                for r in range(rows):
                    points[start + r] += cells[ways[r] + cell]


@compiled
def _small_trees_of_one(forest: Forest, values: Floats, row: int, features: bool, g: Floats, phi: Floats) -> None:
    """The same of a single row, first all comparisons and then all tables: a third of the time of a block of one."""
    cells, own, first_own, first_node = forest.cells, forest.own, forest.first_own, forest.first_node
    column, threshold, kind, nan_left = forest.column, forest.threshold, forest.kind, forest.nan_left
    trees = len(forest.category)
    ways = np.empty(trees, dtype=np.int64)
    for tree in range(trees):
        outcome, first = 0, first_node[tree]
        if forest.first_cell[tree] < 0:
            continue
        for node in range(first, first_node[tree + 1]):
            value, limit = values[column[node]], threshold[node]
            if kind[node] == CATEGORICAL:
                left = _in_set(forest.words[forest.first_word[node] : forest.first_word[node + 1]], value)
            elif kind[node] == ZERO_MISSING:
                left = _zero_missing_left(value, limit, nan_left[node])
            else:
                left = not value > limit if nan_left[node] else value <= limit
            outcome |= np.int64(left) << (node - first)
        ways[tree] = forest.first_cell[tree] + outcome * (1 + first_own[tree + 1] - first_own[tree])
    for tree in range(trees):
        if forest.first_cell[tree] < 0:
            continue
        g[forest.category[tree], row] += cells[ways[tree]]
        if features:
            for k in range(first_own[tree], first_own[tree + 1]):
                phi[own[k], row] += cells[ways[tree] + 1 + k - first_own[tree]]


@compiled
def _large_trees(
    forest: Forest, block: Floats, start: int, rows: int, ways: Integers, features: bool, g: Floats, phi: Floats
) -> None:
    most = 0
    for tree in range(len(forest.category)):
        if forest.first_cell[tree] < 0:
            most = max(most, forest.first_node[tree + 1] - forest.first_node[tree])
    left, work = np.empty((most, rows), dtype=np.bool_), np.empty((2, MOST_COLUMNS + 1))
    for tree in range(len(forest.category)):
        if forest.first_cell[tree] < 0:
            compare(forest, tree, block, rows, left)
            _walk(forest, tree, left, start, rows, g)
            if features:
                _leaves(forest, tree, left, ways, start, rows, work, phi)


@compiled
def compare(forest: Forest, tree: int, block: Floats, rows: int, left: Bools) -> None:
    """Which rows each comparison of a tree sends left."""
    first = forest.first_node[tree]
    for node in range(first, forest.first_node[tree + 1]):
        values, goes = block[forest.column[node]], left[node - first]
        limit, kind, nan_left = forest.threshold[node], forest.kind[node], forest.nan_left[node]
        words = forest.words[forest.first_word[node] : forest.first_word[node + 1]]
        for r in range(rows):
            if kind == CATEGORICAL:
                goes[r] = _in_set(words, values[r])
            elif kind == ZERO_MISSING:
                goes[r] = _zero_missing_left(values[r], limit, nan_left)
            else:
                goes[r] = not values[r] > limit if nan_left else values[r] <= limit


@compiled
def _walk(forest: Forest, tree: int, left: Bools, start: int, rows: int, g: Floats) -> None:
    """Down from node to node, to the value of the leaf."""
    nodes = slice(forest.first_node[tree], forest.first_node[tree + 1])
    to_left, to_right, value = forest.left[nodes], forest.right[nodes], forest.value[forest.first_leaf[tree] :]
    sums = g[forest.category[tree]]
    for r in range(rows):
        at = 0
        while at >= 0:
            at = to_left[at] if left[at, r] else to_right[at]
        sums[start + r] += value[~at]


@compiled
def _leaves(
    forest: Forest, tree: int, left: Bools, ways: Integers, start: int, rows: int, work: Floats, phi: Floats
) -> None:
    """What each leaf of a larger tree gives, by how the row agrees with its path."""
    own, cells = forest.own[forest.first_own[tree] : forest.first_own[tree + 1]], forest.cells
    for leaf in range(forest.first_leaf[tree], forest.first_leaf[tree + 1]):
        begin, end = forest.first_slot[leaf], forest.first_slot[leaf + 1]
        ways[:rows] = (1 << (end - begin)) - 1
        for step in range(forest.first_step[leaf], forest.first_step[leaf + 1]):
            goes, wanted, bit = left[forest.step_node[step]], forest.step_left[step], 1 << forest.step_slot[step]
            for r in range(rows):
                ways[r] &= ~(bit * np.int64(goes[r] != wanted))
        columns = own[forest.slot_own[begin:end]]
        if forest.leaf_cell[leaf] < 0:
            value, shares = forest.value[leaf], forest.slot_share[begin:end]
            for r in range(rows):
                add_leaf(value, shares, ways[r], phi[:, start + r], columns, work)
            continue
        for k in range(end - begin):
            points, cell = phi[columns[k]], forest.leaf_cell[leaf] + k
            for r in range(rows):
                points[start + r] += cells[cell + ways[r] * (end - begin)]


@compiled
def _zero_missing_left(value: float, limit: float, missing_left: bool) -> bool:
    if value != value or abs(value) <= _ZERO:
        return missing_left
    return bool(value <= limit)


@compiled
def _in_set(words: Integers, value: float) -> bool:
    if not -1.0 < value <= _LARGEST_CATEGORY:  # NaN too; what is above -1 is cut to 0
        return False
    category = int(value)
    return category // 32 < len(words) and bool((words[category // 32] >> (category % 32)) & 1)
