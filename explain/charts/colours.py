"""Colours that colour-blind people tell apart, and that print in grey as well (Okabe and Ito, 2008)."""

from __future__ import annotations

from typing import Final

__all__ = ["ADVERSE", "FAVOURABLE", "INK", "LINE", "QUIET", "ramp"]

FAVOURABLE: Final = "#0072b2"
ADVERSE: Final = "#b34700"  # their vermilion, darkened to 5.6:1 on white so that it may carry text
INK: Final = "#1f2933"
QUIET: Final = "#52606d"
LINE: Final = "#cbd2d9"

_LIGHT: Final = (203, 222, 238)
_DARK: Final = (0, 68, 124)


def ramp(count: int) -> list[str]:
    """Steps of one blue from light to dark, so that grey paper keeps their order.

    Examples
    --------
    >>> ramp(2)
    ['#cbdeee', '#00447c']
    """
    steps = [step / max(count - 1, 1) for step in range(count)]
    mixed = [[round(a + (b - a) * s) for a, b in zip(_LIGHT, _DARK, strict=True)] for s in steps]
    return ["#" + "".join(f"{part:02x}" for part in one) for one in mixed]
