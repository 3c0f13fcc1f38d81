"""Three scores and what lies between the last two: today, on the day by habit, on the day with the actions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from benne.explain.rounding import whole_parts
from benne.explain.texts import Texts
from benne.explain.what_if.action import Action
from benne.explain.what_if.baseline import Habit
from benne.explain.what_if.wording import action_in_words, habit_in_words
from benne.features.engines.online import FeatureVector
from benne.features.registered import registry
from benne.models import Explanation

__all__ = ["Outlook", "WhatIfAnswer", "WhatIfLine", "answer_of"]


@dataclass(frozen=True, repr=False)
class Outlook:
    """A score at a moment.

    Parameters
    ----------
    as_of : datetime
    score : float
        350 to 950.
    shown : int
        In whole points.
    band : str
    """

    as_of: datetime
    score: float
    shown: int
    band: str


@dataclass(frozen=True, repr=False)
class WhatIfLine:
    """What the actions change about one feature.

    Parameters
    ----------
    feature, category : str
    before, after : float or None
        Its value on the day by habit, and with the actions; None where there is none.
    points : float
        What it gives more than by habit; exact.
    shown : int
        In whole points, which add up.
    """

    feature: str
    category: str
    before: float | None
    after: float | None
    points: float
    shown: int


@dataclass(frozen=True, repr=False)
class WhatIfAnswer:
    """What actions would bring.

    Parameters
    ----------
    until : datetime
        The moment of looking.
    today, baseline, with_actions : Outlook
        Now; on the day if the member goes on as is their habit; on the day with the actions.
    actions : tuple of Action
    habit : Habit
        What the baseline pays by.
    lines : tuple of WhatIfLine
        Features that the actions change, the strongest first.
    clipped, clipped_shown : float, int
        What the ends of the scale add to the effect or take from it; mostly 0.
    """

    until: datetime
    today: Outlook
    baseline: Outlook
    with_actions: Outlook
    actions: tuple[Action, ...]
    habit: Habit
    lines: tuple[WhatIfLine, ...]
    clipped: float
    clipped_shown: int

    @property
    def moved(self) -> tuple[WhatIfLine, ...]:
        """Lines of features whose own value the actions change and that show a point at least."""
        return tuple(line for line in self.lines if line.shown and line.before != line.after)

    @property
    def rest_shown(self) -> int:
        """Whole points of all other lines: features that stand as before, and weigh otherwise beside the rest."""
        return sum(line.shown for line in self.lines if line.before == line.after)

    @property
    def effect(self) -> float:
        """What the actions bring: the last two scores' difference, exact."""
        return self.with_actions.score - self.baseline.score

    @property
    def effect_shown(self) -> int:
        """The same in whole points, as the shown scores differ."""
        return self.with_actions.shown - self.baseline.shown

    @property
    def passing(self) -> float:
        """What the time until then brings by itself, exact."""
        return self.baseline.score - self.today.score

    @property
    def gap(self) -> float:
        """Difference between the effect and the sum of its lines; below 1e-9."""
        return abs(sum(line.points for line in self.lines) + self.clipped - self.effect)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "until": self.until.isoformat(),
            "today": _plain(self.today), "baseline": _plain(self.baseline), "with_actions": _plain(self.with_actions),
            "effect": self.effect, "effect_shown": self.effect_shown, "passing": self.passing,
            "actions": [action.as_dict() for action in self.actions],
            "habit": {"pays": self.habit.pays, "delay_days": self.habit.delay.total_seconds() / 86_400,
                      "of": self.habit.of},
            "lines": [asdict(line) for line in self.lines],
            "clipped": self.clipped, "clipped_shown": self.clipped_shown,
        }  # fmt: skip

    def as_text(self, texts: Texts) -> str:
        """Lines of whole points that add up."""
        day = texts.day(self.until)
        told = [texts.say("what_if.today", score=self.today.shown, band=texts.band(self.today.band))]
        told.append(texts.say("what_if.by_habit", day=day, score=self.baseline.shown))
        told += [f"  {action_in_words(action, texts)}" for action in self.actions]
        told.append(texts.say("what_if.with_actions", day=day, score=self.with_actions.shown))
        told.append(texts.say("what_if.effect", points=texts.points(self.effect_shown)))
        told += [f"  {texts.points(line.shown):>5} {_in_words(line, texts)}" for line in self.moved]
        if self.rest_shown:
            told.append(f"  {texts.points(self.rest_shown):>5} {texts.say('what_if.rest')}")
        told.append(habit_in_words(self.habit, texts))
        return "\n".join(told)


def answer_of(
    until: datetime,
    actions: Iterable[Action],
    habit: Habit,
    vectors: Sequence[FeatureVector],
    explanation: Explanation,
    rows: Sequence[int] = (0, 1, 2),
) -> WhatIfAnswer:
    """Put three scores together.

    Parameters
    ----------
    until : datetime
    actions : iterable of Action
    habit : Habit
    vectors : sequence of FeatureVector, length 3
        Today's, by habit, with the actions.
    explanation : Explanation
    rows : sequence of int, length 3
        Which rows of the explanation are theirs.
    """
    today, baseline, with_actions = (
        _outlook(vector, explanation, row) for vector, row in zip(vectors, rows, strict=True)
    )
    clipped = float(explanation.clipped[rows[2]] - explanation.clipped[rows[1]])
    lines, clipped_shown = _lines(explanation, rows, vectors, with_actions.shown - baseline.shown, clipped)
    return WhatIfAnswer(until, today, baseline, with_actions, tuple(actions), habit, lines, clipped, clipped_shown)


def _outlook(vector: FeatureVector, explanation: Explanation, row: int) -> Outlook:
    score = float(explanation.score[row])
    return Outlook(vector.as_of, score, round(score), str(explanation.band[row]))


def _lines(
    explanation: Explanation, rows: Sequence[int], vectors: Sequence[FeatureVector], shown: int, clipped: float
) -> tuple[tuple[WhatIfLine, ...], int]:
    points = explanation.points.to_numpy()
    more = points[rows[2]] - points[rows[1]]
    names = list(explanation.points.columns)
    before, after = (dict(zip(vector.names, vector.values.tolist(), strict=True)) for vector in vectors[1:])
    moved = [k for k in np.argsort(-np.abs(more), kind="stable") if more[k] or _differ(names[k], before, after)]
    whole = whole_parts([*more[moved].tolist(), clipped], shown)
    lines = tuple(
        WhatIfLine(names[k], _category(names[k]), _known(before, names[k]), _known(after, names[k]),
                   float(more[k]), part)
        for k, part in zip(moved, whole, strict=False)
    )  # fmt: skip
    return lines, whole[-1]


def _in_words(line: WhatIfLine, texts: Texts) -> str:
    before, after = (texts.value(line.feature, value) for value in (line.before, line.after))
    return texts.say("what_if.line", label=texts.label(line.feature), before=before, after=after)


def _category(feature: str) -> str:
    return registry[feature].category if feature in registry else ""


def _differ(name: str, before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    return _known(before, name) != _known(after, name)


def _known(values: Mapping[str, float], name: str) -> float | None:
    """A value; None where it is null, or the platform had nothing to make it from."""
    value = values.get(name, math.nan)
    return None if math.isnan(value) else value


def _plain(outlook: Outlook) -> dict[str, Any]:
    return {**asdict(outlook), "as_of": outlook.as_of.isoformat()}
