"""How a challenger does beside the champion: its steps, who would be treated otherwise, and why; read-only."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from benne.explain.charts import Pair, paired_bars
from benne.models.scale import DEFAULT_BANDS, SCORE_MAX, SCORE_MIN
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.rollout.shadow_counts import CELL_POINTS
from benne.scoring.rollout.status import rollout_status

__all__ = ["PAGES"]

_FIRST: Final = int(SCORE_MIN) + CELL_POINTS
_LAST: Final = int(SCORE_MAX)


def show(visit: Visit) -> Response:
    """The newest roll-out; at a cut-off that is asked for, or at the lowest score of each band."""
    mark, wrong = _mark(visit)
    bands = getattr(getattr(visit.service.models.current.model, "scale_", None), "bands", DEFAULT_BANDS)
    with visit.service.store.read() as connection:
        status = rollout_status(connection, cutoffs=() if mark is None else (mark,), bands=bands)
    found = None if status is None else status.as_dict()
    return visit.show(
        "rollout", going=found, mark="" if mark is None else mark, wrong=wrong, first=_FIRST, last=_LAST,
        step=CELL_POINTS, picture="" if found is None else _picture(visit, found),
    )  # fmt: skip


def _mark(visit: Visit) -> tuple[int | None, bool]:
    """The cut-off of the address, and whether it is none: counts are kept by tens."""
    asked = visit.request.query_params.get("cutoff", "").strip()
    if not asked:
        return None, False
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 3):
        return None, True
    mark = int(asked)
    good = _FIRST <= mark <= _LAST and mark % CELL_POINTS == 0
    return (mark, False) if good else (None, True)


def _picture(visit: Visit, status: dict[str, Any]) -> str:
    """Shares of answers in each band, by champion and by challenger."""
    matrix = status["matrix"]
    names = [line["champion"] for line in matrix]
    total = sum(line[name] or 0 for line in matrix for name in names)
    if not total:
        return ""
    pairs = [
        Pair(
            visit.texts.band(name),
            sum(line[other] or 0 for line in matrix if line["champion"] == name for other in names) / total,
            sum(line[name] or 0 for line in matrix) / total,
        )
        for name in names
    ]
    legend = visit.say("console.rollout.champion"), visit.say("console.rollout.challenger")
    return paired_bars(pairs, visit.say("console.rollout.bands"), legend, name="rollout-bands")


PAGES = (Page("GET", "/console/rollout", show, entry="console.navigation.rollout"),)
