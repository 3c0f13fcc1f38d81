"""Bodies of what-ifs, of the smallest change, and of what changed a score."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from benne.explain.recourse import Recourse
from benne.explain.score_change import ScoreChange
from benne.explain.texts import LANGUAGES, texts_of
from benne.explain.what_if import Action, WhatIfAnswer, action_in_words, action_of
from benne.scoring.api.bodies import Body, Mark, Score

__all__ = [
    "ActionBody",
    "ActionChoice",
    "ActionsBody",
    "RecourseBody",
    "RecourseQuestion",
    "ScoreChangeBody",
    "WhatIfBody",
    "WhatIfQuestion",
    "beginning_of",
]

_Detail = Literal["identity_document", "phone", "email", "address", "bank_account", "employer", "income_proof"]
_Named = Literal[
    "pay_overdue", "pay_instalments", "complete_contracts", "settle_items", "lower_utilisation", "pay_statements",
    "verify", "spend_less", "keep_covered", "keep_reserve", "record_income", "record_savings",
]  # fmt: skip
_Amount = Annotated[int, Field(ge=1, le=2**40)]
Day = Annotated[
    date | None,
    Field(strict=False, description="The day is looked at as it begins in UTC; by default half a year ahead."),
]
BandName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_ .:-]{0,63}$")]
Whole = Annotated[int, Field(description="In whole points; they add up.")]


class ActionChoice(Body):
    """An action with its parameters; each takes its own, and no other."""

    action: _Named
    count: Annotated[int, Field(ge=1, le=60)] | None = Field(default=None, description="Of `pay_instalments`.")
    days_ahead: Annotated[int, Field(ge=0, le=30)] | None = Field(default=None, description="Of `pay_instalments`.")
    percent: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="Of `lower_utilisation` (of each limit) and `spend_less`."
    )
    months: Annotated[int, Field(ge=1, le=12)] | None = Field(
        default=None, description="Of `lower_utilisation` and `pay_statements`."
    )
    field: _Detail | None = Field(default=None, description="Of `verify`.")
    against_register: bool | None = Field(default=None, description="Of `verify`.")
    amount: _Amount | None = Field(
        default=None, description="Of `keep_reserve` and `record_savings`, in minor units of money."
    )
    monthly: _Amount | None = Field(default=None, description="Of `record_income`, in minor units of money.")
    regular: bool | None = Field(default=None, description="Of `record_income`.")

    def chosen(self) -> Action:
        """The action itself.

        Raises
        ------
        WhatIfNotPossible
            If a parameter is missing, beyond its limits, or another action's.
        """
        return action_of(self.model_dump(exclude_none=True))


class WhatIfQuestion(Body):
    """What would happen if."""

    actions: list[ActionChoice] = Field(min_length=1, max_length=20)
    until: Day = None


class RecourseQuestion(Body):
    """What should be reached: a score or a band."""

    score: Mark | None = Field(default=None, description="A score to reach.")
    band: BandName | None = Field(
        default=None, description="Or a band, as the answers name it.", examples=["very good"]
    )
    until: Day = None


class ActionBody(BaseModel):
    """An action that applies to the member."""

    action: str
    parameters: dict[str, int | str | bool] = Field(description="As they are offered; other values may be tried.")
    limits: dict[str, list[int | str | bool]] = Field(
        description="Of each parameter: least and most, or the words it may be."
    )
    texts: dict[str, str] = Field(description="In words, by language.")

    @classmethod
    def of(cls, action: Action) -> ActionBody:
        """An action in plain values and words."""
        plain = action.as_dict()
        return cls(
            action=plain.pop("action"),
            parameters=plain,
            limits={name: list(allowed) for name, allowed in action.limits.items()},
            texts={language: action_in_words(action, texts_of(language)) for language in LANGUAGES},
        )


class ActionsBody(BaseModel):
    """Actions that apply to a member until a day."""

    until: AwareDatetime
    actions: list[ActionBody]


class OutlookBody(BaseModel):
    """A score at a moment."""

    as_of: AwareDatetime
    score: Score
    shown: Whole
    band: str


class HabitBody(BaseModel):
    """How the member pays what falls due, which the baseline goes on with."""

    pays: bool
    delay_days: float = Field(description="From the due date to the payment; negative where paid ahead.")
    of: int = Field(description="How many settled dues it was read off.")


class WhatIfLineBody(BaseModel):
    """What the actions change about one feature."""

    feature: str
    category: str
    label: str
    before: float | None = Field(description="Its value on the day by habit.")
    after: float | None = Field(description="Its value on the day with the actions.")
    points: float
    shown: Whole


class WhatIfBody(BaseModel):
    """Three scores, and what lies between the last two."""

    until: AwareDatetime
    today: OutlookBody
    baseline: OutlookBody = Field(description="On the day, if the member goes on as is their habit.")
    with_actions: OutlookBody = Field(description="On the day, with the actions.")
    effect: float = Field(description="What the actions bring: `with_actions` less `baseline`.")
    effect_shown: Whole
    passing: float = Field(description="What the time until then brings by itself: `baseline` less `today`.")
    actions: list[ActionBody]
    habit: HabitBody
    lines: list[WhatIfLineBody]
    clipped: float
    clipped_shown: Whole

    @classmethod
    def of(cls, answer: WhatIfAnswer) -> WhatIfBody:
        """An answer in plain values and words."""
        plain: dict[str, Any] = answer.as_dict()
        labels = texts_of("en")
        plain["actions"] = [ActionBody.of(action) for action in answer.actions]
        plain["lines"] = [line | {"label": labels.label(line["feature"])} for line in plain["lines"]]
        return cls.model_validate(plain)


class RecourseBody(BaseModel):
    """The smallest set of actions that reaches a score, or word that none was found."""

    mark: Mark
    reached: bool
    already: bool = Field(description="Whether it is reached today, with nothing to do.")
    smallest: bool = Field(description="Whether every smaller set was tried, and did not reach it.")
    tried: int = Field(description="How many sets were scored.")
    best: int = Field(description="The highest score found within the member's own reach.")
    actions: list[ActionBody] = Field(description="The set; empty where nothing need be done or nothing reaches it.")
    answer: WhatIfBody = Field(description="Its what-if; where nothing reaches the mark, of the best set found.")

    @classmethod
    def of(cls, found: Recourse) -> RecourseBody:
        """What was found, in plain values and words."""
        return cls(
            mark=found.mark, reached=found.reached, already=found.already, smallest=found.smallest, tried=found.tried,
            best=found.best, actions=[ActionBody.of(action) for action in found.actions],
            answer=WhatIfBody.of(found.answer),
        )  # fmt: skip


class ChangePartBody(BaseModel):
    """What one cause did to a score, or several that cannot be told apart."""

    causes: list[Literal["data", "consent", "model", "expiry"]]
    points: float
    shown: Whole


class ScoreChangeBody(BaseModel):
    """The difference of two scores, split; the parts add up."""

    first: Score
    second: Score
    difference: float
    shown: Whole
    parts: list[ChangePartBody]
    rescored: int = Field(description="How many scores were made for it.")

    @classmethod
    def of(cls, change: ScoreChange) -> ScoreChangeBody:
        """A change in plain values."""
        return cls.model_validate(change.as_dict())


def beginning_of(day: date | None) -> datetime | None:
    """The moment a day begins in UTC."""
    return None if day is None else datetime.combine(day, time(), UTC)
