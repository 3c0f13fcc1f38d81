"""What a proof can state, and what is asked of it: the member chooses, and nothing else is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from benne.errors import ProofNotIssued
from benne.models.scale import DEFAULT_BANDS, SCORE_MAX, SCORE_MIN, Band
from benne.scoring.consent.vocabulary import PURPOSES

__all__ = ["KINDS", "LONGEST", "KnownScore", "ProofAsked", "Statement", "StatementKind"]

StatementKind = Literal["at_least", "below", "band", "exact"]
KINDS: Final[tuple[str, ...]] = get_args(StatementKind)
LONGEST: Final = timedelta(minutes=15)
"""No proof holds longer: it is made for one recipient who waits for it."""

_FIVE_MINUTES: Final = timedelta(minutes=5)
_SECOND: Final = timedelta(seconds=1)
_AUDIENCE: Final = re.compile(r"[!-~]{1,200}")
_NONCE: Final = re.compile(r"[A-Za-z0-9._~-]{16,128}")
_TOLD: Final[dict[StatementKind, str]] = {"at_least": "mark", "below": "mark", "band": "band", "exact": "score"}
_HOLDER_MEMBERS: Final = {"OKP": ("kty", "crv", "x"), "EC": ("kty", "crv", "x", "y")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofAsked:
    """The proof a member wants, for one recipient and one occasion.

    Parameters
    ----------
    kind : {'at_least', 'below', 'band', 'exact'}
        ``below`` is only ever the member's own wish.
    audience : str
        Address or name by which the recipient knows itself: up to 200 characters without spaces.
    nonce : str
        Drawn by the recipient for this occasion: 16 to 128 of A-Z, a-z, 0-9 and ``. _ ~ -``.
    mark : int, optional
        Whole score from 350 to 950; given exactly for ``at_least`` and ``below``.
    purpose : str, optional
        What the recipient said it is for; it is bound to that then.
    lifetime : timedelta, default=5 minutes
        Whole seconds, up to :data:`LONGEST`.
    holder_key : mapping, optional
        Public JWK (Ed25519 or P-256) of whoever is to show the proof. A key used twice ties two proofs together.

    Raises
    ------
    ProofNotIssued
        If a field is not of its kind or does not go with another.

    Examples
    --------
    >>> ProofAsked(kind="at_least", mark=650, audience="https://landlord.example", nonce="n" * 16).lifetime.seconds
    300
    >>> ProofAsked(kind="exact", audience="https://landlord.example", nonce="1234")
    Traceback (most recent call last):
    ...
    benne.errors.ProofNotIssued: A proof's nonce must be 16 to 128 of A-Z, a-z, 0-9 and . _ ~ -, got another. ...
    """

    kind: StatementKind
    audience: str
    nonce: str
    mark: int | None = None
    purpose: str | None = None
    lifetime: timedelta = _FIVE_MINUTES
    holder_key: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ProofNotIssued(f"A proof must be one of {', '.join(KINDS)}, got another. Choose one of these.")
        if not isinstance(self.audience, str) or not _AUDIENCE.fullmatch(self.audience):
            raise ProofNotIssued("A proof's audience must be an address or name without spaces, got another. Name it.")
        if not isinstance(self.nonce, str) or not _NONCE.fullmatch(self.nonce):
            raise ProofNotIssued(
                "A proof's nonce must be 16 to 128 of A-Z, a-z, 0-9 and . _ ~ -, got another. Take the recipient's own."
            )
        if self.purpose is not None and self.purpose not in PURPOSES:
            raise ProofNotIssued(
                f"A proof's purpose must be one of {', '.join(PURPOSES)}, got another. Or leave it out."
            )
        if not _SECOND <= self.lifetime <= LONGEST:
            raise ProofNotIssued(
                f"A proof must hold from a second to {LONGEST // timedelta(minutes=1)} minutes, got another time. "
                "Make a new one when it is needed."
            )
        self._require_a_mark()
        if self.holder_key is not None:
            object.__setattr__(self, "holder_key", _public_part(self.holder_key))

    def _require_a_mark(self) -> None:
        if (self.kind in ("at_least", "below")) != (self.mark is not None):
            raise ProofNotIssued("A mark must be given exactly for at_least and below. Give or drop it.")
        if self.mark is not None and not _is_a_score(self.mark):
            raise ProofNotIssued(
                f"A mark must be a whole score from {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, got another. Choose one."
            )


@dataclass(frozen=True, slots=True)
class KnownScore:
    """The score a proof is made from. Left out of every ``repr``.

    Parameters
    ----------
    score : float
        350 to 950.
    as_of : datetime
        Moment of what it was made from, timezone-aware; a proof tells the day, in that zone.
    bands : sequence of Band
        Of the model's scale.

    Raises
    ------
    ProofNotIssued
        If the score is not on the scale or the moment has no zone.
    """

    score: float = field(repr=False)
    as_of: datetime = field(repr=False)
    bands: Sequence[Band] = field(default=DEFAULT_BANDS, repr=False)

    def __post_init__(self) -> None:
        if not SCORE_MIN <= self.score <= SCORE_MAX:
            raise ProofNotIssued("A score must be on the scale to be proved, got another. Score the member again.")
        if self.as_of.tzinfo is None:
            raise ProofNotIssued("as_of must be timezone-aware, got a naive moment. Attach its zone.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a proof says, and all it says.

    Attributes
    ----------
    kind : {'at_least', 'below', 'band', 'exact'}
    as_of : date
        The day on which it was so.
    mark : int or None
        For ``at_least`` and ``below``.
    band : Band or None
        For ``band``.
    score : int or None
        For ``exact``.
    """

    kind: StatementKind
    as_of: date
    mark: int | None = None
    band: Band | None = None
    score: int | None = None

    def as_claim(self) -> dict[str, Any]:
        """As it stands in the token; the scale is in it, as the recipient knows nothing of Benne."""
        claim: dict[str, Any] = {"kind": self.kind, "as_of": self.as_of.isoformat(), "scale": _scale()}
        if self.mark is not None:
            claim["mark"] = self.mark
        if self.band is not None:
            claim["band"] = {"name": self.band.name, "lowest": self.band.lowest, "highest": self.band.highest}
        if self.score is not None:
            claim["score"] = self.score
        return claim

    @classmethod
    def from_claim(cls, claim: object) -> Statement:
        """Read it back.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is none, or says more.
        """
        if not isinstance(claim, dict):
            raise ValueError("no statement")
        told = _TOLD[claim["kind"]]
        value: Any = Band(**claim[told]) if told == "band" else claim[told]
        made = cls(kind=claim["kind"], as_of=date.fromisoformat(claim["as_of"]), **{told: value})
        if made.as_claim() != claim or not made._is_well_formed():
            raise ValueError("no statement")
        return made

    def _is_well_formed(self) -> bool:
        if self.band is not None:
            return isinstance(self.band.name, str) and _is_a_score(self.band.lowest) and _is_a_score(self.band.highest)
        return _is_a_score(self.mark if self.score is None else self.score)


def _scale() -> list[int]:
    return [int(SCORE_MIN), int(SCORE_MAX)]


def _is_a_score(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and SCORE_MIN <= value <= SCORE_MAX


def _public_part(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The key and nothing else: a name or note in it would tell two proofs to be of one member."""
    try:
        members = {name: jwk[name] for name in _HOLDER_MEMBERS[jwk["kty"]]}
        key = OKPKey.import_key(members) if members["kty"] == "OKP" else ECKey.import_key(members)
        fits = key.curve_name in ("Ed25519", "P-256") and "d" not in jwk
    except (JoseError, ValueError, TypeError, KeyError):
        fits = False
    if not fits:
        raise ProofNotIssued(
            "A holder's key must be a public JWK of Ed25519 or P-256, got another. Send the public half."
        )
    return members
