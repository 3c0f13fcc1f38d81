"""The smallest change within a member's own reach that brings a score to a mark, confirmed by scoring it.

Sets of one action are tried first, then of two, and so on; within a size those that cost least effort come first, and
of these those that are hardest to do for show. All sets of one and two actions are tried, as far as the bound goes;
of larger ones those that promise most, by the sum of what their actions bring alone. Only actions are tried that lie
in the member's own hands: nothing that is frozen, protected or somebody else's is ever part of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Final

from benne.errors import WhatIfNotPossible
from benne.explain.texts import Texts
from benne.explain.what_if.action import GAMING, Action
from benne.explain.what_if.answer import WhatIfAnswer, answer_of
from benne.explain.what_if.catalogue import in_order
from benne.explain.what_if.trying import WhatIfs
from benne.explain.what_if.wording import action_in_words
from benne.features.engines.online import FeatureVector
from benne.models import SCORE_MAX, SCORE_MIN

__all__ = ["MOST_TRIED", "Recourse", "recourse"]

MOST_TRIED: Final = 150
"""Sets that are scored at the most."""

_MOST_ACTIONS: Final = 5
_AT_ONCE: Final = 25
_WHOLLY: Final = 2
"""Sets of up to so many actions are tried in order of effort, all of them; larger ones in order of promise."""

_Set = tuple[Action, ...]


@dataclass(frozen=True, repr=False)
class Recourse:
    """What would bring a score to a mark.

    Parameters
    ----------
    mark : int
        The score in whole points, 350 to 950.
    reached : bool
        Whether it can be reached by the day; then ``answer`` has reached it.
    already : bool
        Whether it is reached today.
    actions : tuple of Action
        The set that was found; empty where nothing need be done, or nothing reaches it.
    answer : WhatIfAnswer
        Scores by habit and with these actions; where the mark is not reached, with the best set that was found.
    smallest : bool
        Whether every smaller set was tried too, and did not reach it.
    tried : int
        How many sets were scored.
    """

    mark: int
    reached: bool
    already: bool
    actions: _Set
    answer: WhatIfAnswer
    smallest: bool
    tried: int

    @property
    def best(self) -> int:
        """The highest score that was found, in whole points."""
        return self.answer.with_actions.shown

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "mark": self.mark, "reached": self.reached, "already": self.already, "smallest": self.smallest,
            "tried": self.tried, "best": self.best, "actions": [action.as_dict() for action in self.actions],
            "answer": self.answer.as_dict(),
        }  # fmt: skip

    def as_text(self, texts: Texts) -> str:
        """Whether it can be reached and by what, in sentences."""
        if self.already:
            return texts.say("what_if.already", target=self.mark)
        day = texts.day(self.answer.until)
        if not self.reached:
            return texts.say("what_if.not_alone", day=day, score=self.best)
        if not self.actions:
            return texts.say("what_if.by_itself", target=self.mark, day=day)
        told = [texts.say("what_if.reached", target=self.mark, day=day, score=self.best)]
        return "\n".join([*told, *(f"  {action_in_words(action, texts)}" for action in self.actions)])


def recourse(what_ifs: WhatIfs, mark: int, *, most_tried: int = MOST_TRIED) -> Recourse:
    """Find the smallest set of actions that brings a member's score to a mark by the day.

    Parameters
    ----------
    what_ifs : WhatIfs
    mark : int
        350 to 950; a score reaches it in whole points, as it is shown.
    most_tried : int
        Sets that are scored at the most.

    Raises
    ------
    WhatIfNotPossible
        If the mark is no score.
    InsufficientEvidence
        If too little is known to score the member.
    """
    if not SCORE_MIN <= mark <= SCORE_MAX:
        raise WhatIfNotPossible(
            f"A mark must be a score from {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, got another. Take one of these."
        )
    search = _Search(what_ifs, mark, most_tried)
    return search.run()


@dataclass(eq=False, repr=False)
class _Tried:
    """A set that was scored."""

    actions: _Set
    answer: WhatIfAnswer

    @property
    def score(self) -> float:
        return self.answer.with_actions.score


class _Search:
    def __init__(self, what_ifs: WhatIfs, mark: int, most_tried: int) -> None:
        self._what_ifs = what_ifs
        self._mark = mark
        self._most = most_tried
        self._tried: dict[_Set, _Tried] = {}
        self._alone: dict[Action, float] = {}

    def run(self) -> Recourse:
        plain = self._score([()])[0].answer
        if plain.today.shown >= self._mark or plain.baseline.shown >= self._mark:
            already = plain.today.shown >= self._mark
            return self._found(self._tried[()], smallest=True, already=already)
        menu = sorted((one for one in self._what_ifs.offered() if one.alone), key=_cost)
        for size in range(1, _MOST_ACTIONS + 1):
            reached, whole = self._of_size(menu, size)
            if reached is not None:
                return self._found(reached, smallest=whole and size <= _WHOLLY + 1, already=False)
            if size == 1:
                menu = [action for action in menu if action in self._alone]
            if len(self._tried) > self._most:
                break
        return self._not_reached(menu)

    def _of_size(self, menu: Sequence[Action], size: int) -> tuple[_Tried | None, bool]:
        """The first set of a size that reaches the mark, and whether every smaller set had been tried."""
        smaller_tried = len(self._tried) <= self._most
        sets = self._sets(menu, size)
        while some := list(islice(sets, _AT_ONCE)):
            room = self._most + 1 - len(self._tried)
            if room <= 0:
                return None, False
            for tried in self._score(some[:room]):
                if tried.answer.with_actions.shown >= self._mark:
                    return tried, smaller_tried
        return None, smaller_tried

    def _sets(self, menu: Sequence[Action], size: int) -> Iterator[_Set]:
        every = (in_order(some) for some in combinations(menu, size) if _agree(some))
        if size == 1:
            return every
        if size <= _WHOLLY:
            return iter(sorted(every, key=lambda some: tuple(map(sum, zip(*map(_cost, some), strict=True)))))
        return iter(sorted(every, key=lambda some: -sum(self._alone[action] for action in some))[: self._most])

    def _score(self, sets: Sequence[_Set]) -> list[_Tried]:
        vectors = self._what_ifs.vectors(sets)
        explanation = self._what_ifs.scored(vectors)
        made = []
        for row, actions in enumerate(sets, start=2):
            three = [vectors[0], vectors[1], vectors[row]]
            answer = answer_of(self._what_ifs.until, actions, self._what_ifs.habit, three, explanation, (0, 1, row))
            made.append(_Tried(actions, answer))
            self._tried[actions] = made[-1]
            if len(actions) == 1 and not _same(three[1], three[2]):
                self._alone[actions[0]] = answer.effect
        return made

    def _not_reached(self, menu: Sequence[Action]) -> Recourse:
        """Nothing that was tried reaches it: try all at once what helps alone, and tell the best."""
        helping: list[Action] = []
        for action in sorted(menu, key=lambda one: -self._alone.get(one, 0.0)):
            if self._alone.get(action, 0.0) > 0 and _agree([*helping, action]):
                helping.append(action)
        everything = in_order(helping)
        if everything not in self._tried:
            self._score([everything])
        best = max(self._tried.values(), key=lambda tried: (tried.score, -len(tried.actions)))
        reached = best.answer.with_actions.shown >= self._mark
        return Recourse(self._mark, reached, False, best.actions if reached else (), best.answer, False,
                        len(self._tried))  # fmt: skip

    def _found(self, tried: _Tried, *, smallest: bool, already: bool) -> Recourse:
        return Recourse(self._mark, True, already, tried.actions, tried.answer, smallest, len(self._tried))


def _cost(action: Action) -> tuple[int, int]:
    return action.effort, GAMING.index(action.gaming)


def _agree(actions: Sequence[Action]) -> bool:
    about = [(action.name, action.subject) for action in actions]
    return len(set(about)) == len(about)


def _same(first: FeatureVector, second: FeatureVector) -> bool:
    return first.values.tobytes() == second.values.tobytes()
