"""A JSON document held against a JSON Schema, in the few words of that language the manifest's schema uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["violations"]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda it: isinstance(it, dict),
    "array": lambda it: isinstance(it, list),
    "string": lambda it: isinstance(it, str),
    "integer": lambda it: isinstance(it, int) and not isinstance(it, bool),
}


def violations(document: Any, schema: Mapping[str, Any]) -> list[str]:
    """Say what is not as the schema says, by place and rule, never quoting the document.

    Parameters
    ----------
    document : object
        What ``json.loads`` gave.
    schema : mapping
        Words it may use: $ref into $defs, const, enum, type, pattern, minimum, maximum,
        properties, required, additionalProperties, items, minItems, maxItems. Every pattern
        must be anchored at both ends.

    Returns
    -------
    list of str

    Examples
    --------
    >>> violations({"n": -1, "extra": 1}, {"type": "object", "additionalProperties": False,
    ...     "required": ["n", "m"], "properties": {"n": {"type": "integer", "minimum": 0}}})
    ['must have m', 'must have no properties but n (1 other found)', 'n must be at least 0']
    """
    return list(_walk(document, schema, schema, ""))


def _walk(it: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _walk(it, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, place)
        return
    broken = next(_broken_rules(it, schema), None)
    if broken is not None:
        yield f"{place} {broken}".strip()
    elif isinstance(it, dict):
        yield from _in_object(it, schema, root, place)
    elif isinstance(it, list):
        for number, item in enumerate(it):
            yield from _walk(item, schema.get("items", {}), root, f"{place}[{number}]")


def _broken_rules(it: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    if "type" in schema and not _TYPES[schema["type"]](it):
        yield f"must be of type {schema['type']}"
    if "const" in schema and it != schema["const"]:
        yield f"must be {schema['const']}"
    if "enum" in schema and it not in schema["enum"]:
        yield f"must be one of {', '.join(schema['enum'])}"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], it):
        yield f"must match {schema['pattern']}"
    if "minimum" in schema and it < schema["minimum"]:
        yield f"must be at least {schema['minimum']}"
    if "maximum" in schema and it > schema["maximum"]:
        yield f"must be at most {schema['maximum']}"
    if "minItems" in schema and len(it) < schema["minItems"]:
        yield f"must have at least {schema['minItems']} item(s)"
    if "maxItems" in schema and len(it) > schema["maxItems"]:
        yield f"must have at most {schema['maxItems']} item(s)"


def _in_object(it: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    dot = f"{place}." if place else ""
    for name in schema.get("required", ()):
        if name not in it:
            yield f"{place} must have {name}".strip()
    others = len(set(it) - set(known))
    if others and schema.get("additionalProperties") is False:
        yield f"{place} must have no properties but {', '.join(known)} ({others} other found)".strip()
    for name in (n for n in known if n in it):
        yield from _walk(it[name], known[name], root, dot + name)
