"""Servers that a benchmark starts: a free port, and waiting until one answers."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import Final

__all__ = ["free_port", "wait_until_up"]

_PATIENCE: Final = 120.0  # seconds


def free_port() -> int:
    """A port on this machine that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at an address.

    Raises
    ------
    RuntimeError
        If it has ended, or does not answer in time.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2) as got:  # noqa: S310 - on this machine
                if got.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"A server must come up, got none at {address}. See its log.")
