"""Trying actions on one member: the whole of a what-if, without anything around it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import pandas as pd

from benne.errors import WhatIfNotPossible
from benne.explain.what_if.action import Action
from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.answer import WhatIfAnswer, answer_of
from benne.explain.what_if.baseline import Habit, baseline, habit_of
from benne.explain.what_if.catalogue import carried_out, in_order, offered
from benne.explain.what_if.history import History, visible_tables
from benne.explain.what_if.recomputing import Recomputing, Scoring, plan_of
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import Consents
from benne.features.engines.online import FeatureVector
from benne.features.events.moments import microseconds
from benne.models import Explanation

__all__ = ["FARTHEST", "WhatIfs", "check_day"]

FARTHEST: Final = timedelta(days=366)
"""How far ahead may be looked: beyond that a habit says nothing."""


@dataclass(eq=False, repr=False)
class WhatIfs:
    """One member's what-ifs until a day; the baseline is made once.

    Parameters
    ----------
    history : History
    consents : Consents
        What is withheld is neither looked at nor computed.
    scoring : callable or None
        From feature vectors to scores; see :func:`scored_by`. None where only features are wanted.
    now : datetime
        The moment of asking.
    until : datetime
        The moment of looking.

    Raises
    ------
    WhatIfNotPossible
        If ``until`` is not after ``now``, or farther ahead than :data:`FARTHEST`.
    ObservationError
        If the member may not be observed, such as a minor.
    """

    history: History
    consents: Consents
    scoring: Scoring | None
    now: datetime
    until: datetime
    habit: Habit = field(init=False)
    ahead: Ahead = field(init=False)

    def __post_init__(self) -> None:
        """Make the baseline."""
        now_us = microseconds(self.now)
        check_day(self.now, self.until)
        today = min(now_us, self.history.until)
        categories = _consented(self.consents, self.history.subject_id, today)
        visible = visible_tables(plan_of(self.history.known_since, self.history.until), categories)
        self.ahead = baseline(self.history, now_us, microseconds(self.until), visible)
        self.habit = habit_of(self.ahead.history)
        self._recomputing = Recomputing(self.ahead.history, self.consents)
        self._today = self._recomputing.now(today)
        self._by_habit = self._recomputing.then(self.ahead)

    def offered(self) -> list[Action]:
        """Actions that apply to this member, in the order of the catalogue."""
        return offered(self.ahead)

    def vectors(self, sets: Sequence[Collection[Action]]) -> list[FeatureVector]:
        """The member's features today, on the day by habit, and on the day with each set of actions."""
        with_actions = [self._recomputing.then(carried_out(self.ahead, actions)) for actions in sets]
        return [self._today, self._by_habit, *with_actions]

    def frame(self, actions: Collection[Action]) -> pd.DataFrame:
        """The same three of one set of actions as rows that any model takes: today, by habit, with the actions.

        Returns
        -------
        DataFrame
            Features and the five consent columns, as :func:`benne.features.build_features` gives them.
        """
        return pd.concat([vector.to_frame() for vector in self.vectors([in_order(actions)])])

    def scored(self, vectors: Sequence[FeatureVector]) -> Explanation:
        """Scores of feature vectors.

        Raises
        ------
        WhatIfNotPossible
            If nothing was given to score them with.
        InsufficientEvidence
            If too little is known to score the member.
        """
        if self.scoring is None:
            raise WhatIfNotPossible("A what-if must be given a scoring to tell scores, got none. Use scored_by(model).")
        return self.scoring(vectors)

    def attempt(self, actions: Iterable[Action]) -> WhatIfAnswer:
        """What some actions would bring.

        Raises
        ------
        WhatIfNotPossible
            If none is given, one does not apply, or two contradict each other.
        InsufficientEvidence
            If too little is known to score the member.
        """
        ordered = in_order(actions)
        if not ordered:
            raise WhatIfNotPossible("A what-if must try at least one action, got none. Take some that are offered.")
        vectors = self.vectors([ordered])
        return answer_of(self.until, ordered, self.habit, vectors, self.scored(vectors))


def check_day(now: datetime, until: datetime) -> None:
    """Refuse a day that cannot be looked at.

    Raises
    ------
    WhatIfNotPossible
        If it is not after ``now``, or farther ahead than :data:`FARTHEST`.
    """
    if microseconds(until) <= microseconds(now):
        raise WhatIfNotPossible("The day must lie ahead, got one that does not. Take a later one.")
    if until - now > FARTHEST:
        raise WhatIfNotPossible(f"The day must be within {FARTHEST.days} days, got a later one. Take a nearer one.")


def _consented(consents: Consents, subject_id: str, as_of: int) -> frozenset[str]:
    mask = consents.of_one(subject_id, as_of)[0]
    return frozenset(category for category, there in zip(CATEGORIES, mask.tolist(), strict=True) if there)
