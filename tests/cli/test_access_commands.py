"""``benne policies``, ``recipients``, ``apikey`` and ``proofs``: what they say, keep on record and never show."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from benne.cli import app
from benne.cli.apikeys import RoleName
from benne.cli.recipients import JurisdictionName
from benne.features.events.key_files import read_key_file, write_key_file
from benne.scoring import open_store
from benne.scoring.access import ApiKeys
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.vocabulary import JURISDICTIONS
from benne.scoring.policy import default_policies
from benne.scoring.proof import KnownScore, ProofAsked, ProofKeyFile, issue
from benne.scoring.store.access_tables import ROLES
from benne.scoring.wiring import random_id, system_clock

NONCE, AUDIENCE = "R4nD0m-0f-M1ne-1", "https://landlord.example"


def test_the_names_offered_are_those_the_domain_knows():
    assert tuple(RoleName) == ROLES
    assert tuple(JurisdictionName) == JURISDICTIONS


# --------------------------------------------------------------- policies


def test_the_built_in_policies_are_shown_readably(run):
    result = run("policies", "show")
    assert result.exit_code == 0
    assert f"Version {default_policies().version}, jurisdiction default" in result.stdout
    for told in ("deposit_waiver", "benefit_only", "650 or better", "not served: model_training", "review-desk"):
        assert told in result.stdout


def test_the_file_that_is_shown_is_a_file_to_begin_with(run, run_json, tmp_path):
    (tmp_path / "p.toml").write_text(run("policies", "show", "--toml").stdout)
    assert run_json("policies", "check", tmp_path / "p.toml") == {
        "version": default_policies().version,
        "compared_with": default_policies().version,
        "changed": [],
    }
    assert run("policies", "show", tmp_path / "p.toml").stdout == run("policies", "show").stdout
    assert "Says the same as the built-in policies" in run("policies", "check", tmp_path / "p.toml").stdout


def test_a_changed_file_is_told_place_by_place(run, run_json, tmp_path):
    new, old = tmp_path / "new.toml", tmp_path / "old.toml"
    old.write_text(run("policies", "show", "--toml").stdout)
    new.write_text(old.read_text().replace("threshold = 700", "threshold = 720"))
    changed = run_json("policies", "check", new, "--against", old)["changed"]
    assert changed == [{"key": "benefits.fast_lane.threshold", "before": 700, "after": 720}]
    assert "benefits.fast_lane.threshold  700     720" in run("policies", "check", new, "--against", old).stdout


def test_a_mistake_in_a_file_ends_with_its_place(run, tmp_path):
    (tmp_path / "p.toml").write_text(run("policies", "show", "--toml").stdout.replace('"sole"', '"full"'))
    result = run("policies", "check", tmp_path / "p.toml")
    assert result.exit_code == 3
    assert "purposes.checkout_credit.reliance must be one of advisory, strong, sole, got 'full'" in result.stderr
    assert run("policies", "check", tmp_path / "none.toml").exit_code == 3


def test_policies_without_recipients_say_that_nobody_is_served(run, tmp_path):
    (tmp_path / "p.toml").write_text('jurisdiction = "eu"\n')
    assert "every request is denied" in run("policies", "show", tmp_path / "p.toml").stderr


# ------------------------------------------------------ recipients and keys


@pytest.fixture
def ledger(tmp_path):
    return "--ledger", tmp_path / "benne.db"


@pytest.fixture
def shop(run_json, ledger):
    return run_json("recipients", "add", "shop", *ledger, "--contact", "dpo@shop.example", "--purpose", "lending")


def opened(ledger, text):
    store = open_store(ledger[1], migrate=False)
    try:
        with store.read() as connection:
            now_us = to_microseconds(system_clock(), "now")
            return ApiKeys(lambda _: b"").authenticate(connection, text, now_us)
    finally:
        store.close()


def test_a_recipient_is_registered_listed_changed_and_retired(run, run_json, ledger, shop):
    assert shop == {"name": "shop", "purposes": ["lending"]}
    run_json("recipients", "allow", "shop", *ledger, "--purpose", "rental", "--purpose", "fast_lane")
    (listed,) = run_json("recipients", "list", *ledger)
    assert (listed["purposes"], listed["retired_at_us"]) == (["fast_lane", "rental"], None)
    assert "served" in run("recipients", "list", *ledger).stdout
    run_json("recipients", "retire", "shop", *ledger)
    assert "retired 20" in run("recipients", "list", *ledger).stdout
    again = run("recipients", "add", "shop", *ledger, "--contact", "x", "--purpose", "lending")
    assert again.exit_code == 3
    assert "must be new, got one given before" in again.stderr


def test_a_key_opens_as_what_it_was_made_and_is_shown_once(run, run_json, ledger, shop):
    result = run("apikey", "new", *ledger, "--role", "recipient", "--recipient", "shop")
    assert result.exit_code == 0, result.stderr
    text = result.stdout.strip()
    principal = opened(ledger, text)
    assert (principal.recipient, principal.purposes) == ("shop", {"lending"})
    secret = text.split("_")[2]
    assert secret not in result.stderr
    listing = run("apikey", "list", *ledger)
    assert secret not in listing.output
    assert "opens" in listing.stdout
    (row,) = run_json("apikey", "list", *ledger)
    assert row["expires_at_us"] - row["created_at_us"] == 365 * 86_400_000_000


def test_a_revoked_key_is_listed_as_such_and_opens_nothing(run, run_json, ledger):
    made = run_json("apikey", "new", *ledger, "--role", "compliance", "--days", "1")
    assert opened(ledger, made["key"]).role == "compliance"
    run_json("apikey", "revoke", made["key_id"], *ledger)
    assert run_json("apikey", "list", *ledger)[0]["state"] == "revoked"
    with pytest.raises(PermissionError, match="known and current"):
        opened(ledger, made["key"])
    assert run("apikey", "revoke", made["key_id"], *ledger).exit_code == 3


def test_a_members_key_is_made_from_the_raw_id_and_does_not_hold_it(run, ledger, tmp_path):
    write_key_file(tmp_path / "subject.key", bytes(range(32)))
    asked = ("apikey", "new", *ledger, "--role", "member", "--member", "anna", "--key-file", tmp_path / "subject.key")
    subject = str(read_key_file(tmp_path / "subject.key").subject_ids(["anna"])[0])
    assert opened(ledger, run(*asked).stdout.strip()).is_member(subject)
    assert b"anna" not in (tmp_path / "benne.db").read_bytes()


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--role", "recipient"), 3, "must be named exactly for role recipient"),
        (("--role", "recipient", "--recipient", "stranger"), 3, "must be registered and not retired"),
        (("--role", "admin", "--recipient", "shop"), 3, "must be named exactly for role recipient"),
        (("--role", "admin", "--subject", f"{7:032x}"), 3, "must be given exactly for role member"),
        (("--role", "member"), 2, "name one member"),
        (("--role", "member", "--subject", "anna"), 3, "must be 32 hexadecimal digits"),
        (("--role", "god"), 2, "--role must be one of recipient, member, compliance"),
        (("--role", "admin", "--days", "0"), 2, "--days must be"),
    ],
)
def test_a_key_that_may_not_be_is_not_made(run, run_json, ledger, shop, options, code, told):
    result = run("apikey", "new", *ledger, *options)
    assert result.exit_code == code
    assert told in result.stderr
    assert run_json("apikey", "list", *ledger) == []


def test_what_the_console_did_is_on_record(run_json, ledger, shop):
    run_json("apikey", "new", *ledger, "--role", "admin")
    assert run_json("audit", "verify", *ledger)["records"] == 2


@pytest.mark.parametrize("command", ["recipients list", "recipients retire shop", "apikey list", "apikey revoke 1"])
def test_a_mistyped_ledger_is_not_an_empty_one(run, tmp_path, command):
    result = run(*command.split(), "--ledger", tmp_path / "nowhere.db")
    assert result.exit_code == 5
    assert not (tmp_path / "nowhere.db").exists()


def test_where_there_is_nothing_yet_that_is_said(run, ledger):
    open_store(ledger[1]).close()
    assert "nobody can ask" in run("recipients", "list", *ledger).stdout
    assert "No key was ever made" in run("apikey", "list", *ledger).stdout


def test_the_address_of_a_server_with_its_password_is_not_told(run, monkeypatch, tmp_path):
    said = run("recipients", "add", "shop", "--ledger", f"sqlite:///{tmp_path}/s3cret.db", "--contact", "x",
               "--purpose", "lending")  # fmt: skip
    assert said.exit_code == 0
    assert "s3cret" not in said.output


# ------------------------------------------------------------------ proofs


@pytest.fixture
def keys_file(run, tmp_path):
    assert run("proofs", "keys", "new", tmp_path / "proofs.keys").exit_code == 0
    return tmp_path / "proofs.keys"


@pytest.fixture
def jwks(run, keys_file, tmp_path):
    path = tmp_path / "issuer.jwks"
    path.write_text(run("proofs", "keys", "public", keys_file).stdout)
    return path


def proof_of(keys_file, kind="at_least", earlier=timedelta(0), **more):
    now = system_clock() - earlier
    asked = ProofAsked(kind=kind, audience=AUDIENCE, nonce=NONCE, mark=650 if kind == "at_least" else None, **more)
    return issue(asked, KnownScore(683.0, now), issuer="https://scores.example", now=now, jti=random_id(),
                 signer=ProofKeyFile(keys_file).keys().signer(now + earlier))  # fmt: skip


def test_a_proof_that_holds_is_read_out(run, run_json, keys_file, jwks):
    to_check = ("--jwks", jwks, "--audience", AUDIENCE, "--nonce", NONCE)
    said = run("proofs", "verify", proof_of(keys_file, purpose="rental"), *to_check)
    assert said.exit_code == 0, said.stderr
    assert "It holds. The score was at least 650 on 20" in said.stdout
    assert "For rental, and nothing else." in said.stdout
    assert "Accept it once" in said.stderr
    assert "The score was 683 on" in run("proofs", "verify", proof_of(keys_file, "exact"), *to_check).stdout
    assert "was very good (650 to 699)" in run("proofs", "verify", proof_of(keys_file, "band"), *to_check).stdout
    told = run_json("proofs", "verify", proof_of(keys_file), *to_check, "--issuer", "https://scores.example")
    assert told["statement"]["mark"] == 650


def test_a_proof_is_read_from_stdin_so_that_no_shell_remembers_it(keys_file, jwks):
    arguments = ["proofs", "verify", "-", "--jwks", str(jwks), "--audience", AUDIENCE, "--nonce", NONCE]
    result = CliRunner().invoke(app, arguments, input=proof_of(keys_file) + "\n")
    assert (result.exit_code, "It holds." in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"--audience": "other"}, "must be made for this recipient"),
        ({"--nonce": "An0ther-N0nce-24"}, "must be made for this occasion"),
        ({"--issuer": "https://other.example"}, "must be of this issuer"),
    ],
)
def test_a_proof_for_somebody_else_ends_with_a_code(run, keys_file, jwks, changes, told):
    options = {"--jwks": jwks, "--audience": AUDIENCE, "--nonce": NONCE, **changes}
    result = run("proofs", "verify", proof_of(keys_file), *(word for option in options.items() for word in option))
    assert result.exit_code == 6
    assert told in result.stderr
    assert "It holds" not in result.stdout


def test_a_proof_that_is_over_or_forged_ends_with_a_code(run, keys_file, jwks):
    to_check = ("--jwks", jwks, "--audience", AUDIENCE, "--nonce", NONCE)
    over = run("proofs", "verify", proof_of(keys_file, earlier=timedelta(hours=1)), *to_check)
    assert (over.exit_code, "must not have ended" in over.stderr) == (6, True)
    forged = run("proofs", "verify", proof_of(keys_file)[:-2], *to_check)
    assert (forged.exit_code, "must be signed by the issuer" in forged.stderr) == (6, True)


def test_a_rotated_key_is_public_at_once_and_no_private_half_is_ever_shown(run, run_json, keys_file):
    rotated = run_json("proofs", "keys", "rotate", keys_file)
    shown = run("proofs", "keys", "public", keys_file)
    published = json.loads(shown.stdout)["keys"]
    assert [key["kid"] for key in published][-1] == rotated["kid"]
    assert len(published) == 2
    for private in (key["d"] for key in json.loads(keys_file.read_text())["keys"]):
        assert private not in shown.output
    assert "signs in 5 minutes" in run("proofs", "keys", "rotate", keys_file, "--ahead-minutes", "5").stdout


def test_keys_are_written_once(run, keys_file):
    again = run("proofs", "keys", "new", keys_file)
    assert again.exit_code == 3
    assert "must not exist yet" in again.stderr
