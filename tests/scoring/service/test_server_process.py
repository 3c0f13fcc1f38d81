"""The service as a process: hostile connections, a stop under load, and what it writes to its log."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from benne.errors import KeyRingError
from benne.scoring import open_store
from benne.scoring.api import serving
from benne.scoring.audit.chain import verify
from benne.scoring.client import BenneClient
from tests.scoring.service.conftest import bearer
from tests.scoring.service.test_crash import free_port, set_up

ASKED = {"member_id": "member-1", "purpose": "lending", "granularity": "exact"}


class Served:
    """`benne serve` and what it wrote to its standard error."""

    def __init__(self, home: Path, *options: str, **settings: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = (home.parent / f"stderr-{self.port}").open("w+b")
        given = {"BENNE_RATE_PER_SECOND": "0", "BENNE_LOG_LEVEL": "DEBUG", "BENNE_PORT": str(self.port)} | settings
        command = [sys.executable, "-m", "benne", "serve", str(home), *options]
        self.process = subprocess.Popen(command, env=os.environ | given, stderr=self._log, stdout=self._log)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    def resident(self) -> int:
        """Bytes of memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._log.close()
        return code

    @contextmanager
    def connected(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            yield connection


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory, model_folder):
    from tests.scoring.service.conftest import TermsDraft, write_terms

    folder = tmp_path_factory.mktemp("process")
    (folder / "terms").mkdir()
    write_terms(folder / "terms" / "lending.toml", TermsDraft("lending", "shop", "Example Ltd", granularity="exact"))
    return set_up(folder, model_folder, folder / "terms")


@pytest.fixture(scope="module")
def served(laid_out):
    server = Served(laid_out[0], BENNE_TIMEOUT_SECONDS="2")
    yield server
    assert server.stop() in (0, -signal.SIGTERM)


def until_closed(connection, seconds):
    """What the server still says, until it closes; None if it does not within this time."""
    connection.settimeout(seconds)
    told = b""
    try:
        while part := connection.recv(65_536):
            told += part
    except ConnectionError:
        return told
    except TimeoutError:
        return None
    return told


def test_headers_without_end_are_cut_off(served):
    before = served.resident()
    with served.connected() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        line = b"X-" + b"a" * 8_000 + b": " + b"b" * 8_000 + b"\r\n"
        with pytest.raises(ConnectionError):  # noqa: PT012 - which of the sends it is does not matter
            for _ in range(5_000):
                connection.sendall(line)
    assert served.resident() - before < 20_000_000


def test_many_small_headers_are_cut_off(served):
    many = b"".join(b"X-%d: 1\r\n" % k for k in range(1_000))
    with served.connected() as connection, pytest.raises(ConnectionError):  # noqa: PT012
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        for _ in range(2_000):
            connection.sendall(many)


def test_headers_that_do_not_come_are_not_waited_for(served):
    with served.connected() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        assert until_closed(connection, 8) is not None


def test_a_connection_on_which_nothing_comes_is_closed(served):
    with served.connected() as connection:
        assert until_closed(connection, 8) is not None


