"""kill −9 at any moment under load: whatever was answered is on record, and nothing is half-written."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from benne.features.categories import CATEGORIES
from benne.scoring import open_store
from benne.scoring.api.serving import serve
from benne.scoring.audit.chain import verify
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import Running, bearer
from tests.scoring.validated import verdicts_for

MEMBERS = [f"member-{k}" for k in range(8)]


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serve_on(home: Path, port: int) -> None:
    """What `benne serve` does, in a process that has imported everything already."""
    os.environ |= {"BENNE_RATE_PER_SECOND": "0", "BENNE_LOG_LEVEL": "ERROR", "BENNE_PORT": str(port)}
    serve(read_settings(home))


class Server:
    """The service in a process of its own, that can be killed."""

    def __init__(self, processes: Any, home: Path) -> None:
        self.port = free_port()
        self.process = processes.Process(target=serve_on, args=(home, self.port))
        self.process.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
            assert self.process.is_alive()
        raise AssertionError("the server did not come up")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL


class Load:
    """Callers that ask and withdraw until nobody answers any more, and remember what they were told."""

    def __init__(self, port: int, shop: str, members: dict[str, str], seed: int) -> None:
        self.given: list[str] = []
        self.granted: list[str] = []
        self.refused: list[str] = []
        self._address = f"http://127.0.0.1:{port}"
        self._threads = [
            threading.Thread(target=self._ask, args=(shop, random.Random(seed * 100 + k))) for k in range(4)
        ]
        self._threads.append(threading.Thread(target=self._choose, args=(members, random.Random(seed * 100 + 9))))
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _ask(self, key: str, chance: random.Random) -> None:
        with httpx2.Client(base_url=self._address, headers=bearer(key)) as client:
            while True:
                asked = {"member_id": chance.choice(MEMBERS), "purpose": "lending", "granularity": "exact"}
                try:
                    got = client.post("/v1/scores", json=asked)
                except httpx2.TransportError:
                    return
                if got.status_code == 200:
                    self.granted.append(got.json()["decision_id"])
                elif got.status_code in (403, 409):
                    self.refused.append(got.json()["decision_id"])

    def _choose(self, members: dict[str, str], chance: random.Random) -> None:
        with httpx2.Client(base_url=self._address) as client:
            try:
                offers = client.get("/v1/consent-offers", headers=bearer(members[MEMBERS[0]])).json()
            except httpx2.TransportError:
                return  # killed before anybody chose
            offer = next(one for one in offers if one["offer"] == "lending")
            choice = {"offer": "lending", "notice_hash": offer["notice_hash"], "categories": list(CATEGORIES),
                      "channel": "app", "method": "toggle_switched_on", "steps": 1}  # fmt: skip
            while True:
                member = chance.choice(MEMBERS[:4])  # of whom nothing is left to score once they have withdrawn
                where = {"purpose": "lending", "recipient": "shop"}
                try:
                    ended = client.delete("/v1/members/me/consents", params=where, headers=bearer(members[member]))
                    given = client.post("/v1/members/me/consents", json=choice, headers=bearer(members[member]))
                except httpx2.TransportError:
                    return
                if ended.status_code == 200 and given.status_code == 201:
                    self.given.append(given.json()["record_id"])


def set_up(tmp_path: Path, model_folder: Path, terms_folder: Path) -> tuple[Path, str, dict[str, str]]:
    verdicts = verdicts_for(tmp_path / "verdicts.db", model_folder)
    home = lay_out(tmp_path / "service", model_folder, validated_in=verdicts, terms=terms_folder).home
    service = open_service(read_settings(home))
    running = Running(service, "")
    shop, members = running.register(), {member: running.member_key(member) for member in MEMBERS}
    for member in MEMBERS:
        running.grant(member)
        running.know(member)
    service.close()
    return home, shop, members


def kill_under_load(processes: Any, home: Path, shop: str, members: dict[str, str], seed: int) -> Load:
    server = Server(processes, home)
    load = Load(server.port, shop, members, seed)
    time.sleep(random.Random(seed).uniform(0.2, 1.2))
    server.kill()
    load.join()
    return load


def look_over(home: Path, load: Load) -> None:
    """Everything answered is on record, everything on record is whole."""
    store = open_store(home / "benne.db")
    with store.read() as connection:
        assert verify(connection).intact
        asked = connection.exec_driver_sql("SELECT event_id, decision FROM audit_records WHERE decision IS NOT NULL")
        on_record = dict(asked.all())
        payloads, consents, told_of, decided = (
            set(connection.exec_driver_sql(f"SELECT {column} FROM {table}").scalars())
            for column, table in (
                ("payload_ref", "member_payloads WHERE kind = 'decision'"),
                ("record_id", "consent_records"),
                ("consent_id", "audit_records WHERE type = 'consent_given'"),
                ("decision_id", "decisions"),
            )
        )
    store.close()
    assert {on_record.get(one) for one in load.granted} <= {"granted"}
    assert {on_record.get(one) for one in load.refused} <= {"denied"}
    assert {event for event, decision in on_record.items() if decision == "granted"} == payloads
    assert set(on_record) == decided
    assert set(load.given) <= told_of <= consents


def killed(processes, tmp_path, model_folder, terms_folder, seeds) -> list[Load]:
    home, shop, members = set_up(tmp_path, model_folder, terms_folder)
    loads = []
    for seed in seeds:
        loads.append(kill_under_load(processes, home, shop, members, seed))
        look_over(home, loads[-1])
    return loads


def test_killed_under_load_it_has_lost_nothing_and_half_written_nothing(
    processes, tmp_path, model_folder, terms_folder
):
    loads = killed(processes, tmp_path, model_folder, terms_folder, range(10))
    assert sum(len(load.granted) for load in loads) > 100
    assert sum(len(load.refused) for load in loads) > 10
    assert sum(len(load.given) for load in loads) > 5  # a crowded machine gets fewer of them done


@pytest.mark.slow
def test_killed_two_hundred_times_likewise(processes, tmp_path, model_folder, terms_folder):
    loads = killed(processes, tmp_path, model_folder, terms_folder, range(100, 300))
    assert sum(len(load.granted) for load in loads) > 2_000
