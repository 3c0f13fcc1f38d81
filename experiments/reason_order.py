"""How often plain Shapley values put reasons in an order that the score does not follow, on the UCI Taiwan data.

``python -m benne.experiments.reason_order`` prints what docs/explanations.md says of it; half a minute.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from benne.experiments.datasets import load
from benne.experiments.datasets.trial import trial_of
from benne.explain.reason_groups import reason_groups
from benne.features import SubjectKey, registry

__all__ = ["wrong_order"]

Floats = npt.NDArray[np.float64]

_FIRST: Final = 4
_SAME: Final = 1e-9


def wrong_order(shortfall: Floats, effect: Floats) -> tuple[float, float]:
    """Shares of members whose causes, ordered by their shortfall, are not in the order of their effects.

    Parameters
    ----------
    shortfall : ndarray of float64, shape (n, causes)
        Points that others have on average and each member has not; only what is positive is a cause.
    effect : ndarray of float64, shape (n, causes)
        Points by which the score rises where a cause is neutralised.

    Returns
    -------
    tuple of float
        For whom the first moves the score less than the second, and for whom some of the first four does so.

    Examples
    --------
    >>> wrong_order(np.array([[9.0, 5.0, 1.0], [9.0, 5.0, 1.0]]), np.array([[7.0, 8.0, 0.0], [8.0, 1.0, 2.0]]))
    (0.5, 1.0)
    """
    order = np.argsort(-shortfall, axis=1, kind="stable")[:, :_FIRST]
    short, moved = np.take_along_axis(shortfall, order, axis=1), np.take_along_axis(effect, order, axis=1)
    wrong = (short[:, 1:] > _SAME) & (np.diff(moved, axis=1) > _SAME)
    return float(wrong[:, 0].mean()), float(wrong.any(axis=1).mean())


def _main() -> None:
    key = SubjectKey(bytes(32))  # public data, and no id of it is kept
    trial = trial_of(load("taiwan"), key=key, ingested_at=datetime(2026, 1, 1, tzinfo=UTC))
    train, test = trial.folds[0]
    model, rows = trial.fitted(train, 0.0), trial.features.iloc[test]
    names = list(model.feature_names_in_)
    explanation = model.explain(rows[names])
    groups = reason_groups(names, registry)
    average = np.array(list(model.reference_.average_points().points.values()))
    effect = model.neutralised(rows[names], [[names[place] for place in own] for own in groups.columns]).effect
    first, some = wrong_order(groups.sums(average - explanation.points.to_numpy()), effect)
    sys.stdout.write(
        f"{len(rows):,} held-out members: the first cause moves the score less than the second for {first:.1%};\n"
        f"some of the first four stand in the wrong order for {some:.1%}.\n"
    )


if __name__ == "__main__":
    _main()
