"""What members, the controller and time do to the ledger, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from benne.errors import ConsentRecordError
from benne.scoring.consent.admission import admit, require_current, require_registered
from benne.scoring.consent.deciding import validate_categories
from benne.scoring.consent.expiry import Sweep, expire
from benne.scoring.consent.granting import Ended, endings, endings_of_everything, new_records, renewal, told
from benne.scoring.consent.reading import load_events, load_time
from benne.scoring.consent.record import Capture, ConsentRequest, Notice, NoticeRef, validate_subject_id
from benne.scoring.consent.replacing import replace_notice
from benne.scoring.consent.taking_over import Act, Imported, take_over
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.consent.vocabulary import Jurisdiction, NoticeChange
from benne.scoring.consent.writing import append_events, append_records, register_notice

if TYPE_CHECKING:
    from benne.scoring.signing import Signer

__all__ = ["ConsentActs"]


class ConsentActs:
    """Every way in which the ledger grows, so that an act and its audit record commit together, or neither does.

    Each method takes a ``connection`` of a transaction that holds the writers' lock (``Store.write()``, or a unit of
    work of a group commit) and its moment ``now_us``, in microseconds since 1970-01-01 UTC. An act is never earlier
    than what is on record already.

    Parameters
    ----------
    ids : callable returning str
        A new unique id of at most 36 characters at every call.
    signer : Signer, optional
        Signs a receipt for every consent given; without one there are none.
    jurisdiction : {'cn', 'eu', 'us', 'default'}, optional
        Where the deployment is. Its rules hold beside those of the terms, and can only add to them.
    """

    def __init__(
        self, *, ids: Callable[[], str], signer: Signer | None = None, jurisdiction: Jurisdiction | None = None
    ) -> None:
        self._ids = ids
        self._signer = signer
        self._jurisdiction = jurisdiction

    def register_notice_within(self, connection: Connection, notice: Notice, now_us: int) -> NoticeRef:
        """See :meth:`benne.scoring.ConsentLedger.register_notice`."""
        register_notice(connection, notice, _at(connection, now_us))
        return notice.ref

    def replace_notice_within(
        self, connection: Connection, notice: Notice, changes: Collection[NoticeChange], now_us: int
    ) -> int:
        """See :meth:`benne.scoring.ConsentLedger.replace_notice`."""
        return replace_notice(connection, notice, changes, _at(connection, now_us))

    def grant_within(self, connection: Connection, request: ConsentRequest, now_us: int) -> str:
        """See :meth:`benne.scoring.ConsentLedger.grant`; returns the id of the record."""
        return self.grant_many_within(connection, [request], now_us)[0]

    def grant_many_within(
        self, connection: Connection, requests: Iterable[ConsentRequest], now_us: int
    ) -> tuple[str, ...]:
        """See :meth:`benne.scoring.ConsentLedger.grant_many`."""
        asked = tuple(requests)
        for request in asked:
            admit(request, self._jurisdiction)
        for notice in {request.terms.notice for request in asked}:
            require_current(connection, notice)
        at_us = _at(connection, now_us)
        receipts = self._signer is not None
        records = new_records(connection, asked, "given", now_us=at_us, ids=self._ids, receipts=receipts)
        append_records(connection, records, at_us, self._signer)
        return tuple(record.record_id for record in records)

    def renew_within(
        self, connection: Connection, subject_id: str, record_id: str, capture: Capture, now_us: int
    ) -> str:
        """See :meth:`benne.scoring.ConsentLedger.renew`; returns the id of the new record."""
        validate_subject_id(subject_id)
        at_us = _at(connection, now_us)
        return self.grant_within(connection, renewal(connection, subject_id, record_id, capture, now_us=at_us), at_us)

    def refuse_within(self, connection: Connection, request: ConsentRequest, now_us: int) -> str:
        """See :meth:`benne.scoring.ConsentLedger.refuse`; returns the id of the record."""
        require_registered(connection, request.terms.notice)
        at_us = _at(connection, now_us)
        (record,) = new_records(connection, [request], "refused", now_us=at_us, ids=self._ids)
        append_records(connection, [record], at_us)
        return record.record_id

    def withdraw_within(
        self,
        connection: Connection,
        subject_id: str,
        purpose: str,
        recipient: str,
        categories: Collection[str] | None,
        now_us: int,
    ) -> tuple[str, ...]:
        """See :meth:`benne.scoring.ConsentLedger.withdraw`."""
        validate_subject_id(subject_id)
        validate_categories(categories or ())
        at_us = _at(connection, now_us)
        ended = endings(connection, subject_id, purpose, recipient, categories, now_us=at_us)
        append_events(connection, ended, at_us)
        return told(ended)

    def withdraw_all_within(self, connection: Connection, subject_id: str, now_us: int) -> tuple[Ended, ...]:
        """See :meth:`benne.scoring.ConsentLedger.withdraw_all`."""
        validate_subject_id(subject_id)
        at_us = _at(connection, now_us)
        ended = endings_of_everything(connection, subject_id, now_us=at_us)
        append_events(connection, [event for events in ended.values() for event in events], at_us)
        return tuple(ended)

    def expire_within(
        self, connection: Connection, now_us: int, batch: int = 1_000, after: tuple[int, int] | None = None
    ) -> Sweep:
        """One batch of :meth:`benne.scoring.ConsentLedger.expire`."""
        return expire(connection, _at(connection, now_us), batch, after)

    def import_acts_within(
        self,
        connection: Connection,
        histories: Sequence[tuple[TermsFile, Sequence[Act]]],
        capture: Capture,
        now_us: int,
    ) -> tuple[Imported, ...]:
        """See :meth:`benne.scoring.ConsentLedger.import_acts`."""
        at_us = _at(connection, now_us)
        return tuple(self._import(connection, terms, acts, capture, at_us) for terms, acts in histories)

    def _import(
        self, connection: Connection, terms: TermsFile, acts: Sequence[Act], capture: Capture, now_us: int
    ) -> Imported:
        if any(act.time_us > now_us for act in acts):
            raise ConsentRecordError("Imported acts must lie in the past, not in the future. Correct their times.")
        register_notice(connection, terms.notice, now_us)
        asked, members = terms.terms, tuple({act.subject_id for act in acts})
        known = load_events(connection, asked.purpose, asked.recipient, subject_ids=members)
        records, withdrawals = take_over(known, acts, asked, capture, now_us=now_us, ids=self._ids)
        for record in records:
            admit(record.request, self._jurisdiction)
        if records:
            require_current(connection, asked.notice)
        if self._signer is not None:
            records = [record._replace(receipt_id=self._ids()) for record in records]
        append_records(connection, records, now_us, self._signer)
        append_events(connection, withdrawals, now_us)
        return Imported(len(records), len(withdrawals))


def _at(connection: Connection, now_us: int) -> int:
    return max(now_us, load_time(connection))
