"""Legal holds: what the law forbids to erase, who says so, and until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Select, exists, insert, select

from benne.errors import ErasureError
from benne.scoring.audit.record import AuditEntry
from benne.scoring.erasure.acts import Actor, subject_of
from benne.scoring.store.member_tables import legal_hold_ends, legal_holds, members
from benne.scoring.store.payloads import validate_subjects
from benne.scoring.store.vault import MemberVault

__all__ = ["GROUNDS", "Ground", "Hold", "LegalHolds", "standing_holds"]

Ground = Literal["court_order", "regulator_order", "legal_claim", "statutory_retention", "criminal_investigation"]
GROUNDS: Final[tuple[str, ...]] = get_args(Ground)

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")
_MAY: Final = ("compliance", "admin")
_EVENTS: Final = {"placed": "legal_hold_placed", "lifted": "legal_hold_lifted"}


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on everything that is kept about a member.

    Attributes
    ----------
    hold_id : str
        Also that of the audit record of its placing.
    subject_id : str
        Not in ``repr``.
    ground : str
        One of :data:`GROUNDS`.
    reference : str
        Of the case or order, such as ``2026-AZ-117``.
    placed_at_us : int
        Microseconds since 1970-01-01 UTC.
    placed_by : str
    """

    hold_id: str
    subject_id: str = field(repr=False)
    ground: Ground
    reference: str = field(repr=False)
    placed_at_us: int
    placed_by: str


class LegalHolds:
    """Placing and lifting holds; each is a unit of work that is audited with what it does.

    Parameters
    ----------
    vault : MemberVault
    ids : callable returning str
        A new unique id of at most 36 characters at every call.

    Examples
    --------
    With a group commit: ``audit.submit(lambda c, now_us: holds.place(c, now_us, subject, ground, reference, by=by))``.
    """

    def __init__(self, vault: MemberVault, *, ids: Callable[[], str]) -> None:
        self._vault = vault
        self._ids = ids

    def place(
        self, connection: Connection, now_us: int, subject_id: str, ground: Ground, reference: str, *, by: Actor
    ) -> tuple[list[AuditEntry], Hold]:
        """Keep everything about a member until the hold is lifted: from erasure, and from the end of its retention.

        Raises
        ------
        ErasureError
            If the ground is none, the reference is free text, whoever asks may not, or the member is erased already.
        VaultError
            If ``subject_id`` is none.
        """
        validate_subjects((subject_id,))
        _validate(ground, reference, by)
        if _is_erased(connection, subject_id):
            raise ErasureError("A hold must be on a member of whom something is left, got one who was erased.")
        hold = Hold(self._ids(), subject_id, ground, reference, now_us, str(by.id))
        connection.execute(
            insert(legal_holds).values(
                hold_id=hold.hold_id,
                subject_id=subject_id,
                ground=ground,
                reference=reference,
                placed_at_us=now_us,
                placed_by=hold.placed_by,
            )
        )
        subject = subject_of(self._vault, connection, subject_id, now_us)
        return [subject.entry(hold.hold_id, by, type="legal_hold_placed", outcome=ground)], hold

    def lift(self, connection: Connection, now_us: int, hold_id: str, *, by: Actor) -> tuple[list[AuditEntry], Hold]:
        """End a hold. What it kept is erased, or dropped at the end of its retention, when that is asked for again.

        Raises
        ------
        ErasureError
            If no such hold stands, or whoever asks may not.
        """
        _validate_actor(by)
        hold = next(iter(_read(connection, _standing().where(legal_holds.c.hold_id == hold_id))), None)
        if hold is None:
            raise ErasureError("A hold to lift must stand, got the id of none. List them: benne hold list")
        connection.execute(insert(legal_hold_ends).values(hold_id=hold_id, lifted_at_us=now_us, lifted_by=str(by.id)))
        subject = subject_of(self._vault, connection, hold.subject_id, now_us)
        entry = subject.entry(self._ids(), by, type="legal_hold_lifted", outcome=hold.ground, about_event=hold_id)
        return [entry], hold


def standing_holds(connection: Connection, subject_id: str | None = None) -> tuple[Hold, ...]:
    """Holds that stand, oldest first: on one member, or on all.

    Raises
    ------
    VaultError
        If ``subject_id`` is none.
    """
    asked = _standing()
    if subject_id is not None:
        validate_subjects((subject_id,))
        asked = asked.where(legal_holds.c.subject_id == subject_id)
    return _read(connection, asked)


def _standing() -> Select[Any]:
    lifted = exists().where(legal_hold_ends.c.hold_id == legal_holds.c.hold_id)
    table = legal_holds.c
    columns = (table.hold_id, table.subject_id, table.ground, table.reference, table.placed_at_us, table.placed_by)
    return select(*columns).where(~lifted).order_by(table.placed_at_us, table.hold_id)


def _read(connection: Connection, asked: Select[Any]) -> tuple[Hold, ...]:
    return tuple(Hold(*row) for row in connection.execute(asked).all())


def _is_erased(connection: Connection, subject_id: str) -> bool:
    asked = select(members.c.erased_at_us).where(members.c.subject_id == subject_id)
    return connection.execute(asked).scalar_one_or_none() is not None


def _validate(ground: str, reference: str, by: Actor) -> None:
    _validate_actor(by)
    if ground not in GROUNDS:
        raise ErasureError(f"A hold's ground must be one of {', '.join(GROUNDS)}, got another. Name one of these.")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise ErasureError(
            "A hold's reference must be a name of letters, digits and any of _.:/- up to 64 characters, "
            "got something else. Give the number of the case, never free text."
        )


def _validate_actor(by: Actor) -> None:
    if by.role not in _MAY:
        raise ErasureError(f"A hold must be placed or lifted by one of {', '.join(_MAY)}, got another role.")
