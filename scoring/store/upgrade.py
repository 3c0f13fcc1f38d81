"""Which version a database is of, and the way to this one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from benne.errors import StoreError
from benne.scoring.store.schema import VERSION_TABLE

__all__ = ["bring_up_to_date", "migration_config"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for this package's migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def bring_up_to_date(connection: Connection, *, migrate: bool) -> None:
    """Migrate an empty or older database; refuse a foreign or newer one.

    Raises
    ------
    StoreError
        If the database is not Benne's, is newer, or is older and ``migrate`` is False.
    """
    config = migration_config(connection)
    script = ScriptDirectory.from_config(config)
    current = _version(connection)
    if current == script.get_current_head():
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            "The store must be of this Benne's version or older, got a newer one. Upgrade Benne to open it."
        )
    if not migrate:
        raise StoreError(
            "The store must be of this Benne's version, got an older or empty one. Open it once with migrate=True."
        )
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if set(inspect(connection).get_table_names()) - {VERSION_TABLE}:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        version = context.get_current_revision()
        if version is None:
            raise StoreError(
                "The store must be empty or Benne's own, got a database with other tables. "
                "Give Benne a database of its own."
            )
        return version
    return None
