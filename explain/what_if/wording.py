"""Actions in words."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

from benne.explain.texts import Texts
from benne.explain.what_if.action import Action
from benne.explain.what_if.baseline import Habit

__all__ = ["action_in_words", "habit_in_words"]

_AMOUNTS = ("amount", "monthly")


def action_in_words(action: Action, texts: Texts) -> str:
    """What somebody would do, such as "Pay the next 3 instalments on time".

    Parameters
    ----------
    action : Action
    texts : Texts

    Examples
    --------
    >>> from benne.explain.texts import texts_of
    >>> from benne.explain.what_if.catalogue import action_of
    >>> action_in_words(action_of({"action": "lower_utilisation", "percent": 30}), texts_of("en"))
    'Keep what is used of each credit limit at or below 30 % for a month'
    """
    values: dict[str, object] = {one.name: getattr(action, one.name) for one in fields(action)}
    values |= {name: f"{int(str(value)) / 100:,.0f}" for name, value in values.items() if name in _AMOUNTS}
    key = f"what_if.action.{action.name}"
    if "field" in values:
        values["field"] = texts.say(f"what_if.field.{values['field']}")
    if values.get("months") == 1 and texts.has(f"{key}_one"):
        return texts.say(f"{key}_one", **values)
    for name, value in values.items():
        if (value is True or (name == "days_ahead" and value)) and texts.has(f"{key}_{name}"):
            return texts.say(f"{key}_{name}", **values)
    return texts.say(key, **values)


def habit_in_words(habit: Habit, texts: Texts) -> str:
    """What "as usual" means for a member.

    Parameters
    ----------
    habit : Habit
    texts : Texts

    Examples
    --------
    >>> from datetime import timedelta
    >>> from benne.explain.texts import texts_of
    >>> habit_in_words(Habit(pays=True, delay=timedelta(days=2.6), of=9), texts_of("en"))[:57]
    'As usual means: what falls due is paid 3 days late; accou'
    """
    if not habit.pays:
        return texts.say("what_if.habit_unpaid")
    days = round(habit.delay / timedelta(days=1))
    key = "late" if days > 0 else "early" if days < 0 else "on_time"
    return texts.say(f"what_if.habit_{key}", days=abs(days))
