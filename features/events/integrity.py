"""What must hold between rows and tables: unique records, known members, honest corrections, notice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from benne.features.events.layout import Layout
from benne.features.events.refusals import Findings, Place, Refusal, Rule, row_refusals

__all__ = ["check_integrity"]


@dataclass(frozen=True)
class _Check:
    """A rule and the query that names the rows which break it.

    ``looks_in`` is the table in which something must be found: where part of that table is
    missing, nothing can be said.
    """

    rule: Rule
    query: str
    looks_in: str = ""


# A query over keys first finds the keys, by a cheap grouping, and only then their rows. Nulls
# stand where a value was refused already; they break no further rule.
_UNIQUE_RECORD: Final = _Check(
    Rule("record_id", "be unique in the table", "Give a correction its own record_id."),
    "select row from {table} where record_id in (select record_id from {table} group by 1 having count(*) > 1)",
)
_KNOWN_MEMBER: Final = _Check(
    Rule("member_id", "be in members", "Load the members these events belong to."),
    "select row from {table} where subject_id not in (select subject_id from members where subject_id is not null)",
    "members",
)
_CORRECTIONS: Final = (
    _Check(
        Rule("supersedes", "name an earlier record of the same member and table", "Correct the reference."),
        """
        select new.row from (select * from {table} where supersedes is not null) new left join {table} old
          on old.record_id = new.supersedes and old.subject_id = new.subject_id
        where old.record_id is null or new.known_at < old.known_at""",
        "{table}",
    ),
    _Check(
        Rule("supersedes", "name a record no other row corrects", "Let the later correct the earlier."),
        """
        select row from {table} where supersedes in (
          select supersedes from {table} where supersedes is not null group by 1 having count(*) > 1)""",
    ),
    _Check(
        Rule("supersedes", "lead back to a first record", "Break the circle."),
        """
        with recursive new as (
          select record_id, supersedes, row from {table} where supersedes is not null and record_id is not null),
        sound as (
          select record_id from new where supersedes not in (select record_id from new)
          union all select new.record_id from new join sound on new.supersedes = sound.record_id)
        select row from new where record_id not in (select record_id from sound)""",
    ),
)
_ONE_JOINING: Final = _Check(
    Rule("member_id", "join once", "Drop the second, or let it supersede the first."),
    """
    select row from members where supersedes is null and subject_id in (
      select subject_id from members where supersedes is null group by 1 having count(*) > 1)""",
)
_KNOWN_DUE: Final = _Check(
    Rule("due_id", "name a due of the same member", "Load the dues they settle."),
    """
    select row from repayments where due_id is not null and subject_id is not null and not exists (
      select 1 from dues where dues.due_id = repayments.due_id and dues.subject_id = repayments.subject_id)""",
    "dues",
)
_DUES: Final = (
    _Check(
        Rule("due_id", "be unique unless superseding", "Let the second supersede the first."),
        """
        select row from dues where supersedes is null and due_id in (
          select due_id from dues where supersedes is null group by 1 having count(*) > 1)""",
    ),
    _Check(
        Rule("due_id", "stay the same in a correction", "Give it the id of the due it corrects."),
        """
        select new.row from (select * from dues where supersedes is not null) new
        join dues old on old.record_id = new.supersedes where old.due_id <> new.due_id""",
    ),
)
_OTHER_MEMBER: Final = _Check(
    Rule("other_id", "be another member than member_id", "Drop those rows."),
    "select row from interactions where other_id = subject_id",
)
# A notice that a correction took back is none; a listing that a correction took back keeps the
# notice it had.
_NOTICE: Final = (
    _Check(
        Rule("item_id", "be notified to the member before it is reported, unless lawfully public",
             "Add the notified row, mark what is lawfully_public, or drop the item."),
        """
        with item as (
          select *, record_id in (select supersedes from adverse_items where supersedes is not null) as corrected
          from adverse_items)
        select reported.row from item reported
        where reported.event = 'reported' and reported.lawfully_public is not true
          and reported.item_id is not null and reported.subject_id is not null
          and reported.event_time is not null and not exists (
            select 1 from item notified
            where notified.event = 'notified' and notified.item_id = reported.item_id
              and notified.subject_id = reported.subject_id and notified.event_time <= reported.event_time
              and (reported.corrected or not notified.corrected))""",
        "adverse_items",
    ),
    _Check(
        Rule("item_id", "be reported or notified for a dispute, an answer to one, or an end to belong to it",
             "Load the item's other rows, or drop these."),
        """
        select row from adverse_items later
        where event not in ('reported', 'notified') and item_id is not null and subject_id is not null
          and not exists (
            select 1 from adverse_items first
            where first.event in ('reported', 'notified') and first.item_id = later.item_id
              and first.subject_id = later.subject_id)""",
        "adverse_items",
    ),
)  # fmt: skip
_OF_TABLE: Final[dict[str, tuple[_Check, ...]]] = {
    "members": (_ONE_JOINING,),
    "repayments": (_KNOWN_DUE,),
    "dues": _DUES,
    "interactions": (_OTHER_MEMBER,),
    "adverse_items": _NOTICE,
}


def check_integrity(
    connection: duckdb.DuckDBPyConnection, layouts: Mapping[str, Layout], findings: Findings
) -> tuple[str, ...]:
    """Check a whole load.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With a view of each table.
    layouts : mapping of str to Layout
        Per table, which rows came from which file.
    findings : Findings

    Returns
    -------
    tuple of str
        The rules that could not be checked, as part of what they look into could not be read.

    Raises
    ------
    EventSchemaError
        Repayments come without dues.
    EventValueError
        Records, members or dues repeat; a member, due or superseded record is unknown; an
        adverse item was listed without notice.
    """
    unchecked = []
    for name, layout in layouts.items():
        if name == "repayments" and "dues" not in layouts:
            findings.add([Refusal(name, "", "", "come with the table dues", "Load the dues they settle.", got="none")])
        for check in _checks(name, layouts):
            looks_in = check.looks_in.format(table=name)
            if looks_in and findings.incomplete(looks_in):
                unchecked.append(f"{name}.{check.rule.column} must {check.rule.must}")
                continue
            wrong = _rows(connection, check.query.format(table=name))
            findings.add(list(row_refusals(check.rule, Place(name), layout.by_file(wrong))))
    return tuple(unchecked)


def _checks(name: str, tables: Collection[str]) -> Iterator[_Check]:
    yield _UNIQUE_RECORD
    if name != "members":
        yield _KNOWN_MEMBER
    yield from _CORRECTIONS
    for check in _OF_TABLE.get(name, ()):
        if not check.looks_in or check.looks_in in tables:
            yield check


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> npt.NDArray[np.int64]:
    found = connection.execute(f"select row from ({query}) order by row").fetchnumpy()["row"]  # noqa: S608 our own
    return np.asarray(found, dtype=np.int64)
