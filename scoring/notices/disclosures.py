"""Disclosures that a law compelled: on record, shown to the member unless barred, and counted for everybody to see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.deadlines import earliest
from benne.scoring.members.recording import Doing
from benne.scoring.notices.asked_notices import CompelledDisclosure
from benne.scoring.notices.kinds import LEGAL_BASES
from benne.scoring.notices.notice import Notice, NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.reviews.statistics import Period
from benne.scoring.rights.casework import Casework
from benne.scoring.store.rights_tables import notices

__all__ = ["Disclosures", "Transparency"]

_KIND: Final = "disclosure_compelled"
_N: Final = notices.c


@dataclass(frozen=True, slots=True)
class Transparency:
    """What may be published about a period.

    Attributes
    ----------
    by_basis : dict of str to int
        Disclosures by legal basis, none left out.
    barred : int
        Of them, those whose members may not be told yet.
    """

    by_basis: dict[str, int]
    barred: int

    @property
    def disclosures(self) -> int:
        """All of them."""
        return sum(self.by_basis.values())


@dataclass(frozen=True, slots=True)
class Disclosures:
    """Records disclosures, and counts them.

    Parameters
    ----------
    casework : Casework
    register : Register
    """

    casework: Casework
    register: Register

    def record(self, subject_id: str, disclosure: CompelledDisclosure, doing: Doing) -> Notice:
        """Put a disclosure on record, and a notice of it in front of the member, now or when that is allowed.

        Raises
        ------
        CaseUnknown
            If nothing is on record of the member.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Notice]:
            self.casework.require_known(connection, subject_id, doing)
            barred = disclosure.barred_until
            draft = NoticeDraft(
                kind=_KIND, subject_id=subject_id,
                jurisdiction=earliest((self.casework.jurisdiction,), now_us, lambda p: p.rights)[0],
                language=disclosure.language,
                fields={
                    "disclosed_at": disclosure.disclosed_at.isoformat(), "authority": disclosure.authority,
                    "scope": disclosure.scope, "legal_basis": disclosure.legal_basis,
                    "reference": disclosure.reference,
                },
                basis=disclosure.legal_basis,
                shown_from_us=None if barred is None else to_microseconds(barred, "barred_until"),
            )  # fmt: skip
            entries, notice = self.register.issue(connection, now_us, draft, doing)
            entry = self.casework.recorder.entry(
                connection, now_us, subject_id, "disclosure_compelled", doing,
                about_event=notice.notice_id, outcome=disclosure.legal_basis,
            )  # fmt: skip
            return [entry, *entries], notice

        return self.casework.group.submit(work).result

    def transparency(self, period: Period) -> Transparency:
        """How many there were in a period, whoever was erased since."""
        begin_us, end_us = period.us
        asked = select(_N.basis, _N.shown_from_us).where(
            _N.kind == _KIND, _N.issued_at_us >= begin_us, _N.issued_at_us < end_us
        )
        with self.casework.store.read() as connection:
            rows = connection.execute(asked).all()
        counted = Counter(row.basis for row in rows)
        return Transparency(
            {basis: counted[basis] for basis in LEGAL_BASES}, sum(row.shown_from_us >= end_us for row in rows)
        )
