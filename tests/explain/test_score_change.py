"""A change of score is split exactly; the oracle walks all twenty-four orders in which four causes can change."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import ChangeNotSplit
from benne.explain.score_change import CAUSES, score_change
from benne.explain.texts import texts_of

WORLDS = [frozenset(c for k, c in enumerate(CAUSES) if bits >> k & 1) for bits in range(16)]
SCORES = st.lists(st.floats(350, 950), min_size=16, max_size=16).map(
    lambda scores: dict(zip(WORLDS, scores, strict=True))
)


def by_orders(scores: dict[Any, float], players: list[tuple[str, ...]]) -> dict[tuple[str, ...], float]:
    """Each player's mean contribution over every order, added up step by step."""
    total = dict.fromkeys(players, 0.0)
    orders = list(permutations(players))
    for order in orders:
        world: frozenset[str] = frozenset()
        for player in order:
            after = world | set(player)
            total[player] += scores[after] - scores[world]
            world = after
    return {player: points / len(orders) for player, points in total.items()}


@given(SCORES)
def test_the_parts_are_shapley_values_and_add_up(scores: dict[Any, float]) -> None:
    change = score_change(scores.__getitem__, scores[WORLDS[0]], scores[WORLDS[15]])
    expected = by_orders(scores, [(cause,) for cause in CAUSES])
    assert change.rescored == 16
    assert change.gap < 1e-9
    assert sum(part.shown for part in change.parts) == change.shown == round(change.second) - round(change.first)
    for part in change.parts:
        assert part.points == pytest.approx(expected[part.causes], abs=1e-9)
    assert (change.data, change.expiry) == (change.parts[0].points, change.parts[3].points)


@given(SCORES)
def test_causes_that_cannot_be_told_apart_are_one_part(scores: dict[Any, float]) -> None:
    change = score_change(scores.__getitem__, scores[WORLDS[0]], scores[WORLDS[15]], together=[("data", "expiry")])
    players = [("data", "expiry"), ("consent",), ("model",)]
    expected = by_orders(scores, players)
    assert sorted(part.causes for part in change.parts) == sorted(players)
    assert all(part.points == pytest.approx(expected[part.causes], abs=1e-9) for part in change.parts)
    assert (change.data, change.expiry) == (None, None)
    assert change.gap < 1e-9
    assert change.rescored == 8


@pytest.mark.parametrize(("missing", "merged"), [
    ([{"consent"}], ("data", "consent")),  # new consent on old data: too little was known
    ([{"consent"}, {"consent", "data"}], ("consent", "model")),
    ([{"model"}, {"model", "consent"}, {"data"}], ("data", "model")),
])  # fmt: skip
def test_a_world_without_a_score_makes_the_causes_beside_it_one_part(
    missing: list[set[str]], merged: tuple[str, ...]
) -> None:
    scores: dict[Any, float | None] = {world: 600.0 + 7 * len(world) for world in WORLDS}
    scores |= {frozenset(world): None for world in missing}
    change = score_change(scores.__getitem__, 600.0, 628.0)
    assert merged in [part.causes for part in change.parts]
    assert len(change.parts) == 3
    assert change.gap < 1e-9


def test_where_no_world_between_has_a_score_there_is_one_part() -> None:
    change = score_change(lambda world: {0: 600.0, 4: 640.0}.get(len(world)), 600.0, 640.0)
    assert [(part.causes, part.points, part.shown) for part in change.parts] == [(CAUSES, 40.0, 40)]


@pytest.mark.parametrize(("first", "second"), [(600.1, 640.0), (600.0, 640.0001)])
def test_ends_that_are_not_the_scores_on_record_are_refused(first: float, second: float) -> None:
    with pytest.raises(ChangeNotSplit, match="The two scores must be as they are on record"):
        score_change(lambda world: 600.0 + 10 * len(world), first, second)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_change_reads_as_lines_that_add_up(language: str) -> None:
    texts = texts_of(language)
    scores = {world: 600.0 + 12.4 * ("data" in world) - 3.2 * ("model" in world) for world in WORLDS}
    told = score_change(scores.__getitem__, 600.0, scores[WORLDS[15]], together=[("data", "expiry")]).as_text(texts)
    assert told.splitlines()[0].endswith("+9")
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["+12", "0", "\N{MINUS SIGN}3"]
    assert texts.say("what_if.change.data") in told
