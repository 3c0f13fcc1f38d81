"""One table from feature name to specification, and the door a specification must pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from benne.errors import RegistrationError
from benne.features.categories import CATEGORIES, CATEGORY_LABELS
from benne.features.kernel.expressions import Expression

__all__ = ["FORBIDDEN_TOPICS", "VAGUE_REASONS", "FeatureSpec", "Registry"]

FORBIDDEN_TOPICS = (
    # consent-and-rights G1: refused even with consent
    "religio", "belief", "genetic", "genome", "fingerprint", "biometric", "facial", "blood", "disease", "illness",
    "medical", "diagnos", "health", "disabil", "politic", "union_member", "trade_union", "sexual", "ethnic", "race$",
    "racial", "caste", "colour_of_skin", "skin_colour", "skin_color",
    # F1: protected attributes, and what stands in for them
    "gender", "sex$", "marital", "married", "spouse", "children", "family", "nationality", "national_origin",
    "citizenship", "public_assistance", "welfare", "birth", "pregnan", "member_age", "age$_of_(the_)?member",
    "age_years", "years_old", "age_group", "school", "education",
    # what somebody buys or gives, where they live and move: the markers the source found arbitrary
    "nappy", "nappies", "diaper", "video_game", "gaming_hours", "gambl", "charit", "donat", "merchant", "shopping",
    "alcohol", "tobacco", "cigarette", "groceries", "purchase_categor", "book_title",
    "address_change", "change(s|d)?_of_address", "changed_address", "addresses", "relocation", "moved_house",
    "house_moves", "postcode", "postal_code", "neighbourhood", "neighborhood",
    # known proxies of protected attributes
    "first_name", "given_name", "surname", "last_name", "family_name", "mother_tongue", "language", "accent",
    "birthplace", "photo", "dress", "hospital", "pharmacy", "doctor", "church", "mosque", "temple", "parental",
    "maternity", "household_size", "phone_model", "device_model", "device_price", "operating_system",
    # C6: exercising a right is never evidence, nor is being looked up
    "consent", "withdraw", "dispute", "complaint", "enquir", "inquir", "look_?up", "explanation_request", "erasure",
)  # fmt: skip
"""Beginnings of words, as patterns: a space or an underscore may stand for ``_``, and ``$`` ends a word."""

_RIGHTS = (("adverse_items", "event", "disputed"),)  # rows that only tell of a right exercised

VAGUE_REASONS = ("score", "internal polic", "insufficient", "standards", "algorithm", "model", "risk class")
"""What no reason may rest on (consent-and-rights X2), besides the bare names of categories."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_REQUIRED_TEXTS = (
    "unit", "reason_group", "label", "adverse_reason", "favourable_reason", "rationale", "source", "owner",
)  # fmt: skip


@dataclass(frozen=True)
class FeatureSpec:
    """Everything that is known and promised about one feature.

    Parameters
    ----------
    name : str
        Lower case with underscores; ends in its unit or window where it has one.
    category : str
        One of :data:`benne.features.categories.CATEGORIES`.
    expression : Expression
        What the kernel computes.
    unit : str
        Unit of the value, e.g. ``"days"`` or ``"share"``.
    minimum, maximum : float
        Inclusive range of possible values; the model refuses anything beyond.
    null_means : str or None
        What NaN says about a member; ``None`` where the feature is never null.
    direction : {-1, 0, 1}
        Monotone direction on the odds of bad: +1 means more is riskier.
    reason_group : str
        Collinear siblings share one, so that one cause is given once as a reason.
    label, adverse_reason, favourable_reason : str
        Plain language for the member.
    rationale, source : str
        Why it bears on creditworthiness, and who has shown it.
    owner : str
        Who answers for it.
    actionable : str or None
        What a member can do about it; ``None`` where nothing.
    gaming : {"low", "medium", "high"}
        How easily it is moved without a change in creditworthiness.
    jurisdictions_off : tuple of str
        Jurisdiction profiles that may not use it.
    """

    name: str
    category: str
    expression: Expression
    unit: str
    minimum: float
    maximum: float
    null_means: str | None
    direction: Literal[-1, 0, 1]
    reason_group: str
    label: str
    adverse_reason: str
    favourable_reason: str
    rationale: str
    source: str
    owner: str
    actionable: str | None
    gaming: Literal["low", "medium", "high"]
    jurisdictions_off: tuple[str, ...] = ()

    @property
    def retention_days(self) -> int | None:
        """How long its events are needed: the farthest end of its windows, or None for as long as they may be kept."""
        ends = [rows.far_days for rows in self.expression.selections()]
        return None if None in ends else max((days for days in ends if days is not None), default=None)

    @property
    def never_null(self) -> bool:
        """Whether NaN is impossible."""
        return self.null_means is None


