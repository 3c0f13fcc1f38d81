"""What members can do about their score: tried on their own events in memory, under their live consent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection

from benne.errors import (
    FeatureColumnsError,
    FeatureValueError,
    InsufficientEvidence,
    ObservationError,
    WhatIfNotPossible,
)
from benne.explain.recourse import Recourse, recourse
from benne.explain.score_change import ScoreChange
from benne.explain.what_if import Action, History, WhatIfAnswer, WhatIfs
from benne.explain.what_if.trying import check_day
from benne.features.categories import CATEGORIES, SOCIAL
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import FeatureVector
from benne.models import Explanation
from benne.models.scale import DEFAULT_BANDS, Band
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.request import Refusal
from benne.scoring.decisions.routing import tried
from benne.scoring.decisions.scoring import explained
from benne.scoring.decisions.served_model import ModelSlot, ServedModel
from benne.scoring.members.recording import Doing
from benne.scoring.members.room import Room
from benne.scoring.members.what_if_asking import Asking, Leave, SettledConsents
from benne.scoring.members.what_if_change import ScoreChanges
from benne.scoring.members.what_if_history import history_of

__all__ = ["DEFAULT_AHEAD", "WhatIf"]

DEFAULT_AHEAD: Final = timedelta(days=180)
"""How far ahead is looked where nothing is said."""

_MICROSECOND: Final = timedelta(microseconds=1)
_UNSCORABLE: Final[dict[type[Exception], str]] = {
    InsufficientEvidence: "insufficient-evidence",
    FeatureValueError: "value-not-scorable",
    FeatureColumnsError: "features-stale",
    ObservationError: "features-missing",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Answers what-ifs; nothing that is imagined is ever stored.

    Parameters
    ----------
    asking : Asking
    events : EventStore or None
        None where the service has loaded features only; then nothing can be imagined.
    models : ModelSlot
    changes : ScoreChanges

    Whatever is asked takes a turn (:class:`benne.scoring.members.room.Room`), and where there is none in time it is
    ``ServiceBusy``; but for what the service itself asks, as for a notice.
    """

    asking: Asking
    events: EventStore | None
    models: ModelSlot
    changes: ScoreChanges
    _room: Room = field(default_factory=Room, init=False, repr=False, compare=False)

    def actions(self, subject_id: str, doing: Doing, until: datetime | None = None) -> list[Action] | Refusal:
        """Actions that apply to a member until a day, by default half a year ahead.

        Raises
        ------
        WhatIfNotPossible
            If the day cannot be, or there are no events to imagine more on top of.
        """
        return self._answered(subject_id, doing, until, "actions_offered", lambda what_ifs, _: what_ifs.offered())

    def try_actions(
        self, subject_id: str, actions: Sequence[Action], until: datetime, doing: Doing
    ) -> WhatIfAnswer | Refusal:
        """What some actions would bring until a day.

        Raises
        ------
        WhatIfNotPossible
            If the day cannot be, an action does not apply, or there are no events to imagine more on top of.
        """
        return self._answered(subject_id, doing, until, "actions_tried", lambda what_ifs, _: what_ifs.attempt(actions))

    def recourse(
        self, subject_id: str, target: int | str, doing: Doing, until: datetime | None = None
    ) -> Recourse | Refusal:
        """The smallest set of actions that reaches a mark, or the lowest score of a band, until a day.

        Parameters
        ----------
        subject_id : str
        target : int or str
            A score from 350 to 950, or a band of the model that serves.
        doing : Doing
        until : datetime, optional
            By default half a year ahead.

        Raises
        ------
        WhatIfNotPossible
            As for :meth:`try_actions`, and if there is no such mark or band.
        """

        def search(what_ifs: WhatIfs, served: ServedModel) -> Recourse:
            return recourse(what_ifs, target if isinstance(target, int) else lowest_of(target, served))

        return self._answered(subject_id, doing, until, "recourse_sought", search)

    def bands(self, subject_id: str) -> tuple[Band, ...]:
        """The bands of the model that serves a member, the lowest first."""
        return _bands_of(self.models.serving.of(subject_id))

    def change(
        self, subject_id: str, first_decision: str | None, second_decision: str | None, doing: Doing
    ) -> ScoreChange | Refusal:
        """Why a score changed between two decisions, by default the last two; see :class:`ScoreChanges`."""
        with self._turn(subject_id, doing):
            return self.changes.between(subject_id, first_decision, second_decision, doing)

    def _turn(self, subject_id: str, doing: Doing) -> AbstractContextManager[None]:
        return nullcontext() if doing.actor.role == "system" else self._room.turn(subject_id)

    def _answered(
        self, subject_id: str, doing: Doing, until: datetime | None, outcome: str,
        answer: Callable[[WhatIfs, ServedModel], T],
    ) -> T | Refusal:  # fmt: skip
        now = self.asking.clock()
        day = now + DEFAULT_AHEAD if until is None else until
        check_day(now, day)
        with self._turn(subject_id, doing):
            return self._asked(subject_id, doing, (now, day), outcome, answer)

    def _asked(
        self, subject_id: str, doing: Doing, days: tuple[datetime, datetime], outcome: str,
        answer: Callable[[WhatIfs, ServedModel], T],
    ) -> T | Refusal:  # fmt: skip
        serving = self.models.serving
        with self.asking.store.read() as connection:
            leave = self.asking.ask(connection, subject_id, doing)
            begun = self._begun(connection, subject_id, leave, days[0])
        served, found = serving.of(subject_id), list[T]()
        if begun is not None:

            def attempt(model: ServedModel) -> T:
                scoring = _scoring(model, frozenset(CATEGORIES) - leave.categories)
                return answer(WhatIfs(*begun, scoring, *days), model)

            try:
                served, one = tried(serving, subject_id, attempt)
                found.append(one)
            except tuple(_UNSCORABLE) as error:
                served = serving.champion
                leave.case.refuse(next(why for kind, why in _UNSCORABLE.items() if isinstance(error, kind)))
        refusal = self.asking.record(leave, doing, outcome, served)
        return found[0] if refusal is None else refusal

    def _begun(
        self, connection: Connection, subject_id: str, leave: Leave, now: datetime
    ) -> tuple[History, SettledConsents] | None:
        """The member's events and everybody's consent as just read; None where they do not consent."""
        if not leave.case.stands or leave.case.allowed is None:
            return None
        history = history_of(self.events, subject_id)
        oldest = now - leave.case.allowed.rules.vector_age
        if from_microseconds(history.until) < oldest:
            leave.case.refuse("features-missing")
            return None
        others = history.others if SOCIAL in leave.categories else ()
        return history, SettledConsents.read(connection, leave.categories, others, leave.seen.at_us)


def lowest_of(band: str, served: ServedModel) -> int:
    """The lowest score of a band.

    Raises
    ------
    WhatIfNotPossible
        If the model has no such band.
    """
    bands = [one.name for one in _bands_of(served)]
    lowest = {one.name.replace(" ", "_"): one.lowest for one in _bands_of(served)}
    if band.replace(" ", "_") not in lowest:
        raise WhatIfNotPossible(f"A band must be one of {', '.join(bands)}, got another. Take one of these.")
    return lowest[band.replace(" ", "_")]


def _bands_of(served: ServedModel) -> tuple[Band, ...]:
    bands: tuple[Band, ...] = getattr(getattr(served.model, "scale_", None), "bands", DEFAULT_BANDS)
    return bands


def _scoring(served: ServedModel, withheld: frozenset[str]) -> Callable[[Sequence[FeatureVector]], Explanation]:
    def scoring(vectors: Sequence[FeatureVector]) -> Explanation:
        patterns = [withheld] * len(vectors)
        return explained(served, served.table(vectors, patterns), patterns)

    return scoring
