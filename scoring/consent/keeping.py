"""Every act of the ledger as a transaction of its own, on the ledger's own clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from benne.scoring.consent.acts import ConsentActs
from benne.scoring.consent.admission import require_registered
from benne.scoring.consent.expiry import Ending, ending_between
from benne.scoring.consent.granting import Ended
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.reading import load_receipt, load_record, load_time
from benne.scoring.consent.record import Capture, ConsentRecord, ConsentRequest, Notice, NoticeRef
from benne.scoring.consent.replacing import AskAgain, must_be_asked_again
from benne.scoring.consent.taking_over import Act, Imported
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.consent.vocabulary import Jurisdiction, NoticeChange
from benne.scoring.store.database import Store

if TYPE_CHECKING:
    from benne.scoring.signing import Signer

__all__ = ["ConsentKeeping"]


class ConsentKeeping(ConsentActs):
    """What :class:`benne.scoring.ConsentLedger` keeps; the ledger itself adds what it answers.

    Parameters
    ----------
    store, clock, ids, signer, jurisdiction
        As for the ledger.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        signer: Signer | None = None,
        jurisdiction: Jurisdiction | None = None,
    ) -> None:
        super().__init__(ids=ids, signer=signer, jurisdiction=jurisdiction)
        self._store = store
        self._clock = clock

    def register_notice(self, notice: Notice) -> NoticeRef:
        """Keep the exact text members will be shown; registering it again changes nothing.

        Raises
        ------
        ConsentRecordError
            If this id, version and language already stand for another text.
        """
        with self._writing() as (connection, now_us):
            return self.register_notice_within(connection, notice, now_us)

    def replace_notice(self, notice: Notice, changes: Collection[NoticeChange]) -> int:
        """Register a version that means something else: consents under the others end, and can no longer be given.

        Parameters
        ----------
        notice : Notice
        changes : collection of {'purpose', 'categories', 'meaning'}
            What differs. A version that says the same in other words is registered, not replaced.

        Returns
        -------
        int
            Consents that ended, each category of each member counted; :meth:`must_be_asked_again` lists whose.

        Raises
        ------
        ConsentRecordError
            If no change is named, or the version was itself replaced.
        """
        with self._writing() as (connection, now_us):
            return self.replace_notice_within(connection, notice, changes, now_us)

    def must_be_asked_again(self, notice_id: str) -> list[AskAgain]:
        """Members whose consent ended with a notice's old version and who have not chosen since."""
        with self._store.read() as connection:
            return must_be_asked_again(connection, notice_id)

    def notice_text(self, notice: NoticeRef) -> str:
        """Rebuild exactly what members were shown.

        Raises
        ------
        ConsentRecordError
            If no such text was registered, or its hash no longer fits.
        """
        with self._store.read() as connection:
            return require_registered(connection, notice)

    def grant(self, request: ConsentRequest) -> ConsentRecord:
        """Record that a member switched consent on; returns the record as kept.

        Raises
        ------
        ConsentRecordError
            If the notice was never registered or was replaced, or the consent may not be given in this jurisdiction.
        """
        with self._writing() as (connection, now_us):
            return load_record(connection, self.grant_within(connection, request, now_us))

    def renew(self, subject_id: str, record_id: str, capture: Capture) -> ConsentRecord:
        """Record that a member agreed again, by an act of its own, to what still stands of a record.

        Raises
        ------
        ConsentRecordError
            If the record is not the member's, nothing of it stands, or its notice was replaced: ask anew then.
        """
        with self._writing() as (connection, now_us):
            return load_record(connection, self.renew_within(connection, subject_id, record_id, capture, now_us))

    def refuse(self, request: ConsentRequest) -> ConsentRecord:
        """Record that a member pressed no; nothing is held against them, what stood ends."""
        with self._writing() as (connection, now_us):
            return load_record(connection, self.refuse_within(connection, request, now_us))

    def grant_many(self, requests: Iterable[ConsentRequest]) -> tuple[str, ...]:
        """Record many members' choices in one transaction: all of them, or none.

        Returns
        -------
        tuple of str
            Record ids, in the order written.
        """
        with self._writing() as (connection, now_us):
            return self.grant_many_within(connection, requests, now_us)

    def import_acts(
        self, histories: Sequence[tuple[TermsFile, Sequence[Act]]], capture: Capture
    ) -> tuple[Imported, ...]:
        """Merge another system's acts, with their own times, into the ledger: all in one transaction, or none.

        Parameters
        ----------
        histories : sequence of (TermsFile, sequence of Act)
            Acts with what the members were shown; a notice not yet registered is registered.
        capture : Capture
            What the members did.

        Returns
        -------
        tuple of Imported
            What each history added; an act that is in the ledger already adds nothing.

        Raises
        ------
        ConsentRecordError
            If an act lies in the future, a notice stands for another text or was replaced, or a consent may not be
            given in this jurisdiction.
        """
        with self._writing() as (connection, now_us):
            return self.import_acts_within(connection, histories, capture, now_us)

    def withdraw(
        self, subject_id: str, purpose: str, recipient: str, categories: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """End a member's consent at once; no reason is asked, and twice is as good as once.

        Parameters
        ----------
        subject_id, purpose, recipient : str
        categories : collection of str, optional
            Only these; by default everything, consent to automated decisions included.

        Returns
        -------
        tuple of str
            Categories that ended now; empty if none stood.
        """
        with self._writing() as (connection, now_us):
            return self.withdraw_within(connection, subject_id, purpose, recipient, categories, now_us)

    def withdraw_all(self, subject_id: str) -> tuple[Ended, ...]:
        """End everything a member consented to, for every purpose and recipient.

        Returns
        -------
        tuple of Ended
            Purpose, recipient and categories of what ended now: whom to tell.
        """
        with self._writing() as (connection, now_us):
            return self.withdraw_all_within(connection, subject_id, now_us)

    def expire(self, batch: int = 1_000) -> int:
        """Put on record which consents ran out, a transaction per batch; what was swept before adds nothing.

        Returns
        -------
        int
            Categories of members that were marked.
        """
        marked, after = 0, None
        while True:
            with self._writing() as (connection, now_us):
                swept = self.expire_within(connection, now_us, batch, after)
            marked, after = marked + swept.expired, swept.after
            if after is None:
                return marked

    def ending_before(self, moment: datetime) -> list[Ending]:
        """Consents that stand now and will have run out by then, soonest first: whom to ask to renew.

        Raises
        ------
        ConsentRecordError
            If ``moment`` carries no time zone.
        """
        until_us = to_microseconds(moment, "moment")
        with self._store.read() as connection:
            return ending_between(connection, self._now(connection), until_us)

    def record(self, record_id: str) -> ConsentRecord:
        """One record as kept.

        Raises
        ------
        ConsentRecordError
            If there is none.
        """
        with self._store.read() as connection:
            return load_record(connection, record_id)

    def receipt_of(self, record_id: str, subject_id: str | None = None) -> str:
        """The member's signed copy of a record: a compact JWS that anybody verifies with the public key.

        Parameters
        ----------
        record_id : str
        subject_id : str, optional
            Only a record of this member's.

        Raises
        ------
        ConsentRecordError
            If there is no such record, or it was recorded without a signer.
        """
        with self._store.read() as connection:
            return load_receipt(connection, record_id, subject_id)

    def _now(self, connection: Connection) -> int:
        return max(to_microseconds(self._clock(), "The clock"), load_time(connection))

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """A transaction that holds the writers' lock, and its moment."""
        with self._store.write() as connection:
            yield connection, self._now(connection)
