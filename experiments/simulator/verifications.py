"""Facts about members verified, lapsed and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import Rows, code, nullable
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints, Nullable

__all__ = ["draw_verifications"]


@dataclass(frozen=True)
class _Field:
    """How a fact is verified: log odds at average latents, effects, method, strength, days it holds."""

    name: str
    level: float
    ability: float
    willingness: float
    method: str
    strength: int
    valid_days: int | None


_FIELDS: Final = (
    _Field("phone", 2.6, 0.0, 0.1, "code", 1, None),
    _Field("email", 1.6, 0.0, 0.2, "code", 1, None),
    _Field("identity_document", 0.9, 0.1, 0.35, "document", 3, 1825),
    _Field("address", -0.2, 0.1, 0.35, "document", 2, 730),
    _Field("bank_account", 0.6, 0.35, 0.2, "deposit", 2, None),
    _Field("employer", -0.9, 0.5, 0.3, "registry", 3, 540),
    _Field("income_proof", -1.3, 0.5, 0.35, "document", 2, 365),
)
_WAYS: Final = ("document", "registry", "code", "deposit", "manual")


@dataclass(frozen=True)
class _Facts:
    """Events of one field: who, when, what happened, how, until when."""

    member: Ints
    time: Ints
    event: Ints
    expires_at: Nullable


def draw_verifications(rng: np.random.Generator, population: Population) -> Rows:
    """Willing and able members verify more, renew before a verification lapses, and sooner."""
    drawn = [_of_field(rng, population, field) for field in _FIELDS]
    size = [len(facts.member) for facts in drawn]
    verified = np.concatenate([facts.event for facts in drawn]) == code("verifications", "event", "verified")
    method, strength = _methods(rng, size)
    columns: dict[str, Any] = {
        "field": np.repeat([code("verifications", "field", field.name) for field in _FIELDS], size),
        "event": np.concatenate([facts.event for facts in drawn]),
        "method": np.ma.array(method, mask=~verified),
        "strength": np.ma.array(strength, mask=~verified),
        "expires_at": nullable([facts.expires_at for facts in drawn]),
    }
    return Rows(
        "verifications",
        np.concatenate([facts.member for facts in drawn]),
        np.concatenate([facts.time for facts in drawn]),
        columns,
    )


def _of_field(rng: np.random.Generator, population: Population, field: _Field) -> _Facts:
    """First verification, then its lapse or renewal, then changes with a new verification."""
    ability, willingness = population.ability.mean(axis=1), population.willingness.mean(axis=1)
    chance = sigmoid(field.level + field.ability * ability + field.willingness * willingness)
    chance = chance * np.where(population.traits.quiet, 0.55, 1.0)
    if field.name == "bank_account":
        chance = chance * ~population.traits.unbanked
    member = np.flatnonzero(rng.random(population.n) < chance)
    delay_days = rng.exponential(30 * np.exp(-0.3 * willingness[member]))
    first = population.joined[member] + (delay_days * DAY).astype(np.int64)
    parts = [_event("verified", member, first, field)]
    parts += _expiry(rng, field, member, first, willingness)
    parts += _changes(rng, population, field, member, first)
    who, when, what, until = zip(*parts, strict=True)
    return _Facts(np.concatenate(who), np.concatenate(when), np.concatenate(what), nullable(until))


_Part = tuple[Ints, Ints, Ints, Any]


def _event(name: str, member: Ints, time: Ints, field: _Field) -> _Part:
    holds = name == "verified" and field.valid_days is not None
    expires_at = np.ma.array(time + (field.valid_days or 0) * DAY, mask=np.full(len(time), not holds))
    return member, time, np.full(len(member), code("verifications", "event", name)), expires_at


def _expiry(rng: np.random.Generator, field: _Field, member: Ints, first: Ints, willingness: Floats) -> list[_Part]:
    """At the end a verification is renewed in time or lapses; twice at most."""
    if field.valid_days is None:
        return []
    parts = []
    for _ in range(2):
        renews: Flags = rng.random(len(member)) < sigmoid(0.3 + 0.5 * willingness[member])
        expires = first + field.valid_days * DAY
        parts.append(_event("lapsed", member[~renews], expires[~renews], field))
        early = (rng.uniform(1, 40, len(member)) * DAY).astype(np.int64)
        member, first = member[renews], (expires - early)[renews]
        parts.append(_event("verified", member, first, field))
    return parts


def _changes(rng: np.random.Generator, population: Population, field: _Field, member: Ints, first: Ints) -> list[_Part]:
    """A moved bank, a new employer, phone or address: changed, and mostly verified again soon."""
    if field.name == "bank_account":
        moved = population.moved_bank
    elif field.name == "employer":
        moved = np.diff(population.employed, axis=1, prepend=population.employed[:, :1])
    else:
        moved = rng.random(population.moved_bank.shape) < 0.004
    who, month = np.nonzero(moved[member])
    moment = population.timeline.start(month) + (rng.uniform(0, 27, len(who)) * DAY).astype(np.int64)
    later = np.flatnonzero(moment > first[who])
    who, moment = member[who[later]], moment[later]
    again = rng.random(len(who)) < 0.75
    renewed = moment[again] + (rng.exponential(12, int(again.sum())) * DAY).astype(np.int64)
    return [_event("changed", who, moment, field), _event("verified", who[again], renewed, field)]


def _methods(rng: np.random.Generator, size: list[int]) -> tuple[Ints, Ints]:
    """The field's usual method and strength; one in ten is checked by hand, a degree weaker."""
    codes = {way: code("verifications", "method", way) for way in _WAYS}
    method = np.repeat([codes[field.method] for field in _FIELDS], size)
    strength = np.repeat([field.strength for field in _FIELDS], size)
    manual = rng.random(len(method)) < 0.1
    return np.where(manual, codes["manual"], method), np.where(manual, np.maximum(strength - 1, 1), strength)
