"""A subject key in a file: for machines that have no key store."""

from __future__ import annotations

import os
from pathlib import Path

from benne.errors import EventSchemaError
from benne.features.events.keys import SubjectKey

__all__ = ["read_key_file", "write_key_file"]

_OWNER_ONLY = 0o600


def write_key_file(path: str | Path, secret: bytes) -> SubjectKey:
    """Write a secret that only its owner can read; an existing file is never replaced.

    Parameters
    ----------
    path : path
    secret : bytes
        At least 32, drawn by the caller.

    Returns
    -------
    SubjectKey

    Raises
    ------
    EventSchemaError
        If the secret is too short, or the file exists: ids made with a lost key are lost too.
    """
    key = SubjectKey(secret)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise EventSchemaError(
            f"{path} must not exist yet: ids made with its key would be lost with it. Name another file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
    return key


def read_key_file(path: str | Path) -> SubjectKey:
    """Read what :func:`write_key_file` wrote.

    Raises
    ------
    EventSchemaError
        If the file is missing, is not hexadecimal, or everybody on the machine can read it.
    """
    file = Path(path)
    if not file.is_file():
        raise EventSchemaError(f"{file} must be a key file, got none. Make one: benne keys new {file}")
    if file.stat().st_mode & 0o007:
        raise EventSchemaError(
            f"{file} must be closed to others on this machine, and is not. Close it: chmod o= {file}"
        )
    try:
        secret = bytes.fromhex(file.read_text(encoding="ascii"))
    except ValueError:  # its text is the secret, so nothing of it is said
        raise EventSchemaError(
            f"{file} must hold one secret in hexadecimal, got something else. Name a key file."
        ) from None
    return SubjectKey(secret)
