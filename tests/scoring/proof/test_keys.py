"""Keys of proofs: announced before they sign, public until their last proof is over, and never overwritten."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from benne.errors import ProofRejected, SigningKeyError
from benne.scoring.proof import ProofKeyFile, ProofKeys
from benne.scoring.proof.keys import ProofKey

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def file(tmp_path, desk, key_number):
    made = ProofKeyFile(tmp_path / "proofs.keys")
    made.create(key_number(1), desk.now)
    return made


def kids(jwks):
    return [jwk["kid"] for jwk in jwks["keys"]]


def test_what_is_written_is_read_again_and_closed_to_others(file, tmp_path, desk, key_number):
    again = ProofKeyFile(tmp_path / "proofs.keys").keys()
    assert again.signer(desk.now).kid == ProofKey(key_number(1), 0).signer.kid
    assert (tmp_path / "proofs.keys").stat().st_mode & 0o777 == 0o600


def test_only_public_halves_are_published(file, desk):
    (jwk,) = file.keys().public(desk.now)["keys"]
    assert set(jwk) == {"kty", "crv", "x", "kid", "alg", "use"}


def test_a_proof_verifies_with_the_published_keys_throughout_a_rotation(file, desk, key_number):
    """A recipient that fetched keys up to an hour ago never meets a proof it cannot verify."""
    begun = desk.now
    published = []
    for minute in range(0, 180, 5):
        desk.now = begun + minute * MINUTE
        if minute == 30:
            file.rotate(key_number(2), desk.now, ahead=HOUR)
        published.append((desk.now, file.keys().public(desk.now)))
        token = desk.issue(signer=file.keys().signer(desk.now))
        for fetched_at, jwks in published:
            if desk.now - fetched_at <= HOUR:
                assert desk.verify(token, jwks=jwks)
        assert desk.verify(token, 5 * MINUTE, jwks=file.keys().public(desk.now + 5 * MINUTE))
    assert len({kid for _, jwks in published for kid in kids(jwks)}) == 2


def test_the_next_key_is_public_at_once_and_signs_later(file, desk, key_number):
    old = file.keys().signer(desk.now).kid
    rotated = file.rotate(key_number(2), desk.now, ahead=HOUR)
    new = ProofKey(key_number(2), 0).signer.kid
    assert kids(rotated.public(desk.now)) == [old, new]
    assert rotated.signer(desk.now + HOUR - SECOND).kid == old
    assert rotated.signer(desk.now + HOUR).kid == new


def test_an_old_key_stays_public_until_its_last_proof_is_over_and_then_goes(file, desk, key_number):
    rotated = file.rotate(key_number(2), desk.now)
    last = desk.now + 15 * MINUTE + 30 * SECOND  # the longest proof of just before, and the leeway
    assert len(kids(rotated.public(last - SECOND))) == 2
    assert kids(rotated.public(last)) == [ProofKey(key_number(2), 0).signer.kid]


def test_a_key_whose_proofs_are_over_is_deleted_with_the_next_rotation(file, desk, key_number, tmp_path):
    file.rotate(key_number(2), desk.now)
    file.rotate(key_number(3), desk.now + HOUR)
    rows = json.loads((tmp_path / "proofs.keys").read_text())["keys"]
    assert len(rows) == 2
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        desk.verify(desk.issue(), jwks=file.keys().public(desk.now + HOUR))


def test_a_running_service_sees_a_rotation_by_itself_and_reads_only_what_changed(file, tmp_path, desk, key_number):
    running = ProofKeyFile(tmp_path / "proofs.keys")
    first = running.keys()
    assert running.keys() is first
    file.rotate(key_number(2), desk.now)
    assert running.keys().signer(desk.now).kid == ProofKey(key_number(2), 0).signer.kid


def test_no_key_is_ever_overwritten(file, tmp_path, desk, key_number):
    before = (tmp_path / "proofs.keys").read_bytes()
    with pytest.raises(SigningKeyError, match="must not exist yet"):
        file.create(key_number(2), desk.now)
    assert (tmp_path / "proofs.keys").read_bytes() == before


def test_what_a_crash_left_beside_the_file_is_no_obstacle_and_opens_nothing(file, tmp_path, desk, key_number):
    beside = tmp_path / "proofs.keys.new"
    beside.write_text("half")
    beside.chmod(0o644)
    file.rotate(key_number(2), desk.now)
    assert not beside.exists()
    assert (tmp_path / "proofs.keys").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_also_if_it_was_read_before(file, tmp_path, mode):
    assert file.keys()
    (tmp_path / "proofs.keys").chmod(mode)
    with pytest.raises(SigningKeyError, match="must be closed to others"):
        file.keys()


@pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"keys": [{"kty": "OKP"}]}', '{"keys": 3}', "\x00"])
def test_a_file_of_something_else_is_refused_without_a_word_of_it(tmp_path, content):
    path = tmp_path / "x"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SigningKeyError, match="must hold keys of proofs, got something else") as caught:
        ProofKeyFile(path).keys()
    assert "kty" not in str(caught.value)


def test_a_public_key_or_one_of_another_curve_does_not_sign(tmp_path, file):
    from joserfc.jwk import OKPKey

    row = json.loads((tmp_path / "proofs.keys").read_text())["keys"][0]
    public = {name: value for name, value in row.items() if name != "d"}
    other = {**OKPKey.generate_key("X25519").as_dict(private=True), "active_from": 0}
    for odd in (public, other):
        (tmp_path / "proofs.keys").write_text(json.dumps({"keys": [odd]}))
        with pytest.raises(SigningKeyError, match="must hold keys of proofs"):
            ProofKeyFile(tmp_path / "proofs.keys").keys()


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SigningKeyError, match="must be a file of keys, got none"):
        ProofKeyFile(tmp_path / "none").keys()


def test_a_key_that_is_active_later_does_not_sign_yet(desk, key_number):
    keys = ProofKeys([ProofKey(key_number(1), int(desk.now.timestamp()) + 60)])
    with pytest.raises(SigningKeyError, match="must be active by now"):
        keys.signer(desk.now)
    assert len(kids(keys.public(desk.now))) == 1


def test_a_secret_is_in_no_repr(key_number):
    assert "Ed25519PrivateKey" not in repr(ProofKey(key_number(1), 0))
