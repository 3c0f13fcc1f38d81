"""All trees of a booster in the arrays that compiled code takes, with their Shapley values worked out beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benne.errors import ModelDirectoryError
from benne.models.points.shapley import leaf_table, tree_table
from benne.models.points.text_model import Tree

__all__ = ["CATEGORICAL", "MOST_COLUMNS", "ZERO_MISSING", "Forest", "forest_of"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CATEGORICAL: Final = 1
ZERO_MISSING: Final = 2

MOST_COLUMNS: Final = 60
"""Different columns on one path: each is a bit of a whole number."""

_SMALL_TREE: Final = 7  # comparisons: all 2**7 outcomes are tabled
_LARGEST_LEAF_TABLES: Final = 1 << 14  # numbers for all leaves of a tree; beyond, they are worked out row by row

_MISSING_LEFT: Final = 2
_MISSING_KIND: Final = 2  # from this bit on: 0 none, 1 zero, 2 NaN


class Forest(NamedTuple):
    """Trees one behind the other; ``first_x[t] <= x < first_x[t + 1]`` are those of tree t.

    Parameters
    ----------
    category : ndarray of int64, shape (trees,)
    first_node, column, kind, left, right : ndarray of int64
        Per node: ``kind`` is 0, or :data:`CATEGORICAL`, or :data:`ZERO_MISSING`; children below
        zero are leaves, others nodes counted from the tree's first.
    threshold : ndarray of float64
    nan_left : ndarray of bool
        Whether NaN goes left.
    first_word, words : ndarray of int64
        Per node, the set of categories that go left, 32 a word.
    first_own, own : ndarray of int64
        Per tree, the columns it uses.
    first_cell : ndarray of int64, shape (trees,)
        Of a small tree, where its table of outcomes begins; -1 for others.
    first_leaf : ndarray of int64
    value : ndarray of float64
        Per leaf.
    first_step, step_node, step_left, step_slot : ndarray of int64
        Per leaf, the comparisons on its path, their outcomes, and which of the path's columns they are of.
    first_slot, slot_own : ndarray of int64
        Per leaf, the different columns of its path, by their place among the tree's.
    slot_share : ndarray of float64
        Which share of the training rows each lets through.
    leaf_cell : ndarray of int64
        Per leaf, where its table begins; -1 where it is worked out for each row.
    cells : ndarray of float64
    """

    category: Integers
    first_node: Integers
    column: Integers
    kind: Integers
    left: Integers
    right: Integers
    threshold: Floats
    nan_left: Bools
    first_word: Integers
    words: Integers
    first_own: Integers
    own: Integers
    first_cell: Integers
    first_leaf: Integers
    value: Floats
    first_step: Integers
    step_node: Integers
    step_left: Integers
    step_slot: Integers
    first_slot: Integers
    slot_own: Integers
    slot_share: Floats
    leaf_cell: Integers
    cells: Floats


@dataclass(frozen=True)
class _Leaf:
    """A leaf and the way to it."""

    value: float
    steps: tuple[tuple[int, int, int], ...]  # node, 1 for left, place among the path's columns
    own: tuple[int, ...]  # the path's columns, by their place among the tree's
    shares: tuple[float, ...]


def forest_of(trees: Sequence[Tree], categories: Sequence[int], *, paths: bool = True) -> Forest:
    """Lay out trees and work out their tables.

    Parameters
    ----------
    trees : sequence of Tree
    categories : sequence of int
        Of each tree.
    paths : bool
        Whether Shapley values are wanted, for which the ways to the leaves are kept and tables made.

    Raises
    ------
    ModelDirectoryError
        If a node or a leaf has no training rows, or a path has more than :data:`MOST_COLUMNS` columns.
    """
    owned = [np.unique(tree.column) for tree in trees]
    leaves = [_leaves(tree, own) if paths else _values(tree) for tree, own in zip(trees, owned, strict=True)]
    every = [leaf for of_tree in leaves for leaf in of_tree]
    tree_cells, leaf_cells, cells = _tables(trees, owned, leaves) if paths else _no_tables(leaves)
    kinds, words = zip(*(_kinds(tree) for tree in trees), strict=True) if trees else ((), ())
    return Forest(
        category=_whole(categories),
        first_node=_firsts([len(tree.column) for tree in trees]),
        column=_joined([tree.column for tree in trees]),
        kind=_joined(kinds),
        left=_joined([tree.left for tree in trees]),
        right=_joined([tree.right for tree in trees]),
        threshold=_real([number for tree in trees for number in tree.threshold]),
        nan_left=np.array([goes for tree in trees for goes in _nan_left(tree)], dtype=np.bool_),
        first_word=_firsts([len(one) for of_tree in words for one in of_tree]),
        words=_joined([one for of_tree in words for one in of_tree]),
        first_own=_firsts([len(own) for own in owned]),
        own=_joined(owned),
        first_cell=_whole(tree_cells),
        first_leaf=_firsts([len(of_tree) for of_tree in leaves]),
        value=_real([leaf.value for leaf in every]),
        first_step=_firsts([len(leaf.steps) for leaf in every]),
        step_node=_whole([node for leaf in every for node, _, _ in leaf.steps]),
        step_left=_whole([left for leaf in every for _, left, _ in leaf.steps]),
        step_slot=_whole([slot for leaf in every for _, _, slot in leaf.steps]),
        first_slot=_firsts([len(leaf.own) for leaf in every]),
        slot_own=_whole([own for leaf in every for own in leaf.own]),
        slot_share=_real([share for leaf in every for share in leaf.shares]),
        leaf_cell=_whole(leaf_cells),
        cells=cells,
    )


def _leaves(tree: Tree, own: Integers) -> list[_Leaf]:
    """The leaves in LightGBM's order, each with its path."""
    if (tree.node_rows <= 0).any() or (tree.leaf_rows <= 0).any():
        raise ModelDirectoryError("Every node of a score model must have training rows, got one with none. Fit anew.")
    # Plain numbers: they are looked at one by one, and there are many.
    values, lefts, rights = tree.value.tolist(), tree.left.tolist(), tree.right.tolist()
    node_rows, leaf_rows = tree.node_rows.tolist(), tree.leaf_rows.tolist()
    places = np.searchsorted(own, tree.column).tolist()
    found: list[_Leaf | None] = [None] * len(values)
    ways: list[tuple[int, tuple[tuple[int, int, float], ...]]] = [(0, ())]
    while ways:
        at, way = ways.pop()
        if at < 0:
            found[~at] = _leaf(values[~at], places, way)
            continue
        for child, left in ((lefts[at], 1), (rights[at], 0)):
            rows = leaf_rows[~child] if child < 0 else node_rows[child]
            ways.append((child, (*way, (at, left, rows / node_rows[at]))))
    return [leaf for leaf in found if leaf is not None]


