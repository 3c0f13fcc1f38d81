"""How rows that correct a member's events are written: every table they may be of, column by column, and an example."""

from __future__ import annotations

import json
from typing import Final

from starlette.responses import Response

from benne.features.events.tables import COMMON, TABLES
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit

__all__ = ["EXAMPLE", "PAGES"]

EXAMPLE: Final = json.dumps(
    {
        "repayments": [
            {
                "record_id": "correction-4711-1",
                "supersedes": "r-90817",
                "member_id": "m00000004",
                "event_time": "2026-06-01T00:00:00Z",
                "due_id": "d-5521",
                "obligation_id": "o-318",
                "amount": 12500,
            }
        ]
    },
    indent=2,
)
"""A payment that was entered late, once more with its true day: it takes the place of the row it supersedes."""


def show(visit: Visit) -> Response:
    """Every event table but the members' own, whom a correction does not make."""
    tables = [table for name, table in TABLES.items() if name != "members"]
    return visit.show("event_tables", tables=tables, common=COMMON, example=EXAMPLE)


PAGES = (Page("GET", "/console/event-tables", show),)
