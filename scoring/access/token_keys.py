"""An identity provider's public keys, kept and fetched anew: seldom, and never so that a failure lets anybody in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from benne.errors import CredentialError
from benne.scoring.access.key_sources import JwksSource

__all__ = ["AsymmetricKey", "KeyTimes", "TokenKeys"]

AsymmetricKey = RSAKey | ECKey | OKPKey

_KINDS: Final[dict[str, type[AsymmetricKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_CURVES: Final = frozenset({"P-256", "P-384", "P-521", "Ed25519"})
_LEAST_BITS: Final = 2048
_MOST_KEYS: Final = 64


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When keys are fetched, and how long they are kept.

    Parameters
    ----------
    between : timedelta, default=1 minute
        Least time between two fetches, however many tokens name unknown keys.
    fresh : timedelta, default=1 hour
        After this keys are fetched anew, so that one taken back is gone.
    kept : timedelta, default=12 hours
        How long keys are used while fetching fails; after that nobody comes in.

    Raises
    ------
    CredentialError
        If they are not in that order.
    """

    between: timedelta = timedelta(minutes=1)
    fresh: timedelta = timedelta(hours=1)
    kept: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.between <= self.fresh <= self.kept:
            raise CredentialError("Times of keys must be between <= fresh <= kept, got another order. Reorder them.")


class TokenKeys:
    """The keys by their ids. Safe in many threads; a thread that needs a fetch waits for it.

    Parameters
    ----------
    source : JwksSource
    clock : callable returning datetime
        Timezone-aware.
    times : KeyTimes, optional

    Notes
    -----
    Only public keys for signatures count: RSA of 2048 bits or more, the NIST curves and Ed25519, each with a ``kid``
    of its own. Anything else in the set is left out; a set that holds a private or symmetric key is refused whole.
    """

    def __init__(self, source: JwksSource, *, clock: Callable[[], datetime], times: KeyTimes | None = None) -> None:
        self._source = source
        self._clock = clock
        self._times = KeyTimes() if times is None else times
        self._fetching = threading.Lock()
        self._keys: dict[str, AsymmetricKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    def key(self, kid: str) -> AsymmetricKey | None:
        """The key of that id; None where there is none, or none fresh enough to be trusted."""
        if kid not in self._keys or not self._younger_than(self._times.fresh):
            if self._may_try():
                self._fetch_unless_done()
            elif kid not in self._keys:
                with self._fetching:  # whoever fetches right now may bring it
                    pass
        return self._keys.get(kid) if self._younger_than(self._times.kept) else None

    def refresh(self) -> None:
        """Fetch now, as a timer may do ahead of requests.

        Raises
        ------
        CredentialError
            If the set cannot be had or read; the keys there are stay as they were.
        """
        with self._fetching:
            self._fetch()

    def _younger_than(self, age: timedelta) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at <= age

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= self._times.between

    def _fetch_unless_done(self) -> None:
        with self._fetching:
            if not self._may_try():  # another thread was faster
                return
            try:
                self._fetch()
            except CredentialError:
                return  # what is kept still counts, for as long as it may

    def _fetch(self) -> None:
        self._tried_at = self._clock()
        self._keys = _keys_in(self._source.fetch())
        self._fetched_at = self._tried_at


def _keys_in(jwks: Mapping[str, Any]) -> dict[str, AsymmetricKey]:
    found: dict[str, AsymmetricKey] = {}
    for jwk in jwks["keys"][:_MOST_KEYS]:
        if not isinstance(jwk, dict):
            continue
        if jwk.get("kty") == "oct" or "d" in jwk:
            raise CredentialError(
                "A JWK set must hold public keys, got a secret one. Replace it, and publish no secret."
            )
        key = _key(jwk)
        if key is not None:
            if jwk["kid"] in found:
                raise CredentialError("A JWK set must name each key once, got one id twice. Tell its keys apart.")
            found[jwk["kid"]] = key
    if not found:
        raise CredentialError("A JWK set must hold a public key with a kid, got none that can be used. Name another.")
    return found


def _key(jwk: dict[str, Any]) -> AsymmetricKey | None:
    kind = _KINDS.get(str(jwk.get("kty")))
    kid = jwk.get("kid")
    if kind is None or not isinstance(kid, str) or not kid or jwk.get("use", "sig") != "sig":
        return None
    try:
        key = kind.import_key(jwk)
        strong = key.public_key.key_size >= _LEAST_BITS if isinstance(key, RSAKey) else key.curve_name in _CURVES
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if strong else None
