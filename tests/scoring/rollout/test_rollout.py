"""Which members a share holds: the same everywhere, for good, and nobody's choice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.scoring.rollout.rollout import Rollout, place_of, share_in_words

SALT = "ab" * 16
STEP = Rollout(2, "r-1", "staged", "benne/2", "cd" * 32, 500, SALT, 1, None, 0, "ann")
MEMBERS = [f"{k:032x}" for k in range(20_000)]


@pytest.mark.parametrize("basis_points", [1, 100, 500, 5_000, 9_999])
def test_a_share_holds_as_many_members_as_it_says(basis_points):
    step = replace(STEP, share_basis_points=basis_points)
    held = sum(step.serves(member) for member in MEMBERS)
    expected = len(MEMBERS) * basis_points / 10_000
    assert abs(held - expected) < 4.5 * (expected * (1 - basis_points / 10_000)) ** 0.5 + 1


def test_nobody_is_in_a_share_of_none_and_everybody_in_the_whole():
    none, whole = (replace(STEP, share_basis_points=share) for share in (0, 10_000))
    assert not any(none.serves(member) for member in MEMBERS)
    assert all(whole.serves(member) for member in MEMBERS)


@given(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(0, 10_000), st.integers(0, 10_000))
def test_whoever_is_in_stays_in_as_the_share_grows(member, one, other):
    small, large = (replace(STEP, share_basis_points=share) for share in sorted((one, other)))
    assert large.serves(member) or not small.serves(member)


def test_another_salt_puts_members_in_another_order():
    first = {member for member in MEMBERS if place_of(member, SALT) < 1_000}
    second = {member for member in MEMBERS if place_of(member, "cd" * 16) < 1_000}
    assert 100 < len(first & second) < 320  # 200 by chance


@pytest.mark.parametrize("state", ["shadow", "ended"])
def test_only_a_staged_challenger_serves(state):
    assert not replace(STEP, state=state, share_basis_points=10_000).serves(MEMBERS[0])


def test_a_share_is_written_as_people_do_and_the_salt_is_nobodys_business():
    assert [share_in_words(share) for share in (1, 250, 10_000)] == ["0.01 %", "2.5 %", "100 %"]
    assert SALT not in str(STEP.as_dict())
