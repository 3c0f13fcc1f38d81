"""What a process of the explanations benchmark does; started by :func:`measuring.run_job`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from explanation_documents import documents
from measuring import answer
from model_world import named, rows_of

from benne.explain.reason_groups import reason_groups
from benne.explain.reasons import Method, key_factors_of, reasons_of
from benne.features import registry
from benne.features.specification import FeatureSpec
from benne.models import BoosterOptions, CreditScoreModel

Answer = dict[str, Any]

_COLUMNS: Final = 60
_A_GROUP: Final = 3
_TRAINED_ON: Final = 30_000
_FEW: Final = 5_000
_AT_ONCE: Final = 4_096
_REPEATS: Final = 3
_SINGLE: Final = 300


def world(folder: str, trees: int) -> Answer:
    """A model of random rows, saved as one that serves would be."""
    X, bad = rows_of(_TRAINED_ON, _COLUMNS)
    frame, categories = named(X)
    # So slowly that the folds want all the trees.
    options = BoosterOptions(max_trees=trees, patience=trees, learning_rate=0.025)
    fitted = CreditScoreModel(categories, booster=options, own_booster_gap=None, unconstrained_price=False)
    model = fitted.fit(frame, bad)
    model.save(Path(folder) / "model")
    groups = reason_groups(list(frame.columns), _specs(list(frame.columns)))
    return {"trees": model.booster_.num_trees(), "groups": len(groups.codes)}


def reasons(folder: str, members: int) -> Answer:
    """Members a second of one thread, ours and LightGBM's in turns; and what the reasons are like."""
    model, frame = _loaded(folder, members)
    specs, booster, few = _specs(list(frame.columns)), model.booster_, frame.to_numpy()[:_FEW]
    everybody = Method("everybody")
    reasons_of(model, frame.head(300), method=everybody, registry=specs)  # for the machine code
    works: dict[str, tuple[int, Callable[[], Any]]] = {
        "everything": (members, lambda: _in_turn(frame, partial(reasons_of, model, method=everybody, registry=specs))),
        "key_factors": (members, lambda: _in_turn(frame, partial(key_factors_of, model, registry=specs))),
        "points": (members, lambda: _in_turn(frame, model.explain)),
        "pred_contrib": (len(few), lambda: booster.predict(few, pred_contrib=True, num_threads=1)),
    }
    found: Answer = {name: rows / _best(work) for name, (rows, work) in works.items()}
    given = reasons_of(model, frame, method=everybody, registry=specs)
    found["reasons"] = float(np.mean([len(one.reasons) for one in given]))
    found["factors"] = float(np.mean([len(one.key_factors) for one in given]))
    return found | {"gap": model.explain(frame).largest_gap, "swapped": _swapped(model, frame, specs)}


def one(folder: str) -> Answer:
    """Microseconds of one member at a time."""
    model, frame = _loaded(folder, _SINGLE)
    specs, taken = _specs(list(frame.columns)), []
    for k in range(_SINGLE):
        begin = time.perf_counter()
        reasons_of(model, frame.iloc[[k]], method=Method("everybody"), registry=specs)
        taken.append((time.perf_counter() - begin) * 1e6)
    p50, p99 = np.percentile(taken[_SINGLE // 10 :], [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def _loaded(folder: str, members: int) -> tuple[CreditScoreModel, pd.DataFrame]:
    model = CreditScoreModel.load(Path(folder) / "model")
    for trees in model._function.trees:
        trees._threads = 1
    return model, named(rows_of(members, _COLUMNS, 1)[0])[0]


def _specs(names: list[str]) -> dict[str, FeatureSpec]:
    """Groups of three neighbours, about as many to a group as in the registry."""
    like = next(iter(registry.values()))
    return {name: replace(like, name=name, reason_group=f"group {k // _A_GROUP}") for k, name in enumerate(names)}


def _swapped(model: CreditScoreModel, frame: pd.DataFrame, specs: dict[str, FeatureSpec]) -> float:
    """Share of members whose first reason by Shapley values moves the score less than the second."""
    groups = reason_groups(list(frame.columns), specs)
    points = model.explain(frame).points.to_numpy()
    average = np.array(list(model.reference_.average_points().points.values()))
    short = groups.sums(average - points)
    effect = model.neutralised(frame, [[frame.columns[k] for k in own] for own in groups.columns]).effect
    first, second = np.argsort(-short, axis=1)[:, :2].T
    rows = np.arange(len(frame))
    return float((effect[rows, first] < effect[rows, second]).mean())


def _in_turn(frame: pd.DataFrame, explain: Callable[[pd.DataFrame], Any]) -> None:
    """A few thousand members after the other, as they are written somewhere: nobody holds all of them at once."""
    for start in range(0, len(frame), _AT_ONCE):
        explain(frame.iloc[start : start + _AT_ONCE])


def _best(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(_REPEATS):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return min(taken)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(answer({"world": world, "reasons": reasons, "one": one, "documents": documents}))
