"""One request on its way through a pass."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benne.errors import ConsentRequired
from benne.explain.reasons import KeyFactor
from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.models import Explanation
from benne.scoring.consent.decision import Permission, Question
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.vocabulary import DenyReason, Granularity
from benne.scoring.decisions.request import ScoreRequest
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.policy import PurposePolicy
from benne.scoring.rights.marks import Mark

__all__ = ["Allowed", "Case", "Scored"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What policy allows of a request: the rules of its purpose, what the ledger is asked, the finest answer wanted."""

    rules: PurposePolicy
    question: Question
    granularity: Granularity


@dataclass(frozen=True, slots=True)
class Scored:
    """A row of the pass's explanation, the values it explains in the model's order, and the model that made it.

    ``key_factors`` are there where the policy grants them.
    """

    explanation: Explanation
    row: int
    values: npt.NDArray[np.float64]
    served: ServedModel
    key_factors: tuple[KeyFactor, ...] | None = None


@dataclass(slots=True, repr=False)
class Case:
    """What is known of a request so far; a reason, once there is one, ends it."""

    request: ScoreRequest
    decision_id: str
    reason: str | None = None
    allowed: Allowed | None = None
    permission: Permission | None = None
    consent: Permission | DenyReason | None = None
    vector: FeatureVector | None = None
    withheld: frozenset[str] = field(default_factory=frozenset)
    scored: Scored | None = None
    mark: Mark | None = None

    @property
    def stands(self) -> bool:
        """Whether nothing has been found against it."""
        return self.reason is None

    @property
    def allowed_or_raise(self) -> Allowed:
        """What policy allows of it.

        Raises
        ------
        ConsentRequired
            If policy has not been asked; nothing is told without.
        """
        if self.allowed is None:
            raise ConsentRequired("A case must be allowed by policy first, and is not. No score was given.")
        return self.allowed

    @property
    def as_of_us(self) -> int:
        """Moment of the features, in microseconds since 1970-01-01 UTC; 0 before there are any."""
        return 0 if self.vector is None else to_microseconds(self.vector.as_of, "as_of")

    def refuse(self, reason: str) -> None:
        """End it, for the first reason found; what was computed is let go of."""
        self.reason = self.reason or reason
        self.vector = self.scored = None

    def reopen(self, vector: FeatureVector) -> None:
        """Let another model try: what one could not score has not been refused yet."""
        self.reason, self.vector, self.scored = None, vector, None

    def take(self, vector: FeatureVector | None) -> None:
        """Take the features on hand, or refuse where they do not carry what is needed."""
        if self.permission is None or self.allowed is None:
            return
        if vector is None:
            self.refuse("features-missing")
            return
        computed = {category for category, there in vector.consented.items() if there}
        enters = computed & self.permission.categories
        if not self.allowed.rules.required_categories <= enters:
            self.refuse("features-stale")
            return
        self.vector, self.withheld = vector, frozenset(CATEGORIES) - enters
