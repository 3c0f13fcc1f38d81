"""Every way to falsify the chain, really done to the database, and what it takes to notice it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from sqlalchemy.exc import DBAPIError

from benne.scoring.audit.anchor import AnchorFile

Rows = list[dict[str, Any]]
RECORDS, ANCHORED = 8, (4, 8)


def edited(rows: Rows, seq: int = 3) -> Rows:
    change = {"decision": "denied", "deny_reason": "consent-required"}
    return [{**row, **(change if row["seq"] == seq else {})} for row in rows]


def without(rows: Rows, seq: int = 3) -> Rows:
    return [row for row in rows if row["seq"] != seq]


def inserted(rows: Rows, seq: int = 3) -> Rows:
    """A made-up record before the one with this seq; those after it move up."""
    moved = [{**row, "seq": row["seq"] + (row["seq"] >= seq)} for row in rows]
    return [*moved[: seq - 1], {**rows[seq - 1], "event_id": "made-up"}, *moved[seq - 1 :]]


def swapped(rows: Rows, seq: int = 3) -> Rows:
    other = {seq: seq + 1, seq + 1: seq}
    return [{**row, "seq": other.get(row["seq"], row["seq"])} for row in rows]


def swapped_in_content(rows: Rows, seq: int = 3) -> Rows:
    return [*rows[: seq - 1], rows[seq], rows[seq - 1], *rows[seq + 1 :]]


def replaced_end(rows: Rows) -> Rows:
    return [*rows[:5], *({**row, "event_id": f"another-{row['seq']}"} for row in rows[5:])]


def rewritten(rows: Rows) -> Rows:
    return [{**row, "event_id": f"another-{row['seq']}"} for row in rows]


class Tampering(NamedTuple):
    """What is done, whether all hashes are made to fit afterwards, and where it shows."""

    act: Callable[[Rows], Rows]
    rehashed: bool
    shows_at: int | None
    shows_at_with_anchors: int


TAMPERINGS = {
    "edit": Tampering(edited, False, 3, 3),
    "edit of the last record": Tampering(lambda rows: edited(rows, RECORDS), False, 8, 8),
    "edit, all hashes made to fit": Tampering(edited, True, None, 4),
    "hash of another": Tampering(
        lambda rows: [{**row, "hash": rows[0]["hash"] if row["seq"] == 3 else row["hash"]} for row in rows], False, 3, 3
    ),
    "deletion in the middle": Tampering(without, False, 3, 3),
    "deletion of the first record": Tampering(lambda rows: without(rows, 1), False, 1, 1),
    "deletion, all hashes made to fit": Tampering(without, True, None, 4),
    "insertion": Tampering(inserted, False, 3, 3),
    "insertion before the first record": Tampering(
        lambda rows: [{**rows[0], "seq": 0, "event_id": "made-up"}, *rows], False, 1, 1
    ),
    "insertion at the end": Tampering(lambda rows: [*rows, {**rows[-1], "seq": 9, "event_id": "made-up"}], False, 9, 9),
    "insertion, all hashes made to fit": Tampering(inserted, True, None, 4),
    "changed order": Tampering(swapped, False, 3, 3),
    "changed order, all hashes made to fit": Tampering(swapped_in_content, True, None, 4),
    "end cut off": Tampering(lambda rows: rows[:5], False, None, 6),
    "all cut off": Tampering(lambda _: [], False, None, 1),
    "end cut off and others appended": Tampering(replaced_end, True, None, 8),
    "the whole chain made anew": Tampering(rewritten, True, None, 4),
}


@pytest.fixture
def anchors(chain, tmp_path, key, minutes):
    """Eight records, anchored at the fourth and at the last."""
    file = AnchorFile(tmp_path / "anchors.jsonl", key)
    for count in ANCHORED:
        records = chain.append(4)
        file.append(records[-1], now_us=minutes(count))
    assert chain.verify(file.read()).anchored_up_to == RECORDS
    return file


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_shows_by_itself_or_not_as_documented(chain, anchors, rehashed, name):
    tampering = TAMPERINGS[name]
    _falsify(chain, tampering, rehashed)
    report = chain.verify()
    assert (report.broken_at, report.intact) == (tampering.shows_at, tampering.shows_at is None)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_shows_against_anchors(chain, anchors, rehashed, name):
    tampering = TAMPERINGS[name]
    _falsify(chain, tampering, rehashed)
    report = chain.verify(anchors.read())
    assert (report.intact, report.broken_at) == (False, tampering.shows_at_with_anchors)
    assert report.why


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (edited, "its content is not what was hashed"),
        (without, "it is missing"),
        (swapped, "it does not follow the record before it"),
        (lambda rows: [{**rows[0], "seq": 0, "event_id": "made-up"}, *rows], "something stands before it"),
    ],
)
def test_the_report_says_what_is_wrong(chain, anchors, act, why):
    chain.replace_by(act(chain.rows()))
    assert chain.verify().why == why


def test_the_report_says_which_records_were_made_anew(chain, anchors, rehashed):
    chain.replace_by(rehashed(replaced_end(chain.rows())))
    report = chain.verify(anchors.read())
    assert (report.why, report.anchored_up_to) == ("an anchor holds another hash: records 5 to 8 were made anew", 4)


def test_the_report_says_which_record_an_anchor_holds_that_is_gone(chain, anchors):
    chain.replace_by(chain.rows()[:5])
    why = chain.verify(anchors.read()).why
    assert why == "it is missing: an anchor holds record 8, and the chain ends before"


def test_what_came_after_the_last_anchor_can_be_cut_off_unseen(chain, anchors):
    chain.append(3)
    chain.replace_by(chain.rows()[:-3])
    report = chain.verify(anchors.read())
    assert (report.intact, report.records, report.anchored_up_to) == (True, 8, 8)


def test_a_made_up_record_that_is_appended_rightly_does_not_show(chain, anchors, rehashed):
    chain.replace_by(rehashed([*chain.rows(), {**chain.rows()[-1], "event_id": "made-up"}]))
    report = chain.verify(anchors.read())
    assert (report.intact, report.records, report.anchored_up_to) == (True, 9, 8)


@pytest.mark.parametrize("column", ["seq", "time_us", "event_id", "output_digest", "prev_hash", "hash", "service"])
def test_a_change_of_any_column_shows(chain, anchors, column):
    changed = {"seq": 77, "time_us": 1, "event_id": "x", "service": "x"}.get(column, "ef" * 32)
    chain.replace_by([{**row, column: changed} if row["seq"] == 5 else row for row in chain.rows()])
    assert chain.verify().broken_at == 5


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_bytes_where_text_belongs_are_a_break_and_not_a_crash(chain, anchors):
    chain.platform.tamper("UPDATE audit_records SET service = x'00ff' WHERE seq = 5")
    assert chain.verify().broken_at == 5


@pytest.mark.parametrize("statement", ["UPDATE audit_records SET seq = seq", "DELETE FROM audit_records"])
def test_without_taking_the_triggers_away_no_record_can_be_changed(chain, anchors, statement):
    with pytest.raises(DBAPIError, match="audit_records is append-only"):
        chain.execute(statement)
    assert chain.verify(anchors.read()).intact


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("column", "other"), [("seq", "100"), ("event_id", "'new'")])
def test_nor_replaced_in_sqlite(chain, anchors, column, other):
    selected = ", ".join(other if name == column else name for name in chain.rows()[0])
    with pytest.raises(DBAPIError, match="audit_records is append-only"):
        chain.execute(f"REPLACE INTO audit_records SELECT {selected} FROM audit_records WHERE seq = 1")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nor_emptied_in_postgresql(chain, anchors):
    with pytest.raises(DBAPIError, match="audit_records is append-only"):
        chain.execute("TRUNCATE audit_records")


def _falsify(chain: Any, tampering: Tampering, rehashed: Callable[[Rows], Rows]) -> None:
    rows = tampering.act(chain.rows())
    chain.replace_by(rehashed(rows) if tampering.rehashed else rows)
