"""One booster of a fit: cross-fitted for what it says of rows it has not seen, then refitted on all it may see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benne.errors import LabelError
from benne.models.additive_booster import BoosterRecipe, Folds, FoldTrees, cross_fit, refit
from benne.models.category_layout import CategoryLayout
from benne.models.points import AdditiveTrees
from benne.models.weight_contract import influence

__all__ = ["TrainedBooster", "TrainingData", "cross_fitted", "folds_within", "train_booster"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_LARGEST_REFERENCE = 10_000


@dataclass(frozen=True)
class TrainingData:
    """Checked training rows.

    Parameters
    ----------
    X : ndarray of float64, shape (n, features)
        NaN where withheld.
    bad : ndarray of float64, shape (n,)
    weight : ndarray of float64, shape (n,), or None
    consented : ndarray of bool, shape (n, categories)
    groups : ndarray of int, shape (n,), or None
    folds : list of (train, held-out) indices
    """

    X: Floats
    bad: Floats
    weight: Floats | None
    consented: Bools
    groups: Indices | None
    folds: Folds

    @property
    def weights(self) -> Floats:
        """One for each row."""
        return np.ones(len(self.bad)) if self.weight is None else self.weight

    def covering(self, inside: Bools) -> Bools:
        """Which rows consent to all of these categories, shape (n,)."""
        return np.asarray(self.consented[:, inside].all(axis=1))


@dataclass(frozen=True)
class TrainedBooster:
    """A booster and what it says.

    Parameters
    ----------
    text : str
        LightGBM's text model, without the extremes of the training values.
    folds : FoldTrees
    trees : AdditiveTrees
    z : ndarray of float64, shape (n, categories)
        Category functions of held-out rows over their fold's influence on the reference sample; NaN
        where never held out, zero for a category in which the shipped booster does not vary.
    reference_rows : ndarray of int, shape (m,)
        The reference sample.
    reference : ndarray of float64, shape (m, categories)
        Category functions of it.
    fold_reference : ndarray of float64, shape (folds, m, categories)
        What each fold's booster says of it, over that booster's influence.
    """

    text: str
    folds: FoldTrees
    trees: AdditiveTrees
    z: Floats
    reference_rows: Indices
    reference: Floats
    fold_reference: Floats

    @cached_property
    def influence(self) -> Floats:
        """Of each category on the reference sample, shape (categories,)."""
        return influence(self.reference)

    @property
    def held(self) -> Bools:
        """Rows that were held out, shape (n,)."""
        return np.asarray(np.isfinite(self.z).all(axis=1))


def train_booster(recipe: BoosterRecipe, layout: CategoryLayout, data: TrainingData, learns: Bools) -> TrainedBooster:
    """Cross-fit and refit.

    Parameters
    ----------
    recipe : BoosterRecipe
    layout : CategoryLayout
    data : TrainingData
    learns : ndarray of bool, shape (n,)
        Rows to learn from; the others of a held-out fold are predicted with it.

    Raises
    ------
    LabelError
        If no fold of those rows holds both classes.
    """
    fitted = cross_fitted(recipe, data, learns)
    text = refit(recipe, data.X[learns], data.bad[learns], data.weights[learns] if data.weight is not None else None,
                 fitted.trees)  # fmt: skip
    trees = _trees(text, recipe, layout)
    rows = _reference_rows(np.flatnonzero(learns), recipe.seed)
    z = np.full((len(learns), len(layout.names)), np.nan)
    of_reference = []
    for fold_text, held in zip(fitted.texts, folds_within(data.folds, learns, data.bad)[1], strict=True):
        fold = _trees(fold_text, recipe, layout, explains=False)
        g = fold.category_functions(data.X[rows])
        scale = influence(g)
        of_reference.append(_over(g, scale))
        z[held] = _over(fold.category_functions(data.X[held]), scale)
    reference = trees.category_functions(data.X[rows])
    mute = influence(reference) == 0  # of the booster that ships: what folds found in it cannot be shipped
    z[:, mute] = np.where(np.isnan(z[:, mute]), np.nan, 0.0)
    return TrainedBooster(text, fitted, trees, z, rows, reference, np.stack(of_reference))


def cross_fitted(recipe: BoosterRecipe, data: TrainingData, learns: Bools) -> FoldTrees:
    """The boosters of the folds, over some rows alone."""
    weight = None if data.weight is None else data.weight[learns]
    folds, _ = folds_within(data.folds, learns, data.bad)
    return cross_fit(recipe, data.X[learns], data.bad[learns], weight, folds)


def folds_within(folds: Folds, learns: Bools, bad: Floats) -> tuple[Folds, list[Indices]]:
    """Folds over some rows alone, and all held-out rows of each."""
    position = np.cumsum(learns) - 1
    inner: Folds = []
    held_rows = []
    for train, held in folds:
        train, inside = train[learns[train]], held[learns[held]]
        if len(inside) and 0 < bad[train].sum() < len(train):
            inner.append((position[train], position[inside]))
            held_rows.append(held)
    if not inner:
        raise LabelError("y must hold both classes in every fold among rows that consent to everything. Add rows.")
    return inner, held_rows


def _trees(text: str, recipe: BoosterRecipe, layout: CategoryLayout, *, explains: bool = True) -> AdditiveTrees:
    return AdditiveTrees(
        text, layout.categories_of_columns, len(layout.names), recipe.options.threads, explains=explains
    )


def _over(g: Floats, scale: Floats) -> Floats:
    return np.divide(g, scale, out=np.zeros_like(g), where=scale > 0)


def _reference_rows(learns: Indices, seed: int) -> Indices:
    """A seeded sample of the rows learned from, in their order."""
    if len(learns) <= _LARGEST_REFERENCE:
        return learns
    return np.sort(np.random.default_rng(seed).choice(learns, _LARGEST_REFERENCE, replace=False))
