"""One spelling of a JSON document, so that the same content is the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["canonical_json", "is_deep"]

_DEEPEST: Final = 100


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


def is_deep(content: Any) -> bool:
    """Whether a document has more than 100 levels: those who read it would run out of stack.

    Examples
    --------
    >>> is_deep({"a": [1, {"b": 2}]})
    False
    """
    level = [content]
    for _ in range(_DEEPEST):
        level = [one for each in level for one in _within(each)]
        if not level:
            return False
    return True


def _within(content: Any) -> list[Any]:
    inner = content.values() if isinstance(content, Mapping) else content if isinstance(content, list | tuple) else ()
    return [one for one in inner if isinstance(one, Mapping | list | tuple)]
