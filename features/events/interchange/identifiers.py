"""Which member an identifier belongs to that two institutions both know, and what leaves in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.errors import EventSchemaError, EventValueError
from benne.features.events.interchange.manifest import MEMBER_DOMAIN
from benne.features.events.keys import SubjectKey

__all__ = ["member_refs", "read_identifiers"]

_COLUMNS: Final = ("member_id", "identifier")


def read_identifiers(source: Any) -> pa.Table:
    """Members' shared identifiers, as text.

    Parameters
    ----------
    source : DataFrame, pyarrow.Table or path of a Parquet file
        ``member_id``, the raw id as in the table of members, and ``identifier``, in exactly the
        writing the institutions agreed on.

    Returns
    -------
    pyarrow.Table
        The two columns as strings, each value once.

    Raises
    ------
    EventSchemaError
        A column is missing, or neither text nor whole numbers.
    EventValueError
        A cell is null or empty, or a member or an identifier is there twice.
    """
    table = _table(source)
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise EventSchemaError(f"identifiers must have the column(s) {', '.join(missing)}, got none. Add them.")
    columns = {name: _text(name, table.column(name).combine_chunks()) for name in _COLUMNS}
    for name, values in columns.items():
        if pc.any(pc.or_kleene(pc.is_null(values), pc.equal(values, ""))).as_py():
            raise EventValueError(f"identifiers.{name} must be in every row, got some without. Drop those rows.")
        if pc.count_distinct(values).as_py() < len(values):
            raise EventValueError(
                f"identifiers.{name} must be unique, got some twice: one member has one identifier, and the other "
                "way round. Join the accounts, or leave both out."
            )
    return pa.table(columns)


def member_refs(identifiers: pa.Table, exchange_key: SubjectKey) -> pa.Array:
    """What stands for each member between the two holders of the exchange key, and for nobody else."""
    return exchange_key.key_column(identifiers.column("identifier"), MEMBER_DOMAIN)


def _table(source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pd.DataFrame):
        return pa.Table.from_pandas(source, preserve_index=False)
    try:
        return pq.read_table(Path(source))
    except (OSError, pa.ArrowException):
        raise EventSchemaError(f"identifiers must be a Parquet file, got something else: {source}. Name one.") from None


def _text(name: str, values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        raise EventSchemaError(f"identifiers.{name} must be text or whole numbers, got {kind}. Convert it first.")
    return pc.cast(values, pa.string())
