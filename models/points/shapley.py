"""The exact Shapley values of one leaf, and the tables made from them.

A leaf of value v is reached through k different columns. Column j lets through the share z_j
of the training rows, and a row either agrees with all of its splits (o_j = 1) or not (0). What
the leaf is worth to a set of known columns S is v times the product of o_j over S and z_j over
the rest; its Shapley values follow from the polynomial prod_j (z_j + o_j x), whose coefficients
group the sets by size (Lundberg et al. 2020; Yu et al., "Linear TreeShap", 2022).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.models.points.compiled import compiled

__all__ = ["add_leaf", "leaf_table", "tree_table"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@compiled
def add_leaf(value: float, shares: Floats, agrees: int, into: Floats, at: Integers, work: Floats) -> None:
    """Add a leaf's Shapley values.

    Parameters
    ----------
    value : float
    shares : ndarray of float64, shape (k,)
        z of each column of the path.
    agrees : int
        Bit j says whether the row agrees with column j.
    into : ndarray of float64
    at : ndarray of int64, shape (k,)
        Where in ``into`` each column's value is added.
    work : ndarray of float64, shape (2, at least k + 1)
    """
    k = len(shares)
    whole, rest = work[0], work[1]
    whole[0] = 1.0
    for j in range(k):
        agreed = (agrees >> j) & 1
        whole[j + 1] = whole[j] if agreed else 0.0
        for q in range(j, 0, -1):
            whole[q] = shares[j] * whole[q] + (whole[q - 1] if agreed else 0.0)
        whole[0] *= shares[j]
    for i in range(k):
        agreed = (agrees >> i) & 1
        # Without column i: divide its factor out, from the end at which no error grows.
        if agreed:
            rest[k - 1] = whole[k]
            for q in range(k - 1, 0, -1):
                rest[q - 1] = whole[q] - shares[i] * rest[q]
        else:
            for q in range(k):
                rest[q] = whole[q] / shares[i]
        total, chance = 0.0, 1.0 / k  # chance of a set of q columns: q! (k - 1 - q)! / k!
        for q in range(k):
            total += chance * rest[q]
            if q < k - 1:
                chance *= (q + 1.0) / (k - 1.0 - q)
        into[at[i]] += value * total * (agreed - shares[i])


@compiled
def leaf_table(value: float, shares: Floats) -> Floats:
    """A leaf's Shapley values for every way to agree with its path, shape (2 ** k, k)."""
    k = len(shares)
    table, at, work = np.zeros((1 << k, k)), np.arange(k), np.empty((2, k + 1))
    for agrees in range(1 << k):
        add_leaf(value, shares, agrees, table[agrees], at, work)
    return table


@compiled
def tree_table(
    nodes: int, columns: int, values: Floats, first_step: Integers, step_node: Integers, step_left: Integers,
    step_slot: Integers, first_slot: Integers, slot_share: Floats, slot_column: Integers,
) -> Floats:  # fmt: skip
    """A tree's value and Shapley values for every outcome of its comparisons.

    Returns
    -------
    ndarray of float64, shape (2 ** nodes, 1 + columns)
        Bit i of the row's number: comparison i sends the row left.
    """
    table, work = np.zeros((1 << nodes, 1 + columns)), np.empty((2, nodes + 1))
    for outcome in range(1 << nodes):
        for leaf in range(len(values)):
            slots = slice(first_slot[leaf], first_slot[leaf + 1])
            agrees = (1 << (slots.stop - slots.start)) - 1
            reached = True
            for step in range(first_step[leaf], first_step[leaf + 1]):
                if (outcome >> step_node[step]) & 1 != step_left[step]:
                    agrees &= ~(1 << step_slot[step])
                    reached = False
            if reached:
                table[outcome, 0] = values[leaf]
            add_leaf(values[leaf], slot_share[slots], agrees, table[outcome], 1 + slot_column[slots], work)
    return table
