"""Copies of a service's folder, and the way back from them."""

from __future__ import annotations

import shutil
import stat
import threading

import pytest

from benne.errors import BenneError, KeyRingError, SettingsError, StoreError
from benne.scoring.backup import back_up, restore
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import Running

KEYS = ("keyring.json", "subject.key", "signing.key", "proof-keys.json")


def asked(running, client_key="shop"):
    from benne.scoring.decisions.request import Actor, ScoreRequest
    from benne.scoring.policy import Asked

    question = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
    return ScoreRequest(
        subject_id=running.member("anna"), asked=question, actor=Actor("key:1", "recipient"),
        registered_for=frozenset({"lending"}),
    )  # fmt: skip


@pytest.fixture
def home(tmp_path, model_folder, verdicts, terms_folder):
    laid_out = lay_out(tmp_path / "a service", model_folder, validated_in=verdicts, terms=terms_folder)
    service = open_service(read_settings(laid_out.home))
    running = Running(service, "")
    running.register()
    running.grant("anna")
    running.know("anna")
    service.maker.decide([asked(running)])
    service.close()
    return laid_out.home


def score(home):
    service = open_service(read_settings(home))
    try:
        return service.maker.decide([asked(Running(service, ""))])[0].score
    finally:
        service.close()


def test_what_was_restored_answers_as_before(home, tmp_path):
    made = back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    assert made.records > 3
    back = restore(tmp_path / "copy", tmp_path / "restored")
    assert back == made
    assert score(tmp_path / "restored") == score(home)
    assert not [one.name for one in tmp_path.iterdir() if one.name.endswith(".partial")]


def test_nobody_else_may_look_into_a_copy(home, tmp_path):
    back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    restore(tmp_path / "copy", tmp_path / "restored")
    for folder in ("copy", "restored"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
        for name in KEYS:
            assert stat.S_IMODE((tmp_path / folder / name).stat().st_mode) & 0o077 == 0, name


def test_a_copy_without_keys_holds_none_and_is_restored_with_them(home, tmp_path):
    back_up(read_settings(home), tmp_path / "copy", with_keys=False)
    assert not {one.name for one in (tmp_path / "copy").iterdir()} & set(KEYS)
    with pytest.raises(SettingsError, match=r"must hold keyring\.json"):
        restore(tmp_path / "copy", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    restore(tmp_path / "copy", tmp_path / "restored", keys=home)
    assert score(tmp_path / "restored") == score(home)


def test_with_another_services_keys_nothing_can_be_read(home, tmp_path, model_folder, verdicts):
    back_up(read_settings(home), tmp_path / "copy", with_keys=False)
    other = lay_out(tmp_path / "other", model_folder, validated_in=verdicts).home
    shutil.copyfile(home / "subject.key", other / "subject.key")
    restore(tmp_path / "copy", tmp_path / "restored", keys=other)
    with pytest.raises(KeyRingError, match="key"):
        score(tmp_path / "restored")


def test_a_copy_made_while_somebody_writes_is_of_one_moment(home, tmp_path):
    service = open_service(read_settings(home))
    running, stop = Running(service, ""), threading.Event()

    def write():
        while not stop.is_set():
            service.maker.decide([asked(running)] * 20)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        made = [back_up(read_settings(home), tmp_path / f"copy-{k}", with_keys=True).records for k in range(5)]
    finally:
        stop.set()
        writing.join()
        service.close()
    assert made == sorted(made)
    assert made[-1] > made[0]
    copied = open_service(read_settings(tmp_path / "copy-4"))
    rows = Running(copied, "").rows
    decided = {row["event_id"] for row in rows("audit_records") if row["decision"] == "granted"}
    assert decided == {row["payload_ref"] for row in rows("member_payloads") if row["kind"] == "decision"}
    copied.close()


@pytest.mark.parametrize("what", ["cut", "garbage", "a record changed", "no database", "no settings", "no models"])
def test_a_damaged_copy_is_not_restored(home, tmp_path, what):
    import sqlite3

    back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    file = tmp_path / "copy" / "benne.db"
    if what == "cut":
        file.write_bytes(file.read_bytes()[:40_000])
    elif what == "garbage":
        file.write_bytes(b"not a database at all" * 500)
    elif what == "a record changed":
        connection = sqlite3.connect(file)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit_records SET service = 'scores2' WHERE seq = 2")
        connection.commit()
        connection.close()
    elif what == "no models":
        shutil.rmtree(tmp_path / "copy" / "models")
    else:
        (tmp_path / "copy" / {"no database": "benne.db", "no settings": "benne.toml"}[what]).unlink()
    with pytest.raises((StoreError, SettingsError), match="must"):
        restore(tmp_path / "copy", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_nothing_is_overwritten(home, tmp_path):
    back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    with pytest.raises(SettingsError, match="must be a new folder"):
        back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    with pytest.raises(SettingsError, match="into an empty folder"):
        restore(tmp_path / "copy", home)
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "copy", tmp_path / "empty")


def test_a_copy_never_leads_back_to_its_original(home, tmp_path, monkeypatch):
    """Settings and environment may say that parts are elsewhere; in a copy they are all within."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("benne.db", "keyring.json"):
        shutil.move(home / name, elsewhere / name)
    with (home / "benne.toml").open("a") as file:
        file.write(f'\nport = 9123\ndatabase = "{elsewhere}/benne.db"\nkeyring = "{elsewhere}/keyring.json"\n')
    before = score(home)
    made = back_up(read_settings(home), tmp_path / "copy", with_keys=True)
    monkeypatch.setenv("BENNE_DATABASE", str(elsewhere / "benne.db"))
    assert restore(tmp_path / "copy", tmp_path / "restored") == made
    monkeypatch.delenv("BENNE_DATABASE")
    shutil.rmtree(elsewhere)
    settings = read_settings(tmp_path / "restored")
    assert settings.port == 9123
    assert settings.database_address == str(tmp_path / "restored" / "benne.db")
    assert score(tmp_path / "restored") == before


def test_a_servers_database_is_left_to_its_own_tools(home, tmp_path):
    settings = read_settings(home, database="postgresql+psycopg://benne@db/benne")
    with pytest.raises(SettingsError, match="pg_dump"):
        back_up(settings, tmp_path / "copy", with_keys=False)


def test_a_failure_names_no_member(home, tmp_path):
    (home / "benne.db").write_bytes(b"anna" * 10_000)
    with pytest.raises(BenneError) as failed:
        back_up(read_settings(home), tmp_path / "copy", with_keys=False)
    assert "anna" not in str(failed.value)
