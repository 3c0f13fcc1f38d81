"""What follows a yes on the command line: its receipt, its end, its renewal, and a notice that changes."""

from __future__ import annotations

import base64
import json
from typing import get_args

import pandas as pd
import pytest

from benne.cli.consent_upkeep import ChangeName
from benne.scoring.consent.vocabulary import NoticeChange

ANNA, BERT = "a" * 32, "b" * 32
CHOSEN = ("--category", "credit_history", "--category", "ability")


@pytest.fixture
def terms(run_json, tmp_path):
    run_json("consent", "terms", tmp_path / "lending.toml", "--purpose", "lending", "--recipient", "shop",
             "--controller", "Example Ltd")  # fmt: skip
    return "--terms", tmp_path / "lending.toml"


@pytest.fixture
def ledger(tmp_path):
    return "--ledger", tmp_path / "consents.db"


@pytest.fixture
def signing_key(run_json, tmp_path):
    run_json("audit", "keys", "new", tmp_path / "receipts.key")
    return tmp_path / "receipts.key"


@pytest.fixture
def give(run_json, terms, ledger):
    def grant(subject=ANNA, *options):
        return run_json("consent", "grant", *terms, *ledger, "--subject", subject, *CHOSEN, "--yes-i-consent", *options)

    return grant


def test_a_receipt_is_given_out_and_verified_with_the_public_key_alone(run, give, ledger, signing_key, tmp_path):
    record = give(ANNA, "--signing-key", signing_key)
    assert record["receipt_id"]
    result = run("consent", "receipt", record["record_id"], *ledger, "--out", tmp_path / "receipt.jws")
    assert result.exit_code == 0, result.stderr
    ledger[1].unlink()
    checked = run("consent", "verify-receipt", tmp_path / "receipt.jws", "--public-key", f"{signing_key}.pub")
    assert checked.exit_code == 0, checked.stderr
    assert "genuine and unchanged" in checked.stdout
    assert "ability, credit_history" in checked.stdout
    assert "to withdraw  benne consent withdraw" in checked.stdout
    assert "without a reason" in checked.stdout


def test_a_receipt_can_be_printed_and_read_by_a_program(run, run_json, give, ledger, signing_key, tmp_path):
    record = give(ANNA, "--signing-key", signing_key)
    printed = run("consent", "receipt", record["record_id"], *ledger).stdout.strip()
    assert run_json("consent", "receipt", record["record_id"], *ledger) == {"receipt": printed, "path": None}
    (tmp_path / "receipt.jws").write_text(printed)
    claims = run_json("consent", "verify-receipt", tmp_path / "receipt.jws", "--public-key", f"{signing_key}.pub")
    assert claims["record_id"] == record["record_id"]


def test_a_changed_receipt_or_another_key_ends_with_a_code_of_its_own(
    run, run_json, give, ledger, signing_key, tmp_path
):
    record = give(ANNA, "--signing-key", signing_key)
    token = run("consent", "receipt", record["record_id"], *ledger).stdout.strip()
    run_json("audit", "keys", "new", tmp_path / "other.key")
    changed = token.replace(token[200], "A" if token[200] != "A" else "B")
    for text, key in ((changed, signing_key), (token, tmp_path / "other.key"), ("none at all", signing_key)):
        (tmp_path / "receipt.jws").write_text(text)
        result = run("consent", "verify-receipt", tmp_path / "receipt.jws", "--public-key", f"{key}.pub")
        assert result.exit_code == 6, result.stderr
        assert "Do not rely on it" in result.stderr


def test_without_a_signing_key_there_is_no_receipt(run, give, ledger):
    record = give()
    assert record["receipt_id"] is None
    result = run("consent", "receipt", record["record_id"], *ledger)
    assert result.exit_code == 3
    assert "Give the ledger a signer" in result.stderr


def test_what_ran_out_is_marked_once(run, run_json, terms, ledger, tmp_path):
    history = pd.DataFrame({"category": ["ability", "social"]}).assign(
        subject_id=ANNA, purpose="lending", recipient="shop", event="given", time=pd.Timestamp("2020-01-01", tz="UTC")
    )
    history.to_parquet(tmp_path / "history.parquet")
    run_json("consent", "import", tmp_path / "history.parquet", *terms, *ledger)
    assert "marked: 2 categories" in run("consent", "expire", *ledger, "--batch", 1).stdout
    assert run_json("consent", "expire", *ledger) == {"expired": 0}
    events = run_json("consent", "show", *ledger, "--subject", ANNA)["records"][0]["events"]
    assert [one["state"] for one in events] == ["given", "given", "expired", "expired"]


