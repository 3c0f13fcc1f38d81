"""What is known about members, encrypted under a key of each one's own.

A member's key is drawn when something about them is first kept, and stored wrapped under a master key of the
ring. A payload opens only with its member's key, under its own reference, kind and moment: rows that somebody
exchanged do not open. With the key destroyed the member is forgotten, in every copy of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from benne.errors import BenneError, Erased, KeyRingError, VaultError
from benne.scoring.store.keyring import KeyRing, Wrapped
from benne.scoring.store.member_key import MemberKey
from benne.scoring.store.payloads import NewPayload, Payload, PayloadKind, validate_kind, validate_subjects
from benne.scoring.store.sealing import KEY_BYTES, NONCE_BYTES, binding
from benne.scoring.store.vault_statements import statements_for

__all__ = ["PURPOSE", "MemberKey", "MemberVault", "NewPayload", "Payload", "PayloadKind"]

PURPOSE: Final = "member"
"""What members' keys are wrapped for."""

_PAGE: Final = 200  # payloads


class MemberVault:
    """Payloads of members, written and read in the caller's transaction.

    Parameters
    ----------
    keyring : KeyRing
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.

    Notes
    -----
    Nothing is cached: every call reads the keys in the transaction it is given, so that none outlives an erasure.
    Writing needs a connection of ``Store.write()``, or that of a unit of work.

    Examples
    --------
    >>> import secrets, tempfile
    >>> from pathlib import Path
    >>> from benne.scoring import open_store
    >>> from benne.scoring.store.file_keyring import FileKeyRing
    >>> folder = tempfile.TemporaryDirectory()
    >>> ring = FileKeyRing.create(Path(folder.name, "ring.json"), random_bytes=secrets.token_bytes, now_us=0)
    >>> vault, anna = MemberVault(ring, random_bytes=secrets.token_bytes), "0" * 32
    >>> store = open_store(folder.name + "/benne.db")
    >>> with store.write() as connection:
    ...     vault.put(connection, NewPayload("decision-1", anna, "decision", b"612"), now_us=0)
    ...     vault.get(connection, "decision-1").content
    b'612'
    >>> with store.read() as connection:
    ...     vault.get(connection, "decision-2")
    Traceback (most recent call last):
    ...
    benne.errors.VaultError: A payload must be in the vault, got a reference to none. ...
    >>> store.close(); folder.cleanup()
    """

    def __init__(self, keyring: KeyRing, *, random_bytes: Callable[[int], bytes]) -> None:
        self.keyring = keyring
        self._random_bytes = random_bytes

    def keys_of(
        self, connection: Connection, subject_ids: Collection[str], *, create: bool, now_us: int
    ) -> dict[str, MemberKey]:
        """Members' own keys, for the length of this transaction.

        Parameters
        ----------
        connection : Connection
        subject_ids : collection of str
        create : bool
            Draw a key for whoever has none yet.
        now_us : int
            Microseconds since 1970-01-01 UTC.

        Returns
        -------
        dict of str to MemberKey
            Without the erased; without the unknown, unless one is drawn for them.

        Raises
        ------
        VaultError
            If an id is no subject id.
        KeyRingError
            If a key cannot be opened.
        """
        asked = tuple(dict.fromkeys(subject_ids))
        validate_subjects(asked)
        if not asked:
            return {}
        sql = statements_for(connection)
        rows = connection.exec_driver_sql(sql.keys, (sql.list(asked),)).all()
        keys = {row[0]: self._key(*row) for row in rows if row[1] is not None}
        known = {row[0] for row in rows}
        if create and len(known) < len(asked):
            keys.update(self._add(connection, [one for one in asked if one not in known], now_us))
        return keys

    def put_many(
        self,
        connection: Connection,
        payloads: Sequence[NewPayload],
        now_us: int,
        *,
        keys: Mapping[str, MemberKey] | None = None,
    ) -> None:
        """Encrypt and keep payloads, drawing a key for members who have none.

        Parameters
        ----------
        connection : Connection
        payloads : sequence of NewPayload
        now_us : int
            Microseconds since 1970-01-01 UTC.
        keys : mapping of str to MemberKey, optional
            What :meth:`keys_of` gave for their members in this same transaction; by default it is asked.

        Raises
        ------
        Erased
            If a member was erased.
        VaultError
            If a reference is in use.
        """
        if not payloads:
            return
        if keys is None:
            members = {payload.subject_id for payload in payloads}
            keys = self.keys_of(connection, members, create=True, now_us=now_us)
        rows = [self._row(payload, keys.get(payload.subject_id), now_us) for payload in payloads]
        try:
            connection.exec_driver_sql(statements_for(connection).add_payload, rows)
        except IntegrityError:
            raise VaultError("A payload's reference must be new, got one in use. Pass a new id.") from None

    def put(self, connection: Connection, payload: NewPayload, now_us: int) -> None:
        """:meth:`put_many` of one."""
        self.put_many(connection, (payload,), now_us)

    def get(self, connection: Connection, payload_ref: str) -> Payload:
        """One payload, decrypted.

        Raises
        ------
        Erased
            If its member was erased.
        VaultError
            If there is none, it was dropped, or it is damaged.
        """
        row = connection.exec_driver_sql(statements_for(connection).one, (payload_ref,)).one_or_none()
        if row is None:
            raise self._absent(connection, payload_ref)
        if row.wrapped_key is None:
            raise _erased()
        return self._open(row, self._key(row.subject_id, row.wrapped_key, row.master_key_id))

    def get_many(
        self,
        connection: Connection,
        payload_refs: Collection[str],
        *,
        damaged: Callable[[str, BenneError], object] | None = None,
    ) -> dict[str, Payload]:
        """Payloads by their references, decrypted; without those that are not there or whose member was erased.

        Parameters
        ----------
        connection : Connection
        payload_refs : collection of str
        damaged : callable, optional
            Told the reference of each that cannot be opened, and why; it is left out then.

        Raises
        ------
        VaultError, KeyRingError
            If one of them is damaged, or its member's key is, and nobody is to be told.
        """
        sql = statements_for(connection)
        rows = connection.exec_driver_sql(sql.many, (sql.list(tuple(payload_refs)),))
        opened = {}
        for row in rows:
            try:
                opened[row[0]] = self._open(row, self._key(row.subject_id, row.wrapped_key, row.master_key_id))
            except (VaultError, KeyRingError) as error:
                if damaged is None:
                    raise
                damaged(row[0], error)
        return opened

    def replace_many(self, connection: Connection, payloads: Sequence[NewPayload], now_us: int) -> None:
        """:meth:`put_many`, in place of what there is under the same references.

        Only for what can be made anew, such as features: a decision is never replaced.
        """
        if payloads:
            sql = statements_for(connection)
            connection.exec_driver_sql(sql.remove, (sql.list([payload.payload_ref for payload in payloads]),))
            self.put_many(connection, payloads, now_us)

    def latest(self, connection: Connection, subject_id: str, kind: PayloadKind) -> Payload | None:
        """The newest payload of a kind of a member; None if there is none, or the member was erased."""
        return self.latest_many(connection, (subject_id,), kind).get(subject_id)

    def latest_many(
        self, connection: Connection, subject_ids: Collection[str], kind: PayloadKind
    ) -> dict[str, Payload]:
        """The newest payload of a kind of each of many members; without those who have none, or were erased.

        Raises
        ------
        VaultError
            If one of them is damaged.
        """
        asked = tuple(dict.fromkeys(subject_ids))
        validate_subjects(asked)
        validate_kind(kind)
        sql = statements_for(connection)
        rows = connection.exec_driver_sql(sql.latest, (sql.list(asked), kind))
        opened = (self._open(row, self._key(row.subject_id, row.wrapped_key, row.master_key_id)) for row in rows)
        return {payload.subject_id: payload for payload in opened}

    def everything(
        self, connection: Connection, subject_id: str, *, damaged: Callable[[str, BenneError], object] | None = None
    ) -> Iterator[Payload]:
        """All payloads of a member, oldest first; none if they were erased.

        Parameters
        ----------
        connection : Connection
        subject_id : str
        damaged : callable, optional
            As of :meth:`get_many`.

        Raises
        ------
        VaultError
            If one of them is damaged, and nobody is to be told.
        """
        validate_subjects((subject_id,))
        sql, after = statements_for(connection).page, 0
        while rows := connection.exec_driver_sql(sql, (subject_id, after, _PAGE)).all():
            key = self._key(rows[0].subject_id, rows[0].wrapped_key, rows[0].master_key_id)
            yield from self._readable(rows, key, damaged)
            after = rows[-1].seq

    def drop(self, connection: Connection, subject_ids: Collection[str], kind: PayloadKind) -> int:
        """Delete the payloads of a kind of some members, as when they withdraw consent; gives how many.

        What a legal hold stands on stays until it is lifted.
        """
        asked = tuple(dict.fromkeys(subject_ids))
        validate_subjects(asked)
        validate_kind(kind)
        sql = statements_for(connection)
        return connection.exec_driver_sql(sql.drop, (kind, sql.list(asked))).rowcount

    def drop_expired(self, connection: Connection, now_us: int, *, at_most: int = 10_000) -> int:
        """Delete payloads whose time has passed, the longest ago first; gives how many. Call it until it gives 0.

        What a legal hold stands on stays until it is lifted.
        """
        return connection.exec_driver_sql(statements_for(connection).drop_expired, (now_us, at_most)).rowcount

    def rewrap(self, connection: Connection, batch: int = 1_000) -> int:
        """Put some members' keys under the current master key; gives how many. Call it until it gives 0.

        Each call stands for itself, so one that is interrupted is taken up by the next.
        """
        sql, current = statements_for(connection), self.keyring.current
        rows = connection.exec_driver_sql(sql.not_under, (current, current, batch)).all()
        moved = []
        for subject_id, content, master_key_id in rows:
            secret = self.keyring.unwrap(Wrapped(master_key_id, content), purpose=PURPOSE, owner=subject_id)
            wrapped = self.keyring.wrap(secret, purpose=PURPOSE, owner=subject_id)
            moved.append((wrapped.content, wrapped.master_key_id, subject_id))
        if moved:
            connection.exec_driver_sql(sql.rewrap, moved)
        return len(moved)

    def readmit(self, connection: Connection, subject_id: str, now_us: int) -> None:
        """Draw a new key for somebody who was erased and comes back: when they consent anew, and not before.

        What was erased stays so, and nothing leads from the new key to it.

        Raises
        ------
        VaultError
            If they are not erased, or their erasure is not finished.
        """
        validate_subjects((subject_id,))
        sql = statements_for(connection)
        wrapped = self.keyring.wrap(self._random_bytes(KEY_BYTES), purpose=PURPOSE, owner=subject_id)
        changes = (wrapped.content, wrapped.master_key_id, now_us, subject_id)
        if not connection.exec_driver_sql(sql.readmit, changes).rowcount:
            raise VaultError("Who comes back must be wholly erased, got somebody who is not. Finish the erasure first.")

    def wrapped_under(self, connection: Connection, master_key_id: str) -> int:
        """How many members' keys are under a master key."""
        sql = statements_for(connection)
        return int(connection.exec_driver_sql(sql.count_under, (master_key_id,)).scalar_one())

    def _readable(
        self, rows: Sequence[Any], key: MemberKey, damaged: Callable[[str, BenneError], object] | None
    ) -> Iterator[Payload]:
        for row in rows:
            try:
                yield self._open(row, key)
            except VaultError as error:
                if damaged is None:
                    raise
                damaged(row[0], error)

    def _add(self, connection: Connection, subject_ids: Sequence[str], now_us: int) -> dict[str, MemberKey]:
        secrets = {subject_id: self._random_bytes(KEY_BYTES) for subject_id in subject_ids}
        rows = []
        for subject_id, secret in secrets.items():
            wrapped = self.keyring.wrap(secret, purpose=PURPOSE, owner=subject_id)
            rows.append((subject_id, wrapped.content, wrapped.master_key_id, now_us))
        connection.exec_driver_sql(statements_for(connection).add_member, rows)
        return {subject_id: MemberKey(secret, subject_id) for subject_id, secret in secrets.items()}

    def _key(self, subject_id: str, content: bytes, master_key_id: str) -> MemberKey:
        secret = self.keyring.unwrap(Wrapped(master_key_id, content), purpose=PURPOSE, owner=subject_id)
        return MemberKey(secret, subject_id)

    def _row(self, payload: NewPayload, key: MemberKey | None, now_us: int) -> tuple[Any, ...]:
        if key is None:
            raise _erased()
        bound_to = _bound_to(payload.payload_ref, payload.subject_id, payload.kind, now_us)
        sealed = key.seal(payload.content, self._random_bytes(NONCE_BYTES), bound_to)
        until_us = payload.retention_until_us
        return (payload.payload_ref, payload.subject_id, payload.kind, now_us, until_us, sealed)

    def _open(self, row: Sequence[Any], key: MemberKey) -> Payload:
        ref, subject_id, kind, created_at_us, until_us, sealed = row[:6]
        content = key.open(sealed, _bound_to(ref, subject_id, kind, created_at_us))
        if content is None:
            raise VaultError("A payload must open as it was put, got one damaged or exchanged. Restore it from a copy.")
        return Payload(ref, subject_id, kind, created_at_us, until_us, content)

    def _absent(self, connection: Connection, payload_ref: str) -> VaultError:
        found = connection.exec_driver_sql(statements_for(connection).erased, (payload_ref,)).one_or_none()
        if found is not None:
            return _erased()
        return VaultError("A payload must be in the vault, got a reference to none. It was never put, or was dropped.")


def _bound_to(payload_ref: str, subject_id: str, kind: str, created_at_us: int) -> bytes:
    return binding("benne payload", payload_ref, subject_id, kind, str(created_at_us))


def _erased() -> Erased:
    return Erased("What is asked about must not be erased, got a member who was. Nothing of them is left.")
