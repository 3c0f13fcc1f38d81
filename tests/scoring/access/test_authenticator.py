"""The one way in: keys and tokens, and for both the registry says who is served and for what."""

from __future__ import annotations

import pytest

from benne.errors import AccessDenied
from benne.scoring.access import Authenticator
from benne.scoring.access.recipients import retire


@pytest.fixture
def door(keys, provider):
    return Authenticator(keys, clock=provider.clock, tokens=provider.verifier)


def who(store, door, header):
    with store.read() as connection:
        return door.authenticate(connection, header)


def refused(store, door, header) -> str:
    with pytest.raises(AccessDenied, match="known and current") as caught:
        who(store, door, header)
    return caught.value.reason


def test_a_key_and_a_token_are_both_taken(store, door, keys, provider):
    with store.write() as connection:
        made = keys.new(connection, "recipient", recipient="shop", now_us=1)
    for credential in (made.text, provider.token()):
        for scheme in ("Bearer", "bearer", "BEARER"):
            principal = who(store, door, f"{scheme} {credential}")
            assert (principal.recipient, principal.purposes) == ("shop", {"lending", "rental"})


def test_a_token_narrows_what_is_registered_and_never_widens_it(store, door, provider):
    narrowed = who(store, door, f"Bearer {provider.token(benne_purposes=['rental'])}")
    assert narrowed.purposes == {"rental"}
    widened = who(store, door, f"Bearer {provider.token(benne_purposes=['rental', 'fast_lane'])}")
    assert widened.purposes == {"rental"}
    outside = who(store, door, f"Bearer {provider.token(benne_purposes=['fast_lane'])}")
    assert outside.purposes == frozenset()


def test_a_tokens_recipient_is_registered_and_served(store, door, provider):
    assert refused(store, door, f"Bearer {provider.token(benne_recipient='stranger')}") == "recipient-unknown"
    with store.write() as connection:
        retire(connection, "shop", 3)
    assert refused(store, door, f"Bearer {provider.token()}") == "recipient-retired"


def test_members_and_staff_need_no_registration(store, door, provider):
    for role in ("member", "compliance"):
        assert who(store, door, f"Bearer {provider.token(benne_role=role, benne_recipient=...)}").role == role


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer    ", "Basic YTpi", "benne_1_2", "Bearer\tx"]
)
def test_nothing_and_other_schemes_are_missing_credentials(store, door, header):
    assert refused(store, door, header) == "missing"


def test_without_an_identity_provider_no_token_is_taken(store, keys, provider):
    door = Authenticator(keys, clock=provider.clock)
    assert refused(store, door, f"Bearer {provider.token()}") == "malformed"


def test_a_key_that_is_wrong_is_not_tried_as_a_token(store, door, provider):
    assert refused(store, door, f"Bearer benne_{'0' * 16}_{'0' * 64}") == "unknown"
    assert provider.source.fetches == 0
