"""Protected attributes of members, for fairness audits alone: apart from all that scores, each read on record."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, select

from benne.errors import FairnessError, ProtectedAccessDenied
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.request import Actor
from benne.scoring.protected.attributes import Declared, checked_value
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.database import Store
from benne.scoring.store.member_tables import member_payloads
from benne.scoring.store.payloads import MADE_FROM_MEMBER, validate_subjects
from benne.scoring.store.vault import MemberVault, NewPayload

__all__ = ["KIND", "READERS", "Kept", "ProtectedStore"]

KIND: Final = "protected"
READERS: Final = ("compliance", "data_scientist")
"""Roles that may read for an audit."""

_KEEPERS: Final = ("compliance", "admin")
_SERVICE: Final = "protected"
_RULES: Final = "protected-1"
_DOMAIN: Final = "protected-reads"
_PURPOSE: Final = re.compile(r"fairness_audit:[A-Za-z0-9][A-Za-z0-9_.-]{2,40}")
_PAGE: Final = 2_000
_SEALED_BYTES: Final = 128
"""Every value is filled up to this before it is encrypted: a longer cipher text would tell female from male."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of adding members' attributes.

    Attributes
    ----------
    members, values : int
        Members of whom something is kept now, and how many values of theirs were given.
    erased : int
        Members who were erased, and of whom nothing is kept.
    """

    members: int
    values: int
    erased: int


class ProtectedStore:
    """Protected attributes in a database of their own.

    Parameters
    ----------
    store : Store
        Of this alone; never that of a service.
    vault : MemberVault
        On a key ring of this store's own.
    audit : GroupCommit
        On ``store``.
    declared : Declared
        What may be held, and on what ground.
    ids : callable returning str
        A new unique id at every call.

    Notes
    -----
    Each value is encrypted under its member's own key, bound to the member, so that an erasure takes it out of every
    copy. A read is on record in the store's audit chain before anything is handed out: where the record cannot be
    written, nothing is read. What was read is known by a keyed digest of whom and which attributes.

    Examples
    --------
    >>> import tempfile
    >>> from benne.scoring.protected import lay_out_protected, opened_protected
    >>> folder = tempfile.TemporaryDirectory()
    >>> home = lay_out_protected(folder.name + "/protected", Declared("us", {"sex": "Regulation B 1002.5(b)(1)"}))
    >>> table = pd.DataFrame({"sex": ["female"]}, index=pd.Index(["0" * 32], name="subject_id"))
    >>> with opened_protected(home) as protected:
    ...     kept = protected.add(table, actor=Actor("counsel-1", "compliance"))
    ...     found = protected.read(["sex"], actor=Actor("counsel-1", "compliance"), purpose="fairness_audit:2026-q4")
    ...     protected.read(["sex"], actor=Actor("counsel-1", "compliance"), purpose="curiosity")
    Traceback (most recent call last):
    ...
    benne.errors.ProtectedAccessDenied: Protected attributes are read for an audit, got no purpose of that form. ...
    >>> kept.values, found["sex"].tolist()
    (1, ['female'])
    >>> folder.cleanup()
    """

    def __init__(
        self, store: Store, vault: MemberVault, audit: GroupCommit, *, declared: Declared, ids: Callable[[], str]
    ) -> None:
        self._store = store
        self._vault = vault
        self._audit = audit
        self._declared = declared
        self._ids = ids

    @property
    def declared(self) -> Declared:
        """What may be held."""
        return self._declared

    def add(self, attributes: pd.DataFrame, *, actor: Actor) -> Kept:
        """Keep attributes of members, in place of what was kept of the same before; all of them, or nothing.

        Parameters
        ----------
        attributes : DataFrame
            Indexed by ``subject_id``, a column for each attribute; null is not kept.
        actor : Actor
            Of role compliance or admin.

        Raises
        ------
        FairnessError
            If the table is not of that form, an attribute was not declared or may not be held, or a value is none.
        ProtectedAccessDenied
            If whoever asks may not.
        """
        if actor.role not in _KEEPERS:
            raise ProtectedAccessDenied(f"Protected attributes are kept by {' or '.join(_KEEPERS)}, got another role.")
        if attributes.index.name != "subject_id" or attributes.index.duplicated().any() or not len(attributes.columns):
            raise FairnessError(
                "Protected attributes must be a table with one row for each member, indexed by subject_id, got another."
                " Set the index, and keep one row for each."
            )
        self._declared.require([str(name) for name in attributes.columns])
        payloads = list(_payloads(attributes))
        return self._audit.submit(lambda connection, now_us: self._keep(connection, now_us, payloads, actor)).result

    def read(
        self, names: Sequence[str], *, actor: Actor, purpose: str, subject_ids: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Attributes of members, for a fairness audit.

        Parameters
        ----------
        names : sequence of str
            Of the attributes.
        actor : Actor
            Of role compliance or data_scientist.
        purpose : str
            ``fairness_audit:`` and what audit it is, such as ``fairness_audit:2026-q4``.
        subject_ids : collection of str, optional
            By default everybody of whom something is kept.

        Returns
        -------
        DataFrame
            Indexed by ``subject_id``, a column for each name; null where not stated. Only members who have something.

        Raises
        ------
        ProtectedAccessDenied
            If the purpose is none or whoever asks may not; the refusal has been recorded.
        FairnessError
            If an attribute was not declared.
        AuditError
            If the read cannot be recorded; then nothing was read.
        """
        self._require_may_read(actor, purpose)
        self._declared.require(list(names))
        asked = self._everybody() if subject_ids is None else sorted(set(subject_ids))
        validate_subjects(tuple(asked))
        self._audit.submit(lambda *_: ([self._read_entry(actor, purpose, names, asked)], None))
        return self._values(asked, names)

    def log(self) -> list[dict[str, Any]]:
        """Who kept, read or was refused what, oldest first: ``time``, ``what``, ``actor``, ``role``, ``purpose``,
        ``decision``, ``outcome``."""
        c = audit_records.c
        asked = select(c.time_us, c.type, c.actor_id, c.actor_role, c.context, c.decision, c.deny_reason, c.outcome)
        shown = ("protected_attributes_kept", "protected_attributes_read", "member_erased")
        with self._store.read() as connection:
            rows = connection.execute(asked.where(c.type.in_(shown)).order_by(c.seq)).all()
        return [
            {
                "time": from_microseconds(row.time_us).isoformat(), "what": row.type, "actor": row.actor_id,
                "role": row.actor_role, "purpose": row.context, "decision": row.decision,
                "outcome": row.outcome or row.deny_reason,
            }
            for row in rows
        ]  # fmt: skip

    def _require_may_read(self, actor: Actor, purpose: str) -> None:
        if not _PURPOSE.fullmatch(purpose):
            self._refuse(actor, "no-purpose")
            raise ProtectedAccessDenied(
                "Protected attributes are read for an audit, got no purpose of that form. State which: "
                "fairness_audit:2026-q4"
            )
        if actor.role not in READERS:
            self._refuse(actor, "role")
            raise ProtectedAccessDenied(f"Protected attributes are read by {' or '.join(READERS)}, got another role.")

    def _refuse(self, actor: Actor, why: str) -> None:
        entry = self._entry(actor, type="protected_attributes_read", decision="denied", deny_reason=why)
        self._audit.submit(lambda *_: ([entry], None))

    def _keep(
        self, connection: Connection, now_us: int, payloads: Sequence[NewPayload], actor: Actor
    ) -> tuple[list[AuditEntry], Kept]:
        of_member: dict[str, list[NewPayload]] = {}
        for payload in payloads:
            of_member.setdefault(payload.subject_id, []).append(payload)
        members = values = 0
        for some in _pages(sorted(of_member)):
            living = self._vault.keys_of(connection, some, create=True, now_us=now_us)  # without the erased
            theirs = [payload for subject_id in living for payload in of_member[subject_id]]
            self._vault.replace_many(connection, theirs, now_us)
            members, values = members + len(living), values + len(theirs)
        kept = Kept(members, values, len(of_member) - members)
        told = {"decision": "granted", "outcome": f"{kept.members}-members"}
        return [self._entry(actor, type="protected_attributes_kept", **told)], kept

    def _read_entry(self, actor: Actor, purpose: str, names: Sequence[str], asked: Sequence[str]) -> AuditEntry:
        whom = "\n".join([",".join(sorted(names)), *asked]).encode()
        return self._entry(
            actor, type="protected_attributes_read", context=purpose, decision="granted",
            input_digest=self._vault.keyring.derive(_DOMAIN).digest(whom).hex(), outcome=f"{len(asked)}-members",
        )  # fmt: skip

    def _entry(self, actor: Actor, **told: Any) -> AuditEntry:
        return AuditEntry(
            event_id=self._ids(), actor_id=actor.id, actor_role=actor.role, service=_SERVICE, policy_version=_RULES,
            **told,
        )  # fmt: skip

    def _everybody(self) -> list[str]:
        c = member_payloads.c
        with self._store.read() as connection:
            asked = select(c.subject_id).where(c.kind == KIND).distinct().order_by(c.subject_id)
            return list(connection.execute(asked).scalars())

    def _values(self, asked: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
        held: dict[str, dict[str, Any]] = {}
        with self._store.read() as connection:
            for some in _pages(asked):
                refs = [_ref(subject_id, name) for subject_id in some for name in names]
                for payload in self._vault.get_many(connection, refs).values():
                    held.setdefault(payload.subject_id, {}).update(json.loads(payload.content))
        index = pd.Index(sorted(held), name="subject_id", dtype=object)
        return pd.DataFrame({name: _column(name, index, held) for name in names}, index=index)


def _payloads(attributes: pd.DataFrame) -> Iterator[NewPayload]:
    subjects = [str(subject) for subject in attributes.index]
    validate_subjects(tuple(subjects))
    for name in map(str, attributes.columns):
        for subject_id, value, given in zip(subjects, attributes[name], attributes[name].notna(), strict=True):
            if given:
                content = json.dumps({name: checked_value(name, _plain(value))}).encode()
                yield NewPayload(_ref(subject_id, name), subject_id, KIND, content.ljust(_SEALED_BYTES))


def _pages(subject_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some members at a time: a statement of a database takes only so many values."""
    return (subject_ids[first : first + _PAGE] for first in range(0, len(subject_ids), _PAGE))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _ref(subject_id: str, name: str) -> str:
    """One place for each member and attribute, so that a newer value takes it."""
    return MADE_FROM_MEMBER + hashlib.sha256(f"protected\n{name}\n{subject_id}".encode()).hexdigest()[:35]


def _column(name: str, index: Iterable[str], held: Mapping[str, Mapping[str, Any]]) -> pd.Series[Any]:
    values = [held[subject_id].get(name) for subject_id in index]
    kind = "Float64" if name == "age" else "string"
    return pd.Series(values, index=pd.Index(index), dtype=kind)
