"""A ring in a file, a vault on it, and chance that is the same every time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benne.scoring.store.file_keyring import FileKeyRing
from benne.scoring.store.vault import MemberVault, NewPayload

ANNA, BERT = f"{1:032x}", f"{2:032x}"


@pytest.fixture
def chance() -> Callable[[int], bytes]:
    return random.Random(5).randbytes


@pytest.fixture
def ring_path(tmp_path: Path) -> Path:
    return tmp_path / "ring.json"


@pytest.fixture
def ring(ring_path: Path, chance: Callable[[int], bytes]) -> FileKeyRing:
    return FileKeyRing.create(ring_path, random_bytes=chance, now_us=7)


@pytest.fixture
def vault(ring: FileKeyRing, chance: Callable[[int], bytes]) -> MemberVault:
    return MemberVault(ring, random_bytes=chance)


@pytest.fixture
def payload() -> Callable[..., NewPayload]:
    """A payload of anna's unless something else is said."""

    def make(ref: str, content: bytes = b"612", **changes: Any) -> NewPayload:
        return NewPayload(**{"payload_ref": ref, "subject_id": ANNA, "kind": "decision", "content": content} | changes)

    return make
