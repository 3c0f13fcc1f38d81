"""``benne keyring``, ``benne erase`` and ``benne hold``: from a new ring to a member nobody can read of any more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benne.cli.hold import GroundName
from benne.errors import Erased
from benne.features import SubjectKey
from benne.features.engines.event_store import EventStore
from benne.features.events.key_files import read_key_file
from benne.scoring import open_store
from benne.scoring.audit.chain import verify
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.erasure.holds import GROUNDS
from benne.scoring.erasure.steps import open_erasures
from benne.scoring.store.vault import NewPayload
from benne.scoring.wiring import open_keyring, open_vault, random_id, system_clock

ANNA, BERT = f"{1:032x}", f"{2:032x}"
USAGE, BAD_INPUT, STORE, KEPT_BY_LAW = 2, 3, 5, 10


class Office:
    """A database with a payload of two members, its ring, and the options that name them."""

    def __init__(self, folder: Path, run: Any, run_json: Any) -> None:
        self.folder, self.run, self.run_json = folder, run, run_json
        self.database, self.ring = folder / "benne.db", folder / "keyring.json"
        open_store(self.database).close()
        run_json("keyring", "new", self.ring)
        self.ledger = ("--ledger", self.database)
        self.asked = (*self.ledger, "--keyring", self.ring, "--actor", "counsel-1")
        for subject_id in (ANNA, BERT):
            self.keep(subject_id)

    def keep(self, subject_id: str) -> None:
        store = open_store(self.database)
        with store.write() as connection:
            payload = NewPayload(f"of-{subject_id}"[:36], subject_id, "decision", b"612")
            open_vault(open_keyring(self.ring)).put(connection, payload, 7)
        store.close()

    def content(self, subject_id: str) -> bytes:
        store = open_store(self.database)
        try:
            with store.read() as connection:
                return open_vault(open_keyring(self.ring)).get(connection, f"of-{subject_id}"[:36]).content
        finally:
            store.close()

    def outcomes(self) -> list[str]:
        """What is in the chain, which verifies."""
        store = open_store(self.database)
        with store.read() as connection:
            assert verify(connection).intact
            rows = connection.exec_driver_sql("SELECT type, outcome FROM audit_records ORDER BY seq").all()
        store.close()
        return [f"{kind}: {outcome}" for kind, outcome in rows]

    def place(self, subject_id: str = ANNA) -> Any:
        hold = ("--ground", "court_order", "--reference", "2026-AZ-117", "--subject", subject_id)
        return self.run_json("hold", "place", *self.asked, *hold)


@pytest.fixture
def office(tmp_path, run, run_json):
    return Office(tmp_path, run, run_json)


def test_a_new_ring_is_written_once_and_never_printed(tmp_path, run):
    result = run("keyring", "new", tmp_path / "keyring.json")
    assert result.exit_code == 0
    written = json.loads((tmp_path / "keyring.json").read_text())
    secrets = [written["secret"], *(key["key"] for key in written["master_keys"])]
    assert [secret for secret in secrets if secret in result.output] == []
    assert written["master_keys"][0]["id"] in result.stdout
    again = run("keyring", "new", tmp_path / "keyring.json")
    assert (again.exit_code, "must not exist yet" in again.stderr) == (BAD_INPUT, True)


def test_a_ring_shows_its_ids_and_never_its_keys(office):
    said = office.run("keyring", "show", office.ring)
    told = office.run_json("keyring", "show", office.ring)
    assert [key["current"] for key in told] == [True]
    assert told[0]["master_key_id"] in said.stdout
    assert json.loads(office.ring.read_text())["master_keys"][0]["key"] not in said.output + json.dumps(told)


def test_master_keys_are_rotated_and_the_old_one_is_destroyed(office):
    (old,) = (key["master_key_id"] for key in office.run_json("keyring", "show", office.ring))
    operator = (*office.ledger, "--actor", "ops-3")
    rotated = office.run_json("keyring", "rotate", office.ring, *operator)
    assert (rotated["moved"], rotated["older"]) == (2, [old])
    assert office.content(ANNA) == b"612"
    assert office.run_json("keyring", "rotate", office.ring, *operator, "--resume")["moved"] == 0
    assert office.run_json("keyring", "retire", office.ring, old, *operator) == {"retired": old}
    assert [key["master_key_id"] for key in office.run_json("keyring", "show", office.ring)] == [
        rotated["master_key_id"]
    ]
    assert office.content(ANNA) == b"612"
    assert office.outcomes() == ["key_rotated: master_key_drawn", "key_rotated: master_key_destroyed"]


def test_a_key_that_may_not_go_stays_and_nothing_is_put_on_record(office):
    (current,) = (key["master_key_id"] for key in office.run_json("keyring", "show", office.ring))
    operator = (*office.ledger, "--actor", "ops-3")
    refused = office.run("keyring", "retire", office.ring, current, *operator)
    assert (refused.exit_code, "must be one of the older ones" in refused.stderr) == (BAD_INPUT, True)
    open_keyring(office.ring).rotate(now_us=0)
    refused = office.run("keyring", "retire", office.ring, current, *operator)
    assert (refused.exit_code, "got 2 keys" in refused.stderr) == (BAD_INPUT, True)
    assert office.outcomes() == []
    assert office.run_json("keyring", "rotate", office.ring, *operator, "--resume")["moved"] == 2
    assert office.run("keyring", "retire", office.ring, current, *operator).exit_code == 0


def test_a_recipients_pseudonyms_are_renewed(office):
    operator = (*office.ledger, "--actor", "ops-3")
    told = office.run_json("keyring", "rotate-recipient", office.ring, "shop", *operator)
    assert told == {"recipient": "shop", "version": 2}
    wrong = office.run("keyring", "rotate-recipient", office.ring, "the shop", *operator)
    assert (wrong.exit_code, "must be a name" in wrong.stderr) == (BAD_INPUT, True)
    assert office.outcomes() == ["key_rotated: pseudonyms_renewed"]


def test_a_member_is_erased(office):
    result = office.run("erase", *office.asked, "--subject", ANNA)
    assert (result.exit_code, result.stdout) == (0, "Erasures finished: 1\n")
    with pytest.raises(Erased, match="got a member who was"):
        office.content(ANNA)
    assert office.content(BERT) == b"612"
    assert office.outcomes() == [
        f"member_erased: {step}"
        for step in ("consent_withdrawn", "key_destroyed", "payloads_deleted", "files_compacted")
    ]
    assert ANNA not in result.output


def test_a_hold_is_placed_listed_lifted_and_keeps_a_member_meanwhile(office):
    assert "No hold stands." in office.run("hold", "list", *office.ledger).stdout
    placed = office.place()
    assert office.run_json("hold", "list", *office.ledger) == [placed]
    shown = office.run("hold", "list", *office.ledger)
    assert "court_order  2026-AZ-117" in shown.stdout
    refused = office.run("erase", *office.asked, "--subject", ANNA)
    assert (refused.exit_code, placed["hold_id"] in refused.stdout) == (KEPT_BY_LAW, True)
    assert "must not go against a legal hold" in refused.stderr
    told = office.run("erase", *office.asked, "--subject", ANNA, "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (KEPT_BY_LAW, {"held_by": [placed]})
    assert ANNA not in shown.output + refused.output + told.output
    assert office.content(ANNA) == b"612"
    assert office.run("hold", "lift", placed["hold_id"], *office.asked).exit_code == 0
    assert office.run_json("erase", *office.asked, "--subject", ANNA)["failed"] == {}
    with pytest.raises(Erased, match="got a member who was"):
        office.content(ANNA)


def test_an_erasure_that_waits_for_a_hold_goes_on_when_it_is_lifted(office):
    (office.folder / "exports").mkdir()
    (office.folder / "exports" / "all.zip").write_bytes(b"who knows")
    exports = ("--exports", office.folder / "exports")
    failed = office.run("erase", *office.asked, "--subject", BERT, *exports)
    assert (failed.exit_code, "all.zip must be of a kind that can be looked into" in failed.stderr) == (BAD_INPUT, True)
    (office.folder / "exports" / "all.zip").unlink()
    lacking = office.run("erase", *office.asked, "--resume")
    assert (lacking.exit_code, "got none named exports" in lacking.stderr) == (BAD_INPUT, True)
    assert len(office.run_json("erase", *office.asked, "--resume", *exports)["finished"]) == 1
    assert office.run_json("erase", *office.asked, "--resume", *exports)["finished"] == []


def test_a_request_under_way_is_stopped_by_a_hold_and_says_so(office):
    from benne.scoring.audit.group_commit import GroupCommit
    from benne.scoring.erasure.acts import Actor
    from benne.scoring.wiring import open_erasure

    store = open_store(office.database)
    with GroupCommit(store, clock=system_clock) as audit:
        open_erasure(store, open_vault(open_keyring(office.ring)), audit).request(ANNA, by=Actor("member"))
    store.close()
    hold = office.place()
    waiting = office.run("erase", *office.asked, "--resume")
    assert (waiting.exit_code, "Kept by a legal hold: 1" in waiting.stdout) == (KEPT_BY_LAW, True)
    office.run_json("hold", "lift", hold["hold_id"], *office.asked)
    assert len(office.run_json("erase", *office.asked, "--resume")["finished"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume", "--subject", ANNA), "--resume asks for nobody new"),
        ((), "name one member"),
        (("--member", "anna"), "needs the key of the events"),
    ],
)
def test_whom_to_erase_is_said_once(office, arguments, said):
    result = office.run("erase", *office.asked, *arguments)
    assert (result.exit_code, said in result.stderr) == (USAGE, True)


@pytest.mark.parametrize(
    "command", [("erase", "--subject", ANNA), ("hold", "list"), ("hold", "lift", "some-hold")], ids=" ".join
)
def test_a_mistyped_database_is_not_an_empty_one(office, command):
    options: tuple[object, ...] = ("--ledger", office.folder / "nowhere.db")
    options += () if command[1:] == ("list",) else office.asked[2:]
    result = office.run(*command, *options)
    assert (result.exit_code, "The ledger must exist, got no file" in result.stderr) == (STORE, True)
    assert not (office.folder / "nowhere.db").exists()


def test_a_raw_id_is_no_subject_id_and_is_not_repeated(office):
    result = office.run("erase", *office.asked, "--subject", "anna.smith")
    assert (result.exit_code, "must be 32 hexadecimal digits" in result.stderr) == (BAD_INPUT, True)
    assert "anna.smith" not in result.output


def test_the_grounds_offered_are_those_of_the_holds():
    assert tuple(GroundName) == GROUNDS


@pytest.mark.slow
def test_events_and_exports_are_erased_from_too(ingested, office):
    """On the simulated platform: events in a store, scores in a file, the raw id of a member."""
    database, events, exports = office.folder / "consents.db", office.folder / "events.db", office.folder / "exports"
    shutil.copy(ingested / "consents.db", database)
    office.run_json("store", "create", ingested / "events", "--store", events)
    member = str(pd.read_parquet(ingested / "world/observations.parquet")["member_id"].iloc[0])
    key: SubjectKey = read_key_file(ingested / "subject.key")
    subject = str(key.subject_ids([member])[0])
    exports.mkdir()
    pd.DataFrame({"subject_id": [subject, BERT], "score": [612.0, 700.0]}).to_parquet(exports / "scores.parquet")
    told = office.run_json(
        "erase", "--ledger", database, "--keyring", office.ring, "--actor", "counsel-1", "--member", member,
        *ingested.key, "--store", events, "--exports", exports,
    )  # fmt: skip
    assert (len(told["finished"]), told["failed"]) == (1, {})
    assert pd.read_parquet(exports / "scores.parquet")["subject_id"].tolist() == [BERT]
    store = EventStore.open(events)
    assert store.rows(subject) == {}
    store.close()
    opened = open_store(database)
    ledger = ConsentLedger(opened, clock=system_clock, ids=random_id)
    assert ledger.active(subject, "lending", "platform") == frozenset()
    with opened.read() as connection:
        assert open_erasures(connection) == ()
    opened.close()
    assert member not in json.dumps(told)
