"""The vault's statements in the databases' own words.

A pass over a hundred members takes a handful of them, thousands of times a second, and compiling them anew would
take longer than running them. A list of any length is one parameter, so that a statement never changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection

__all__ = ["NOT_HELD", "Statements", "statements_for"]

_PAYLOAD: Final = (
    "p.payload_ref, p.subject_id, p.kind, p.created_at_us, p.retention_until_us, p.ciphertext, "
    "m.wrapped_key, m.master_key_id"
)

NOT_HELD: Final = (
    "NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.subject_id = member_payloads.subject_id "
    "AND NOT EXISTS (SELECT 1 FROM legal_hold_ends e WHERE e.hold_id = h.hold_id))"
)
"""Of rows of ``member_payloads``: no legal hold stands on their member."""


@dataclass(frozen=True)
class Statements:
    """The statements in one database's words.

    Parameters
    ----------
    place : str
        How a parameter is written.
    wanted : str
        How a list in one parameter becomes rows ``wanted(value)``.
    takes_lists : bool
        Whether the driver takes a list as it is; else it goes as JSON.
    """

    place: str
    wanted: str
    takes_lists: bool

    def list(self, values: Collection[str]) -> Any:
        """A list as one parameter."""
        return list(values) if self.takes_lists else json.dumps(list(values))

    @cached_property
    def keys(self) -> str:
        """Keys of a list of members."""
        return (
            f"SELECT m.subject_id, m.wrapped_key, m.master_key_id FROM {self.wanted} "  # noqa: S608 - names of our own
            "JOIN members m ON m.subject_id = wanted.value"
        )

    @cached_property
    def add_member(self) -> str:
        """One member with their first key."""
        return self._insert("members", "subject_id", "wrapped_key", "master_key_id", "created_at_us")

    @cached_property
    def add_payload(self) -> str:
        """One payload."""
        columns = ("payload_ref", "subject_id", "kind", "created_at_us", "retention_until_us", "ciphertext")
        return self._insert("member_payloads", *columns)

    @cached_property
    def latest(self) -> str:
        """The newest payload of a kind of a list of members who have a key."""
        return (
            f"SELECT {_PAYLOAD} FROM {self.wanted} "  # noqa: S608 - names of our own
            "JOIN members m ON m.subject_id = wanted.value AND m.wrapped_key IS NOT NULL "
            "JOIN member_payloads p ON p.seq = (SELECT max(newest.seq) FROM member_payloads newest "
            f"WHERE newest.subject_id = wanted.value AND newest.kind = {self.place})"
        )

    @cached_property
    def one(self) -> str:
        """One payload by its reference."""
        return (
            f"SELECT {_PAYLOAD} FROM member_payloads p "  # noqa: S608 - names of our own
            f"JOIN members m ON m.subject_id = p.subject_id WHERE p.payload_ref = {self.place}"
        )

    @cached_property
    def many(self) -> str:
        """Payloads by a list of references, of members who have a key."""
        return (
            f"SELECT {_PAYLOAD} FROM {self.wanted} "  # noqa: S608 - names of our own
            "JOIN member_payloads p ON p.payload_ref = wanted.value "
            "JOIN members m ON m.subject_id = p.subject_id AND m.wrapped_key IS NOT NULL"
        )

    @cached_property
    def remove(self) -> str:
        """Delete payloads by a list of references, whatever stands on their members."""
        return (
            "DELETE FROM member_payloads WHERE payload_ref IN "  # noqa: S608 - names of our own
            f"(SELECT wanted.value FROM {self.wanted})"
        )

    @cached_property
    def page(self) -> str:
        """Some payloads of a member, after one of them, in the order of writing; the place comes last."""
        return (
            f"SELECT {_PAYLOAD}, p.seq FROM member_payloads p "  # noqa: S608 - names of our own
            f"JOIN members m ON m.subject_id = p.subject_id WHERE p.subject_id = {self.place} AND p.seq > {self.place} "
            f"AND m.wrapped_key IS NOT NULL ORDER BY p.seq LIMIT {self.place}"
        )

    @cached_property
    def drop(self) -> str:
        """Delete payloads of a kind of a list of members, but not of the held."""
        return (
            f"DELETE FROM member_payloads WHERE kind = {self.place} "  # noqa: S608 - names of our own
            f"AND subject_id IN (SELECT wanted.value FROM {self.wanted}) AND {NOT_HELD}"
        )

    @cached_property
    def drop_expired(self) -> str:
        """Delete some payloads whose time has passed, but not of the held."""
        return (
            "DELETE FROM member_payloads WHERE seq IN (SELECT seq FROM member_payloads "  # noqa: S608 - names of our own
            f"WHERE retention_until_us <= {self.place} AND {NOT_HELD} ORDER BY retention_until_us LIMIT {self.place})"
        )

    @cached_property
    def erased(self) -> str:
        """Whether a payload was erased."""
        return f"SELECT payload_ref FROM erased_payloads WHERE payload_ref = {self.place}"  # noqa: S608 - as above

    @cached_property
    def not_under(self) -> str:
        """Keys of some members that are not under a master key; two ranges, so that the index serves."""
        return (
            "SELECT subject_id, wrapped_key, master_key_id FROM members "  # noqa: S608 - names of our own
            f"WHERE master_key_id < {self.place} OR master_key_id > {self.place} LIMIT {self.place}"
        )

    @cached_property
    def rewrap(self) -> str:
        """Another wrapping of a member's key."""
        return (
            f"UPDATE members SET wrapped_key = {self.place}, master_key_id = {self.place} "  # noqa: S608 - as above
            f"WHERE subject_id = {self.place}"
        )

    @cached_property
    def readmit(self) -> str:
        """A new key of somebody erased, unless an erasure of theirs is still under way."""
        return (
            f"UPDATE members SET wrapped_key = {self.place}, master_key_id = {self.place}, "  # noqa: S608 - as above
            f"created_at_us = {self.place}, erased_at_us = NULL WHERE subject_id = {self.place} "
            "AND erased_at_us IS NOT NULL AND NOT EXISTS (SELECT 1 FROM erasures e "
            "WHERE e.subject_id = members.subject_id AND NOT EXISTS (SELECT 1 FROM erasure_steps s "
            "WHERE s.erasure_id = e.erasure_id AND s.step = 'files_compacted'))"
        )

    @cached_property
    def count_under(self) -> str:
        """How many keys are under a master key."""
        return f"SELECT count(*) FROM members WHERE master_key_id = {self.place}"  # noqa: S608 - as above

    def _insert(self, table: str, *columns: str) -> str:
        places = ", ".join([self.place] * len(columns))
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of our own


_SQLITE: Final = Statements("?", "json_each(?) AS wanted", takes_lists=False)
_POSTGRESQL: Final = Statements("%s", "unnest(%s::text[]) AS wanted(value)", takes_lists=True)


def statements_for(connection: Connection) -> Statements:
    """The statements for the database behind a connection."""
    return _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
