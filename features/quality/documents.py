"""JSON and TOML files of this package: read with a check of their form, written whole and always alike."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from benne.errors import QualityInputError

__all__ = ["FORMAT", "as_bytes", "read_document", "write_whole"]

FORMAT: Final = 1
"""Version of the report's, the reference's and the thresholds' form."""


def as_bytes(document: dict[str, Any]) -> bytes:
    """A document as JSON: the same content is the same bytes."""
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_whole(content: bytes, path: str | Path) -> Path:
    """Write a file whole or not at all; replaced if it is there."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def read_document(path: str | Path, what: str) -> dict[str, Any]:
    """Read a JSON file, or TOML where its name ends so, of this version.

    Raises
    ------
    QualityInputError
        The file cannot be read, is not of its form, or of another version.
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8")
        document = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError):
        raise QualityInputError(
            f"{what} must be a JSON file, or a TOML file named .toml, got none that can be read: {file}. Name another."
        ) from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT or isinstance(found, bool):
        raise QualityInputError(
            f"{what} in {file} must have format {FORMAT}, got {found!r}. Write it for this version of Benne."
        )
    return dict(document)
