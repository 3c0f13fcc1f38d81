"""One table from feature name to specification; what may enter it is decided in registration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from benne.errors import RegistrationError
from benne.features.categories import CATEGORIES
from benne.features.forbidden_topics import FORBIDDEN_TOPICS
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import Expression, Rows
from benne.features.registration import VAGUE_REASONS, complaints

__all__ = ["FORBIDDEN_TOPICS", "VAGUE_REASONS", "FeatureSpec", "Registry"]

_REACH = {"delinquency": 456, "account_months": 62}
"""Days that an event of a derived stream may look further back: what was paid up to a year ahead of an amount that is
assessed until 90 days past due; the month before. Other derived streams tell what stands, and need all there was."""


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
        """How long its events are needed: as far back as its windows reach, or None for as long as they may be kept."""
        ends = [_reach(rows) for rows in self.expression.selections()]
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
            With everything that :mod:`benne.features.registration` has against it: a malformed or
            taken name, a forbidden topic, lineage from something that is never evidence, a missing,
            vague or repeated text, a range or a null that its expression contradicts.
        """
        found = list(complaints(spec, self._specs))
        if found:
            raise RegistrationError(f"Feature {spec.name!r} cannot be registered: {' Also '.join(found)}")
        self._specs[spec.name] = spec

    def columns(self, category: str) -> list[str]:
        """Names of the features of one category, in order of registration."""
        return [name for name, spec in self._specs.items() if spec.category == category]

    def categories_of(self, columns: Iterable[str]) -> dict[str, list[str]]:
        """Map each category to those of ``columns`` that belong to it; empty ones are left out."""
        wanted = list(columns)
        groups = {c: [name for name in wanted if self[name].category == c] for c in CATEGORIES}
        return {category: names for category, names in groups.items() if names}


def _reach(rows: Rows) -> int | None:
    """How far back the events of some rows lie, in days; None where there is no end."""
    if rows.far_days is None or rows.stream not in DERIVED:
        return rows.far_days
    of_kind = any(condition.column in DERIVED[rows.stream].categories and rows.stream != "account_months"
                  for condition in rows.conditions)  # fmt: skip
    return None if of_kind or rows.stream not in _REACH else rows.far_days + _REACH[rows.stream]
