"""The registry: a name is given once, purposes are declared, and whoever is retired stays on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benne.errors import RecipientError
from benne.scoring.access import Recipient
from benne.scoring.access.recipients import every_recipient, recipient_named, register, retire, set_purposes


def test_what_is_registered_is_read_again(store, shop):
    with store.read() as connection:
        assert recipient_named(connection, "shop") == shop
        assert recipient_named(connection, "nobody") is None
        assert every_recipient(connection) == (shop,)


def test_recipients_are_listed_by_name_with_the_retired(store, shop):
    with store.write() as connection:
        register(connection, replace(shop, name="bank"))
        retire(connection, "shop", 5)
    with store.read() as connection:
        bank, retired = every_recipient(connection)
    assert (bank.name, bank.served) == ("bank", True)
    assert (retired.name, retired.served, retired.retired_at_us) == ("shop", False, 5)


def test_a_name_is_never_given_twice_not_even_after_it_was_retired(store, shop):
    with pytest.raises(RecipientError, match="must be new, got one given before"), store.write() as connection:
        register(connection, shop)
    with store.write() as connection:
        retire(connection, "shop", 5)
    with pytest.raises(RecipientError, match="must be new, got one given before"), store.write() as connection:
        register(connection, shop)


@pytest.mark.parametrize("change", ["retire", "set_purposes"])
def test_only_a_recipient_that_is_served_can_change(store, change):
    def changed(connection, name):
        return retire(connection, name, 6) if change == "retire" else set_purposes(connection, name, ["rental"])

    with pytest.raises(RecipientError, match="must be registered and not retired"), store.write() as connection:
        changed(connection, "nobody")
    with store.write() as connection:
        retire(connection, "shop", 5)
    with pytest.raises(RecipientError, match="must be registered and not retired"), store.write() as connection:
        changed(connection, "shop")


def test_purposes_are_set_whole(store):
    with store.write() as connection:
        set_purposes(connection, "shop", ["fast_lane"])
    with store.read() as connection:
        assert recipient_named(connection, "shop").purposes == {"fast_lane"}
    with pytest.raises(RecipientError, match="got none"), store.write() as connection:
        set_purposes(connection, "shop", [])
    with pytest.raises(RecipientError, match="got another"), store.write() as connection:
        set_purposes(connection, "shop", ["dating"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "The Shop"}, "must be a short name"),
        ({"name": "*"}, "must be a short name"),
        ({"name": ""}, "must be a short name"),
        ({"name": "x" * 65}, "must be a short name"),
        ({"contact": " "}, "contact must be one line"),
        ({"contact": "a\nb"}, "contact must be one line"),
        ({"contact": "x" * 201}, "contact must be one line"),
        ({"purposes": frozenset()}, "Purposes must be one or more of .* got none"),
        ({"purposes": frozenset({"lending", "dating"})}, "Purposes must be one or more of .* got another"),
        ({"jurisdiction": "mars"}, "jurisdiction must be one of cn, eu, us, default"),
    ],
)
def test_a_recipient_is_named_answered_for_and_bound_to_purposes(shop, changes, told):
    with pytest.raises(RecipientError, match=told):
        replace(shop, **changes)


def test_the_longest_registration_fits_its_columns(store):
    from benne.scoring.consent.vocabulary import PURPOSES

    longest = Recipient(name="x" * 64, contact="ü" * 200, purposes=frozenset(PURPOSES), created_at_us=2**53)
    with store.write() as connection:
        register(connection, longest)
    with store.read() as connection:
        assert recipient_named(connection, "x" * 64) == longest
