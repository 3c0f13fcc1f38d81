"""A registered recipient, keys with secrets one can foresee, and an identity provider one can turn."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from benne.errors import CredentialError
from benne.scoring.access import ApiKeys, KeyTimes, Recipient, TokenKeys, TokenRules, TokenVerifier
from benne.scoring.access.recipients import register

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER, AUDIENCE = "https://id.example", "benne"
KEYS = {
    "rsa": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "ec": ECKey.generate_key("P-256", {"kid": "ec"}),
    "ed": OKPKey.generate_key("Ed25519", {"kid": "ed", "alg": "Ed25519"}),
    "other": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
ALGORITHMS = {"rsa": "RS256", "ec": "ES256", "ed": "Ed25519", "other": "Ed25519"}


def counted_bytes() -> Callable[[int], bytes]:
    """Not random at all: 1, 2, 3 … so that tests know each secret."""
    numbers = itertools.count(1)
    return lambda length: next(numbers).to_bytes(length, "big")


class Turnable:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


class FakeSource:
    """A JWK set one can change, count the fetches of, and break."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.fetches = 0
        self.broken = False

    def fetch(self) -> dict[str, Any]:
        self.fetches += 1
        if self.broken:
            raise CredentialError("https://id.example must answer with a JWK set, got TimeoutError.")
        return {"keys": [KEYS[name].as_dict(private=False) for name in self.names]}


@dataclass
class Provider:
    """An identity provider with its keys, and Benne's verifier of its tokens."""

    clock: Turnable = field(default_factory=Turnable)
    source: FakeSource = field(default_factory=lambda: FakeSource("rsa", "ec", "ed"))
    rules: TokenRules = field(default_factory=lambda: TokenRules(issuer=ISSUER, audience=AUDIENCE))
    times: KeyTimes = field(default_factory=KeyTimes)

    def __post_init__(self) -> None:
        self.keys = TokenKeys(self.source, clock=self.clock, times=self.times)
        self.verifier = TokenVerifier(self.keys, self.rules, clock=self.clock, subject_of=self.subject_of)

    @staticmethod
    def subject_of(raw: str) -> str:
        return f"{sum(raw.encode()):032x}"

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "client-7", "iat": now, "exp": now + 300,
                "benne_role": "recipient", "benne_recipient": "shop"}  # fmt: skip
        return {name: value for name, value in {**told, **changes}.items() if value is not ...}

    def token(self, by: str = "ed", header: dict[str, Any] | None = None, **changes: Any) -> str:
        head = {"alg": ALGORITHMS[by], "kid": KEYS[by].kid, "typ": "JWT", **(header or {})}
        head = {name: value for name, value in head.items() if value is not ...}
        payload = json.dumps(self.claims(**changes))
        return jws.serialize_compact(head, payload, KEYS[by], algorithms=[head["alg"]])


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="session")
def make_provider() -> type[Provider]:
    return Provider


@pytest.fixture(scope="session")
def idp_keys() -> dict[str, Any]:
    return KEYS


@pytest.fixture
def turnable() -> Turnable:
    return Turnable()


@pytest.fixture
def keys() -> ApiKeys:
    return ApiKeys(counted_bytes())


@pytest.fixture
def shop() -> Recipient:
    purposes = frozenset({"lending", "rental"})
    return Recipient(name="shop", contact="dpo@shop.example", purposes=purposes, created_at_us=0)


@pytest.fixture
def store(platform: Any, shop: Recipient) -> Any:
    """A store of either kind in which the shop is registered."""
    with platform.store.write() as connection:
        register(connection, shop)
    return platform.store
