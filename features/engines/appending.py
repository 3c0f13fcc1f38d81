"""New raw rows of members the store knows: held against the rules together with what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventValueError
from benne.features.engines.store_identities import Taken, check_identities
from benne.features.engines.store_members import Tables
from benne.features.events.batches import Door
from benne.features.events.currency import check_currency
from benne.features.events.digest import first_known
from benne.features.events.intake import Intake, in_memory
from benne.features.events.integrity import check_integrity
from benne.features.events.layout import Layout
from benne.features.events.sources import raw_from_mapping
from benne.features.events.tables import TABLES
from benne.features.events.validation import check_names, stored_schema
from benne.features.events.views import connect, create_view

__all__ = ["Appended", "Held", "appended"]

_STORED: Final = "the rows that are stored already"


@dataclass(frozen=True)
class Held:
    """What is stored, which new rows are held against.

    Parameters
    ----------
    watermark : int
        No new row may have been known before it: an old observation would change.
    currency : str or None
        Of every amount; None while no row has named it.
    rows : callable
        From subject ids to the rows stored of them.
    taken : callable
        See :data:`benne.features.engines.store_identities.Taken`.
    """

    watermark: int
    currency: str | None
    rows: Callable[[list[str]], Mapping[str, Tables]]
    taken: Taken


@dataclass(frozen=True)
class Appended:
    """What an append comes to.

    Parameters
    ----------
    new : mapping of str to pyarrow.Table
        The new rows in stored form; no table is empty.
    members : mapping of str to dict of str to pyarrow.Table
        Of every member concerned, all rows: the stored ones and the new ones.
    known_since : mapping of (str, str) to int
        For every (table, column) in which a new row holds a value, when the first such row
        became known.
    currency : str or None
        Of every amount, stored or new.
    """

    new: Tables
    members: Mapping[str, Tables]
    known_since: Mapping[tuple[str, str], int]
    currency: str | None

    @property
    def rows(self) -> int:
        """How many rows are new."""
        return sum(table.num_rows for table in self.new.values())


def appended(raw: Mapping[str, Any], door: Door, held: Held) -> Appended:
    """Take new rows through the door.

    Parameters
    ----------
    raw : mapping of str to table
        As for :func:`benne.features.load_events`; ``members`` only holds who joins.
    door : Door
    held : Held

    Raises
    ------
    EventSchemaError, EventValueError
        As for :func:`benne.features.load_events`; what is stored counts as loaded with the new rows.
    """
    currency = _currency_of(door, held)
    new = _conformed(raw, door)
    _check_watermark(new, held.watermark)
    subjects = sorted({one for table in new.values() for one in pc.unique(table.column("subject_id")).to_pylist()})
    before = held.rows(subjects)
    whole = _together(new, before)
    _check(whole, door, currency)
    check_identities(new, held.taken, door.findings)
    since = {(name, column): since for name, table in new.items() for column, since in first_known(table).items()}
    return Appended(new, _by_member(whole), since, held.currency or _named(new, currency))


def _currency_of(door: Door, held: Held) -> str | None:
    """The currency the new amounts must be in, where it is known."""
    named = door.currency
    if named is not None and not re.fullmatch("[A-Z]{3}", named):
        raise EventValueError("currency must be an ISO 4217 code, got something else. Name it like EUR.")
    if named and held.currency and named != held.currency:
        raise EventValueError(f"currency must be the store's own, {held.currency}, got {named}. Convert the amounts.")
    return held.currency or named


def _named(new: Tables, expected: str | None) -> str | None:
    """The currency that new rows name; the expected one where they hold amounts and name none."""
    columns = [table.column("currency") for table in new.values() if "currency" in table.column_names]
    named = [one for column in columns for one in pc.unique(column).to_pylist() if one is not None]
    return named[0] if named else expected if columns else None


def _conformed(raw: Mapping[str, Any], door: Door) -> Tables:
    # Only the door for a first load asks for the table of members.
    named = raw if "members" in raw else {**raw, "members": _nobody()}
    tables = (check_names(table, door.findings) for table in raw_from_mapping(named, door.findings))
    taken = {table.name: in_memory(Intake(table, door)) for table in tables}
    return {name: table for name, table in taken.items() if table.num_rows}


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
        # In one piece: thousands of members' pieces would each be looked at for every row.
        every = pa.concat_tables([empty, *stored, *added]).combine_chunks()
        whole[name] = every, sum(table.num_rows for table in stored)
    return whole


def _check(whole: Mapping[str, tuple[pa.Table, int]], door: Door, currency: str | None) -> None:
    layouts = {}
    with connect() as connection:
        for name, (table, stored) in whole.items():
            create_view(connection, name, table)
            layouts[name] = Layout(name)
            layouts[name].add(_STORED, stored)
            layouts[name].add("", table.num_rows - stored)
        check_integrity(connection, layouts, door.findings)
        check_currency(connection, layouts, currency, door.findings)


def _by_member(whole: Mapping[str, tuple[pa.Table, int]]) -> dict[str, Tables]:
    found: dict[str, Tables] = {}
    for name, (table, _) in whole.items():
        for subject, rows in _runs(table):
            found.setdefault(subject, {})[name] = rows
    return found


def _runs(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each member's rows, in the order they came; sorted once, whatever the number of members."""
    encoded = table.column("subject_id").combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(encoded.dictionary))).tolist()
    grouped = table.take(order)
    for subject, begin, end in zip(encoded.dictionary.to_pylist(), [0, *ends], ends, strict=False):
        yield subject, grouped.slice(begin, end - begin)
