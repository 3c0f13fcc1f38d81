"""The fit: its time beside LightGBM's own, and what many rows take."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from measuring import peak_mb
from model_accuracy import categories_of, taiwan_rows
from model_world import named, rows_of

from benne.features import split_mask
from benne.models import BoosterOptions, CreditScoreModel
from benne.models.additive_booster import BoosterRecipe
from benne.models.category_layout import layout_of
from benne.models.cross_fitting import folds_of

__all__ = ["fit", "many_rows", "patterns"]

Floats = npt.NDArray[np.float64]
Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

_LEAST_GAIN: Final = 1e-5
_COLUMNS: Final = 70
_MANY_TREES: Final = 300


def fit(repeats: int) -> dict[str, Any]:
    """Ours with contract, calibration and report, and LightGBM's cross-fit and refit, in turns; the best counts.

    ``priced`` states the price of the contract against LightGBM without constraints too, which is a second cross-fit.
    """
    features, bad = _taiwan()
    works: dict[str, Callable[[], Any]] = {
        "ours": lambda: _ours(features, bad, None, priced=False),
        "priced": lambda: _ours(features, bad, None),
        "theirs": _lightgbm(features, bad),
    }
    return _best(works, repeats) | {"trees": works["theirs"](), "rows": len(bad)}


def patterns(repeats: int) -> dict[str, Any]:
    """Ours without and with a try of a booster of its own for every pattern of consent."""
    features, bad = _taiwan()
    works = {"none": lambda: _ours(features, bad, None), "all": lambda: _ours(features, bad, 0.005)}
    return _best(works, repeats) | {"patterns": len(works["none"]().patterns)}


def _taiwan() -> tuple[Any, npt.NDArray[np.int64]]:
    train, _ = taiwan_rows()
    return split_mask(train.features)[0], train.bad.astype(np.int64)


def _ours(features: Any, bad: Any, gap: float | None, *, priced: bool = True) -> CreditScoreModel:
    model = CreditScoreModel(categories=categories_of(features), own_booster_gap=gap, unconstrained_price=priced)
    return model.fit(features, bad)


def _lightgbm(features: Any, bad: Any) -> Callable[[], int]:
    """The same folds, parameters, constraints and stopping by LightGBM's own API; one thread a fold, side by side.

    That is faster than LightGBM's threads within trees as small as these, so it is the stronger peer.
    """
    options = BoosterOptions()
    layout = layout_of(list(features.columns), categories_of(features), None)
    recipe = BoosterRecipe(options, 0, layout.groups, [0] * features.shape[1])
    X, y = features.to_numpy(dtype=np.float64), bad.astype(np.float64)
    folds = folds_of(y, None, None, options.folds, 0)

    def work() -> int:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            curves = list(pool.map(lambda fold: _one_fold(recipe, X, y, fold), folds))
        reached = min(map(len, curves))
        trees = 1 + int(np.argmin(np.mean([curve[:reached] for curve in curves], axis=0)))
        parameters = recipe.parameters(len(y))
        lgb.train(parameters, lgb.Dataset(X, y, params=parameters), trees)
        return trees

    return work


def _one_fold(recipe: BoosterRecipe, X: Floats, y: Floats, fold: Fold) -> list[float]:
    train, held = fold
    parameters, curve = recipe.parameters(len(train)), dict[str, dict[str, list[float]]]()
    data = lgb.Dataset(X[train], y[train], params=parameters)
    stop = lgb.early_stopping(recipe.options.patience, verbose=False, min_delta=_LEAST_GAIN)
    lgb.train(
        parameters, data, recipe.options.max_trees, valid_sets=[data.create_valid(X[held], y[held])],
        valid_names=["held"], callbacks=[stop, lgb.record_evaluation(curve)],
    )  # fmt: skip
    return curve["held"]["binary_logloss"]


def _best(works: dict[str, Callable[[], Any]], repeats: int) -> dict[str, Any]:
    """Wall-clock and processor seconds of each, in turns after a first one that warms up."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for k in range(repeats + 1):
        for name, work in works.items():
            begin, cpu = time.perf_counter(), time.process_time()
            work()
            if k:
                taken[name].append((time.perf_counter() - begin, time.process_time() - cpu))
    return {
        name: {"seconds": min(wall for wall, _ in every), "cpu_seconds": min(cpu for _, cpu in every)}
        for name, every in taken.items()
    }


# ------------------------------------------------------------------- many rows


def many_rows(rows: int) -> dict[str, Any]:
    """Fit and score so many rows of seventy columns, and the largest memory so far after each step."""
    _warm_up()
    X, bad = rows_of(rows, _COLUMNS)
    frame, categories = named(X)
    found: dict[str, Any] = {"columns": _COLUMNS, "data_mb": X.nbytes / 1e6, "before_mb": peak_mb()}
    options = BoosterOptions(max_trees=_MANY_TREES)
    model = CreditScoreModel(categories=categories, booster=options, own_booster_gap=None)
    for name, work in (
        ("fit", lambda: model.fit(frame, bad)),
        ("predict_score", lambda: model.predict_score(frame)),
        ("explain", lambda: model.explain(frame)),
    ):
        begin, cpu = time.perf_counter(), time.process_time()
        work()
        seconds, busy = time.perf_counter() - begin, time.process_time() - cpu
        found[name] = {"seconds": seconds, "cpu_seconds": busy, "peak_mb": peak_mb()}
    return found | {"trees": model.booster_.num_trees()}


def _warm_up() -> None:
    """Machine code is loaded before the clock runs."""
    frame, categories = named(rows_of(2_000, _COLUMNS)[0])
    bad = rows_of(2_000, _COLUMNS)[1]
    options = BoosterOptions(max_trees=20)
    CreditScoreModel(categories=categories, booster=options, own_booster_gap=None, tolerance=1.0).fit(
        frame, bad
    ).explain(frame)
