"""Alembic migrations of the store; :func:`benne.scoring.store.open_store` runs them."""
