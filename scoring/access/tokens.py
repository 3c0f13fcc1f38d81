"""Bearer tokens of the platform's identity provider: signed JSON Web Tokens, and who is behind one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from benne.errors import AccessDenied, BenneError, CredentialError
from benne.scoring.access.principal import Principal
from benne.scoring.access.token_keys import TokenKeys
from benne.scoring.consent.vocabulary import PURPOSES

__all__ = ["ALGORITHMS", "ClaimNames", "TokenRules", "TokenVerifier"]

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""What may sign a token. All have a public half: a shared secret could be made from published keys."""

_TYPES: Final = (None, "JWT", "jwt", "at+jwt", "application/at+jwt")
_HEADERS: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_LONGEST: Final = 8 * 1024  # characters
_LONGEST_SUBJECT: Final = 256
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,57}")
_END_OF_TIME: Final = 253_402_300_800  # the year 10000, in seconds; and no NaN is below it


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Under which names the identity provider puts what Benne reads.

    Parameters
    ----------
    role : str, default='benne_role'
        One of the roles; required.
    recipient : str, default='benne_recipient'
        Name of the registered recipient; for role recipient.
    purposes : str, default='benne_purposes'
        A list, or words with spaces between; a recipient without them has all it is registered for.
    """

    role: str = "benne_role"
    recipient: str = "benne_recipient"
    purposes: str = "benne_purposes"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must be to count.

    Parameters
    ----------
    issuer : str
        Its ``iss``.
    audience : str
        One of its ``aud``.
    algorithms : tuple of str
        Among :data:`ALGORITHMS`.
    leeway : timedelta, default=30 seconds
        By how much clocks may differ.
    longest : timedelta, default=24 hours
        From ``iat`` to ``exp`` at most.
    claims : ClaimNames

    Raises
    ------
    CredentialError
        If issuer or audience is empty, or an algorithm is none of these.

    Examples
    --------
    >>> TokenRules(issuer="https://id.example", audience="benne").leeway.seconds
    30
    >>> TokenRules(issuer="https://id.example", audience="benne", algorithms=("HS256",))
    Traceback (most recent call last):
    ...
    benne.errors.CredentialError: Algorithms must be among RS256, RS384, ... got another. ...
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "Ed25519")
    leeway: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=24)
    claims: ClaimNames = field(default_factory=ClaimNames)

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience:
            raise CredentialError("A token's issuer and audience must be named, got none. Name both.")
        if not self.algorithms or not set(self.algorithms) <= set(ALGORITHMS):
            raise CredentialError(f"Algorithms must be among {', '.join(ALGORITHMS)}, got another. Name these alone.")
        if not timedelta(0) <= self.leeway <= timedelta(minutes=5):
            raise CredentialError("Leeway must be from nothing to five minutes, got another. Set the clocks instead.")


class TokenVerifier:
    """Says who is behind a token, or denies.

    Parameters
    ----------
    keys : TokenKeys
    rules : TokenRules
    clock : callable returning datetime
        Timezone-aware.
    subject_of : callable
        From a raw member id (``sub`` of a member's token) to the subject id; the raw one goes no further.

    Notes
    -----
    A token that names an unknown key may cause a fetch, which takes a while: not for an event loop.
    """

    def __init__(
        self,
        keys: TokenKeys,
        rules: TokenRules,
        *,
        clock: Callable[[], datetime],
        subject_of: Callable[[str], str],
    ) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._subject_of = subject_of

    def authenticate(self, text: str) -> Principal:
        """Who holds the token.

        Returns
        -------
        Principal
            A recipient's purposes are those the token names, or none where it names none: the registry decides, see
            :class:`benne.scoring.access.authenticator.Authenticator`.

        Raises
        ------
        AccessDenied
            With one message for all reasons: ``malformed``, ``algorithm``, ``key-unknown``, ``signature``, ``issuer``,
            ``audience``, ``expired``, ``not-yet-valid``, ``claims``.
        """
        header = _header(text)
        if header.get("alg") not in self._rules.algorithms:
            raise AccessDenied("algorithm")
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise AccessDenied("malformed")
        claims = self._claims(text, kid, header["alg"])
        self._require_parties(claims)
        self._require_time(claims)
        return self._principal(claims)

    def _claims(self, text: str, kid: str, algorithm: str) -> dict[str, Any]:
        key = self._keys.key(kid)
        if key is None or key.get("alg") not in (None, algorithm):
            raise AccessDenied("key-unknown")
        try:
            claims = json.loads(jws.deserialize_compact(text, key, algorithms=[algorithm]).payload or b"")
        except (JoseError, ValueError, TypeError, RecursionError):
            raise AccessDenied("signature") from None
        if not isinstance(claims, dict):
            raise AccessDenied("malformed")
        return claims

    def _require_parties(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._rules.issuer:
            raise AccessDenied("issuer")
        audiences = claims.get("aud")
        if self._rules.audience not in (audiences if isinstance(audiences, list) else [audiences]):
            raise AccessDenied("audience")

    def _require_time(self, claims: Mapping[str, Any]) -> None:
        now, leeway = self._clock().timestamp(), self._rules.leeway.total_seconds()
        issued, ends = _moment(claims, "iat"), _moment(claims, "exp")
        if now - leeway >= ends:
            raise AccessDenied("expired")
        if now + leeway < max(issued, _moment(claims, "nbf") if "nbf" in claims else issued):
            raise AccessDenied("not-yet-valid")
        if ends - issued > self._rules.longest.total_seconds():
            raise AccessDenied("claims")

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        names, subject = self._rules.claims, claims.get("sub")
        role: Any = claims.get(names.role)
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not isinstance(role, str):
            raise AccessDenied("claims")
        try:
            if role == "member":
                return Principal(id="token:member", role="member", subject_id=self._subject_of(subject))
            if role == "recipient":
                named = claims.get(names.recipient)
                purposes = _purposes(claims[names.purposes]) if names.purposes in claims else frozenset()
                return Principal(id=_id_of(subject), role="recipient", recipient=named, purposes=purposes)
            return Principal(id=_id_of(subject), role=role)  # type: ignore[arg-type]
        except (BenneError, ValueError, TypeError):
            raise AccessDenied("claims") from None


def _header(text: str) -> dict[str, Any]:
    """The header, before anything in it is believed."""
    if not isinstance(text, str) or len(text) > _LONGEST or not text.isascii():
        raise AccessDenied("malformed")
    try:
        header = jws.extract_compact(text.encode()).headers()
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise AccessDenied("malformed") from None
    if not isinstance(header, dict) or not set(header) <= _HEADERS or header.get("typ") not in _TYPES:
        raise AccessDenied("malformed")
    return header


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _END_OF_TIME:
        raise AccessDenied("claims")
    return float(value)


def _id_of(subject: str) -> str:
    """The token's subject where it is a plain name; else a digest, as addresses do not belong into an audit."""
    if _PLAIN.fullmatch(subject):
        return f"token:{subject}"
    return f"token:sha256:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def _purposes(claim: object) -> frozenset[str]:
    named = claim.split() if isinstance(claim, str) else claim
    if not isinstance(named, list) or not named or not all(one in PURPOSES for one in named):
        raise AccessDenied("claims")
    return frozenset(named)
