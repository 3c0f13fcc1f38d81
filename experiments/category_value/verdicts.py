"""Whether a category earns its weight, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from benne.experiments.category_value.options import FEWEST_OF_A_KIND

__all__ = ["Verdict", "verdict_of"]

Words = Literal["earns its weight", "no measurable gain", "costs accuracy", "INSUFFICIENT"]

_BETTER: Final = {"auc": 1.0, "log_loss": -1.0}
"""What a verdict rests on, and which side of zero is the better one: ranking, and probabilities."""

_WORDS: Final = {"auc": "AUC", "log_loss": "log loss"}


@dataclass(frozen=True)
class Verdict:
    """Whether a category earns its weight, and by which figures.

    Parameters
    ----------
    words : {"earns its weight", "no measurable gain", "costs accuracy", "INSUFFICIENT"}
    why : str
    """

    words: Words
    why: str


def verdict_of(held: Mapping[str, Any] | None, bad: int, good: int) -> Verdict:
    """Judge by the differences under the contract: with the category minus without it.

    Parameters
    ----------
    held : mapping or None
        ``auc_difference`` and ``log_loss_difference`` with ``_low`` and ``_high``; None where there is no model.
    bad, good : int
        Rows that both were measured on.

    Notes
    -----
    It earns its weight where one of both is better beyond its 95 % interval and the other is not worse; it costs
    accuracy where one is worse and the other not better. Where one is better and the other worse, there is no gain to
    speak of, and the reason says so.

    Examples
    --------
    >>> gain = {"auc_difference": 0.01, "auc_difference_low": 0.004, "auc_difference_high": 0.016,
    ...         "log_loss_difference": -0.001, "log_loss_difference_low": -0.003, "log_loss_difference_high": 0.001}
    >>> verdict_of(gain, 500, 5000).words
    'earns its weight'
    >>> verdict_of(gain, 30, 324).words
    'INSUFFICIENT'
    """
    if held is None:
        return Verdict("INSUFFICIENT", "The weights cannot hold with it, or without it: there is nothing to compare.")
    if min(bad, good) < FEWEST_OF_A_KIND:
        return Verdict("INSUFFICIENT", f"Fewer than {FEWEST_OF_A_KIND} bad or good rows cannot tell categories apart.")
    sides = {name: _side(held, name) for name in _BETTER}
    told = "; ".join(f"{_WORDS[name]} {_said(held, name)}" for name in _BETTER)
    better, worse = 1.0 in sides.values(), -1.0 in sides.values()
    if better and not worse:
        return Verdict("earns its weight", f"Better with it: {told}.")
    if worse and not better:
        return Verdict("costs accuracy", f"Worse with it: {told}.")
    mixed = "Better in one way and worse in another" if better else "Not to be told from none"
    return Verdict("no measurable gain", f"{mixed}: {told}.")


def _side(held: Mapping[str, Any], name: str) -> float:
    """1: better beyond chance; -1: worse; 0: not to be told."""
    low, high = (held[f"{name}_difference_{end}"] for end in ("low", "high"))
    if low is None or high is None or not (np.isfinite(low) and np.isfinite(high)) or low <= 0.0 <= high:
        return 0.0
    return float(np.sign(low) * _BETTER[name])


def _said(held: Mapping[str, Any], name: str) -> str:
    value, low, high = (held[f"{name}_difference{end}"] for end in ("", "_low", "_high"))
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"
