"""Where an identity provider's keys come from: from safe places, with limits on how much and how long."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benne.errors import CredentialError
from benne.scoring.access import JwksFile, JwksUrl
from benne.scoring.wiring import system_clock

JWKS = {"keys": [{"kty": "OKP", "kid": "a"}]}


class Server(ThreadingHTTPServer):
    """Answers each path in its own way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Whoever hangs up on a slow answer is right to."""


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/jwks")
            self.end_headers()
            return
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        for piece in self.pieces():
            self.wfile.write(piece)
            self.wfile.flush()

    def pieces(self) -> Iterator[bytes]:
        if self.path == "/jwks":
            yield json.dumps(JWKS).encode()
        elif self.path == "/large":
            yield from (b" " * 65536 for _ in range(8))
        elif self.path == "/drip":
            for _ in range(100):
                yield b" "
                time.sleep(0.05)
        elif self.path == "/silent":
            time.sleep(2)
        else:
            yield b"<html>"

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.address
    server.shutdown()
    server.server_close()


def fetch(url: str, seconds: float = 5.0) -> dict:
    return JwksUrl(url, clock=system_clock, timeout=timedelta(seconds=seconds)).fetch()


def test_a_jwk_set_is_read_from_an_address_on_this_machine(address):
    assert fetch(f"{address}/jwks") == JWKS


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/redirect", "got status 302"),
        ("/broken", "got status 500"),
        ("/html", "must hold a JWK set, got something else"),
        ("/large", "must be at most 262,144 bytes, got more"),
    ],
)
def test_what_is_no_jwk_set_or_too_large_is_refused(address, path, told):
    with pytest.raises(CredentialError, match=told):
        fetch(address + path)


@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_whoever_takes_too_long_is_given_up_even_if_a_byte_comes_now_and_then(address, path):
    began = time.monotonic()
    with pytest.raises(CredentialError, match="must answer with a JWK set, got TimeoutError"):
        fetch(address + path, seconds=0.3)
    assert time.monotonic() - began < 1.5


def test_no_proxy_stands_between_benne_and_this_machine(address, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert fetch(f"{address}/jwks") == JWKS


def test_nobody_there_is_an_error_of_ours():
    with pytest.raises(CredentialError, match="got ConnectionRefusedError"):
        fetch("http://127.0.0.1:9/jwks", seconds=1)


@pytest.mark.parametrize(
    "url",
    ["http://id.example/jwks", "file:///etc/passwd", "ftp://id.example/", "https://", "jwks.json", "", "http://[::1",
     "http://127.0.0.1.id.example/", "http://localhost@id.example/"],
)  # fmt: skip
def test_an_address_that_somebody_on_the_way_could_change_is_refused(url):
    with pytest.raises(CredentialError, match="must be https, or http on this machine"):
        JwksUrl(url, clock=system_clock)


def test_a_jwk_set_is_read_from_a_file_as_it_is_then(tmp_path):
    path = tmp_path / "idp.jwks"
    path.write_text(json.dumps(JWKS))
    source = JwksFile(path)
    assert source.fetch() == JWKS
    path.write_text('{"keys": []}')
    assert source.fetch() == {"keys": []}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": 3}', "[" * 100_000])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "x").write_text(content)
    with pytest.raises(CredentialError, match="must hold a JWK set, got something else"):
        JwksFile(tmp_path / "x").fetch()


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path):
    with pytest.raises(CredentialError, match="got no file that can be read"):
        JwksFile(tmp_path / "none").fetch()
    (tmp_path / "large").write_text(" " * 300_000)
    with pytest.raises(CredentialError, match="must be at most 262,144 bytes"):
        JwksFile(tmp_path / "large").fetch()
