"""Consented, explained credit scores from 350 to 950 that add up exactly.

The names below are the ones to build on; each is loaded when it is first used, so that
``import benne`` costs nothing. Everything else lives in the packages ``benne.features``,
``benne.models``, ``benne.explain``, ``benne.scoring`` and ``benne.experiments``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benne.errors import BenneError
    from benne.features import ConsentMask, build_features
    from benne.models import CreditScoreModel
    from benne.scoring import ConsentLedger, Scorer

__all__ = [
    "BenneError",
    "ConsentLedger",
    "ConsentMask",
    "CreditScoreModel",
    "Scorer",
    "build_features",
]

_HOME = {
    "BenneError": "benne.errors",
    "ConsentLedger": "benne.scoring",
    "ConsentMask": "benne.features",
    "CreditScoreModel": "benne.models",
    "Scorer": "benne.scoring",
    "build_features": "benne.features",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
