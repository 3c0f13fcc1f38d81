"""Two institutions on the command line: keys, export, check, import, ingest."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.features.events.key_files import write_key_file

TERMS = (
    "--institution", "inst-a", "--name", "Institute A", "--recipient", "inst-b", "--jurisdiction", "de",
    "--consent-basis", "signed notice", "--currency", "EUR", "--identifier", "national-id", "--purpose", "lending",
)  # fmt: skip
AGREED = ("--institution", "inst-a", "--recipient", "inst-b", "--currency", "EUR", "--identifier", "national-id")


@dataclass(frozen=True)
class Two:
    """A folder in which inst-a has ingested events and inst-b has raw tables."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def export(self) -> tuple[Any, ...]:
        """The command up to consents and format."""
        return ("interchange", "export", self / "events", self / "package.zip", *TERMS, *self.known,
                "--key-file", self / "a.key")  # fmt: skip

    @property
    def known(self) -> tuple[Any, ...]:
        """What both need to know of members and one another."""
        return "--identifiers", self / "identifiers.parquet", "--exchange-key-file", self / "a-and-b.key"

    @property
    def take(self) -> tuple[Any, ...]:
        """The command to import into ``imported``."""
        return ("interchange", "import", self / "package.zip", self / "own", self / "imported", *AGREED, *self.known)


def _table(**columns: Any) -> pd.DataFrame:
    moment = pd.to_datetime(["2025-01-01", "2025-01-01"], utc=True)
    common = {"record_id": ["1", "2"], "member_id": ["anna", "ben"], "event_time": moment, "known_at": moment}
    return pd.DataFrame(common | columns)


@pytest.fixture
def two(tmp_path: Path, run_json: Any) -> Two:
    at = Two(tmp_path)
    for folder in ("raw", "own"):
        (at / folder).mkdir()
        _table(adult=[True, True]).to_parquet(at / folder / "members.parquet")
    opened = _table(obligation_id=["x", "y"], event=["opened"] * 2, kind=["loan"] * 2, currency=["EUR"] * 2,
                    principal=[1200, 900])  # fmt: skip
    opened.to_parquet(at / "raw/obligation_events.parquet")
    identifiers = pd.DataFrame({"member_id": ["anna", "ben"], "identifier": ["L01", "L02"]})
    identifiers.to_parquet(at / "identifiers.parquet")
    for number, name in enumerate(("a", "b", "a-and-b")):
        write_key_file(at / f"{name}.key", bytes([number] * 32))
    run_json("ingest", at / "raw", at / "events", "--key-file", at / "a.key")
    return at


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_what_one_institution_exports_another_imports_and_ingests(two, run_json, file_format):
    packed = run_json(*two.export, "--all-granted", "nobody real", "--format", file_format)
    assert (packed["members_shared"], packed["rows"]["obligation_events"]) == (2, 2)
    checked = run_json("interchange", "check", two / "package.zip", "--exchange-key-file", two / "a-and-b.key")
    assert (checked["sealed"], checked["problems"]) == (True, [])
    taken = run_json(*two.take)
    assert taken["tables"]["obligation_events"]["new"] == 2
    ingested = run_json("ingest", taken["raw"], two / "events-b", "--key-file", two / "b.key")
    assert ingested["rows"] == {"members": 2, "obligation_events": 2}


def test_the_same_package_again_brings_nothing(two, run, run_json):
    run_json(*two.export, "--all-granted", "nobody real")
    run_json(*two.take)
    again = (*two.take[:4], two / "again", *two.take[5:], "--previous", two / "imported")
    result = run(*again)
    assert result.exit_code == 0, result.stderr
    assert "obligation_events         2    0              2" in result.stdout
    assert "2 of your members, 0 others left out; 0 possible duplicates" in result.stdout
    assert f"benne ingest {two / 'again' / 'raw'}" in result.stderr


@pytest.fixture
def ledger(two, run_json):
    """A consent ledger in which anna, and nobody else, lets inst-b have her credit history."""
    run_json("consent", "terms", two / "lending.toml", "--purpose", "lending", "--recipient", "inst-b",
             "--controller", "Institute A")  # fmt: skip
    run_json("consent", "grant", "--terms", two / "lending.toml", "--ledger", two / "consents.db", "--member", "anna",
             "--key-file", two / "a.key", "--category", "credit_history", "--yes-i-consent")  # fmt: skip
    return "--ledger", two / "consents.db"


