"""Every action is data with limits, has words in both languages, and moves what the registry says can be done."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest

from benne.errors import WhatIfNotPossible
from benne.explain.texts import LANGUAGES, texts_of
from benne.explain.what_if import ACTIONS, WhatIfs, action_in_words, action_of
from benne.explain.what_if.catalogue import CONSEQUENCES, NOT_MOVED, in_order
from benne.features import registry
from benne.features.engines.online import FeatureVector
from tests.explain.what_if.small_platform import Platform

PARAMETERS = {
    "pay_instalments": {"count": 3, "days_ahead": 5}, "lower_utilisation": {"percent": 30, "months": 2},
    "pay_statements": {"months": 2}, "verify": {"field": "phone", "against_register": True},
    "spend_less": {"percent": 10}, "keep_reserve": {"amount": 100_000}, "record_savings": {"amount": 5_000},
    "record_income": {"monthly": 200, "regular": False},
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_the_same_again_from_its_plain_values_and_has_words(name: str) -> None:
    plain = {"action": name, **PARAMETERS.get(name, {})}
    action = action_of(plain)
    assert action.as_dict() == plain
    assert set(action.limits) == {one.name for one in fields(action)}
    words = {action_in_words(action, texts_of(language)) for language in LANGUAGES}
    assert len(words) == len(LANGUAGES)
    assert not any("{" in one for one in words)


def test_every_detail_has_a_name_in_both_languages() -> None:
    for field in ACTIONS["verify"].limits["field"]:
        assert len({texts_of(language).say(f"what_if.field.{field}") for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(("plain", "message"), [
    ({}, "An action must be one of pay_overdue"),
    ({"action": "win"}, "An action must be one of pay_overdue"),
    ({"action": ["verify"]}, "An action must be one of pay_overdue"),
    ({"action": "pay_instalments"}, "pay_instalments must be given all of its parameters"),
    ({"action": "pay_overdue", "count": 1}, "pay_overdue must be given its own parameters"),
    ({"action": "pay_instalments", "count": 0}, "count of pay_instalments must be a whole number from 1 to 60"),
    ({"action": "pay_instalments", "count": True}, "count of pay_instalments must be a whole number"),
    ({"action": "pay_instalments", "count": 2.0}, "count of pay_instalments must be a whole number"),
    ({"action": "verify", "field": "religion"}, "field of verify must be one of identity_document"),
    ({"action": "verify", "field": "phone", "against_register": 1}, "against_register of verify must be true or false"),
])  # fmt: skip
def test_what_is_no_action_is_refused(plain: dict[str, object], message: str) -> None:
    with pytest.raises(WhatIfNotPossible, match=message):
        action_of(plain)


def test_an_action_is_given_once_and_a_detail_too() -> None:
    phone, email = (action_of({"action": "verify", "field": field}) for field in ("phone", "email"))
    assert in_order([phone, email]) == (email, phone)
    with pytest.raises(WhatIfNotPossible, match="Each action must be given once, got verify twice"):
        in_order([phone, action_of({"action": "verify", "field": "phone", "against_register": True})])


def differing(habit: FeatureVector, other: FeatureVector) -> set[str]:
    both_null = np.isnan(habit.values) & np.isnan(other.values)
    changed = (habit.values != other.values) & ~both_null
    return {name for name, differs in zip(habit.names, changed, strict=True) if differs}


def moved_by_action(platform: Platform) -> dict[str, set[str]]:
    """Features that an action gives another value than habit, by action, over members and days."""
    found: dict[str, set[str]] = {}
    for days, members in ((120, platform.members), (366, platform.members[:8])):
        for place, member in enumerate(members):
            until = platform.now + timedelta(days=days)
            what_ifs = WhatIfs(platform.history(member), platform.consents, platform.scoring, platform.now, until)
            more = [action_of({"action": "pay_instalments", "count": 60, "days_ahead": 10}),
                    action_of({"action": "verify", "field": "phone", "against_register": True})]  # fmt: skip
            actions = [one for one in (*what_ifs.offered(), *more) if one.applies(what_ifs.ahead)]
            actions = [one for one in actions if place < 10 or not one.name.startswith(("verify", "record"))]
            _, habit, *others = what_ifs.vectors([[action] for action in actions])
            for action, vector in zip(actions, others, strict=True):
                found.setdefault(action.name, set()).update(differing(habit, vector))
    return found


def test_what_can_be_done_something_about_is_moved_by_an_action_or_it_is_said_why_not(platform: Platform) -> None:
    moved = moved_by_action(platform)
    assert set(moved) == set(ACTIONS), "every action applies to somebody"
    by_any = set().union(*moved.values())
    actionable = {name for name, spec in registry.items() if spec.actionable is not None}
    assert actionable - by_any == set(NOT_MOVED)
    for name, changed in moved.items():
        if ACTIONS[name].alone:
            assert changed - actionable <= CONSEQUENCES.get(name, set()), name
