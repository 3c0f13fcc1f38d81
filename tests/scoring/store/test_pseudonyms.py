"""What recipients may call members: theirs alone, and rotatable."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import KeyRingError, VaultError
from benne.scoring.store.keyring import DomainKey
from benne.scoring.store.pseudonyms import Pseudonyms

ANNA, BERT = f"{1:032x}", f"{2:032x}"
SUBJECTS = st.integers(0, 2**128 - 1).map(lambda n: f"{n:032x}")
DOMAINS = st.from_regex(r"\A[a-z0-9][a-z0-9.-]{0,20}\Z")


class FixedRing:
    """Keys that are plain functions of the domain and version."""

    def derive(self, domain: str, version: int | None = None) -> DomainKey:
        asked = version or 2
        return DomainKey(domain, asked, f"{domain}/{asked}".encode().ljust(32))


def test_a_member_has_one_id_in_a_domain_and_another_in_each_other(ring):
    pseudonyms = Pseudonyms(ring)
    ids = [pseudonyms.of(domain, who) for domain in ("shop", "bank") for who in (ANNA, BERT)]
    assert len(set(ids)) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert [pseudonyms.of(domain, who) for domain in ("shop", "bank") for who in (ANNA, BERT)] == ids
    assert not {ANNA, BERT} & set(ids)


@given(subjects=st.lists(SUBJECTS, unique=True, max_size=5), domains=st.lists(DOMAINS, unique=True, max_size=5))
def test_no_two_ids_are_alike(subjects, domains):
    pseudonyms = Pseudonyms(FixedRing())
    ids = [one for domain in domains for subject in subjects for one in pseudonyms.ever(domain, subject)]
    assert len(set(ids)) == len(ids) == 2 * len(subjects) * len(domains)


def test_after_a_rotation_ids_are_new_and_old_ones_are_still_recognised(ring):
    pseudonyms = Pseudonyms(ring)
    old, bank = pseudonyms.of("shop", ANNA), pseudonyms.of("bank", ANNA)
    ring.rotate_domain("shop")
    new = pseudonyms.of("shop", ANNA)
    assert pseudonyms.ever("shop", ANNA) == (old, new)
    assert pseudonyms.of("shop", ANNA, version=1) == old
    assert [pseudonyms.matches("shop", ANNA, one) for one in (old, new, bank)] == [True, True, False]
    assert pseudonyms.of("bank", ANNA) == bank
    assert not pseudonyms.matches("shop", BERT, old)


@pytest.mark.parametrize("given_", ["", "anna", "é" * 32, "\ud800", "0" * 32])
def test_what_is_nobodys_id_matches_nobody(ring, given_):
    assert not Pseudonyms(ring).matches("shop", ANNA, given_)


def test_a_raw_id_and_a_domain_that_is_no_name_are_refused(ring):
    with pytest.raises(VaultError, match="must be 32 hexadecimal digits"):
        Pseudonyms(ring).of("shop", "anna")
    with pytest.raises(KeyRingError, match="domain must be a name"):
        Pseudonyms(ring).of("the shop", ANNA)
