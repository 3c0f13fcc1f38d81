"""What the parameters of the estimator may be: looked at when they are used, as scikit-learn asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benne.errors import ParameterError
from benne.models.additive_booster import BoosterOptions
from benne.models.category_layout import checked_tolerance
from benne.models.scale import ScoreScale

__all__ = ["check_level", "checked_parameters"]


def checked_parameters(parameters: Mapping[str, Any]) -> tuple[BoosterOptions, ScoreScale]:
    """The booster's options and the scale, once every parameter is one that a model can have.

    Raises
    ------
    ParameterError
    """
    options = BoosterOptions() if parameters["booster"] is None else parameters["booster"]
    scale = ScoreScale() if parameters["scale"] is None else parameters["scale"]
    if not isinstance(options, BoosterOptions):
        raise ParameterError(f"booster must be BoosterOptions or None, got {type(options).__name__}.")
    if not isinstance(scale, ScoreScale):
        raise ParameterError(f"scale must be a ScoreScale or None, got {type(scale).__name__}.")
    if not isinstance(parameters["tolerance"], Mapping):
        checked_tolerance(parameters["tolerance"])
    _check_seed(parameters["random_state"])
    _check_gap(parameters["own_booster_gap"])
    if not isinstance(parameters["unconstrained_price"], bool):
        raise ParameterError(
            f"unconstrained_price must be True or False, got {type(parameters['unconstrained_price']).__name__}."
        )
    options.check()
    scale.check()
    return options, scale


def check_level(level: object) -> None:
    """Refuse what is no chance.

    Raises
    ------
    ParameterError
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ParameterError(f"level must be a number between 0 and 1, got {level!r}.")


def _check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
        raise ParameterError(f"random_state must be a whole number from 0 to 2**31 - 1, got {seed!r}.")


def _check_gap(gap: object) -> None:
    if gap is not None and (isinstance(gap, bool) or not isinstance(gap, (int, float)) or not 0.0 <= gap <= 1.0):
        raise ParameterError(f"own_booster_gap must be a number within [0, 1] or None, got {gap!r}.")
