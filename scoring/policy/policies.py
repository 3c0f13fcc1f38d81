"""What a deployment allows, frozen and checked on construction: there is no half-right policy."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from benne.errors import PolicyError
from benne.features.categories import CATEGORIES, SOCIAL
from benne.models.scale import SCORE_MAX, SCORE_MIN
from benne.scoring.consent.decision import FROM_COARSE
from benne.scoring.consent.vocabulary import (
    JURISDICTIONS,
    PURPOSE_CLASSES,
    PURPOSES,
    RELIANCES,
    Granularity,
    Jurisdiction,
    Purpose,
    PurposeClass,
    Reliance,
)

__all__ = ["ANY_RECIPIENT", "BenefitPolicy", "Policies", "PurposePolicy"]

ANY_RECIPIENT: Final = "*"
"""Stands for every registered recipient that is not named; its registration bounds it further."""

ORDINARY_WAY: Final = "ordinary_way"
_SCHEMA: Final = 1
_VERSION_DIGITS: Final = 16
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_ROUTE: Final = re.compile(
    r"(https://[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?)?(/[A-Za-z0-9_./{}-]*)?|[A-Za-z0-9][A-Za-z0-9_.-]*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposePolicy:
    """What may be asked and answered for one purpose.

    Parameters
    ----------
    purpose : str
        One of :data:`~benne.scoring.consent.vocabulary.PURPOSES`.
    enabled : bool
        Whether it is served at all.
    contexts : frozenset of str
        Situations in which it may be asked.
    reliance : {'advisory', 'strong', 'sole'}
        How much of an outcome may rest on the answer at most.
    granularity : {'threshold', 'band', 'exact'}
        The finest answer. A purpose that may only benefit gets 'threshold' and nothing finer.
    marks : tuple of int
        Scores that a threshold may be asked for, from 350 to 950. Whoever may pick any finds the exact score.
    review_route : str or None
        Where a person reviews an outcome; strong and sole reliance need one.
    required_categories : frozenset of str
        Without consent for these there is no answer.
    key_factors : bool
        Whether an exact answer also names what weighs most on the score; neither values nor points.
    answer_valid, vector_age, payload_retention : timedelta
        How long an answer holds, how old features may be, how long payloads are kept.

    Raises
    ------
    PolicyError
        If a value is not of its set or contradicts another.
    """

    purpose: Purpose
    enabled: bool = True
    contexts: frozenset[str]
    reliance: Reliance = "advisory"
    granularity: Granularity = "threshold"
    marks: tuple[int, ...] = ()
    review_route: str | None = None
    required_categories: frozenset[str] = frozenset()
    key_factors: bool = False
    answer_valid: timedelta = timedelta(days=1)
    vector_age: timedelta = timedelta(days=7)
    payload_retention: timedelta = timedelta(days=730)

    def __post_init__(self) -> None:
        _require_one_of("purpose", self.purpose, PURPOSES)
        at = f"purposes.{self.purpose}"
        for name in ("enabled", "key_factors"):
            if not isinstance(getattr(self, name), bool):
                raise _wrong(f"{at}.{name}", "true or false", getattr(self, name))
        _require_names(f"{at}.contexts", self.contexts)
        _require_one_of(f"{at}.reliance", self.reliance, RELIANCES)
        _require_one_of(f"{at}.granularity", self.granularity, FROM_COARSE)
        _require_marks(f"{at}.marks", self.marks)
        _require_review(at, self.reliance, self.review_route)
        if self.key_factors and self.granularity != "exact":
            raise PolicyError(
                f"{at}.key_factors must be false where the granularity is not exact, got true. "
                "Key factors go with a score; leave them out."
            )
        for category in sorted(self.required_categories):
            _require_one_of(f"{at}.required_categories", category, CATEGORIES)
        for name in ("answer_valid", "vector_age", "payload_retention"):
            if getattr(self, name) <= timedelta(0):
                raise _wrong(f"{at}.{name}", "longer than nothing", getattr(self, name))
        if self.purpose_class == "benefit_only":
            self._require_a_barrier(at)

    @property
    def purpose_class(self) -> PurposeClass:
        """Class of the purpose."""
        return PURPOSE_CLASSES[self.purpose]

    def _require_a_barrier(self, at: str) -> None:
        if self.granularity != "threshold":
            raise PolicyError(
                f"{at}.granularity must be threshold, because the purpose may only benefit, got {self.granularity!r}. "
                "A score or band would let a recipient refuse."
            )
        if self.marks:
            raise PolicyError(
                f"{at}.marks must be empty, because the purpose may only benefit, got {list(self.marks)}. "
                "Put the mark into a benefit."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitPolicy:
    """What a good score brings. There is no word for what a lesser one would take away.

    Parameters
    ----------
    name : str
    purpose : str
        Of class ``benefit_only``.
    grants : str
        What is waived or speeded up, in words.
    threshold : int, optional
        Least score, 350 to 950.
    band : str, optional
        Least band instead, by its name in the model's scale.
    otherwise : {'ordinary_way'}
        What everybody else gets: what they would have had without Benne.

    Raises
    ------
    PolicyError
        If a value is not of its set, or the purpose could refuse.
    """

    name: str
    purpose: Purpose
    grants: str
    threshold: int | None = None
    band: str | None = None
    otherwise: str = ORDINARY_WAY

    def __post_init__(self) -> None:
        _require_names("benefits", [self.name])
        at = f"benefits.{self.name}"
        benefit_only = tuple(p for p, purpose_class in PURPOSE_CLASSES.items() if purpose_class == "benefit_only")
        _require_one_of(f"{at}.purpose", self.purpose, benefit_only)
        _require_text(f"{at}.grants", self.grants)
        _require_one_of(f"{at}.otherwise", self.otherwise, (ORDINARY_WAY,))
        if (self.threshold is None) == (self.band is None):
            raise PolicyError(
                f"{at} must have a threshold or a band, got {'neither' if self.band is None else 'both'}."
            )
        if self.threshold is not None:
            _require_marks(f"{at}.threshold", (self.threshold,))
        else:
            _require_text(f"{at}.band", self.band)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Everything a deployment allows; what is not in here is denied.

    Parameters
    ----------
    jurisdiction : {'cn', 'eu', 'us', 'default'}
    purposes : mapping of str to PurposePolicy
    benefits : mapping of str to BenefitPolicy
    recipients : mapping of str to frozenset of str
        Purposes of each recipient. ``*`` stands for the registered ones that are not named.

    Attributes
    ----------
    version : str
        First 16 hexadecimal digits of the SHA-256 of the content, however the file is laid out.

    Raises
    ------
    PolicyError
        If parts contradict one another.

    Examples
    --------
    >>> from benne.scoring.policy import default_policies
    >>> policies = default_policies()
    >>> len(policies.version), policies.purposes["deposit_waiver"].granularity
    (16, 'threshold')
    >>> Policies(jurisdiction="moon", purposes={}, benefits={}, recipients={})
    Traceback (most recent call last):
    ...
    benne.errors.PolicyError: jurisdiction must be one of cn, eu, us, default, got 'moon'. Correct the policies.
    """

    jurisdiction: Jurisdiction
    purposes: Mapping[Purpose, PurposePolicy]
    benefits: Mapping[str, BenefitPolicy]
    recipients: Mapping[str, frozenset[str]]
    version: str = field(init=False)

    def __post_init__(self) -> None:
        for name in ("purposes", "benefits", "recipients"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        _require_one_of("jurisdiction", self.jurisdiction, JURISDICTIONS)
        for name, policy in self.purposes.items():
            _require_one_of(f"purposes.{name}.purpose", policy.purpose, (name,))
            self._require_the_firewall(name, policy)
        for name, benefit in self.benefits.items():
            _require_one_of(f"benefits.{name}.name", benefit.name, (name,))
            _require_one_of(f"benefits.{name}.purpose", benefit.purpose, tuple(self.purposes))
        for name, purposes in self.recipients.items():
            if name != ANY_RECIPIENT:
                _require_names("recipients", [name])
            for purpose in sorted(purposes):
                _require_one_of(f"recipients.{name}.purposes", purpose, tuple(self.purposes))
        content = json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        object.__setattr__(self, "version", hashlib.sha256(content.encode()).hexdigest()[:_VERSION_DIGITS])

    def content(self) -> dict[str, Any]:
        """Everything as plain values in one order: what the version is made from and what is compared."""
        return {
            "schema": _SCHEMA,
            "jurisdiction": self.jurisdiction,
            "purposes": {name: _plain(policy) for name, policy in sorted(self.purposes.items())},
            "benefits": {name: _plain(benefit) for name, benefit in sorted(self.benefits.items())},
            "recipients": {name: {"purposes": sorted(p)} for name, p in sorted(self.recipients.items())},
        }

    def _require_the_firewall(self, name: str, policy: PurposePolicy) -> None:
        if self.jurisdiction == "eu" and policy.purpose_class == "credit" and SOCIAL in policy.required_categories:
            raise PolicyError(
                f"purposes.{name}.required_categories must leave out social under jurisdiction eu, got it. "
                "Credit is never decided on it there."
            )


def _plain(part: PurposePolicy | BenefitPolicy) -> dict[str, Any]:
    named = {name: getattr(part, name) for name in type(part).__dataclass_fields__}
    if named.get("key_factors") is False:
        del named["key_factors"]  # so that policies from before there was the switch keep their version
    return {name: _plain_value(value) for name, value in named.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, frozenset | tuple):
        return sorted(value)
    return value


def _wrong(key: str, must: str, got: object) -> PolicyError:
    return PolicyError(f"{key} must be {must}, got {got!r}. Correct the policies.")


def _require_one_of(key: str, value: object, allowed: Iterable[str]) -> None:
    words = tuple(allowed)
    if value not in words:
        raise _wrong(key, f"one of {', '.join(words)}" if words else "absent, as no purpose is declared", value)


def _require_names(key: str, names: Iterable[object]) -> None:
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _wrong(key, "made of short names of a-z, 0-9, _ . : and -", name)


def _require_text(key: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise _wrong(key, "a text of up to 200 characters", value)


def _require_marks(key: str, marks: Iterable[object]) -> None:
    for mark in marks:
        whole = isinstance(mark, int) and not isinstance(mark, bool)
        if not whole or not SCORE_MIN <= mark <= SCORE_MAX:  # type: ignore[operator]
            raise _wrong(key, f"whole scores from {SCORE_MIN:.0f} to {SCORE_MAX:.0f}", mark)


def _require_review(at: str, reliance: Reliance, route: object) -> None:
    if route is not None and (not isinstance(route, str) or not route or not _ROUTE.fullmatch(route)):
        raise _wrong(f"{at}.review_route", "a name, a path or an https address", route)
    if reliance != "advisory" and route is None:
        raise PolicyError(
            f"{at}.review_route must be given for reliance {reliance}, got none. "
            "Say where a person reviews an outcome, or lower the reliance to advisory."
        )
