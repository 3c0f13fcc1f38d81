"""What every table of the live side is made with.

All of them together are in :mod:`benne.scoring.store.schema`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData

__all__ = ["METADATA", "VERSION_TABLE", "one_of", "sequence"]

VERSION_TABLE: Final = "benne_schema_version"
METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """Refuse every other word in a column."""
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, allowed))})", name=column)


def sequence() -> Column[int]:
    """The key of a chain: from 1 without gaps, in the order of writing."""
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
