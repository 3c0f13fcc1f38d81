"""The promise to other institutions: what the format is, apart from what Benne's own tables become."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.features import SubjectKey
from benne.features.events.interchange import (
    LEGAL_BASES,
    WIRE_TABLES,
    Agreement,
    Manifest,
    check_package,
    import_package,
    manifest_schema,
)
from benne.features.events.interchange.columns import RECORDS, wire_schema
from benne.features.events.interchange.documentation import renewed
from benne.features.events.interchange.json_schema import violations
from benne.features.events.tables import TABLES

PINNED = "39ea1846d43e9776"
RENAMED = {"source_record_id": "record_id", "member_ref": "member_id", "collected_at": "known_at"}
NOT_EVENTS = {"legal_basis", "quality"}
MARCH = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_tables_of_version_1_0_are_what_they_were():
    """Change the format, and change its version; then pin it anew."""
    said = [(t.name, t.schedule, [(c.name, c.kind, c.required, c.values, c.minimum, c.maximum, c.domain)
                                  for c in t.columns]) for t in WIRE_TABLES.values()]  # fmt: skip
    assert hashlib.sha256(repr(said).encode()).hexdigest()[:16] == PINNED


@pytest.mark.parametrize("table", RECORDS)
def test_every_column_can_become_a_column_of_the_event_tables(table):
    for column in WIRE_TABLES[table].columns:
        name = RENAMED.get(column.name, column.name)
        known = {c.name: c for c in TABLES[table].all_columns}
        if column.name in NOT_EVENTS or name not in known:
            assert column.name in NOT_EVENTS or not column.required
            continue
        assert set(column.values) <= set(known[name].values)
        assert (column.minimum, column.maximum) == (known[name].minimum, known[name].maximum)


@pytest.mark.parametrize("table", RECORDS)
def test_nothing_that_the_event_tables_need_is_missing(table):
    sent = {RENAMED.get(name, name) for name in WIRE_TABLES[table].names}
    assert {c.name for c in TABLES[table].all_columns if c.required} <= sent


def test_the_schema_names_the_words_of_the_code():
    schema = manifest_schema()
    entry = schema["properties"]["files"]["items"]["properties"]
    assert entry["table"]["enum"] == list(WIRE_TABLES)
    assert schema["$defs"]["legal_basis"]["enum"] == list(LEGAL_BASES)
    assert schema["properties"]["files"]["maxItems"] == len(WIRE_TABLES)


def test_every_pattern_of_the_schema_is_anchored():
    patterns = re.findall(r'"pattern": "(.*?)"[,}]', str(manifest_schema()).replace("'", '"'))
    assert patterns
    assert [p for p in patterns if not (p.startswith("^") and p.endswith("$"))] == []


def test_a_manifest_leads_back_to_itself(right_packages):
    text = (right_packages["csv"] / "manifest.json").read_bytes()
    manifest = Manifest.from_json(text)
    assert Manifest.from_json(json.dumps(manifest.to_json()).encode()) == manifest


@pytest.mark.parametrize(("document", "said"), [
    ({"n": 1}, []),
    ([], ["must be of type object"]),
    ({"n": True}, ["n must be of type integer"]),
    ({"n": 11}, ["n must be at most 10"]),
    ({"n": 1, "t": ["a", 1]}, ["t[1] must be of type string"]),
    ({"n": 1, "t": ["ab"]}, ["t[0] must match ^[a-z]$"]),
    ({"n": 1, "t": ["a\n"]}, ["t[0] must match ^[a-z]$"]),
    ({"n": 1, "t": []}, ["t must have at least 1 item(s)"]),
    ({"n": 1, "t": ["a"] * 3}, ["t must have at most 2 item(s)"]),
])  # fmt: skip
def test_a_document_is_held_against_its_schema(document, said):
    schema = {
        "type": "object",
        "required": ["n"],
        "$defs": {"letter": {"type": "string", "pattern": "^[a-z]$"}},
        "properties": {
            "n": {"type": "integer", "minimum": 0, "maximum": 10},
            "t": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"$ref": "#/$defs/letter"}},
        },
    }
    assert violations(document, schema) == said


def test_the_page_says_what_the_code_declares(repository):
    page = (repository / "docs" / "interchange.md").read_text("utf-8")
    run = "python -m benne.features.events.interchange.documentation docs/interchange.md"
    assert page == renewed(page), f"Run: {run}"


def test_the_page_mentions_every_property_and_column(repository):
    page = (repository / "docs" / "interchange.md").read_text("utf-8")
    names = {c.name for t in WIRE_TABLES.values() for c in t.columns} | set(manifest_schema()["properties"])
    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.fixture
def strangers_package(repository: Path, tmp_path: Path) -> Path:
    """What the page's example writes, run without Benne."""
    page = (repository / "docs" / "interchange.md").read_text("utf-8")
    code = "\n".join(re.findall(r"^```python run\n(.*?)^```", page, re.M | re.S))
    assert "benne." not in code.replace("benne-interchange", "")
    subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, check=True)
    return tmp_path / "package"


def test_a_stranger_s_package_is_a_package(strangers_package, tmp_path, frames):
    key = SubjectKey(bytes(range(32)))
    report = check_package(strangers_package, checked_at=MARCH, exchange_key=key)
    assert (report.problems, report.sealed) == ((), True)
    own: dict[str, Any] = {"record_id": "m", "member_id": "7", "event_time": 0, "known_at": 0, "adult": True}
    (tmp_path / "own").mkdir()
    frames({"members": [own]})["members"].to_parquet(tmp_path / "own" / "members.parquet", index=False)
    identifiers = pd.DataFrame({"member_id": ["7"], "identifier": ["L01X00T47"]})
    agreement = Agreement("inst-a", "bureau-b", "EUR", "national-id", key)
    taken = import_package(strangers_package, tmp_path / "own", tmp_path / "imported", agreement=agreement,
                           identifiers=identifiers, imported_at=MARCH)  # fmt: skip
    assert {name: count.new for name, count in taken.tables.items()} == {
        "obligation_events": 1, "dues": 1, "repayments": 1, "account_status": 0, "adverse_items": 0,
    }  # fmt: skip
    shutil.rmtree(tmp_path / "imported")


def test_every_column_has_a_type_as_parquet():
    assert {str(kind) for t in WIRE_TABLES.values() for kind in wire_schema(t).types} == {
        "string", "timestamp[us, tz=UTC]", "int64", "bool",
    }  # fmt: skip
