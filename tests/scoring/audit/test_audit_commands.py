"""``benne audit``: keys, anchors, verification, and exit codes that a timer can go by."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from benne.cli import app
from benne.scoring import open_store

BROKEN = 6


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def run_json(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


class Desk:
    """A chain of five records, a key pair, and the options that name them."""

    def __init__(self, chain: Any, folder: Any) -> None:
        self.chain, self.file, self.key = chain, folder / "anchors.jsonl", folder / "anchor.key"
        self.ledger = ("--ledger", chain.store.engine.url.render_as_string(hide_password=False))
        self.anchors = ("--anchors", self.file)
        self.to_sign = (*self.ledger, *self.anchors, "--private-key", self.key)
        self.to_verify = (*self.ledger, *self.anchors, "--public-key", folder / "anchor.key.pub")
        chain.append(5)
        run_json("keys", "new", self.key)


@pytest.fixture
def desk(chain, tmp_path):
    return Desk(chain, tmp_path)


def test_a_chain_is_anchored_and_verified_against_its_anchors(desk):
    anchored = run_json("anchor", *desk.to_sign)
    assert (anchored["seq"], anchored["begun"], anchored["torn_bytes"]) == (5, True, 0)
    assert datetime.fromisoformat(anchored["time"]).tzinfo is not None
    desk.chain.append(2)
    assert run_json("verify", *desk.to_verify) == {
        "intact": True,
        "records": 7,
        "head": {"seq": 7, "hash": desk.chain.rows()[-1]["hash"]},
        "broken_at": None,
        "why": None,
        "anchored_up_to": 5,
        "torn_bytes": 0,
    }
    said = run("verify", *desk.to_verify)
    assert "All 7 records verify" in said.stdout
    assert "Anchored up to record 5; 2 came after." in said.stdout


def test_verifying_without_anchors_says_what_that_leaves_open(desk):
    result = run("verify", *desk.ledger)
    assert (result.exit_code, "All 5 records verify" in result.stdout) == (0, True)
    assert "would not show. See --anchors" in result.stderr


def test_a_broken_chain_ends_with_a_code_and_says_where_and_why(desk):
    desk.chain.replace_by([{**row, "service": "x"} if row["seq"] == 3 else row for row in desk.chain.rows()])
    result = run("verify", *desk.ledger)
    assert result.exit_code == BROKEN
    assert "Broken at record 3: its content is not what was hashed." in result.stdout
    told = run("verify", *desk.ledger, "--json")
    assert told.exit_code == BROKEN
    assert {"intact": False, "records": 2, "broken_at": 3}.items() <= json.loads(told.stdout).items()


def test_a_chain_cut_off_behind_its_anchor_is_broken(desk):
    run_json("anchor", *desk.to_sign)
    desk.chain.replace_by(desk.chain.rows()[:3])
    assert run("verify", *desk.ledger).exit_code == 0
    result = run("verify", *desk.to_verify)
    assert result.exit_code == BROKEN
    assert "Broken at record 4: it is missing: an anchor holds record 5" in result.stdout


def test_a_chain_that_was_changed_is_not_anchored(desk):
    run_json("anchor", *desk.to_sign)
    desk.chain.append(1)
    desk.chain.replace_by([{**row, "service": "x"} if row["seq"] == 6 else row for row in desk.chain.rows()])
    before = desk.file.read_bytes()
    result = run("anchor", *desk.to_sign)
    assert result.exit_code == BROKEN
    assert "something wrong at record 6" in result.stderr
    assert desk.file.read_bytes() == before


def test_the_first_anchor_says_that_the_file_is_new(desk):
    assert "is new. If this chain was anchored before" in run("anchor", *desk.to_sign).stderr
    later = run("anchor", *desk.to_sign)
    assert "is new" not in later.stderr
    assert "Anchored: record 5" in later.stdout
    assert "The anchor's own digest" in later.stdout


def test_a_torn_line_is_told_when_verifying_and_cut_off_when_anchoring(desk):
    run_json("anchor", *desk.to_sign)
    with desk.file.open("ab") as out:
        out.write(b'{"half')
    verified = run("verify", *desk.to_verify)
    assert verified.exit_code == 0
    assert "a last line of 6 bytes is torn" in verified.stderr
    assert run_json("verify", *desk.to_verify)["torn_bytes"] == 6
    anchored = run("anchor", *desk.to_sign)
    assert "a torn last line of 6 bytes, left by a crash and never an anchor, was cut off" in anchored.stderr
    assert run_json("verify", *desk.to_verify)["torn_bytes"] == 0


def test_forged_anchors_end_verification(desk):
    run_json("anchor", *desk.to_sign)
    desk.file.write_bytes(desk.file.read_bytes().replace(b'"seq":5', b'"seq":4'))
    result = run("verify", *desk.to_verify)
    assert result.exit_code == BROKEN
    assert "Line 1 of" in result.stderr
    assert "must be signed with this key" in result.stderr


@pytest.mark.parametrize("given", ["--anchors", "--public-key"])
def test_anchors_and_their_key_go_together(desk, given):
    result = run("verify", *desk.ledger, given, desk.file)
    assert result.exit_code == 2
    assert "--anchors and --public-key go together" in result.stderr


def test_anchors_that_are_not_there_are_not_no_anchors(desk):
    result = run("verify", *desk.to_verify)
    assert result.exit_code not in {0, 2}
    assert "must be a file of anchors, got none" in result.stderr


def test_the_head_is_the_last_record(desk):
    last = desk.chain.rows()[-1]
    told = run_json("head", *desk.ledger)
    assert told == {"seq": 5, "hash": last["hash"], "time": "2026-03-01T12:00:00+00:00"}
    assert f"Record 5 of 2026-03-01T12:00:00+00:00: {last['hash']}" in run("head", *desk.ledger).stdout


def test_an_empty_chain_has_no_head_and_verifies(tmp_path):
    open_store(tmp_path / "new.db").close()
    ledger = ("--ledger", tmp_path / "new.db")
    assert run_json("head", *ledger) == {"seq": 0, "hash": "0" * 64, "time": None}
    assert "holds no record yet" in run("head", *ledger).stdout
    assert run_json("verify", *ledger)["records"] == 0


def test_a_mistyped_ledger_is_not_an_empty_chain(tmp_path):
    result = run("verify", "--ledger", tmp_path / "nowhere.db")
    assert result.exit_code == 5
    assert "The ledger must exist, got no file" in result.stderr
    assert not (tmp_path / "nowhere.db").exists()


def test_looking_into_a_database_of_another_version_does_not_migrate_it(tmp_path):
    (tmp_path / "empty.db").touch()
    result = run("verify", "--ledger", tmp_path / "empty.db")
    assert result.exit_code == 5
    assert "must be of this Benne's version" in result.stderr


def test_a_new_pair_is_written_once_and_never_printed(tmp_path):
    result = run("keys", "new", tmp_path / "anchor.key")
    assert result.exit_code == 0
    assert "PRIVATE" in (tmp_path / "anchor.key").read_text()
    assert "PRIVATE" not in result.output
    again = run("keys", "new", tmp_path / "anchor.key")
    assert again.exit_code not in {0, 2}
    assert "must not exist yet" in again.stderr


@pytest.mark.parametrize("command", ["verify", "anchor", "head", "keys new"])
def test_every_command_shows_an_example(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"benne audit {command}" in result.stdout
