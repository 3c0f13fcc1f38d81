"""Runs migrations on the connection it is given: there is no alembic.ini and no second address."""

from __future__ import annotations

from alembic import context

from benne.scoring.store.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
