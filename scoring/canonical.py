"""One spelling of a JSON document, so that the same content is the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["canonical_json"]


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys and without spaces, as UTF-8.

    Raises
    ------
    ValueError
        If a number is not finite, which JSON has no word for.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": "ü"}).decode()
    '{"a":"ü","b":1}'
    >>> canonical_json({"a": float("nan")})
    Traceback (most recent call last):
    ...
    ValueError: Out of range float values are not JSON compliant...
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
