"""The file of anchors: signed, in order, on the disk; what a crash tears is told, what is forged is found."""

from __future__ import annotations

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benne.errors import AnchorError
from benne.scoring.audit.anchor import AnchorFile
from benne.scoring.audit.anchoring import anchor_chain
from benne.scoring.audit.chain import START, Head

SOMEBODY_ELSES = Ed25519PrivateKey.from_private_bytes(bytes(32))


def link(seq: int, content: str | None = None) -> Head:
    return Head(seq, hashlib.sha256((content or str(seq)).encode()).hexdigest(), 0)


@pytest.fixture
def file(tmp_path, key):
    return AnchorFile(tmp_path / "anchors.jsonl", key)


@pytest.fixture
def three(file, minutes):
    for count in (1, 2, 3):
        file.append(link(10 * count), now_us=minutes(count))
    return file


def lines(file: AnchorFile) -> list[bytes]:
    return file.path.read_bytes().splitlines(keepends=True)


def signed_by_hand(content: dict, key: Ed25519PrivateKey) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    signature = key.sign(b"benne audit anchor\n" + text.encode()).hex()
    return json.dumps({**content, "signature": signature}, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_a_line_can_be_made_and_checked_by_hand(file, key, minutes):
    anchor = file.append(link(7), now_us=minutes(0))
    content = {"version": 1, "seq": 7, "hash": link(7).hash, "time": "2026-03-01T12:00:00+00:00", "previous": "0" * 64}
    assert lines(file) == [signed_by_hand(content, key)]
    assert anchor.digest == hashlib.sha256(lines(file)[0][:-1]).hexdigest()


def test_anchors_are_read_with_the_public_key_in_the_order_written(three, key):
    read = list(AnchorFile(three.path, key.public_key()).read())
    assert [anchor.seq for anchor in read] == [10, 20, 30]
    assert [anchor.previous for anchor in read[1:]] == [anchor.digest for anchor in read[:-1]]
    assert three.last() == read[-1]


def test_an_empty_chain_can_be_anchored(file, minutes):
    assert file.append(START, now_us=minutes(0)).head == START


def test_the_same_head_may_be_anchored_again(three, minutes):
    assert three.append(link(30), now_us=minutes(9)).seq == 30
    assert len(list(three.read())) == 4


def test_time_stands_still_where_the_clock_runs_backwards(three, minutes):
    assert three.append(link(40), now_us=minutes(1)).time_us == minutes(3)
    assert len(list(three.read())) == 4


def test_the_public_key_signs_nothing(three, key, minutes):
    with pytest.raises(AnchorError, match="must be signed with the private key, got the public one"):
        AnchorFile(three.path, key.public_key()).append(link(40), now_us=minutes(9))


@pytest.mark.parametrize("head", [link(29), link(30, "another"), START])
def test_a_chain_that_went_back_is_not_anchored(three, minutes, head):
    before = three.path.read_bytes()
    with pytest.raises(AnchorError, match="must go on from record 30 as it was anchored"):
        three.append(head, now_us=minutes(9))
    assert three.path.read_bytes() == before


def test_a_file_that_is_not_there_holds_nothing_against_a_chain_and_says_so(file):
    for look in (lambda: next(file.read()), file.torn_bytes, file.repair, file.last):
        with pytest.raises(AnchorError, match="must be a file of anchors, got none"):
            look()


def test_another_key_finds_no_anchor_of_its_own(three, minutes):
    with pytest.raises(AnchorError, match=r"Line 1 of .* must be signed with this key, and is not"):
        list(AnchorFile(three.path, SOMEBODY_ELSES.public_key()).read())
    with pytest.raises(AnchorError, match=r"Line 1 of .* must be signed with this key"):
        AnchorFile(three.path, SOMEBODY_ELSES).append(link(40), now_us=minutes(9))


FORGERIES = {
    "an edited place": (lambda old: [old[0], old[1].replace(b'"seq":20', b'"seq":21'), old[2]], 2, "signed with"),
    "a line taken out": (lambda old: [old[0], old[2]], 2, "the one that follows the line before it"),
    "the first line taken out": (lambda old: old[1:], 1, "the one that follows the line before it"),
    "changed order": (lambda old: [old[0], old[2], old[1]], 2, "the one that follows the line before it"),
    "a line twice": (lambda old: [old[0], old[0], *old[1:]], 2, "the one that follows the line before it"),
    "another writing of the same": (lambda old: [old[0].replace(b",", b", ", 1), *old[1:]], 1, "one that Benne wrote"),
    "what is no JSON": (lambda old: [old[0], b"junk\n", *old[1:]], 2, "one that Benne wrote"),
    "JSON of another kind": (lambda old: [b"[1]\n", *old], 1, "one that Benne wrote"),
    "a field left out": (lambda old: [b'{"seq":1}\n', *old], 1, "one that Benne wrote"),
    "a time without zone": (lambda old: [old[0].replace(b"+00:00", b""), *old[1:]], 1, "one that Benne wrote"),
    "a signature that is none": (lambda old: [old[0].replace(b'signature":"', b'signature":"x'), *old[1:]], 1, "Benne"),
    "a line too long": (lambda old: [old[0], b"[" * 5_000 + b"\n"], 2, "one that Benne wrote"),
    "bytes that are no text": (lambda old: [b"\xff\xfe\n", *old], 1, "one that Benne wrote"),
    "an empty line": (lambda old: [b"\n", *old], 1, "one that Benne wrote"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_file_is_found_out_and_not_added_to(three, minutes, name):
    forge, number, wanted = FORGERIES[name]
    three.path.write_bytes(b"".join(forge(lines(three))))
    with pytest.raises(AnchorError, match=f"Line {number} of .* must be .*{wanted}.*, and is not"):
        list(three.read())
    with pytest.raises(AnchorError, match=f"Line {number} of "):
        three.append(link(40), now_us=minutes(9))


@pytest.mark.parametrize(
    "changes", [{"seq": 5}, {"seq": 30, "hash": "ab" * 32}, {"time": "2026-03-01T11:00:00+00:00"}], ids=str
)
def test_even_the_key_cannot_sign_backwards(three, key, changes):
    last = three.last()
    content = {"version": 1, "seq": 40, "hash": link(40).hash, "time": "2026-03-01T13:00:00+00:00"}
    with three.path.open("ab") as out:
        out.write(signed_by_hand({**content, **changes, "previous": last.digest}, key))
    with pytest.raises(AnchorError, match=r"Line 4 of .* must be later than the line before it"):
        list(three.read())


@pytest.mark.parametrize("kept", [1, 100, -1])
def test_a_torn_last_line_is_told_repaired_and_never_added_to(three, minutes, kept):
    whole = lines(three)
    three.path.write_bytes(b"".join(whole[:2]) + whole[2][:kept])
    torn = len(whole[2][:kept])
    assert three.torn_bytes() == torn
    assert [anchor.seq for anchor in three.read()] == [10, 20]
    with pytest.raises(AnchorError, match=r"must end with a whole line, got a torn one. Repair it first"):
        three.append(link(30), now_us=minutes(9))
    assert three.repair() == torn
    assert lines(three) == whole[:2]
    assert three.append(link(30), now_us=minutes(3)).seq == 30
    assert lines(three) == whole


def test_zeros_after_a_crash_are_a_torn_line(three):
    with three.path.open("ab") as out:
        out.write(bytes(4096))
    assert [anchor.seq for anchor in three.read()] == [10, 20, 30]
    assert (three.torn_bytes(), three.repair(), three.torn_bytes()) == (4096, 4096, 0)


def test_a_whole_file_needs_no_repair(three):
    before = three.path.read_bytes()
    assert (three.torn_bytes(), three.repair()) == (0, 0)
    assert three.path.read_bytes() == before


def _append_ten(path, secret: bytes) -> None:
    file = AnchorFile(path, Ed25519PrivateKey.from_private_bytes(secret))
    for _ in range(10):
        file.append(link(1), now_us=0)


def test_two_processes_may_anchor_at_once(file, key, processes):
    both = [processes.Process(target=_append_ten, args=(file.path, key.private_bytes_raw())) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(list(file.read())) == 20


def test_anchoring_verifies_what_came_after_the_last_anchor(chain, file, minutes):
    chain.append(3)
    told: list[int] = []
    with chain.store.read() as connection:
        first = anchor_chain(connection, file, now_us=minutes(1), progress=told.append)
    chain.append(2)
    with chain.store.read() as connection:
        second = anchor_chain(connection, file, now_us=minutes(2))
    assert (first.seq, second.seq) == (3, 5)
    assert chain.verify(file.read()).anchored_up_to == 5


@pytest.mark.parametrize("seq", [3, 4])
def test_a_broken_chain_is_not_anchored(chain, file, minutes, seq):
    file.append(chain.append(3)[-1], now_us=minutes(1))
    chain.append(2)
    chain.replace_by([{**row, "service": "x"} if row["seq"] == seq else row for row in chain.rows()])
    with (
        pytest.raises(AnchorError, match=f"got one with something wrong at record {seq}: .*benne audit verify"),
        chain.store.read() as connection,
    ):
        anchor_chain(connection, file, now_us=minutes(2))
    assert [anchor.seq for anchor in file.read()] == [3]


def test_a_chain_made_anew_is_not_anchored(chain, file, minutes, rehashed):
    file.append(chain.append(3)[-1], now_us=minutes(1))
    chain.replace_by(rehashed([{**row, "service": "x"} for row in chain.rows()]))
    with (
        pytest.raises(AnchorError, match="wrong at record 3: it is not the record that was there"),
        chain.store.read() as connection,
    ):
        anchor_chain(connection, file, now_us=minutes(2))
