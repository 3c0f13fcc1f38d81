"""A notice that comes to mean something else: consents under the old one end, and members are asked again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from benne.errors import ConsentRecordError
from benne.scoring.consent.last_acts import Category, last_acts, read
from benne.scoring.consent.record import Notice
from benne.scoring.consent.vocabulary import NOTICE_CHANGES, NoticeChange
from benne.scoring.consent.writing import NewEvent, append_events, register_notice
from benne.scoring.store.bulk import insert_rows
from benne.scoring.store.schema import consent_events, consent_notice_replacements, consent_notices, consent_records

__all__ = ["AskAgain", "must_be_asked_again", "replace_notice"]

_STRETCH: Final = 10_000  # events


class AskAgain(NamedTuple):
    """A member whose consent ended because the notice came to mean something else, and who has not chosen since."""

    subject_id: str
    purpose: str
    recipient: str
    categories: tuple[str, ...]


def replace_notice(connection: Connection, notice: Notice, changes: Collection[NoticeChange], now_us: int) -> int:
    """Register a new version and end every consent that stands under the others, all in the caller's transaction.

    Parameters
    ----------
    connection : Connection
        Of a transaction that holds the writers' lock.
    notice : Notice
        The new version. Its other languages are registered the ordinary way.
    changes : collection of {'purpose', 'categories', 'meaning'}
        What it changes. A version that changes none of these replaces nothing: register it.
    now_us : int
        Microseconds since 1970-01-01 UTC; not before the ledger's own time.

    Returns
    -------
    int
        Consents that ended, each category of each member counted.

    Raises
    ------
    ConsentRecordError
        If no change or an unknown one is named, or this version was itself replaced.

    Examples
    --------
    >>> from benne.scoring import open_store
    >>> store = open_store("sqlite://")
    >>> second = Notice(notice_id="score", version="2", language="en", text="May we compute your score?")
    >>> with store.write() as connection:
    ...     replace_notice(connection, second, ["meaning"], now_us=1_772_366_400_000_000)
    0
    >>> with store.write() as connection:
    ...     replace_notice(connection, second, [], now_us=1_772_366_400_000_000)
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A replaced notice's changes must be among purpose, categories, meaning, ...
    >>> store.close()
    """
    if not changes or not set(changes) <= set(NOTICE_CHANGES):
        raise ConsentRecordError(
            f"A replaced notice's changes must be among {', '.join(NOTICE_CHANGES)}, got none or another. "
            "If it means the same as before, register it instead."
        )
    register_notice(connection, notice, now_us)
    replaced = _versions(connection, notice.notice_id, replaced=True)
    if notice.version in replaced:
        raise ConsentRecordError("A notice must be replaced by a new version, got an old one. Number it anew.")
    others = [one for one in _versions(connection, notice.notice_id) if one not in {*replaced, notice.version}]
    said = ",".join(change for change in NOTICE_CHANGES if change in changes)
    rows = [
        {
            "notice_id": notice.notice_id,
            "version": version,
            "replaced_by": notice.version,
            "changes": said,
            "replaced_at_us": now_us,
        }
        for version in others
    ]
    insert_rows(connection, consent_notice_replacements, rows)
    return _invalidate(connection, notice, now_us)


def must_be_asked_again(connection: Connection, notice_id: str) -> list[AskAgain]:
    """Whom to show the new version: members whose last act under this notice is that it was invalidated.

    Parameters
    ----------
    connection : Connection
    notice_id : str
    """
    query = last_acts().where(consent_events.c.state == "invalidated", consent_records.c.notice_id == notice_id)
    categories: dict[tuple[str, str, str], set[str]] = {}
    for one in read(connection, query.order_by(consent_events.c.seq)):
        categories.setdefault((one.subject_id, one.purpose, one.recipient), set()).add(one.category)
    return [AskAgain(*key, tuple(sorted(found))) for key, found in categories.items()]


def _versions(connection: Connection, notice_id: str, *, replaced: bool = False) -> list[str]:
    table = consent_notice_replacements if replaced else consent_notices
    query = select(table.c.version).where(table.c.notice_id == notice_id).distinct().order_by(table.c.version)
    return list(connection.execute(query).scalars())


def _invalidate(connection: Connection, notice: Notice, now_us: int) -> int:
    """A stretch at a time, so that memory stays bounded; what was ended is no last act that gives any more."""
    e, r = consent_events.c, consent_records.c
    standing = (
        last_acts()
        .where(r.notice_id == notice.notice_id, r.notice_version != notice.version, e.valid_until_us > now_us)
        .order_by(e.seq)
        .limit(_STRETCH)
    )
    ended, last = 0, 0
    while stretch := read(connection, standing.where(e.seq > last)):
        append_events(connection, [_invalidated(one, now_us) for one in stretch], now_us)
        ended, last = ended + len(stretch), stretch[-1].seq
    return ended


def _invalidated(category: Category, now_us: int) -> NewEvent:
    return NewEvent(
        category.record_id, category.category, now_us, None, "controller", category.consent_type, "invalidated"
    )
