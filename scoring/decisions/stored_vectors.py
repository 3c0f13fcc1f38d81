"""Feature vectors that were computed beforehand, kept encrypted under each member's key.

A vector is for one member, purpose and recipient, and a newer one takes its place. What was computed under a consent
that has since ended is never used again: a withdrawal through the service drops it, and whatever ended it otherwise
(time, a command, a replaced notice), the vector is older than the consent that stands.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from sqlalchemy import Connection, insert, select

from benne.errors import BenneError, VaultError
from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.decisions.vectors import Occasion
from benne.scoring.store.payloads import MADE_FROM_MEMBER
from benne.scoring.store.service_tables import feature_layouts
from benne.scoring.store.vault import MemberVault, NewPayload, Payload

__all__ = ["StoredVectors", "vector_ref"]

_log = logging.getLogger(__name__)
_HEAD: Final = struct.Struct("<4sqB32s")  # form, as_of in microseconds, categories computed, layout
_FORM: Final = b"BFV1"
_FLOATS: Final = "<f8"


def vector_ref(subject_id: str, purpose: str, recipient: str) -> str:
    """Under which reference a member's vector for a purpose and recipient is kept."""
    return MADE_FROM_MEMBER + hashlib.sha256(f"{purpose}\n{recipient}\n{subject_id}".encode()).hexdigest()[:35]


class StoredVectors:
    """Feature vectors in the vault; a :class:`benne.scoring.decisions.vectors.FeatureSource`.

    Parameters
    ----------
    vault : MemberVault
    category_of : callable
        Category of a feature by its name, to let go of it when its consent ends; '' for one that nobody knows,
        which is let go of with any.
    """

    def __init__(self, vault: MemberVault, category_of: Callable[[str], str]) -> None:
        self._vault = vault
        self._category_of = category_of
        self._layouts: dict[bytes, tuple[str, ...]] = {}

    def vectors(
        self, connection: Connection, consented: Mapping[str, Mapping[str, int]], occasion: Occasion
    ) -> dict[str, FeatureVector]:
        """See :class:`benne.scoring.decisions.vectors.FeatureSource`; one that is damaged is as good as none."""
        refs = [vector_ref(subject_id, occasion.purpose, occasion.recipient) for subject_id in consented]
        return {
            vector.subject_id: self._without_earlier(vector, kept_us, consented[vector.subject_id])
            for vector, kept_us in self._readable(connection, refs)
            if to_microseconds(vector.as_of, "as_of") >= occasion.oldest_us
        }

    def keep(
        self,
        connection: Connection,
        vectors: Sequence[FeatureVector],
        *,
        purpose: str,
        recipient: str,
        now_us: int,
        retention_until_us: int | None = None,
    ) -> None:
        """Keep vectors in place of those there were; the caller's transaction holds the writers' lock.

        Raises
        ------
        Erased
            If a member was erased.
        """
        payloads = [
            NewPayload(
                vector_ref(vector.subject_id, purpose, recipient),
                vector.subject_id,
                "features",
                self._encoded(connection, vector),
                retention_until_us,
            )
            for vector in vectors
        ]
        self._vault.replace_many(connection, payloads, now_us)

    def withhold(
        self,
        connection: Connection,
        subject_id: str,
        *,
        purpose: str,
        recipient: str,
        ended: Collection[str],
        now_us: int,
    ) -> None:
        """Let go of what was computed of categories whose consent has ended; the caller's transaction ends it.

        A damaged vector serves nobody, and keeps nobody from withdrawing.
        """
        ref = vector_ref(subject_id, purpose, recipient)
        for payload in self._vault.get_many(connection, [ref], damaged=_report_damage).values():
            try:
                vector = self._decoded(connection, subject_id, payload.content)
            except VaultError as error:
                _report_damage(ref, error)
                continue
            left = self._without(vector, ended)
            self.keep(
                connection, [left], purpose=purpose, recipient=recipient, now_us=now_us,
                retention_until_us=payload.retention_until_us,
            )  # fmt: skip

    def read(self, connection: Connection, payload: Payload) -> FeatureVector:
        """The vector in a payload of kind ``features``."""
        return self._decoded(connection, payload.subject_id, payload.content)

    def _without_earlier(self, vector: FeatureVector, kept_us: int, since_us: Mapping[str, int]) -> FeatureVector:
        """Without categories whose consent was broken since the vector was kept, however it ended."""
        earlier = [category for category, began_us in since_us.items() if began_us > kept_us]
        return self._without(vector, earlier) if earlier else vector

    def _without(self, vector: FeatureVector, ended: Collection[str]) -> FeatureVector:
        kept = {category: there and category not in ended for category, there in vector.consented.items()}
        values = vector.values.copy()
        values[[not kept.get(self._category_of(name), False) for name in vector.names]] = np.nan
        return FeatureVector(vector.subject_id, vector.as_of, vector.names, values, kept)

    def _readable(self, connection: Connection, refs: Collection[str]) -> Iterator[tuple[FeatureVector, int]]:
        """Vectors that can be read, each with the moment at which it was kept."""
        for payload in self._vault.get_many(connection, refs, damaged=_report_damage).values():
            try:
                yield self._decoded(connection, payload.subject_id, payload.content), payload.created_at_us
            except VaultError as error:
                _report_damage(payload.payload_ref, error)

    def _encoded(self, connection: Connection, vector: FeatureVector) -> bytes:
        bits = sum(1 << k for k, category in enumerate(CATEGORIES) if vector.consented[category])
        as_of_us = to_microseconds(vector.as_of, "as_of")
        head = _HEAD.pack(_FORM, as_of_us, bits, self._layout_id(connection, vector.names))
        return head + vector.values.astype(_FLOATS).tobytes()

    def _decoded(self, connection: Connection, subject_id: str, content: bytes) -> FeatureVector:
        try:
            form, as_of_us, bits, layout = _HEAD.unpack_from(content)
            names = self._names(connection, layout)
            values = np.frombuffer(content, dtype=_FLOATS, offset=_HEAD.size)
        except (struct.error, ValueError):
            raise _of_another_form() from None
        if form != _FORM or len(values) != len(names):
            raise _of_another_form()
        consented = {category: bool(bits >> k & 1) for k, category in enumerate(CATEGORIES)}
        return FeatureVector(subject_id, from_microseconds(as_of_us), names, values, consented)

    def _names(self, connection: Connection, layout: bytes) -> tuple[str, ...]:
        if layout not in self._layouts:
            c = feature_layouts.c
            found = connection.execute(select(c.names).where(c.layout_id == layout.hex())).scalar_one_or_none()
            if found is None:
                raise VaultError("A feature vector must be of a known layout, got another. Build the features anew.")
            self._layouts[layout] = tuple(json.loads(found))
        return self._layouts[layout]

    def _layout_id(self, connection: Connection, names: Iterable[str]) -> bytes:
        names = tuple(names)
        text = json.dumps(names, separators=(",", ":"))
        layout = hashlib.sha256(text.encode()).digest()
        if layout not in self._layouts:
            c = feature_layouts.c
            known = connection.execute(select(c.layout_id).where(c.layout_id == layout.hex())).scalar_one_or_none()
            if known is None:
                connection.execute(insert(feature_layouts), {"layout_id": layout.hex(), "names": text})
        return layout


def _report_damage(_: str, error: BenneError) -> None:
    """Say that something is damaged, and not whose it is."""
    _log.error("a feature vector cannot be read (%s); load or build the features anew", type(error).__name__)


def _of_another_form() -> VaultError:
    return VaultError("A feature vector must be of this Benne's form, got another. Build the features anew.")
