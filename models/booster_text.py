"""What the text of a saved booster may be: on much that it did not write, LightGBM ends the process, or never ends."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.errors import ModelDirectoryError

__all__ = ["check_booster_text"]

Numbers = npt.NDArray[np.float64]

_END: Final = "\nend of trees\n"
_FIRST: Final = "\n\nTree=0\n"
_FIXED: Final = {"num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}
_OF_COLUMNS: Final[Mapping[str, Callable[[str], bool]]] = {
    "feature_names": lambda word: bool(word),
    "feature_infos": lambda word: word in ("none", "[-1e+300:1e+300]"),
    "monotone_constraints": lambda word: word in ("-1", "0", "1"),
}
_HEADER: Final = {"version", "max_feature_idx", "objective", "tree_sizes", *_FIXED, *_OF_COLUMNS}
_OPTIONAL: Final = {"monotone_constraints"}
_OF_NODES: Final = (
    "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "internal_value",
    "internal_weight", "internal_count",
)  # fmt: skip
_OF_LEAVES: Final = ("leaf_value", "leaf_weight", "leaf_count")
_OF_TREES: Final = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_LARGEST_LEAF: Final = 1e6
_DECISIONS: Final = (0, 2, 4, 6, 8, 10)  # numeric; missing left or right; none, zero or NaN is missing


def check_booster_text(text: str, columns: int) -> None:
    """Refuse a text model that is not as a fit leaves it.

    Parameters
    ----------
    text : str
        Without the extremes of training values.
    columns : int
        Of the model.

    Raises
    ------
    ModelDirectoryError
        If a line is missing, unknown or there twice, trees are not as long as the header says, a column is not
        one of the model's, nodes do not lead to every leaf once, or a number cannot be.
    """
    start, end = text.find(_FIRST), text.find(_END)
    _must(text.startswith("tree\n") and 0 < start < end, "a text model from its header to the end of its trees")
    sizes = _check_header(_lines(text[5:start], "header"), columns)
    trees = text[start + 2 : end + 1].encode()
    offsets = np.cumsum([0, *sizes])
    # LightGBM leaves the separating blank lines after the last tree out of the sizes.
    heads = [trees[a : a + 5 + len(str(k))] == f"Tree={k}".encode() for k, a in enumerate(offsets[:-1])]
    _must(
        all(heads) and text.count("Tree=") == len(sizes) and not trees[offsets[-1] :].strip(),
        "trees as long as the header of the text model says",
    )
    for k, (a, b) in enumerate(itertools.pairwise(offsets)):
        _check_tree(_lines(trees[a:b].decode().removeprefix(f"Tree={k}\n").rstrip("\n"), "tree"), columns)


def _lines(block: str, of: str) -> dict[str, str]:
    """Its lines by name."""
    pairs = [line.split("=", 1) for line in block.split("\n")]
    fields = {pair[0]: pair[-1] for pair in pairs}
    _must(all(len(pair) == 2 for pair in pairs) and len(fields) == len(pairs), f"a {of} of named lines, each once")
    return fields


def _check_header(fields: dict[str, str], columns: int) -> list[int]:
    """Lengths of the trees, once the header is one of ours."""
    _must(set(fields) | _OPTIONAL == _HEADER, "a header of the lines that LightGBM writes")
    _must(all(fields[name] == value for name, value in _FIXED.items()), "one class and one tree at a time")
    _must(re.fullmatch(r"binary sigmoid:\d+(\.\d+)?", fields["objective"]) is not None, "a binary objective")
    _must(fields["max_feature_idx"] == str(columns - 1), f"a text model of {columns} columns")
    for name, fits in _OF_COLUMNS.items():
        words = fields[name].split(" ") if name in fields else []
        _must(not words or (len(words) == columns and all(map(fits, words))), f"a {name} for each of its columns")
    sizes = fields["tree_sizes"].split()
    _must(all(size.isdecimal() and len(size) < 10 for size in sizes), "lengths of trees in its header")
    return [int(size) for size in sizes]


def _check_tree(fields: dict[str, str], columns: int) -> None:
    _must(set(fields) == {*_OF_TREES, *_OF_NODES, *_OF_LEAVES}, "trees of the lines that LightGBM writes")
    _must((fields["num_cat"], fields["is_linear"]) == ("0", "0"), "trees that split on numbers, with constant leaves")
    leaves = fields["num_leaves"]
    _must(leaves.isdecimal() and 0 < len(leaves) < 8 and int(leaves) > 0, "trees with a leaf at least")
    nodes = {name: _numbers(fields[name], int(leaves) - 1) for name in _OF_NODES}
    if int(leaves) == 1:  # a constant; LightGBM leaves out what it has no need of
        _must(np.isfinite(_numbers(fields["leaf_value"], 1)).all(), "a finite value for every leaf")
        return
    ends = {name: _numbers(fields[name], int(leaves)) for name in _OF_LEAVES}
    _must(bool((np.abs(ends["leaf_value"]) <= _LARGEST_LEAF).all()), "a finite value for every leaf")
    _must(all(np.isfinite(every).all() for every in (*ends.values(), nodes["internal_count"])), "finite counts")
    column = nodes["split_feature"]
    _must(bool(((column >= 0) & (column < columns)).all()), "trees that use its columns")
    _must(bool(np.isin(nodes["decision_type"], _DECISIONS).all()), "decisions on numbers")
    _check_ways(nodes["left_child"], nodes["right_child"], int(leaves))
    _check_counts(nodes, ends["leaf_count"])


def _numbers(words: str, length: int) -> Numbers:
    found = words.split()
    _must(len(found) == length, "a value for every leaf and a split for every node of its trees")
    try:
        numbers = np.array(found, dtype=np.float64)
    except ValueError:
        raise _refusal("numbers in its trees") from None
    _must(
        not np.isnan(numbers).any(), "numbers in its trees"
    )  # a threshold of inf parts what is known from what is not
    return numbers


def _check_ways(left: Numbers, right: Numbers, leaves: int) -> None:
    """Each node but the first, and each leaf, is the child of one node, which comes before it."""
    children, parents = np.r_[left, right], np.r_[np.arange(leaves - 1), np.arange(leaves - 1)]
    every = np.r_[np.arange(-leaves, 0), np.arange(1, leaves - 1)]
    whole = bool((np.sort(children) == every).all()) and bool((children[children >= 0] > parents[children >= 0]).all())
    _must(whole, "trees whose nodes lead to their leaves, each once")


def _check_counts(nodes: dict[str, Numbers], leaf_count: Numbers) -> None:
    """Every place has training rows, and a node has those of its children."""
    inner = nodes["internal_count"]
    at = np.r_[inner, leaf_count[::-1]]  # a child of -1 is the last of these, the first leaf
    children = nodes["left_child"].astype(np.intp), nodes["right_child"].astype(np.intp)
    whole = bool((at >= 1).all()) and bool((inner == at[children[0]] + at[children[1]]).all())
    _must(whole, "trees whose nodes have the rows of their leaves")


def _must(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise _refusal(what)


def _refusal(what: str) -> ModelDirectoryError:
    return ModelDirectoryError(f"A saved model must have {what}, got others. Restore it, or fit anew.")
