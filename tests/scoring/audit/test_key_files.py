"""The key pair in two files: the private half closed to others, nothing overwritten, nothing said of it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from benne.errors import AnchorError
from benne.scoring.audit.key_files import public_path, read_private_key, read_public_key, write_key_pair


@pytest.fixture
def pair(tmp_path, key):
    path = tmp_path / "anchor.key"
    return path, write_key_pair(path, key)


def test_what_is_written_is_read_again(pair, key):
    private, public = pair
    assert read_private_key(private).private_bytes_raw() == key.private_bytes_raw()
    assert read_public_key(public).public_bytes_raw() == key.public_key().public_bytes_raw()


def test_only_the_owner_can_read_the_private_half(pair):
    private, public = pair
    assert private.stat().st_mode & 0o777 == 0o600
    assert public == public_path(private)
    assert b"PRIVATE" not in public.read_bytes()


@pytest.mark.parametrize("existing", ["anchor.key", "anchor.key.pub"])
def test_no_key_is_ever_overwritten(tmp_path, key, existing):
    (tmp_path / existing).write_text("something")
    with pytest.raises(AnchorError, match=f"{existing} must not exist yet"):
        write_key_pair(tmp_path / "anchor.key", key)
    assert [path.name for path in tmp_path.iterdir()] == [existing]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_that_others_can_read_is_refused(pair, mode):
    pair[0].chmod(mode)
    with pytest.raises(AnchorError, match="must be closed to others on this machine"):
        read_private_key(pair[0])


def test_what_is_no_such_key_is_refused_without_a_word_of_it(pair, tmp_path):
    private, public = pair
    other = tmp_path / "other.key"
    other.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    junk = tmp_path / "junk.key"
    junk.write_text("s3cret")
    for path in (public, other, junk):
        path.chmod(0o600)
        with pytest.raises(AnchorError, match="must hold an Ed25519 private key in PEM, got something else") as refused:
            read_private_key(path)
        assert "s3cret" not in str(refused.value)
    for path in (private, other, junk):
        with pytest.raises(AnchorError, match="must hold an Ed25519 public key in PEM, got something else"):
            read_public_key(path)


def test_a_missing_key_says_how_to_make_one(tmp_path):
    for read in (read_private_key, read_public_key):
        with pytest.raises(AnchorError, match=r"got none. Make a pair: benne audit keys new"):
            read(tmp_path / "none.key")
