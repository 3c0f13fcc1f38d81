"""Files that pages need: one style sheet and htmx; named by their contents, so that they may be kept for good."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

__all__ = ["ASSETS", "Asset", "address_of", "asset_named"]

ASSETS: Final = {
    "console.css": "text/css; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What is served of the folder, and nothing else."""


class Asset(NamedTuple):
    """A file with its type and the hash of its contents."""

    content: bytes
    media_type: str
    etag: str


@cache
def asset_named(name: str) -> Asset | None:
    """A file of the folder; None where none of that name is served."""
    if name not in ASSETS:
        return None
    content = files("benne.scoring.console").joinpath("static", name).read_bytes()
    return Asset(content, ASSETS[name], hashlib.sha256(content).hexdigest()[:16])


def address_of(name: str) -> str:
    """Where a file is, with the hash of its contents: another file has another address."""
    found = asset_named(name)
    if found is None:
        raise KeyError(name)
    return f"/console/static/{name}?{found.etag}"
