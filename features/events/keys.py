"""From raw ids to keyed pseudonyms, once, at the door."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benne.errors import EventSchemaError

__all__ = ["SubjectKey"]

_MINIMUM_BYTES = 32
_ID_DIGITS = 32
_BLOCK_BYTES = 64


class SubjectKey:
    """A secret that turns raw ids into subject ids nobody can turn back without it.

    Parameters
    ----------
    secret : bytes
        At least 32 bytes, from a key store; the same secret gives the same ids.

    Notes
    -----
    An id is the first 128 bits of HMAC-SHA-256 over the id's domain and its text, in
    hexadecimal. Domains keep a member's number and an obligation's number apart even where
    the platform uses one for both.

    Examples
    --------
    >>> SubjectKey(b"k" * 32).subject_ids(["anna"])[0]
    '273a09e38c738fb68ecfe84c57104c43'
    >>> SubjectKey(b"short")
    Traceback (most recent call last):
    ...
    benne.errors.EventSchemaError: A subject key must be at least 32 bytes of secret, got 5. ...
    """

    def __init__(self, secret: bytes) -> None:
        if not isinstance(secret, bytes) or len(secret) < _MINIMUM_BYTES:
            got = len(secret) if isinstance(secret, bytes) else type(secret).__name__
            raise EventSchemaError(
                f"A subject key must be at least {_MINIMUM_BYTES} bytes of secret, got {got}. "
                "Make one with SubjectKey.generate() and keep it in a key store."
            )
        self._secret = secret

    def __repr__(self) -> str:
        """Say which key it is without saying the key."""
        return f"SubjectKey(fingerprint={self.fingerprint!r})"

    @classmethod
    def generate(cls) -> Self:
        """Draw a new secret from the operating system; for the edge of the program only."""
        return cls(secrets.token_bytes(_MINIMUM_BYTES))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell two keys apart and reveal neither."""
        return hmac.digest(self._secret, b"benne key fingerprint", "sha256").hex()[:16]

    def subject_ids(self, member_ids: Sequence[object]) -> npt.NDArray[np.object_]:
        """Key raw member ids.

        Parameters
        ----------
        member_ids : sequence of str or int, length n

        Returns
        -------
        ndarray of str, shape (n,)
            32 hexadecimal digits each.

        Raises
        ------
        EventSchemaError
            For one id that is not in a sequence, and for ids that are neither text nor whole
            numbers: 2.0 would be another member than 2.
        """
        if isinstance(member_ids, str | bytes):
            raise EventSchemaError("member_ids must be a sequence of ids, got a single one. Put it in a list.")
        ids = list(member_ids)
        wrong = sum(isinstance(one, bool) or not isinstance(one, str | int | np.integer) for one in ids)
        if wrong:
            raise EventSchemaError(
                f"member_ids must be strings or whole numbers, got {wrong} of {len(ids)} that are neither "
                "(a column of integers with gaps becomes floats in pandas). Drop the nulls and convert them."
            )
        raw = pa.array([str(m) for m in ids], type=pa.string())
        return np.asarray(self.key_column(raw, "member").to_pylist(), dtype=object)

    def subject_id(self, member_id: str) -> str:
        """Key one raw member id; the same as :meth:`subject_ids` of it alone.

        Raises
        ------
        EventSchemaError
            If it is no text.

        Examples
        --------
        >>> key = SubjectKey(bytes(32))
        >>> key.subject_id("anna") == key.subject_ids(["anna"])[0]
        True
        >>> key.subject_id(7)
        Traceback (most recent call last):
        ...
        benne.errors.EventSchemaError: A member id must be text, got int. Convert it as the events' own ids were.
        """
        if not isinstance(member_id, str):
            raise EventSchemaError(
                f"A member id must be text, got {type(member_id).__name__}. Convert it as the events' own ids were."
            )
        return hmac.digest(self._secret, b"member\0" + member_id.encode(), "sha256").hex()[:_ID_DIGITS]

    def key_column(self, ids: pa.Array | pa.ChunkedArray, domain: str) -> pa.Array:
        """Key a column of raw ids (strings or integers), keeping nulls."""
        distinct = pc.dictionary_encode(pc.cast(ids, pa.string()))
        if isinstance(distinct, pa.ChunkedArray):
            distinct = distinct.combine_chunks()
        keyed = self._hmacs(domain, pc.cast(distinct.dictionary, pa.binary()).to_pylist())
        return pc.take(pa.array(keyed, type=pa.string()), distinct.indices)

    def _hmacs(self, domain: str, raw_ids: list[bytes]) -> list[str]:
        # HMAC by its definition (RFC 2104): copying the two keyed states is three times as fast
        # as a fresh hmac.digest per id, and ids are most of what the door does.
        key = self._secret if len(self._secret) <= _BLOCK_BYTES else sha256(self._secret).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        inner = sha256(bytes(b ^ 0x36 for b in block) + domain.encode() + b"\0")
        outer = sha256(bytes(b ^ 0x5C for b in block))
        keyed = []
        for raw in raw_ids:
            message, whole = inner.copy(), outer.copy()
            message.update(raw)
            whole.update(message.digest())
            keyed.append(whole.hexdigest()[:_ID_DIGITS])
        return keyed
