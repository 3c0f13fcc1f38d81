"""The key pair of an anchor file, each half in a file of its own, in PEM."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benne.errors import AnchorError

__all__ = ["public_path", "read_private_key", "read_public_key", "write_key_pair"]

_OWNER_ONLY: Final = 0o600
_READABLE: Final = 0o644


def public_path(path: Path) -> Path:
    """Where the public half of the private key at ``path`` is written: beside it, with ``.pub`` added."""
    return path.with_name(path.name + ".pub")


def write_key_pair(path: Path, key: Ed25519PrivateKey) -> Path:
    """Write a private key that only its owner can read, and its public half beside it.

    Parameters
    ----------
    path : Path
    key : Ed25519PrivateKey
        Drawn by the caller.

    Returns
    -------
    Path
        Of the public key.

    Raises
    ------
    AnchorError
        If either file exists: anchors signed with a lost key can never be added to.
    """
    beside = public_path(path)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if beside.exists():
        raise _exists(beside)
    _write(path, private, _OWNER_ONLY)
    _write(beside, public, _READABLE)
    return beside


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read the private half.

    Raises
    ------
    AnchorError
        If there is no such key in the file, or others on the machine can read it.
    """
    text = _text(path)
    if path.stat().st_mode & 0o077:
        raise AnchorError(f"{path} must be closed to others on this machine, and is not. Close it: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # its text is the secret, so nothing of it is said
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise AnchorError(f"{path} must hold an Ed25519 private key in PEM, got something else. Name the key file.")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read the public half.

    Raises
    ------
    AnchorError
        If there is no such key in the file.
    """
    text = _text(path)
    try:
        key = serialization.load_pem_public_key(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise AnchorError(f"{path} must hold an Ed25519 public key in PEM, got something else. Name the .pub file.")
    return key


def _text(path: Path) -> bytes:
    if not path.is_file():
        raise AnchorError(f"{path} must be a key file, got none. Make a pair: benne audit keys new {path}")
    return path.read_bytes()


def _write(path: Path, text: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise _exists(path) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)


def _exists(path: Path) -> AnchorError:
    return AnchorError(f"{path} must not exist yet: what it signed could not be added to. Name another file.")