def _values(tree: Tree) -> list[_Leaf]:
    """The leaves without the ways to them."""
    return [_Leaf(value, (), (), ()) for value in tree.value.tolist()]


def _leaf(value: float, places: list[int], way: tuple[tuple[int, int, float], ...]) -> _Leaf:
    """A leaf by its path; ``places`` are the columns of the nodes, by their place among the tree's."""
    shares: dict[int, float] = {}
    for node, _, share in way:
        shares[places[node]] = shares.get(places[node], 1.0) * share
    if len(shares) > MOST_COLUMNS:
        raise ModelDirectoryError(f"A path of a score model must use at most {MOST_COLUMNS} columns, got more.")
    slots = {place: slot for slot, place in enumerate(shares)}
    steps = tuple((node, left, slots[places[node]]) for node, left, _ in way)
    return _Leaf(value, steps, tuple(shares), tuple(shares.values()))


def _tables(
    trees: Sequence[Tree], owned: Sequence[Integers], leaves: Sequence[list[_Leaf]]
) -> tuple[list[int], list[int], Floats]:
    """Where the table of each tree and of each leaf begins, and all of them."""
    tree_cells, leaf_cells, tables, end = [], [], [np.empty(0)], 0
    for tree, own, of_tree in zip(trees, owned, leaves, strict=True):
        small = len(tree.column) <= _SMALL_TREE
        tabled = not small and sum(len(leaf.own) << len(leaf.own) for leaf in of_tree) <= _LARGEST_LEAF_TABLES
        tree_cells.append(end if small else -1)
        if small:
            tables.append(_outcomes(len(tree.column), len(own), of_tree))
            end += len(tables[-1])
        for leaf in of_tree:
            leaf_cells.append(end if tabled else -1)
            if tabled:
                tables.append(leaf_table(leaf.value, np.array(leaf.shares)).ravel())
                end += len(tables[-1])
    return tree_cells, leaf_cells, np.concatenate(tables)


def _no_tables(leaves: Sequence[list[_Leaf]]) -> tuple[list[int], list[int], Floats]:
    return [-1] * len(leaves), [-1] * sum(map(len, leaves)), np.empty(0)


def _outcomes(nodes: int, columns: int, leaves: list[_Leaf]) -> Floats:
    table = tree_table(
        nodes, columns, _real([leaf.value for leaf in leaves]), _firsts([len(leaf.steps) for leaf in leaves]),
        _whole([node for leaf in leaves for node, _, _ in leaf.steps]),
        _whole([left for leaf in leaves for _, left, _ in leaf.steps]),
        _whole([slot for leaf in leaves for _, _, slot in leaf.steps]),
        _firsts([len(leaf.own) for leaf in leaves]), _real([share for leaf in leaves for share in leaf.shares]),
        _whole([own for leaf in leaves for own in leaf.own]),
    )  # fmt: skip
    return table.ravel()


def _kinds(tree: Tree) -> tuple[Integers, list[Integers]]:
    """Kind of each node, and the words of its set of categories."""
    categorical = tree.decision & 1
    zero = (tree.decision >> _MISSING_KIND == 1) & (categorical == 0)
    nothing = np.empty(0, dtype=np.int64)
    words = [
        tree.sets[int(threshold)] if is_set else nothing
        for threshold, is_set in zip(tree.threshold, categorical, strict=True)
    ]
    return np.where(categorical == 1, CATEGORICAL, np.where(zero, ZERO_MISSING, 0)).astype(np.int64), words


def _nan_left(tree: Tree) -> Bools:
    """NaN goes where missing goes; counts as 0 where training had none; is in no set of categories."""
    nothing_missing = tree.decision >> _MISSING_KIND == 0
    missing_left = (tree.decision & _MISSING_LEFT) > 0
    numeric = (tree.decision & 1) == 0
    return np.asarray(numeric & np.where(nothing_missing, tree.threshold >= 0.0, missing_left))


def _firsts(counts: Sequence[int]) -> Integers:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _joined(parts: Sequence[Integers]) -> Integers:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def _whole(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _real(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)
