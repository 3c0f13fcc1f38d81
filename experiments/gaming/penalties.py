"""Booster options under which some features may say less, or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from benne.errors import GamingError
from benne.features.specification import FeatureSpec
from benne.features.spending import effect_of_spending
from benne.models import BoosterOptions

__all__ = ["PENALTIES", "guarded_against_spending", "penalised", "rewards_spending"]

PENALTIES = "feature_contri"
"""LightGBM's parameter: what each feature's gain is multiplied by when a split is chosen; at 0 it is never split on."""


def penalised(options: BoosterOptions, columns: Sequence[str], penalties: Mapping[str, float]) -> BoosterOptions:
    """Options under which splits on some features count for less.

    Parameters
    ----------
    options : BoosterOptions
        Penalties already in it are multiplied with these.
    columns : sequence of str
        Features of the fit, in their order.
    penalties : mapping of str to float
        From 0 (never split on) to 1; 1 for those not named.

    Raises
    ------
    GamingError

    Examples
    --------
    >>> penalised(BoosterOptions(), ["late", "friends"], {"friends": 0.0}).extra
    {'feature_contri': [1.0, 0.0]}
    >>> penalised(BoosterOptions(), ["late"], {"late": 2.0})
    Traceback (most recent call last):
    ...
    benne.errors.GamingError: A penalty must lie within [0, 1], got 2.0 for 'late'. Correct it.
    """
    for name, penalty in penalties.items():
        if not 0 <= penalty <= 1:
            raise GamingError(f"A penalty must lie within [0, 1], got {penalty} for {name!r}. Correct it.")
    before = options.extra.get(PENALTIES, [1.0] * len(columns))
    after = [held * float(penalties.get(name, 1.0)) for held, name in zip(before, columns, strict=True)]
    return dataclasses.replace(options, extra={**options.extra, PENALTIES: after})


def rewards_spending(spec: FeatureSpec) -> bool:
    """Whether a model may learn that spending more is better: it moves the value, and no direction forbids it.

    Where a direction is declared, registration has made sure that spending more cannot lower the risk; but no direction
    governs the step from null to a value, which a first purchase takes.

    Examples
    --------
    >>> from benne.features import registry
    >>> rewards_spending(registry["spending_trend_90d"]), rewards_spending(registry["failed_payments_180d"])
    (True, False)
    """
    effects = [
        effect_of_spending(spec.expression, more, never_negative=spec.minimum >= 0) for more in ("amounts", "counts")
    ]
    return any(effect != {0} for effect in effects) and (spec.direction == 0 or not spec.never_null)


def guarded_against_spending(
    options: BoosterOptions, columns: Sequence[str], registry: Mapping[str, FeatureSpec]
) -> BoosterOptions:
    """Options under which no feature can reward spending on the platform; the columns stay, and say nothing."""
    mute = {name: 0.0 for name in columns if name in registry and rewards_spending(registry[name])}
    return penalised(options, columns, mute) if mute else options