class Registry(Mapping[str, FeatureSpec]):
    """The features that may be computed and scored, in the order of the five categories.

    Examples
    --------
    >>> from benne.features import registry
    >>> registry["on_time_share_365d"].category
    'credit_history'
    >>> registry["blood_group"]
    Traceback (most recent call last):
    ...
    KeyError: 'blood_group'
    """

    def __init__(self, specs: Iterable[FeatureSpec] = ()) -> None:
        self._specs: dict[str, FeatureSpec] = {}
        for spec in specs:
            self.register(spec)

    def __getitem__(self, name: str) -> FeatureSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def register(self, spec: FeatureSpec) -> None:
        """Add one specification, or refuse it by name.

        Raises
        ------
        RegistrationError
            For a malformed or taken name, an unknown category, a forbidden topic, an empty
            text, a vague reason, an empty range, or lineage from something that is never evidence.
        """
        for complaint in _complaints(spec, self._specs):
            raise RegistrationError(f"Feature {spec.name!r} cannot be registered: {complaint}")
        self._specs[spec.name] = spec

    def columns(self, category: str) -> list[str]:
        """Names of the features of one category, in order of registration."""
        return [name for name, spec in self._specs.items() if spec.category == category]

    def categories_of(self, columns: Iterable[str]) -> dict[str, list[str]]:
        """Map each category to those of ``columns`` that belong to it; empty ones are left out."""
        wanted = list(columns)
        groups = {c: [name for name in wanted if self[name].category == c] for c in CATEGORIES}
        return {category: names for category, names in groups.items() if names}


def _complaints(spec: FeatureSpec, taken: Mapping[str, FeatureSpec]) -> Iterator[str]:
    if not _NAME.fullmatch(spec.name):
        yield "its name must be lower case words joined by underscores. Rename it."
    if spec.name in taken:
        yield "the name is already registered. Choose another, or remove the first."
    for other in taken.values():
        if spec.expression == other.expression:
            yield f"it computes the same as {other.name!r}. Drop one, or say what differs."
    if spec.category not in CATEGORIES:
        yield f"its category must be one of {', '.join(CATEGORIES)}, got {spec.category!r}."
    yield from _forbidden(spec)
    for text in _REQUIRED_TEXTS:
        if len(str(getattr(spec, text)).strip()) < 2:
            yield f"its {text.replace('_', ' ')} is missing. Write it."
    if spec.null_means is not None and not spec.null_means.strip():
        yield "it must say what null means, or None where it is never null."
    if spec.direction not in (-1, 0, 1):
        yield f"its direction must be -1, 0 or 1 on the odds of bad, got {spec.direction!r}."
    if not spec.minimum < spec.maximum:
        yield f"its range must have minimum < maximum, got [{spec.minimum}, {spec.maximum}]."
    yield from _vague(spec)


def _forbidden(spec: FeatureSpec) -> Iterator[str]:
    lineage = [f"{table}.{column}" for table, column in sorted(spec.expression.reads())]
    said = " ".join([spec.name, spec.label, spec.reason_group, spec.adverse_reason, spec.favourable_reason, *lineage])
    for topic in FORBIDDEN_TOPICS:
        if _pattern(topic).search(said.lower()):
            yield f"it touches the forbidden topic {topic.strip('$')!r}, which is refused even with consent. Drop it."
    for rows in spec.expression.selections():
        for table, column, value in _RIGHTS:
            if rows.stream == table and rows.may_hold(column, value):
                yield f"it reads {table} whose {column} is {value}: exercising a right is no evidence. Leave them out."


def _pattern(topic: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){topic.replace('_', '[_ -]').replace('$', '(?![a-z])')}")


def _vague(spec: FeatureSpec) -> Iterator[str]:
    for text in ("adverse_reason", "favourable_reason"):
        reason = getattr(spec, text).lower()
        bare = reason.strip(" .") in {label.lower() for label in CATEGORY_LABELS.values()}
        if bare or any(re.search(rf"(?<![a-z]){vague}", reason) for vague in VAGUE_REASONS):
            yield f"its {text.replace('_', ' ')} must say what it is about, got {getattr(spec, text)!r}. Be specific."
