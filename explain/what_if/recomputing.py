"""Features and scores of imagined days, by the same code as of real ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import pandas as pd

from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.history import History
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import Consents
from benne.features.engines.online import FeatureVector, vector_of
from benne.features.events.events import KnownSince
from benne.features.plan import Plan
from benne.models import Explanation

__all__ = ["Explains", "Recomputing", "Scoring", "features_of", "plan_of", "scored_by"]

Scoring = Callable[[Sequence[FeatureVector]], Explanation]
"""From feature vectors to their scores, one row each."""


class Explains(Protocol):
    """What a model must do; :class:`benne.models.CreditScoreModel` does."""

    def explain(self, X: pd.DataFrame) -> Explanation: ...


@dataclass(frozen=True, eq=False, repr=False)
class Recomputing:
    """Makes one member's features anew, with rows that are only imagined.

    Parameters
    ----------
    history : History
        Only of tables that may be looked at.
    consents : Consents
        What is withheld is not computed.
    """

    history: History
    consents: Consents

    def now(self, as_of: int) -> FeatureVector:
        """The member's features as they are, at a moment up to the end of their history."""
        return self._vector(self.history, as_of)

    def then(self, ahead: Ahead) -> FeatureVector:
        """The member's features on the day, with everything imagined until then.

        Raises
        ------
        ObservationError
            If the member may not be observed.
        """
        # As a store stands when all of it has been appended, and its watermark moved on.
        return self._vector(self.history.grown(ahead.tables(), ahead.until), ahead.until)

    def _vector(self, history: History, as_of: int) -> FeatureVector:
        return features_of(history, self.consents, as_of=as_of, known_by=as_of)


def features_of(history: History, consents: Consents, *, as_of: int, known_by: int) -> FeatureVector:
    """A member's features at a moment, from what was known before another.

    Parameters
    ----------
    history : History
    consents : Consents
        What is withheld is not computed.
    as_of, known_by : int
        Microseconds since 1970-01-01 UTC; ``as_of`` is at most the end of the history.

    Raises
    ------
    ObservationError
        If the member may not be observed, such as a minor.
    """
    plan = plan_of(history.known_since, known_by)
    return vector_of(history.member, history.subject_id, plan, consents, as_of=as_of, known_by=known_by)


def plan_of(known_since: KnownSince, known_by: int) -> Plan:
    """What the columns known by a moment can carry; the same object for the same columns."""
    return _plan(frozenset((pair, since) for pair, since in known_since.items() if since < known_by))


@lru_cache(maxsize=64)
def _plan(known: frozenset[tuple[tuple[str, str], int]]) -> Plan:
    return Plan.of(dict(known))


def scored_by(model: Explains, columns: Collection[str]) -> Scoring:
    """Scoring by a fitted model.

    Parameters
    ----------
    model : Explains
        Such as a :class:`benne.models.CreditScoreModel`.
    columns : collection of str
        Its features, in its order: ``model.feature_names_in_``.
    """

    def scoring(vectors: Sequence[FeatureVector]) -> Explanation:
        frame = pd.concat([vector.to_frame() for vector in vectors])
        masks = [f"consented_{category}" for category in CATEGORIES]
        return model.explain(frame[[*columns, *masks]])

    return scoring
