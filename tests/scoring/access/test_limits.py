"""Buckets that fill at a steady rate, one for each asker."""

from __future__ import annotations

import pytest

from benne.errors import RateExceeded
from benne.scoring.access.limits import RateLimits
from benne.scoring.access.principal import Principal

SHOP = Principal(id="key:1", role="recipient", recipient="shop", purposes=frozenset({"lending"}))
SHOP_TOO = Principal(id="key:2", role="recipient", recipient="shop", purposes=frozenset({"lending"}))
BANK = Principal(id="key:3", role="recipient", recipient="bank", purposes=frozenset({"lending"}))


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limits, principal):
    count = 0
    try:
        while count < 100:
            limits.take(principal)
            count += 1
    except RateExceeded:
        pass
    return count


def test_a_full_bucket_holds_the_burst_and_fills_at_the_rate():
    watch = Watch()
    limits = RateLimits(10.0, 5, watch)
    assert taken(limits, SHOP) == 5
    watch.now += 0.25
    assert taken(limits, SHOP) == 2
    watch.now += 60
    assert taken(limits, SHOP) == 5


def test_keys_of_one_recipient_share_a_bucket_and_others_have_their_own():
    limits = RateLimits(1.0, 4, Watch())
    limits.take(SHOP)
    assert taken(limits, SHOP_TOO) == 3
    assert taken(limits, BANK) == 4


def test_many_at_once_wait_until_the_rate_allows_them_and_leave_nothing_over():
    watch = Watch()
    limits = RateLimits(10.0, 5, watch)
    assert limits.charge(SHOP, 4) == 0.0
    assert limits.charge(SHOP, 21) == pytest.approx(2.0)
    assert taken(limits, SHOP) == 0
    watch.now += 2.0
    assert taken(limits, SHOP) == 0
    watch.now += 0.1
    assert taken(limits, SHOP) == 1


def test_no_limit_is_none():
    limits = RateLimits(0, 1, Watch())
    assert taken(limits, SHOP) == 100
    assert limits.charge(SHOP, 10**9) == 0.0