def test_a_body_that_does_not_come_is_not_waited_for(served, laid_out):
    with served.connected() as connection:
        connection.sendall(
            f"POST /v1/scores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {laid_out[1]}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        told = until_closed(connection, 20)
        assert told is not None
        assert b"408" in told.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,  # TLS
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/scores HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/scores HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        b"POST /v1/scores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_what_is_not_http_is_no_harm(served, sent):
    with served.connected() as connection:
        connection.sendall(sent)
        told = until_closed(connection, 8)
        assert told is None or not told.startswith(b"HTTP/1.1 5")
    assert httpx2.get(f"{served.address}/healthz").status_code == 200


def test_a_long_stream_does_not_get_stuck(served, laid_out):
    with BenneClient(served.address, laid_out[1]) as client:
        got = sum(1 for _ in client.scores({"member_id": f"m-{k}", "purpose": "lending"} for k in range(3_000)))
    assert got == 3_000


def test_a_caller_who_sends_a_stream_and_reads_nothing_harms_nobody(served, laid_out):
    line = json.dumps({"member_id": "m", "purpose": "lending"}).encode() + b"\n"
    with served.connected() as connection:
        connection.sendall(
            f"POST /v1/scores:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {laid_out[1]}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(line) * 1_200_000}\r\n\r\n".encode()
        )
        connection.settimeout(3)
        with pytest.raises(TimeoutError):  # it is not taken in faster than its answers are read
            connection.sendall(line * 1_200_000)
        assert httpx2.get(f"{served.address}/readyz").status_code == 200


def test_a_stop_under_load_answers_what_is_under_way_and_loses_nothing(laid_out):
    home, shop, _ = laid_out
    server = Served(home)
    told: list[str] = []
    wrong: list[int] = []

    def ask():
        with httpx2.Client(base_url=server.address, headers=bearer(shop)) as client:
            while True:
                try:
                    got = client.post("/v1/scores", json=ASKED)
                except httpx2.TransportError:
                    return
                if got.status_code == 200:
                    told.append(got.json()["decision_id"])
                elif got.status_code != 503:
                    wrong.append(got.status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    started = time.monotonic()
    assert server.stop() in (0, -signal.SIGTERM)
    assert time.monotonic() - started < 15
    for thread in threads:
        thread.join()
    store = open_store(home / "benne.db")
    with store.read() as connection:
        decided = connection.exec_driver_sql("SELECT event_id FROM audit_records WHERE decision = 'granted'").scalars()
        assert set(told) <= set(decided.all())
    store.close()
    assert len(told) > 50
    assert wrong == []


def test_the_log_is_json_and_holds_nothing_of_anybody(served, laid_out):
    _, shop, members = laid_out
    httpx2.post(f"{served.address}/v1/scores", json=ASKED, headers=bearer(shop))
    httpx2.get(f"{served.address}/v1/members/member-1/report", headers=bearer(members["member-1"]))
    httpx2.get(f"{served.address}/v1/members/{'canary' * 3}/report?after=canary", headers=bearer("canary"))
    log = served.log
    for line in log.splitlines():
        if not line.startswith("Serving "):
            try:
                assert json.loads(line)["level"] in ("debug", "info", "warning", "error")
            except ValueError:
                raise AssertionError(line) from None
    for secret in (shop, *members.values(), "canary", "member-1"):
        assert secret not in log


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_workers_have_time_to_start_and_none_starts_where_nothing_can_be_served(running, monkeypatch):
    given = []
    monkeypatch.setattr(serving.uvicorn, "run", lambda *_, **options: given.append(options))
    monkeypatch.setattr(serving, "_log_as_json", lambda _: None)  # loggers are every test's
    monkeypatch.setenv("BENNE_HOME", "")
    settings = running.service.settings
    serving.serve(settings, workers=2)
    assert given[0]["workers"] == 2
    assert given[0]["timeout_worker_healthcheck"] >= 60, "imports on a busy machine take longer than uvicorn waits"
    with pytest.raises(KeyRingError, match="must be"):
        serving.serve(settings.model_copy(update={"keyring": settings.home / "nowhere.json"}), workers=2)
    assert len(given) == 1


@pytest.mark.slow
def test_two_workers_write_one_chain(laid_out):
    home, shop, _ = laid_out
    server = Served(home, "--workers", "2")
    told = []

    def ask(thread):
        for k in range(25):
            with httpx2.Client(base_url=server.address, headers=bearer(shop)) as client:  # each time either worker
                got = client.post("/v1/scores", json=ASKED | {"member_id": f"member-{(thread + k) % 4}"})
            told.append((got.status_code, got.json().get("decision_id")))

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    workers = subprocess.run(["pgrep", "-c", "-P", str(server.process.pid)], capture_output=True, text=True)
    assert int(workers.stdout) >= 2
    assert server.stop() in (0, -signal.SIGTERM)
    assert len(told) == 150
    assert {status for status, _ in told} <= {200, 403}  # a member of the four may be none of the service's
    store = open_store(home / "benne.db")
    with store.read() as connection:
        assert verify(connection).intact
        recorded = {row[0] for row in connection.exec_driver_sql("SELECT event_id FROM audit_records")}
    store.close()
    assert {decision for _, decision in told} <= recorded
    assert any(status == 200 for status, _ in told)