def test_only_who_consented_to_this_recipient_is_shared(two, run_json, ledger):
    packed = run_json(*two.export, *ledger)
    assert (packed["members_shared"], packed["members_withheld"]) == (1, 1)
    assert packed["rows"]["obligation_events"] == 1


def test_where_nobody_consents_to_this_recipient_there_is_no_package_and_the_reason_is_said(two, run, ledger):
    other = list(two.export)
    other[other.index("--recipient") + 1] = "inst-c"
    result = run(*other, *ledger)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "2 members do not let inst-c have their credit history for lending, 0 have no identifier" in result.stderr
    assert not (two / "package.zip").exists()


def test_who_withdraws_is_named_in_the_next_package_and_dropped_at_its_import(two, run, run_json, ledger):
    run_json(*two.export, *ledger)
    first = run_json(*two.take)
    between = datetime.now(UTC).isoformat()
    run_json("consent", "withdraw", *ledger, "--purpose", "lending", "--recipient", "inst-b", "--member", "anna",
             "--key-file", two / "a.key")  # fmt: skip
    (two / "package.zip").unlink()
    packed = run(*two.export, *ledger, "--withdrawn-since", between)
    assert "0 members shared, 2 without consent, 0 without identifier, 1 withdrawn" in packed.stdout
    assert "Nobody is shared: 2 members do not let inst-b have their credit history for lending" in packed.stderr
    assert "only names the 1 who withdrew" in packed.stderr
    again = (*two.take[:4], two / "again", *two.take[5:], "--previous", two / "imported")
    second = run_json(*again)
    assert first["tables"]["obligation_events"]["new"] == second["tables"]["obligation_events"]["dropped"] == 1


def test_an_export_without_a_word_about_consent_is_a_usage_error(two, run):
    result = run(*two.export)
    assert result.exit_code == 2
    assert "--all-granted" in result.stderr
    assert not (two / "package.zip").exists()


def test_a_package_that_is_wrong_is_told_line_by_line_and_not_imported(two, run, run_json):
    folder = (*two.export[:3], two / "package", *two.export[4:])
    run_json(*folder, "--all-granted", "nobody real", "--format", "csv")
    path = two / "package" / "obligation_events.csv"
    path.write_text(path.read_text().replace("EUR", "USD"))
    result = run("interchange", "check", two / "package")
    assert result.exit_code == 3
    assert "- obligation_events.csv must be the file that the manifest describes (bytes, sha256)" in result.stdout
    assert "seal not checked: no key given" in result.stdout
    assert "got 1 thing(s) that are not" in result.stderr
    taken = run(*two.take[:2], two / "package", *two.take[3:])
    assert taken.exit_code == 3
    assert "obligation_events.csv must be the file that the manifest describes" in taken.stderr
    assert not (two / "imported").exists()


def test_a_package_says_who_sends_it_to_whom_and_what_for(two, run, run_json):
    run_json(*two.export, "--all-granted", "nobody real")
    result = run("interchange", "check", two / "package.zip", "--json")
    manifest = json.loads(result.stdout)["manifest"]
    assert (manifest["institution"]["id"], manifest["recipient"]["id"], manifest["purpose"]) == (
        "inst-a", "inst-b", "lending",
    )  # fmt: skip
    assert manifest["created_at"].endswith("Z")


def test_the_commands_of_the_document_run_as_written(run, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    document = (repository / "docs" / "interchange.md").read_text("utf-8")
    for language, block in re.findall(r"^```(python|python run|console)\n(.*?)^```", document, re.M | re.S):
        if language != "console":
            exec(block, names)
            continue
        for command in re.findall(r"^\$ benne (.*)$", block.replace("\\\n", " "), re.M):
            result = run(*shlex.split(command))
            assert result.exit_code == 0, (command, result.stderr)
    assert Path("bureau/events/events.json").exists()
    assert Path("package.zip").exists()
