"""Category functions and feature contributions of a booster whose trees each use one category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from benne.errors import ModelDirectoryError

__all__ = ["AdditiveTrees"]

Floats = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 20_000
_ROWS_WORTH_THREADS = 512


class AdditiveTrees:
    """The margin of a booster as a sum over categories, read from its text model.

    ``f(x) = expected + sum_c g_c(x)``, where ``g_c`` sums the trees of category c and
    subtracts their cover-weighted expectation, as TreeSHAP defines it. Each row's sum runs
    over the trees in their order, so a row alone equals the same row in a batch bit for bit.

    Parameters
    ----------
    text : str
        LightGBM's text model.
    column_category : ndarray of int, shape (features,)
        Category of each column.
    categories : int
        Number of categories.
    threads : int
        LightGBM threads for batches; 0 takes its default. Single rows use one.

    Raises
    ------
    ModelDirectoryError
        If a tree uses columns of two categories: that is not one of our models.
    """

    def __init__(self, text: str, column_category: npt.NDArray[np.intp], categories: int, threads: int = 0) -> None:
        self.booster = lgb.Booster(model_str=text)
        self.features = len(column_category)
        self._threads = threads
        self._categories = categories
        self._trees: list[tuple[int, int, Floats]] = []
        self.expected = np.zeros(categories)
        for position, fields in enumerate(_trees_of(text)):
            self._add(position, fields, column_category)

    def _add(self, position: int, fields: Mapping[str, str], column_category: npt.NDArray[np.intp]) -> None:
        if int(fields["num_leaves"]) < 2:
            return  # a constant; whatever it adds is the same for everybody
        columns = np.unique(np.array(fields["split_feature"].split(), dtype=np.intp))
        used = np.unique(column_category[columns])
        if len(used) != 1:
            raise ModelDirectoryError(
                "Every tree of a score model must use one category, got a tree over several. Fit it anew."
            )
        value = np.array(fields["leaf_value"].split(), dtype=np.float64)
        count = np.array(fields["leaf_count"].split(), dtype=np.float64)
        category = int(used[0])
        self.expected[category] += float(value @ count) / float(count.sum())
        self._trees.append((position, category, value))

    def category_functions(self, X: Floats) -> Floats:
        """``g_c`` of each row, shape (n, categories): log odds of bad against the expectation."""
        g = np.empty((len(X), self._categories))
        for start in range(0, len(X), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            g[rows] = self._sums_over_trees(X[rows])
        return g

    def _sums_over_trees(self, X: Floats) -> Floats:
        leaf = np.asarray(self.booster.predict(X, pred_leaf=True, num_threads=self._threads_for(len(X))))
        leaf = np.ascontiguousarray(leaf.reshape(len(X), -1).T.astype(np.intp))
        sums = np.zeros((self._categories, len(X)))
        for position, category, value in self._trees:
            sums[category] += value[leaf[position]]
        return np.asarray((sums - self.expected[:, None]).T)

    def feature_contributions(self, X: Floats) -> Floats:
        """Path-dependent TreeSHAP value of each feature, shape (n, features), in log odds of bad."""
        phi = np.asarray(self.booster.predict(X, pred_contrib=True, num_threads=self._threads_for(len(X))))
        return np.asarray(phi.reshape(len(X), self.features + 1)[:, :-1])

    def _threads_for(self, rows: int) -> int:
        return self._threads if rows > _ROWS_WORTH_THREADS else 1


def _trees_of(text: str) -> Iterator[dict[str, str]]:
    """Fields of each tree of a text model; its numbers are printed to be read back exactly."""
    for block in text.split("\nTree=")[1:]:
        body = block.split("\n\n", 1)[0]
        yield dict(line.split("=", 1) for line in body.splitlines() if "=" in line)
