"""Trees read from LightGBM's text model, whose numbers are printed to be read back exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Tree", "trees_of"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """One tree; children below zero are leaves, ``-1`` the first.

    Parameters
    ----------
    column, left, right, decision : ndarray of int64, shape (nodes,)
        ``decision`` holds LightGBM's bits: 1 categorical, 2 missing goes left, then the kind of missing.
    threshold : ndarray of float64, shape (nodes,)
        Of a categorical split, the number of its set of categories.
    node_rows, leaf_rows : ndarray of float64, shape (nodes,), (leaves,)
        Training rows that came there.
    value : ndarray of float64, shape (leaves,)
    sets : tuple of ndarray of int64
        Of each categorical split, 32 categories a word.
    """

    column: Integers
    threshold: Floats
    decision: Integers
    left: Integers
    right: Integers
    node_rows: Floats
    value: Floats
    leaf_rows: Floats
    sets: tuple[Integers, ...]

    @property
    def expected(self) -> float:
        """Mean leaf value over the training rows, as TreeSHAP takes it."""
        return float(self.value @ self.leaf_rows) / float(self.leaf_rows.sum())


def trees_of(text: str) -> Iterator[Tree]:
    """Every tree that splits; a constant one adds the same for everybody."""
    for block in text.partition("\nend of trees")[0].split("\nTree=")[1:]:
        body = block.split("\n\n", 1)[0]
        fields = dict(line.split("=", 1) for line in body.splitlines() if "=" in line)
        if int(fields["num_leaves"]) > 1:
            yield _tree(fields)


def _tree(fields: Mapping[str, str]) -> Tree:
    def whole(name: str) -> Integers:
        return np.array(fields[name].split(), dtype=np.int64)

    def real(name: str) -> Floats:
        return np.array(fields[name].split(), dtype=np.float64)

    sets: tuple[Integers, ...] = ()
    if int(fields.get("num_cat", "0")):
        sets = tuple(np.split(whole("cat_threshold"), whole("cat_boundaries")[1:-1]))
    return Tree(
        column=whole("split_feature"),
        threshold=real("threshold"),
        decision=whole("decision_type"),
        left=whole("left_child"),
        right=whole("right_child"),
        node_rows=real("internal_count"),
        value=real("leaf_value"),
        leaf_rows=real("leaf_count"),
        sets=sets,
    )
