"""New raw rows of members the store knows: held against the rules together with what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventValueError
from benne.features.events.batches import Door
from benne.features.events.currency import check_currency
from benne.features.events.digest import least
from benne.features.events.intake import Intake, in_memory
from benne.features.events.integrity import check_integrity
from benne.features.events.layout import Layout
from benne.features.events.sources import raw_from_mapping
from benne.features.events.tables import TABLES
from benne.features.events.validation import check_names, stored_schema
from benne.features.events.views import connect, create_view

__all__ = ["Appended", "appended"]

_STORED: Final = "the rows that are stored already"

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Appended:
    """What an append comes to.

    Parameters
    ----------
    members : mapping of str to dict of str to pyarrow.Table
        Of every member concerned, all rows: the stored ones and the new ones.
    rows : int
        How many rows are new.
    known_since : mapping of (str, str) to int
        For every (table, column) in which a new row holds a value, when the first such row
        became known.
    """

    members: Mapping[str, Tables]
    rows: int
    known_since: Mapping[tuple[str, str], int]


def appended(
    raw: Mapping[str, Any], door: Door, watermark: int, stored: Callable[[list[str]], Mapping[str, Tables]]
) -> Appended:
    """Take new rows through the door.

    Parameters
    ----------
    raw : mapping of str to table
        As for :func:`benne.features.load_events`; ``members`` only holds who joins.
    door : Door
    watermark : int
        No row may have been known before it: an old observation would change.
    stored : callable
        From subject ids to the rows stored of them.

    Raises
    ------
    EventSchemaError, EventValueError
        As for :func:`benne.features.load_events`; the stored rows count as loaded with the new ones.
    """
    new = _conformed(raw, door)
    _check_watermark(new, watermark)
    subjects = sorted({one for table in new.values() for one in pc.unique(table.column("subject_id")).to_pylist()})
    before = stored(subjects)
    whole = _together(new, before)
    _check(whole, door)
    return Appended(
        {subject: _of(subject, whole) for subject in subjects},
        sum(table.num_rows for table in new.values()),
        {(name, column): since for name, table in new.items() for column, since in _known_since(table).items()},
    )


def _conformed(raw: Mapping[str, Any], door: Door) -> Tables:
    # Only the door for a first load asks for the table of members.
    named = raw if "members" in raw else {**raw, "members": _nobody()}
    tables = (check_names(table, door.findings) for table in raw_from_mapping(named, door.findings))
    taken = {table.name: in_memory(Intake(table, door)) for table in tables}
    return {name: table for name, table in taken.items() if table.num_rows}


def _known_since(table: pa.Table) -> dict[str, int]:
    """When each column that holds a value first held one that was known."""
    filled = [name for name in table.column_names if table.column(name).null_count < table.num_rows]
    return {name: least(table.column("known_at").filter(table.column(name).is_valid())) for name in filled}


def _nobody() -> pa.Table:
    """A raw table of members without a row."""
    moment = pa.timestamp("us", "UTC")
    return pa.table({
        "record_id": pa.array([], pa.string()), "member_id": pa.array([], pa.string()),
        "event_time": pa.array([], moment), "known_at": pa.array([], moment), "adult": pa.array([], pa.bool_()),
    })  # fmt: skip


def _check_watermark(new: Tables, watermark: int) -> None:
    for name, table in new.items():
        early = int(pc.sum(pc.less(table.column("known_at"), watermark)).as_py() or 0)
        if early:
            raise EventValueError(
                f"{name}.known_at must not be before the store's watermark, got {early} row(s) that are: a score "
                "already given would change. Leave known_at out; what is learned late is known from now on."
            )


def _together(new: Tables, before: Mapping[str, Tables]) -> dict[str, tuple[pa.Table, int]]:
    """Per table, the stored rows and behind them the new ones, and how many are stored."""
    names = {*new, *(name for tables in before.values() for name in tables), "members"}
    whole = {}
    for name in (n for n in TABLES if n in names):
        stored = [tables[name] for tables in before.values() if name in tables]
        empty = stored_schema(TABLES[name]).empty_table()
        added = [new[name]] if name in new else []
        whole[name] = pa.concat_tables([empty, *stored, *added]), sum(table.num_rows for table in stored)
    return whole


def _check(whole: Mapping[str, tuple[pa.Table, int]], door: Door) -> None:
    layouts = {}
    with connect() as connection:
        for name, (table, stored) in whole.items():
            create_view(connection, name, table)
            layouts[name] = Layout(name)
            layouts[name].add(_STORED, stored)
            layouts[name].add("", table.num_rows - stored)
        check_integrity(connection, layouts, door.findings)
        check_currency(connection, layouts, door.currency, door.findings)


def _of(subject: str, whole: Mapping[str, tuple[pa.Table, int]]) -> Tables:
    found = {name: table.filter(pc.equal(table.column("subject_id"), subject)) for name, (table, _) in whole.items()}
    return {name: table for name, table in found.items() if table.num_rows}
