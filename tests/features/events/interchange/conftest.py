"""Two institutions that exchange packages: inst-a, which has events, and inst-b, which knows two of its members."""

from __future__ import annotations

import copy
import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from benne.features import ConsentMask, Events, SubjectKey, load_events
from benne.features.events.interchange import (
    Agreement,
    ExportOptions,
    ExportReport,
    ImportReport,
    Terms,
    export_package,
    import_package,
)
from benne.features.events.interchange.manifest import seal

EXCHANGE = SubjectKey(b"of inst-a and inst-b, nobody else")
KEY_A = SubjectKey(b"of the events of inst-a, and there")
CREATED = datetime(2025, 1, 1, tzinfo=UTC)
TERMS = Terms("inst-a", "Institute A", "inst-b", "de", "consent", "lending", "signed notice", "EUR", "national-id")
AGREEMENT = Agreement("inst-a", "inst-b", "EUR", "national-id", EXCHANGE)
EVERYBODY = ConsentMask.all_granted(reason="test data without people in it")

World = dict[str, list[dict[str, Any]]]


@dataclass
class Sender:
    """inst-a."""

    folder: Path
    events: Events
    identifiers: pd.DataFrame

    def export(self, name: str = "package", **changes: Any) -> Path:
        """Make a package; ``changes`` replace arguments of export_package."""
        self.report(name, **changes)
        return self.folder / name

    def report(self, name: str = "package", **changes: Any) -> ExportReport:
        usual = {"terms": TERMS, "key": KEY_A, "exchange_key": EXCHANGE, "identifiers": self.identifiers,
                 "consents": EVERYBODY, "created_at": CREATED}  # fmt: skip
        return export_package(self.events, self.folder / name, **(usual | changes))


@dataclass
class Receiver:
    """inst-b."""

    folder: Path
    own: Path
    identifiers: pd.DataFrame

    def take(self, package: Path, name: str = "imported", **changes: Any) -> ImportReport:
        """Import a package; ``changes`` replace arguments of import_package."""
        usual = {"agreement": AGREEMENT, "identifiers": self.identifiers, "imported_at": CREATED}
        return import_package(package, changes.pop("own", self.own), self.folder / name, **(usual | changes))

    @property
    def left(self) -> list[str]:
        """What lies in its folder."""
        return sorted(path.name for path in self.folder.iterdir())


