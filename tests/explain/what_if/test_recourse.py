"""The smallest change is the smallest: held against every set of one and two actions, tried without any shortcut."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import numpy as np
import pytest

from benne.errors import WhatIfNotPossible
from benne.explain.recourse import MOST_TRIED, Recourse, recourse
from benne.explain.texts import LANGUAGES, texts_of
from benne.explain.what_if import ACTIONS, WhatIfs, action_in_words, habit_in_words
from benne.explain.what_if.catalogue import CONSEQUENCES
from benne.features import registry
from tests.explain.what_if.small_platform import Platform

FROZEN = {name for name, spec in registry.items() if spec.actionable is None}


def begun(platform: Platform, member: str, days: int = 120) -> WhatIfs:
    until = platform.now + timedelta(days=days)
    return WhatIfs(platform.history(member), platform.consents, platform.scoring, platform.now, until)


@pytest.fixture(scope="module")
def found(platform: Platform) -> list[tuple[WhatIfs, Recourse]]:
    """What is found for some members and marks, near and far."""
    made = []
    accounts = [member for member in platform.members[:60] if platform.history(member).reporting]
    for member in [*accounts[:6], *platform.members[:8:2]]:
        what_ifs = begun(platform, member)
        shown = what_ifs.attempt(what_ifs.offered()[:1]).baseline.shown
        made += [(what_ifs, recourse(what_ifs, min(shown + more, 950))) for more in (15, 45)]
    return made


def test_what_is_found_was_confirmed_by_scoring_it(found: list[tuple[WhatIfs, Recourse]]) -> None:
    reached = [(what_ifs, one) for what_ifs, one in found if one.reached and one.actions]
    assert len(reached) > 5
    for what_ifs, one in reached:
        again = what_ifs.attempt(one.actions)
        assert again.as_dict() == one.answer.as_dict()
        assert again.with_actions.shown >= one.mark
        assert len(one.actions) > 0


def test_no_smaller_set_reaches_it_and_none_of_the_same_size_costs_less(found: list[tuple[WhatIfs, Recourse]]) -> None:
    checked = 0
    for what_ifs, one in found:
        if not one.smallest or not one.actions:
            continue
        menu = [action for action in what_ifs.offered() if action.alone]
        for size in range(1, min(len(one.actions), 2) + 1):
            for some in combinations(menu, size):
                if len({(action.name, action.subject) for action in some}) < size:
                    continue
                cheaper = sum(action.effort for action in some) < sum(action.effort for action in one.actions)
                if size < len(one.actions) or cheaper:
                    assert what_ifs.attempt(some).with_actions.shown < one.mark
                    checked += 1
    assert checked > 50


def test_nothing_frozen_protected_or_somebody_elses_moves_with_a_suggestion(
    found: list[tuple[WhatIfs, Recourse]],
) -> None:
    """Held against the same day by habit: what differs there is what the suggestion moves."""
    suggested = set()
    for what_ifs, one in found:
        assert all(action.alone for action in one.actions)
        suggested |= {action.name for action in one.actions}
        _, habit, with_actions = what_ifs.vectors([one.actions])
        both_null = np.isnan(habit.values) & np.isnan(with_actions.values)
        moved = {
            name
            for name, differs in zip(habit.names, (habit.values != with_actions.values) & ~both_null, strict=True)
            if differs
        }
        follows = set().union(*(CONSEQUENCES.get(action.name, set()) for action in one.actions))
        assert moved & FROZEN <= follows
    assert len(suggested) > 2
    assert suggested <= {name for name, action in ACTIONS.items() if action.alone}


def test_what_cannot_be_reached_is_said_with_the_best_that_can(platform: Platform) -> None:
    what_ifs = begun(platform, platform.members[0])
    one = recourse(what_ifs, 950)
    assert (one.reached, one.actions, one.smallest) == (False, (), False)
    assert one.best == one.answer.with_actions.shown
    assert one.best >= one.answer.baseline.shown
    singles = [what_ifs.attempt([action]).with_actions.shown for action in what_ifs.offered() if action.alone]
    assert one.best >= max(singles)


def test_a_mark_that_is_reached_already_asks_for_nothing(platform: Platform) -> None:
    what_ifs = begun(platform, platform.members[0])
    one = recourse(what_ifs, 350)
    assert (one.reached, one.already, one.actions, one.tried) == (True, True, (), 1)
    assert one.as_dict()["actions"] == []


def test_the_number_of_scorings_is_bounded(platform: Platform) -> None:
    whole = [recourse(begun(platform, member), 950).tried for member in platform.members[9:12]]
    assert max(whole) <= MOST_TRIED + 2
    few = [recourse(begun(platform, member), 950, most_tried=20).tried for member in platform.members[9:12]]
    assert max(few) <= 22 < max(whole)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_found_is_said_in_words(
    language: str, platform: Platform, found: list[tuple[WhatIfs, Recourse]]
) -> None:
    texts, what_ifs = texts_of(language), begun(platform, platform.members[0])
    assert texts.say("what_if.already", target=350) == recourse(what_ifs, 350).as_text(texts)
    never = recourse(what_ifs, 950)
    assert str(never.best) in never.as_text(texts)
    reached = next(one for _, one in found if one.actions)
    told = reached.as_text(texts).splitlines()
    assert str(reached.mark) in told[0]
    assert told[1:] == [f"  {action_in_words(action, texts)}" for action in reached.actions]
    whole = reached.answer.as_text(texts)
    assert habit_in_words(reached.answer.habit, texts) in whole
    assert texts.points(reached.answer.effect_shown) in whole


@pytest.mark.parametrize("mark", [349, 951])
def test_a_mark_must_be_a_score(mark: int, platform: Platform) -> None:
    with pytest.raises(WhatIfNotPossible, match="A mark must be a score from 350 to 950"):
        recourse(begun(platform, platform.members[0]), mark)
