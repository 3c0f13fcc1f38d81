from __future__ import annotations

import pytest

from benne.features.quality.cells import Share, coarse, hide_small, percent


@pytest.mark.parametrize(
    ("part", "text", "shown"),
    [(0, "0.0 %", 0.0), (1, "few", None), (49, "few", None), (50, "5.0 %", 0.05), (950, "95.0 %", 0.95),
     (951, "nearly all", None), (999, "nearly all", None), (1000, "100.0 %", 1.0)],
)  # fmt: skip
def test_a_share_of_fewer_than_fifty_on_either_side_is_not_shown(part, text, shown):
    share = Share.of(part, 1000)
    assert (share.text, share.shown) == (text, shown)


def test_a_hidden_share_still_knows_what_it_is_for_a_limit():
    assert Share.of(3, 1000).exact == 0.003


def test_a_share_of_nothing_is_nothing():
    assert (Share.of(0, 0).exact, Share.of(0, 0).shown, Share.of(0, 0).text) == (None, None, "–")


def test_what_is_not_nothing_never_reads_zero():
    assert (percent(0.0), percent(0.0001), percent(0.0123)) == ("0.0 %", "under 0.1 %", "1.2 %")


def test_a_value_keeps_three_digits():
    assert [coarse(v) for v in (123_456.0, 0.98765, -45.678, 0.0)] == [123_000.0, 0.988, -45.7, 0.0]


def test_a_lone_small_count_takes_the_next_smallest_with_it():
    assert hide_small([100, 3, 200, 0]) == (None, None, 200, 0)


def test_two_small_counts_protect_each_other():
    assert hide_small([100, 3, 4, 0]) == (100, None, None, 0)


def test_counts_that_are_large_or_nothing_stay():
    assert hide_small([100, 0, 50]) == (100, 0, 50)
