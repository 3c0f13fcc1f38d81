"""Rows on their way in: checked for training, and checked for scoring."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import CategoryWithheld
from benne.models.category_layout import CategoryLayout
from benne.models.consent_patterns import (
    Withheld,
    allowed_patterns,
    consented_by,
    distinct,
    pattern_codes,
    refuse_empty,
    refuse_masked,
    too_empty,
    why_refused,
    withheld_per_row,
)
from benne.models.cross_fitting import codes_of, folds_of
from benne.models.evidence import told_by_category
from benne.models.inputs import (
    FeatureRules,
    FeatureTable,
    check_values,
    float_matrix,
    match_columns,
    read_table,
    strange_values,
)
from benne.models.labels import Labels, label_array, read_labels, read_sample_weight
from benne.models.trained_booster import TrainingData

__all__ = ["Folding", "ScoredRows", "refusals", "scorable", "scored_rows", "tightened", "told_of", "training_data"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Folding:
    """How rows are to be cross-fitted: what was given as groups and time, folds, and seed."""

    groups: Any
    time: Any
    folds: int
    seed: int


def training_data(
    table: FeatureTable, y: Any, sample_weight: Any, layout: CategoryLayout, rules: FeatureRules, folding: Folding
) -> tuple[TrainingData, npt.NDArray[Any]]:
    """Checked training rows, without those of weight zero, and the two classes.

    Raises
    ------
    LabelError, FeatureTypeError, FeatureValueError, CategoryWithheld, ParameterError
    """
    rows = len(table.frame)
    labels, weight, keep = _labelled(y, sample_weight, rows)
    frame = table.frame.loc[keep]
    consented = consented_by(None if table.mask is None else table.mask.loc[keep], len(frame), layout)
    withheld = ~consented[:, layout.categories_of_columns]
    _refuse_leaks(frame, rules.columns, withheld, layout)
    _refuse_unscorable(consented, layout)
    matrix = float_matrix(frame, rules.columns, withheld)
    check_values(matrix, rules, ~withheld)
    group, moment = codes_of(folding.groups, rows, "groups"), codes_of(folding.time, rows, "time")
    group, moment = (None if codes is None else codes[keep] for codes in (group, moment))
    folds = folds_of(labels.bad, group, moment, folding.folds, folding.seed)
    return TrainingData(matrix, labels.bad, weight, consented, group, folds), labels.classes


def tightened(rules: FeatureRules, data: TrainingData, layout: CategoryLayout) -> FeatureRules:
    """The same rules with NaN allowed only where it is declared possible and training had it."""
    consented = data.consented[:, layout.categories_of_columns]
    seen = np.asarray((np.isnan(data.X) & consented).any(axis=0))
    nullable = tuple(bool(declared and had) for declared, had in zip(rules.nullable, seen, strict=True))
    return dataclasses.replace(rules, nullable=nullable)


@dataclass(frozen=True)
class ScoredRows:
    """Checked rows to be scored.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
        NaN where withheld.
    codes : ndarray of int, shape (n,)
        Position of each row's pattern of consent.
    withheld : tuple of frozenset of str, length n
    thin : ndarray of bool, shape (n,)
        Whether nothing is on record in some category that enters.
    index : Index
        As it came.
    """

    X: Floats
    codes: Indices
    withheld: tuple[frozenset[str], ...]
    thin: Bools
    index: pd.Index[Any]


def scored_rows(
    X: Any,
    withheld: Withheld,
    layout: CategoryLayout,
    patterns: Sequence[frozenset[str]],
    rules: FeatureRules,
    named: bool,
) -> ScoredRows:
    """Check rows to be scored, and blank what they withhold before anything looks at it.

    Raises
    ------
    CategoryWithheld, InsufficientEvidence, FeatureColumnsError, FeatureTypeError, FeatureValueError
    """
    table, of_column = read_table(X), layout.categories_of_columns
    refused = withheld_per_row(withheld, len(table.frame), layout)
    by_all = np.asarray(refused.all(axis=0))
    absent = {rules.columns[j] for j in np.flatnonzero(by_all[of_column])}
    match_columns(table, rules.columns, named, absent)
    refuse_masked(consented_by(table.mask, len(table.frame), layout), ~refused, layout)
    codes = pattern_codes(~refused, patterns, layout)
    matrix = float_matrix(table.frame, rules.columns, refused[:, of_column])
    check_values(matrix, rules, ~refused[:, of_column])
    told = told_by_category(matrix, rules.tells, layout)
    # A source that has but one or two categories may have nothing but zeros to tell of somebody.
    refuse_empty(told if len(layout.names) > 2 else _known(matrix, layout), ~refused)
    thin = np.asarray((~told & ~refused).any(axis=1))
    return ScoredRows(matrix, codes, _sets(refused, layout), thin, table.frame.index)


def refusals(
    X: Any,
    withheld: Withheld,
    layout: CategoryLayout,
    patterns: Sequence[frozenset[str]],
    rules: FeatureRules,
    named: bool,
) -> tuple[Bools, Bools]:
    """Rows that :func:`scored_rows` would refuse a table for: too thin, or with strange values; each shape (n,).

    Raises
    ------
    CategoryWithheld, FeatureColumnsError, FeatureTypeError, FeatureValueError
        For what is wrong with the table as a whole.
    """
    table, of_column = read_table(X), layout.categories_of_columns
    refused = withheld_per_row(withheld, len(table.frame), layout)
    absent = {rules.columns[j] for j in np.flatnonzero(np.asarray(refused.all(axis=0))[of_column])}
    match_columns(table, rules.columns, named, absent)
    refuse_masked(consented_by(table.mask, len(table.frame), layout), ~refused, layout)
    matrix = float_matrix(table.frame, rules.columns, refused[:, of_column])
    unique, row, _ = distinct(~refused)
    allowed = np.array([frozenset(np.array(layout.names)[used].tolist()) in set(patterns) for used in unique])[row]
    strange = strange_values(matrix, rules, ~refused[:, of_column]).any(axis=1)
    told = told_by_category(matrix, rules.tells, layout) if len(layout.names) > 2 else _known(matrix, layout)
    empty = too_empty(told, ~refused)
    return np.asarray(~allowed | (empty & ~strange)), np.asarray(allowed & strange)


def _known(matrix: Floats, layout: CategoryLayout) -> Bools:
    return np.column_stack([~np.isnan(matrix[:, group]).all(axis=1) for group in layout.groups])


def scorable(data: TrainingData, told: Bools, layout: CategoryLayout) -> Bools:
    """Training rows that hold enough to be scored, shape (n,); ``told`` as of :func:`told_of`."""
    return ~too_empty(told if len(layout.names) > 2 else _known(data.X, layout), data.consented)


def told_of(data: TrainingData, rules: FeatureRules, layout: CategoryLayout) -> Bools:
    """Whether anything is on record in each category of each training row, shape (n, categories)."""
    return told_by_category(data.X, rules.tells, layout)


def _labelled(y: Any, sample_weight: Any, rows: int) -> tuple[Labels, Floats | None, Bools]:
    """Labels and weights of the rows that count; a row of weight zero is not there.

    A weight says how much a row counts beside others. Penalties and the smoothing of the calibration count
    rows, so weights are scaled to a mean of 1: if they summed to 1, little but the prior would be left.
    """
    weight = read_sample_weight(sample_weight, rows)
    if weight is None:
        return read_labels(y, rows), None, np.ones(rows, dtype=bool)
    keep = weight > 0
    values = None if y is None else label_array(y)
    if values is not None and values.ndim and len(values) == rows:
        return read_labels(values[keep], int(keep.sum())), weight[keep] / weight[keep].mean(), keep
    return read_labels(values, rows), weight, keep


def _refuse_leaks(frame: pd.DataFrame, columns: Sequence[str], withheld: Bools, layout: CategoryLayout) -> None:
    """Refuse training rows that hold anything of a category that they withhold, of whatever type it is."""
    for j in np.flatnonzero(withheld.any(axis=0)):
        leaked = int((frame[columns[int(j)]].notna().to_numpy() & withheld[:, j]).sum())
        if leaked:
            raise CategoryWithheld(
                f"Category {layout.names[layout.column_category[j]]!r} is withheld in {leaked} rows that hold values "
                "of it. They must not have been computed; pass what `build_features` returns."
            )


def _refuse_unscorable(consented: Bools, layout: CategoryLayout) -> None:
    """Refuse training rows that no pattern may use."""
    allowed = set(allowed_patterns(layout))
    unique, _, count = distinct(consented)
    for flags, rows in zip(unique, count, strict=True):
        used = frozenset(name for name, flag in zip(layout.names, flags, strict=True) if flag)
        if used not in allowed:
            raise CategoryWithheld(
                f"{int(rows)} rows must not be trained on: {why_refused(used, layout)}. Leave those rows out."
            )


def _sets(refused: Bools, layout: CategoryLayout) -> tuple[frozenset[str], ...]:
    unique, row, _ = distinct(refused)
    sets = [frozenset(n for n, flag in zip(layout.names, flags, strict=True) if flag) for flags in unique]
    return tuple(sets[code] for code in row.tolist())
