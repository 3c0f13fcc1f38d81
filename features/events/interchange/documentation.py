"""The format's reference, written from the declarations that the code itself follows.

``python -m benne.features.events.interchange.documentation docs/interchange.md`` renews the two
generated parts of that page; a test says when they must be renewed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benne.features.events.interchange.columns import PATTERNS, WIRE_TABLES, WireTable
from benne.features.events.interchange.manifest import manifest_schema
from benne.features.events.tables import Column

__all__ = ["column_tables", "manifest_table", "renewed"]

_TYPES: Final = {
    "id": "string",
    "category": "string",
    "text": "string",
    "time": "timestamp, UTC",
    "money": "64-bit integer, minor units",
    "integer": "64-bit integer",
    "flag": "boolean",
}
_PART: Final = "(<!-- generated: {name} -->\n).*?(<!-- end -->)"


def manifest_table() -> str:
    """One line for each property of the manifest, in Markdown."""
    schema = manifest_schema()
    rows = [f"| `{name}` | {form} | {means} |" for name, form, means in _properties(schema, schema, "")]
    return "\n".join(["| property | form | means |", "|---|---|---|", *rows])


def column_tables() -> str:
    """Every table with every column, in Markdown."""
    return "\n\n".join(_table(table) for table in WIRE_TABLES.values())


def renewed(page: str) -> str:
    """A page with its generated parts written anew."""
    for name, text in (("manifest", manifest_table()), ("columns", column_tables())):
        part = re.compile(_PART.format(name=name), re.S)
        page = part.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)  # type: ignore[misc]
    return page


def _table(table: WireTable) -> str:
    ahead = " Rows may be known before they happen." if table.schedule else ""
    rows = [f"| `{c.name}` | {_TYPES[c.kind]} | {_needed(c)} | {_allowed(c)} | {c.means} |" for c in table.columns]
    return "\n".join([
        f"#### `{table.name}`", "", f"One row is {table.row}.{ahead}", "",
        "| column | type | empty? | allowed | means |", "|---|---|---|---|---|", *rows,
    ])  # fmt: skip


def _needed(column: Column) -> str:
    return "never" if column.required else "allowed"


def _allowed(column: Column) -> str:
    if column.values:
        return ", ".join(column.values)
    if column.kind == "id":
        return f"`{PATTERNS[column.domain][0]}`"
    if column.kind == "time":
        return "years 1900 to 2199"
    if column.minimum is not None:
        return f"{column.minimum} to {column.maximum}"
    return {"text": "`^[A-Z]{3}$`", "flag": "true, false"}[column.kind]


def _properties(node: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    for name, given in node["properties"].items():
        schema = {**root["$defs"][given["$ref"].removeprefix("#/$defs/")], **given} if "$ref" in given else given
        here = f"{place}{name}"
        if "properties" in schema:
            yield here, "object", schema["description"]
            yield from _properties(schema, root, f"{here}.")
        elif "items" in schema:
            yield here, f"array of {schema['minItems']} to {schema['maxItems']}", schema["description"]
            yield from _properties(schema["items"], root, f"{here}[].")
        else:
            yield here, _form(schema), schema["description"]


def _form(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "minimum" in schema:
        return f"integer from {schema['minimum']}"
    pattern: str = schema["pattern"]
    return f"`{pattern}`".replace("|", "\\|")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renewed(target.read_text(encoding="utf-8")), encoding="utf-8")
