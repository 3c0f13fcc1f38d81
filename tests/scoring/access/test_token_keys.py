"""The provider's keys: fetched seldom, taken back in time, and a failure lets nobody in who was not in before."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from benne.errors import CredentialError
from benne.scoring.access import KeyTimes, TokenKeys


@pytest.fixture
def source(provider):
    return provider.source


@pytest.fixture
def token_keys(provider):
    return provider.keys


def test_keys_are_fetched_when_they_are_first_needed_and_then_kept(token_keys, source):
    assert source.fetches == 0
    assert token_keys.key("ed").kid == "ed"
    assert token_keys.key("rsa").kid == "rsa"
    assert source.fetches == 1


def test_an_unknown_key_is_looked_for_once_in_a_while_however_often_it_is_named(token_keys, source, provider):
    for _ in range(100):
        assert token_keys.key("unknown") is None
    assert source.fetches == 1
    provider.clock.turn(minutes=1)
    for _ in range(100):
        assert token_keys.key("unknown") is None
    assert source.fetches == 2


def test_a_new_key_of_the_provider_is_found_without_a_restart(token_keys, source, provider):
    source.names = ["rsa"]
    assert token_keys.key("ed") is None
    source.names = ["rsa", "ed"]
    assert token_keys.key("ed") is None  # within the minute
    provider.clock.turn(minutes=1)
    assert token_keys.key("ed").kid == "ed"


def test_a_key_that_was_taken_back_is_gone_within_the_hour(token_keys, source, provider):
    assert token_keys.key("ed") is not None
    source.names = ["rsa"]
    provider.clock.turn(minutes=59)
    assert token_keys.key("ed") is not None
    provider.clock.turn(minutes=2)
    assert token_keys.key("ed") is None


def test_while_fetching_fails_the_keys_there_are_still_count_and_then_no_more(token_keys, source, provider):
    assert token_keys.key("ed") is not None
    source.broken = True
    provider.clock.turn(hours=12)
    assert token_keys.key("ed") is not None
    assert token_keys.key("unknown") is None
    provider.clock.turn(seconds=1)
    assert token_keys.key("ed") is None
    source.broken = False
    provider.clock.turn(minutes=1)
    assert token_keys.key("ed") is not None


def test_without_any_keys_nobody_comes_in(token_keys, source):
    source.broken = True
    assert token_keys.key("ed") is None


def test_a_timer_may_fetch_ahead_and_is_told_of_a_failure(token_keys, source):
    token_keys.refresh()
    assert token_keys.key("ed") is not None
    assert source.fetches == 1
    source.broken = True
    with pytest.raises(CredentialError, match="must answer with a JWK set"):
        token_keys.refresh()
    assert token_keys.key("ed") is not None


def test_many_threads_that_miss_a_key_make_one_fetch_and_all_find_it(provider, source):
    entered = threading.Barrier(8)
    answer = source.fetch

    def slow():
        time.sleep(0.1)
        return answer()

    source.fetch = slow
    found = []

    def look():
        entered.wait()
        found.append(provider.keys.key("ed") is not None)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert source.fetches == 1


def test_threads_that_decided_to_fetch_in_the_same_moment_make_one_fetch(token_keys, source):
    threads = [threading.Thread(target=token_keys.key, args=("ed",)) for _ in range(4)]
    with token_keys._fetching:  # all have decided before any can
        for thread in threads:
            thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert source.fetches == 1


def of(turnable, *jwks):
    class Fixed:
        def fetch(self):
            return {"keys": list(jwks)}

    return TokenKeys(Fixed(), clock=turnable)


def public(kind, size, **more):
    return kind.generate_key(size, more).as_dict(private=False)


def test_only_public_keys_for_signatures_count(turnable):
    good = public(OKPKey, "Ed25519", kid="good")
    others = [
        public(OKPKey, "Ed448", kid="ed448"),
        public(OKPKey, "X25519", kid="x25519"),
        public(ECKey, "secp256k1", kid="bitcoin"),
        public(OKPKey, "Ed25519", kid="for-encryption", use="enc"),
        {name: value for name, value in public(OKPKey, "Ed25519").items() if name != "kid"},
        {"kty": "AKP", "kid": "of-tomorrow"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "torn"},
        {"kty": "OKP", "crv": ["Ed25519"], "x": 3, "kid": "odd"},
        {"kid": 7},
        "no key",
    ]
    keys = of(turnable, *others, good)
    assert keys.key("good").kid == "good"
    named = ("ed448", "x25519", "bitcoin", "for-encryption", "of-tomorrow", "torn", "odd")
    assert [name for name in named if keys.key(name) is not None] == []


def test_a_short_rsa_key_does_not_count(turnable, recwarn):
    short = public(RSAKey, 1024, kid="short")
    assert of(turnable, short, public(OKPKey, "Ed25519", kid="good")).key("short") is None


@pytest.mark.parametrize(
    ("jwks", "told"),
    [
        ([OKPKey.generate_key("Ed25519", {"kid": "a"}).as_dict(private=True)], "must hold public keys, got a secret"),
        ([OctKey.generate_key(256, {"kid": "a"}).as_dict(private=True)], "must hold public keys, got a secret"),
        ([public(OKPKey, "Ed25519", kid="a"), public(OKPKey, "Ed25519", kid="a")], "must name each key once"),
        ([], "must hold a public key with a kid"),
    ],
)
def test_a_set_with_a_secret_a_double_or_nothing_is_refused_whole(turnable, jwks, told):
    keys = of(turnable, *jwks)
    with pytest.raises(CredentialError, match=told):
        keys.refresh()
    assert keys.key("a") is None


@pytest.mark.parametrize("minutes", [(0, 60, 720), (61, 60, 720), (1, 721, 720)])
def test_times_are_in_their_order(minutes):
    with pytest.raises(CredentialError, match="between <= fresh <= kept"):
        KeyTimes(*(timedelta(minutes=count) for count in minutes))
