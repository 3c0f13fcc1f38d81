"""Whole points that still add up."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["whole_parts"]


def whole_parts(parts: Sequence[float], whole: int) -> list[int]:
    """Round parts to integers that add up to ``whole``.

    Parameters
    ----------
    parts : sequence of float
        Exact parts; their sum should be within half a point per part of ``whole``.
    whole : int
        What the rounded parts must add up to.

    Returns
    -------
    list of int
        Each part rounded down, plus one for those with the largest remainders.

    Raises
    ------
    ValueError
        If the parts are too far from the whole for any rounding to close the gap.

    Notes
    -----
    The method of largest remainders (Hamilton); ties go to the earlier part.

    Examples
    --------
    >>> whole_parts([600.4, -10.7, 3.3], 593)
    [601, -11, 3]
    >>> whole_parts([1.0], 5)
    Traceback (most recent call last):
    ...
    ValueError: Parts must add up to the whole within one point each, got 1 parts and a gap of 4.
    """
    down = [math.floor(part) for part in parts]
    gap = whole - sum(down)
    if not -len(parts) <= gap <= len(parts):
        raise ValueError(
            f"Parts must add up to the whole within one point each, got {len(parts)} parts and a gap of {gap}."
        )
    by_remainder = sorted(range(len(parts)), key=lambda k: (down[k] - parts[k], k))
    lifted = by_remainder[:gap] if gap >= 0 else by_remainder[gap:]
    step = 1 if gap >= 0 else -1
    return [value + (step if k in set(lifted) else 0) for k, value in enumerate(down)]
