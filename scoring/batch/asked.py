"""Who asks for scores, for whom and what for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Asked"]


@dataclass(frozen=True)
class Asked:
    """What scores are asked for, for whom, and by whom."""

    purpose: str
    recipient: str
    actor: str
