"""The ring in a file: closed to others, whole or not there, and the same in every process."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import KeyRingError
from benne.scoring.store.file_keyring import SUBJECT_IDS, FileKeyRing

ANNA, BERT = f"{1:032x}", f"{2:032x}"
KEY = bytes(range(32))


def test_a_new_ring_is_closed_to_others_and_alone_in_its_folder(ring, ring_path):
    assert stat.S_IMODE(ring_path.stat().st_mode) == 0o600
    assert [path.name for path in ring_path.parent.iterdir()] == ["ring.json"]
    assert ring.master_keys == {ring.current: 7}


def test_a_ring_is_never_written_over_another(ring, ring_path, chance):
    before = ring_path.read_bytes()
    with pytest.raises(KeyRingError, match=r"ring\.json must not exist yet"):
        FileKeyRing.create(ring_path, random_bytes=chance, now_us=0)
    assert ring_path.read_bytes() == before
    assert [path.name for path in ring_path.parent.iterdir()] == ["ring.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o610])
def test_a_ring_that_others_can_reach_is_refused(ring, ring_path, chance, mode):
    ring_path.chmod(mode)
    with pytest.raises(KeyRingError, match=r"must be closed to others on this machine.*chmod 600"):
        FileKeyRing(ring_path, random_bytes=chance)


def test_there_must_be_a_ring(tmp_path, chance):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(KeyRingError, match=r"must be a key ring, got no file\. Make one: benne keyring new"):
            FileKeyRing(path, random_bytes=chance)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: b"",
        lambda text: b"[]",
        lambda text: text.replace(b"ring 1", b"ring 2"),
        lambda text: text.replace(b'"secret": "', b'"secret": "ff'),
        lambda text: json.dumps({**json.loads(text), "master_keys": []}).encode(),
        lambda text: json.dumps({**json.loads(text), "domains": {"shop": ["zz"]}}).encode(),
    ],
)
def test_a_damaged_ring_is_refused_without_a_word_of_it(ring, ring_path, chance, damage):
    secret = json.loads(ring_path.read_bytes())["secret"]
    ring_path.write_bytes(damage(ring_path.read_bytes()))
    with pytest.raises(KeyRingError, match="must be a whole key ring of this Benne's form") as refused:
        FileKeyRing(ring_path, random_bytes=chance)
    assert secret[:8] not in str(refused.value)


def test_nothing_secret_is_in_a_repr(ring, ring_path):
    text = json.loads(ring_path.read_bytes())
    shown = repr((ring, ring._opened.ring, ring.derive("shop")))
    assert text["secret"] not in shown
    assert text["master_keys"][0]["key"] not in shown
    assert ring.derive("shop").secret.hex() not in shown
    assert repr(ring.derive("shop").secret) not in shown


def test_a_key_opens_for_its_purpose_and_owner_alone(ring):
    wrapped = ring.wrap(KEY, purpose="member", owner=ANNA)
    assert ring.unwrap(wrapped, purpose="member", owner=ANNA) == KEY
    assert KEY not in wrapped.content
    for purpose, owner in (("member", BERT), ("recipient", ANNA), ("membe", "r" + ANNA)):
        with pytest.raises(KeyRingError, match="opened for what it was wrapped for"):
            ring.unwrap(wrapped, purpose=purpose, owner=owner)


def test_the_same_key_is_wrapped_differently_each_time(ring):
    assert len({ring.wrap(KEY, purpose="member", owner=ANNA).content for _ in range(100)}) == 100


def test_a_key_of_another_ring_is_refused(ring, tmp_path):
    other = FileKeyRing.create(tmp_path / "other.json", random_bytes=secrets.token_bytes, now_us=0)
    with pytest.raises(KeyRingError, match="must be in the ring, got one that is not"):
        other.unwrap(ring.wrap(KEY, purpose="member", owner=ANNA), purpose="member", owner=ANNA)


def test_after_a_rotation_the_new_key_wraps_and_the_old_one_still_opens(ring):
    before = ring.wrap(KEY, purpose="member", owner=ANNA)
    new = ring.rotate(now_us=9)
    assert list(ring.master_keys.items()) == [(before.master_key_id, 7), (new, 9)]
    assert ring.wrap(KEY, purpose="member", owner=ANNA).master_key_id == ring.current == new
    assert ring.unwrap(before, purpose="member", owner=ANNA) == KEY


def test_other_processes_see_a_rotation_at_once(ring, ring_path, chance):
    elsewhere = FileKeyRing(ring_path, random_bytes=chance)
    new = elsewhere.rotate(now_us=9)
    assert ring.current == new
    wrapped = FileKeyRing(ring_path, random_bytes=chance).wrap(KEY, purpose="member", owner=ANNA)
    elsewhere.rotate(now_us=10)
    assert ring.unwrap(wrapped, purpose="member", owner=ANNA) == KEY
    assert elsewhere.rotate_domain("shop") == 2
    assert ring.derive("shop").version == 2
    assert ring.derive("shop", 2).secret == elsewhere.derive("shop").secret


def test_a_retired_key_opens_nothing_any_more_and_is_not_in_the_file(ring, ring_path, chance):
    old, old_secret = ring.current, json.loads(ring_path.read_bytes())["master_keys"][0]["key"]
    wrapped = ring.wrap(KEY, purpose="member", owner=ANNA)
    ring.rotate(now_us=9)
    ring.retire(old, wrapped_under=0)
    assert old not in ring.master_keys
    assert old_secret not in ring_path.read_text()
    for one in (ring, FileKeyRing(ring_path, random_bytes=chance)):
        with pytest.raises(KeyRingError, match="must be in the ring, got one that is not"):
            one.unwrap(wrapped, purpose="member", owner=ANNA)


def test_only_an_older_key_with_nothing_under_it_is_retired(ring):
    first = ring.current
    with pytest.raises(KeyRingError, match=r"must be one of the older ones \(there are none\)"):
        ring.retire(first, wrapped_under=0)
    second = ring.rotate(now_us=9)
    with pytest.raises(
        KeyRingError, match=r"must have nothing under it, got 3 keys\. Rewrap them first: benne keyring rotate --resume"
    ):
        ring.retire(first, wrapped_under=3)
    for wrong in (second, "mk9-00000000"):
        with pytest.raises(KeyRingError, match=f"one of the older ones .{first}., got another"):
            ring.retire(wrong, wrapped_under=0)
    assert list(ring.master_keys) == [first, second]


def test_a_domain_has_a_key_of_its_own_that_stays(ring, ring_path, chance):
    again = FileKeyRing(ring_path, random_bytes=chance)
    keys = [ring.derive(domain).secret for domain in ("shop", "bank", "shops", SUBJECT_IDS)]
    assert len(set(keys)) == 4
    assert [again.derive(domain).secret for domain in ("shop", "bank", "shops", SUBJECT_IDS)] == keys


def test_a_rotated_domain_has_a_new_key_and_keeps_the_old_one(ring):
    first, bank = ring.derive("shop"), ring.derive("bank")
    assert [ring.rotate_domain("shop"), ring.rotate_domain("shop")] == [2, 3]
    assert ring.derive("shop", 1) == first
    assert ring.derive("shop") == ring.derive("shop", 3)
    assert len({ring.derive("shop", version).secret for version in (1, 2, 3)}) == 3
    assert ring.derive("bank") == bank
    for version in (0, 4, -1):
        with pytest.raises(KeyRingError, match=f"must be one of 1 to 3, got {version}"):
            ring.derive("shop", version)


def test_the_key_of_subject_ids_stays(ring):
    with pytest.raises(KeyRingError, match="The key of subject-ids must stay"):
        ring.rotate_domain(SUBJECT_IDS)


@pytest.mark.parametrize("domain", ["", "a b", "anna@example.org", "x" * 65, "-shop", None])
def test_a_domain_is_a_name(ring, domain):
    for act in (ring.derive, ring.rotate_domain):
        with pytest.raises(KeyRingError, match="domain must be a name of letters, digits"):
            act(domain)


def test_a_ring_that_is_taken_away_is_missed_at_once(ring, ring_path):
    wrapped = ring.wrap(KEY, purpose="member", owner=ANNA)
    ring_path.unlink()
    for act in (
        lambda: ring.current,
        lambda: ring.wrap(KEY, purpose="member", owner=ANNA),
        lambda: ring.rotate(now_us=1),
    ):
        with pytest.raises(KeyRingError, match="must be a key ring, got no file"):
            act()
    assert ring.unwrap(wrapped, purpose="member", owner=ANNA) == KEY


def test_what_somebody_killed_left_beside_the_ring_is_cleared_away(ring, ring_path):
    beside = ring_path.with_name(".ring.json.new")
    beside.write_text("half of it")
    ring.rotate(now_us=9)
    assert not beside.exists()
    assert len(ring.master_keys) == 2


def rotate_often(path: Path, times: int) -> None:
    for _ in range(times):
        FileKeyRing(path, random_bytes=secrets.token_bytes).rotate(now_us=0)


def test_rotations_by_several_processes_lose_no_key(ring, ring_path):
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["benne.scoring.store.file_keyring"])
    processes = [forking.Process(target=rotate_often, args=(ring_path, 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    numbers = [int(name.removeprefix("mk").partition("-")[0]) for name in ring.master_keys]
    assert len(numbers) == 61
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


@given(st.lists(st.sampled_from(["rotate", "domain", "reopen"]), max_size=8))
def test_whatever_is_rotated_everything_wrapped_before_opens(tmp_path_factory, acts):
    path = tmp_path_factory.mktemp("ring") / "ring.json"
    ring = FileKeyRing.create(path, random_bytes=secrets.token_bytes, now_us=0)
    kept = [(ring.wrap(KEY, purpose="member", owner=ANNA), ring.derive("shop"))]
    for act in acts:
        if act == "rotate":
            ring.rotate(now_us=0)
        elif act == "domain":
            ring.rotate_domain("shop")
        else:
            ring = FileKeyRing(path, random_bytes=secrets.token_bytes)
        kept.append((ring.wrap(KEY, purpose="member", owner=ANNA), ring.derive("shop")))
    for wrapped, domain in kept:
        assert ring.unwrap(wrapped, purpose="member", owner=ANNA) == KEY
        assert ring.derive("shop", domain.version) == domain
