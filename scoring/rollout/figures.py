"""Figures of the roll-out that is under way, for metrics: its step, and how its challenger bears up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from benne.scoring.decisions.promotion import promoted
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.register import newest_rollout, reason_to_end
from benne.scoring.rollout.rollout import BASIS_POINTS, State
from benne.scoring.rollout.shadow_counts import COMPARED

__all__ = ["SHADOW_KINDS", "RolloutFigures", "rollout_figures"]

SHADOW_KINDS: Final = {"compared": COMPARED, "failed": "shadow.failed", "dropped": "shadow.dropped"}
"""What becomes of answers that the shadow is shown, by the name of its counts."""
_FAILED_SERVING: Final = "staged.failed"


@dataclass(frozen=True, slots=True)
class RolloutFigures:
    """How a roll-out stands, by the register and by what all processes have counted.

    Neither how many members the challenger served nor how many it refused is told: whoever asked for one member and
    read the metrics would learn which share the member is in, and what is known of them.

    Parameters
    ----------
    state : {'shadow', 'staged'}
    share : float
        Of members whom the challenger serves, 0 to 1.
    shadow : dict of str to int
        Answers ``compared`` in the shadow, those that the challenger ``failed`` at, those ``dropped`` unseen.
    failures : int
        Passes in which the challenger failed while it served.
    """

    state: State
    share: float
    shadow: dict[str, int]
    failures: int


def rollout_figures(connection: Connection) -> RolloutFigures | None:
    """Those of the roll-out that is under way; None where none is."""
    newest = newest_rollout(connection)
    if newest is None or not newest.stands or reason_to_end(newest, promoted(connection)) is not None:
        return None
    names = [*SHADOW_KINDS.values(), _FAILED_SERVING]
    sums = LiveCounts.totals(connection, newest.rollout_id, names)
    return RolloutFigures(
        newest.state,
        newest.share_basis_points / BASIS_POINTS,
        {kind: sums.get(name, 0) for kind, name in SHADOW_KINDS.items()},
        sums.get(_FAILED_SERVING, 0),
    )
