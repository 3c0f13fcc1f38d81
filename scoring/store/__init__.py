"""The database: its tables, its migrations, and how it is opened."""

from __future__ import annotations

from benne.scoring.store.database import Store, open_store

__all__ = ["Store", "open_store"]
