"""Who asks: one role, and exactly what goes with it."""

from __future__ import annotations

import pytest

from benne.errors import CredentialError
from benne.scoring.access import Principal
from benne.scoring.audit.vocabulary import ACTOR_ROLES
from benne.scoring.store.access_tables import ROLES


def test_the_roles_are_those_of_the_audit_but_for_the_timer():
    assert set(ROLES) == set(ACTOR_ROLES) - {"system"}


def test_a_recipient_may_what_it_is_bound_to_and_nobody_else_may_anything():
    shop = Principal(id="key:1", role="recipient", recipient="shop", purposes=frozenset({"rental"}))
    assert shop.may("rental")
    assert not shop.may("lending")
    assert not Principal(id="key:2", role="admin").may("rental")


def test_a_member_is_one_member():
    member = Principal(id="key:1", role="member", subject_id="a" * 32)
    assert member.is_member("a" * 32)
    assert not member.is_member("b" * 32)
    assert not Principal(id="key:2", role="compliance").is_member("a" * 32)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"role": "system"}, "role must be one of recipient, member, compliance, data_scientist, admin"),
        ({"role": "admin", "id": "anna@example.org"}, "id must be a name without spaces"),
        ({"role": "admin", "id": ""}, "id must be a name without spaces"),
        ({"role": "admin", "id": 7}, "id must be a name without spaces"),
        ({"role": "recipient"}, "exactly for role recipient, got role recipient without"),
        ({"role": "admin", "recipient": "shop"}, "exactly for role recipient, got role admin with"),
        ({"role": "recipient", "recipient": ["shop"]}, "recipient must be a short name"),
        ({"role": "recipient", "recipient": ""}, "recipient must be a short name"),
        ({"role": "member"}, "exactly for role member, got role member without"),
        ({"role": "member", "subject_id": "anna"}, "subject id must be 32 hexadecimal digits"),
        ({"role": "admin", "purposes": frozenset({"lending"})}, "Purposes must be given for role recipient alone"),
        ({"role": "recipient", "recipient": "shop", "purposes": frozenset({"x"})}, "Purposes must be among lending"),
    ],
)
def test_what_does_not_go_with_the_role_is_refused(fields, told):
    with pytest.raises(CredentialError, match=told):
        Principal(**{"id": "key:1", **fields})
