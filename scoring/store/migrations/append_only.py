"""Triggers that close a table to everything but INSERT."""

from __future__ import annotations

__all__ = ["closing"]


def closing(table: str, key: str, dialect: str, *, unique: str | None = None) -> list[str]:
    """Statements after which no row of a table can be changed, deleted or replaced.

    Parameters
    ----------
    table : str
    key : str
        Columns of its key, comma-separated.
    dialect : {'postgresql', 'sqlite'}
    unique : str, optional
        A column besides, of which no two rows have the same.
    """
    if dialect == "postgresql":
        refuse = "EXECUTE FUNCTION benne_append_only()"  # of migration 0001
        return [
            f"CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    same = " AND ".join(f"{column} = NEW.{column}" for column in key.split(", "))
    if unique is not None:
        same = f"({same}) OR {unique} = NEW.{unique}"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        # INSERT OR REPLACE deletes without asking the DELETE trigger, unless a pragma says so.
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - names of our own
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refuse}",
    ]