@dataclass
class Forger:
    """Changes a package and puts right what can be put right, as somebody with the exchange key could."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        return document

    def say(self, **changes: Any) -> None:
        """Replace properties of the manifest and seal it again."""
        self.write(json.dumps(self.manifest | changes).encode())

    def write(self, manifest: bytes) -> None:
        """Another manifest, sealed."""
        (self.folder / "manifest.json").write_bytes(manifest)
        (self.folder / "manifest.mac").write_text(seal(manifest, EXCHANGE))

    def describe(self, table: str, **changes: Any) -> None:
        """Replace what the manifest says of a table's file."""
        self.say(files=[e | changes if e["table"] == table else e for e in self.manifest["files"]])

    def replace(self, table: str, content: bytes, rows: int | None = None) -> None:
        """Another file for a table, with its right length and hash."""
        entry = next(e for e in self.manifest["files"] if e["table"] == table)
        (self.folder / entry["name"]).write_bytes(content)
        self.describe(table, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(),
                      rows=entry["rows"] if rows is None else rows)  # fmt: skip

    def lines(self, table: str) -> list[dict[str, str]]:
        """The rows of a CSV."""
        with (self.folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def rewrite(self, table: str, lines: list[dict[str, str]]) -> None:
        """Other rows in a CSV."""
        path = self.folder / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        self.replace(table, path.read_bytes(), len(lines))

    def row_of(self, name: str, table: str) -> int:
        """Where the first row of one of inst-a's members stands in a CSV."""
        ref = EXCHANGE.key_column(pa.array([f"ID {name}".upper()]), "interchange-member")[0].as_py()
        return [line["member_ref"] for line in self.lines(table)].index(ref)

    def cell(self, table: str, column: str, value: str, row: int = 0) -> None:
        """Another text in one cell of a CSV."""
        lines = self.lines(table)
        lines[row][column] = value
        self.rewrite(table, lines)


@pytest.fixture(scope="session")
def created() -> datetime:
    """When packages are made and, unless told otherwise, imported."""
    return CREATED


@pytest.fixture(scope="session")
def terms() -> Terms:
    """What inst-a declares."""
    return TERMS


@pytest.fixture(scope="session")
def agreement() -> Agreement:
    """What inst-b expects."""
    return AGREEMENT


@pytest.fixture(scope="session")
def key_a() -> SubjectKey:
    """The key of inst-a's events."""
    return KEY_A


@pytest.fixture(scope="session")
def first_world(row: Any) -> World:
    """Three members of inst-a, each with a loan of one instalment, paid a day late, then corrected."""
    tables = ("members", "obligation_events", "dues", "repayments", "account_status", "adverse_items")
    world: World = {name: [] for name in tables}
    for member in ("anna", "ben", "cleo"):
        loan, due, item = f"loan of {member}", f"due of {member}", f"item of {member}"
        world["members"].append(row(member, 0, adult=True))
        world["obligation_events"].append(
            row(member, 10, obligation_id=loan, kind="loan", event="opened", principal=1200, currency="EUR")
        )
        world["dues"].append(row(member, 40, 10, due_id=due, obligation_id=loan, amount_due=600, currency="EUR"))
        paid = row(member, 41, due_id=due, obligation_id=loan, amount=500, currency="EUR")
        right = row(member, 41, 45, due_id=due, obligation_id=loan, amount=600, currency="EUR")
        world["repayments"] += [paid, right | {"supersedes": paid["record_id"]}]
        world["account_status"].append(row(member, 60, obligation_id=loan, months_past_due=0, status="open"))
        world["adverse_items"] += [row(member, day, item_id=item, kind="collection", event=event)
                                   for day, event in ((70, "notified"), (90, "reported"))]  # fmt: skip
    return world


@pytest.fixture
def a_world(first_world: World) -> World:
    """The same, to be changed."""
    return copy.deepcopy(first_world)


def _sender(folder: Path, world: World, frames: Any, clock: datetime) -> Sender:
    members = sorted({r["member_id"] for r in world["members"]})
    known = pd.DataFrame({"member_id": members, "identifier": [f"ID {m}".upper() for m in members]})
    return Sender(folder, load_events(frames(world), key=KEY_A, ingested_at=clock), known)


@pytest.fixture(scope="session")
def first_sender(tmp_path_factory: pytest.TempPathFactory, first_world: World, frames: Any, clock: datetime) -> Sender:
    """inst-a with three members, once for all tests."""
    return _sender(tmp_path_factory.mktemp("a"), first_world, frames, clock)


@pytest.fixture
def sender(tmp_path: Path, first_sender: Sender) -> Sender:
    """The same, with a folder of the test's own."""
    (tmp_path / "a").mkdir(exist_ok=True)
    return Sender(tmp_path / "a", first_sender.events, first_sender.identifiers)


@pytest.fixture
def make_sender(tmp_path: Path, frames: Any, clock: datetime) -> Callable[[World], Sender]:
    """inst-a with any world; its members' identifiers are their names in capitals."""

    def made(world: World) -> Sender:
        (tmp_path / "a").mkdir(exist_ok=True)
        return _sender(tmp_path / "a", world, frames, clock)

    return made


@pytest.fixture
def make_receiver(tmp_path: Path, frames: Any) -> Callable[[World, dict[str, str]], Receiver]:
    """inst-b with any world of its own, and what it calls the people that inst-a knows by name."""

    def made(world: World, names: dict[str, str]) -> Receiver:
        own = tmp_path / "b" / "own"
        own.mkdir(parents=True)
        for name, frame in frames(world).items():
            frame.to_parquet(own / f"{name}.parquet", index=False)
        known = pd.DataFrame({"member_id": list(names), "identifier": [f"ID {n}".upper() for n in names.values()]})
        return Receiver(tmp_path / "b", own, known)

    return made


@pytest.fixture
def receiver(make_receiver: Any, row: Any) -> Receiver:
    """inst-b knows anna as 1 and ben as 2, and dora, whom inst-a does not; not cleo."""
    world = {"members": [row(m, 0, adult=True) for m in ("1", "2", "3")]}
    made: Receiver = make_receiver(world, {"1": "anna", "2": "ben", "3": "dora"})
    return made


@pytest.fixture(scope="session")
def right_packages(first_sender: Sender) -> dict[str, Path]:
    """A package of inst-a in each format."""
    return {form: first_sender.export(form, options=ExportOptions(file_format=form)) for form in ("csv", "parquet")}


@pytest.fixture
def forge(tmp_path: Path, right_packages: dict[str, Path]) -> Callable[..., Forger]:
    """A package of inst-a, as CSV unless told otherwise, to be changed."""

    def made(file_format: str = "csv") -> Forger:
        return Forger(Path(shutil.copytree(right_packages[file_format], tmp_path / "forged")))

    return made
