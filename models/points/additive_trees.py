"""Category functions and feature contributions of a booster whose trees each use one category."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from benne.errors import ModelDirectoryError, ModelError
from benne.models.points.forest import forest_of
from benne.models.points.kernel import add_up
from benne.models.points.text_model import Tree, trees_of
from benne.models.points.without import Without

__all__ = ["AdditiveTrees"]

Floats = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4_096
_NO_FEATURES = np.empty((0, 0))


class AdditiveTrees:
    """The margin of a booster as a sum over categories, read from its text model.

    ``f(x) = expected + sum_c g_c(x)``, where ``g_c`` sums the trees of category c and
    subtracts their cover-weighted expectation, as TreeSHAP defines it. One compiled pass gives
    the category functions and, where wanted, every feature's exact Shapley value. Each row's
    sums run over the trees in their order, so a row alone equals the same row in a batch bit
    for bit.

    Parameters
    ----------
    text : str
        LightGBM's text model.
    column_category : ndarray of int, shape (features,)
        Category of each column.
    categories : int
        Number of categories.
    threads : int
        For batches; 0 takes one a processor.
    explains : bool
        Whether features' contributions will be asked for; without, nothing is prepared for them.

    Raises
    ------
    ModelDirectoryError
        If a tree uses columns of two categories: that is not one of our models.
    """

    def __init__(
        self,
        text: str,
        column_category: npt.NDArray[np.intp],
        categories: int,
        threads: int = 0,
        *,
        explains: bool = True,
    ) -> None:
        self.booster = lgb.Booster(model_str=text)
        self.features = len(column_category)
        self._threads = threads or os.cpu_count() or 1
        trees = list(trees_of(text))
        owners = [_category_of(tree, column_category) for tree in trees]
        self._explains = explains
        self._without: tuple[tuple[tuple[int, ...], ...], Without] | None = None
        self._forest = forest_of(trees, owners, paths=explains)
        self.expected = np.zeros(categories)
        for tree, category in zip(trees, owners, strict=True):
            self.expected[category] += tree.expected

    def category_functions(self, X: Floats) -> Floats:
        """``g_c`` of each row, shape (n, categories): log odds of bad against the expectation."""
        return self.contributions(X, features=False)[0]

    def contributions(self, X: Floats, *, features: bool = True) -> tuple[Floats, Floats]:
        """The category functions, bit for bit as alone, and each feature's Shapley value where wanted, else (n, 0);
        all in log odds of bad."""
        if features:
            self._refuse_unexplained()
        X = np.ascontiguousarray(X, dtype=np.float64)
        g = np.empty((len(X), len(self.expected)))
        phi = np.empty((len(X), self.features if features else 0))
        starts = range(0, len(X), _ROWS_AT_ONCE)
        if len(starts) < 2 or self._threads == 1:
            for start in starts:
                self._part(X, start, g, phi, features)
        else:
            with ThreadPoolExecutor(min(self._threads, len(starts))) as pool:
                list(pool.map(lambda start: self._part(X, start, g, phi, features), starts))
        return g, phi

    def without(self, groups: tuple[tuple[int, ...], ...]) -> Without:
        """What it makes of the category functions not to know groups of columns; laid out once for the same groups."""
        self._refuse_unexplained()
        latest = self._without
        if latest is None or latest[0] != groups:
            latest = self._without = (groups, Without(self._forest, groups, self._threads))
        return latest[1]

    def _refuse_unexplained(self) -> None:
        if not self._explains:
            raise ModelError(
                "These trees must have been laid out to explain, and were not. Make them with explains=True."
            )

    def _part(self, X: Floats, start: int, g: Floats, phi: Floats, features: bool) -> None:
        rows = slice(start, start + _ROWS_AT_ONCE)
        part = X[rows]
        sums = np.zeros((len(self.expected), len(part)))
        points = np.zeros((self.features, len(part))) if features else _NO_FEATURES
        add_up(self._forest, part, features, sums, points)
        g[rows] = (sums - self.expected[:, None]).T
        if features:
            phi[rows] = points.T


def _category_of(tree: Tree, column_category: npt.NDArray[np.intp]) -> int:
    used = np.unique(column_category[tree.column])
    if len(used) != 1:
        raise ModelDirectoryError(
            "Every tree of a score model must use one category, got a tree over several. Fit it anew."
        )
    return int(used[0])
