"""Every change of who may ask is on record, with the change or not at all."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from benne.errors import CredentialError, RecipientError, StoreError
from benne.scoring.access import Administration, Principal
from benne.scoring.access.administration import run
from benne.scoring.access.recipients import recipient_named
from benne.scoring.audit.chain import verify
from benne.scoring.audit.group_commit import GroupCommit

DAY_US = 86_400_000_000


@pytest.fixture
def office() -> Administration:
    numbers = itertools.count(1)
    return Administration(Principal(id="ops-3", role="admin"), lambda: f"event-{next(numbers)}", "0123456789abcdef")


def recorded(platform):
    rows = sorted(platform.rows("audit_records"), key=lambda row: row["seq"])
    return [(row["type"], row["context"], row["outcome"]) for row in rows]


def test_each_change_leaves_its_record(platform, office, keys):
    store = platform.store
    run(store, office.register("shop", contact="x", purposes=["lending"]), now_us=1)
    run(store, office.set_purposes("shop", ["rental"]), now_us=2)
    made = run(store, office.new_key(keys, "recipient", recipient="shop"), now_us=3)
    run(store, office.revoke_key(keys, made.key_id), now_us=4)
    run(store, office.retire("shop"), now_us=5)
    assert recorded(platform) == [
        ("recipient_registered", "shop", "registered"),
        ("recipient_registered", "shop", "purposes-set"),
        ("role_granted", f"key:{made.key_id}", "recipient"),
        ("role_revoked", f"key:{made.key_id}", "revoked"),
        ("recipient_registered", "shop", "retired"),
    ]
    assert {(row["actor_id"], row["actor_role"], row["service"]) for row in platform.rows("audit_records")} == {
        ("ops-3", "admin", "access")
    }
    with store.read() as connection:
        assert verify(connection).intact


def test_the_longest_name_fits_the_record(platform, office):
    run(platform.store, office.register("x" * 64, contact="y", purposes=["lending"]), now_us=1)
    assert recorded(platform) == [("recipient_registered", "x" * 64, "registered")]


@pytest.mark.parametrize("change", ["register", "set_purposes", "retire", "new_key", "revoke_key"])
def test_a_change_that_may_not_be_leaves_nothing(platform, office, keys, change):
    work = {
        "register": lambda: office.register("shop", contact="", purposes=["lending"]),
        "set_purposes": lambda: office.set_purposes("shop", ["lending"]),
        "retire": lambda: office.retire("shop"),
        "new_key": lambda: office.new_key(keys, "recipient", recipient="shop"),
        "revoke_key": lambda: office.revoke_key(keys, "f" * 16),
    }[change]()
    with pytest.raises((RecipientError, CredentialError), match="must"):
        run(platform.store, work, now_us=1)
    assert recorded(platform) == []
    assert platform.rows("recipients") == platform.rows("api_keys") == []


def test_a_change_whose_record_cannot_be_written_is_not_made(platform):
    office = Administration(Principal(id="ops-3", role="admin"), lambda: "the-same", "0123456789abcdef")
    run(platform.store, office.register("shop", contact="x", purposes=["lending"]), now_us=1)
    with pytest.raises(StoreError, match="got IntegrityError"):
        run(platform.store, office.retire("shop"), now_us=2)
    with platform.store.read() as connection:
        assert recipient_named(connection, "shop").served


def test_the_work_goes_into_a_group_commit_too(platform, office, keys):
    with GroupCommit(platform.store, clock=platform.clock) as group:
        group.submit(office.register("shop", contact="x", purposes=["lending"]))
        committed = group.submit(office.new_key(keys, "recipient", recipient="shop"))
    assert committed.records[0].entry.type == "role_granted"
    with platform.store.read() as connection:
        assert keys.authenticate(connection, committed.result.text, 1).recipient == "shop"


def test_a_key_ends_so_long_after_it_was_made(platform, office, keys):
    run(platform.store, office.new_key(keys, "admin", valid=timedelta(days=2)), now_us=5)
    with platform.store.read() as connection:
        (listed,) = keys.every(connection)
    assert listed.expires_at_us == 5 + 2 * DAY_US


def test_the_secret_is_in_no_record(platform, office, keys):
    made = run(platform.store, office.new_key(keys, "admin"), now_us=1)
    secret = made.text.split("_")[2]
    assert all(secret not in str(value) for row in platform.rows("audit_records") for value in row.values())