def test_what_ends_soon_is_listed(run, run_json, give, ledger):
    record = give()
    assert run_json("consent", "ending", *ledger) == []
    assert "No consent runs out within 30 days" in run("consent", "ending", *ledger).stdout
    (soon,) = run_json("consent", "ending", *ledger, "--within-days", 366)
    assert (soon["record_id"], soon["subject_id"]) == (record["record_id"], ANNA)
    assert soon["categories"] == ["ability", "credit_history"]
    assert record["record_id"] in run("consent", "ending", *ledger, "--within-days", 366).stdout


def test_a_renewal_shows_the_notice_and_takes_an_act(run, run_json, give, ledger):
    record = give()
    renewing = ("consent", "renew", record["record_id"], *ledger, "--subject", ANNA)
    result = run(*renewing)
    assert result.exit_code == 2
    assert "May we compute your score" in result.stderr
    assert "the member's own act" in result.stderr
    renewed = run_json(*renewing, "--yes-i-consent")
    assert renewed["categories"] == ["ability", "credit_history"]
    states = [one["state"] for one in run_json("consent", "show", *ledger, "--subject", ANNA)["records"][1]["events"]]
    assert states == ["renewed", "renewed"]
    another = run("consent", "renew", record["record_id"], *ledger, "--subject", BERT, "--yes-i-consent")
    assert another.exit_code == 3
    assert ANNA not in another.stderr + another.stdout


def test_a_replaced_notice_ends_consents_and_says_whom_to_ask(run, run_json, give, terms, ledger):
    give()
    give(BERT)
    path = terms[1]
    path.write_text(path.read_text("utf-8").replace('version = "1"', 'version = "2"').replace("May we", "Might we"))
    replaced = run_json("consent", "replace-notice", path, *ledger, "--changes", "meaning", "--changes", "purpose")
    assert replaced == {"notice_id": "shop_lending", "version": "2", "ended": 4}
    asked = run_json("consent", "ask-again", "shop_lending", *ledger)
    assert [(one["subject_id"], one["categories"]) for one in asked] == [
        (ANNA, ["ability", "credit_history"]),
        (BERT, ["ability", "credit_history"]),
    ]
    give()
    shown = run("consent", "ask-again", "shop_lending", *ledger).stdout
    assert BERT in shown
    assert ANNA not in shown
    give(BERT)
    assert "Nobody has to be asked again" in run("consent", "ask-again", "shop_lending", *ledger).stdout


def test_an_old_notice_can_no_longer_be_agreed_to(run, give, terms, ledger, run_json):
    give()
    old = terms[1].read_text("utf-8")
    terms[1].write_text(old.replace('version = "1"', 'version = "2"'))
    run_json("consent", "replace-notice", terms[1], *ledger, "--changes", "categories")
    terms[1].write_text(old)
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    assert result.exit_code == 3
    assert "Show the new version" in result.stderr


def test_the_changes_offered_are_those_the_ledger_knows():
    assert {change.value for change in ChangeName} == set(get_args(NoticeChange))


def test_a_minor_is_turned_away(run, terms, ledger):
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent", "--age", 17)
    assert result.exit_code == 3
    assert "under 18" in result.stderr


def test_a_key_that_others_can_read_signs_nothing(run, terms, ledger, signing_key):
    signing_key.chmod(0o644)
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent",
                 "--signing-key", signing_key)  # fmt: skip
    assert result.exit_code == 3
    assert not ledger[1].exists()


def test_withdrawing_takes_no_more_steps_than_giving(run, give, ledger, signing_key):
    """One command and not a single question, where giving shows a notice and asks for an act."""
    record = give(ANNA, "--signing-key", signing_key)
    receipt = run("consent", "receipt", record["record_id"], *ledger).stdout.strip()
    payload = receipt.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["withdrawal_method"]
    assert (said["channel"], said["steps_at_most"]) == ("command_line", 1)
    withdrawing = ("consent", "withdraw", *ledger, "--purpose", "lending", "--recipient", "shop", "--subject", ANNA)
    result = run(*withdrawing)  # nothing is typed, nothing confirmed
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Ended: credit_history, ability." in result.stdout
