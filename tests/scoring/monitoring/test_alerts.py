"""Who is told of what has moved: log lines, one document by POST, and never a member."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from benne.errors import MonitoringError
from benne.scoring.monitoring.alerts import Alert, LogSink, WebhookSink

SHIFT = Alert(name="psi.income", severity="alarm", value=0.31, threshold=0.25, message="It moved.", period="2026-03")
FEW = Alert(name="thin", severity="warning", value=0.06, threshold=0.05, message="Thin.", period="2026-03")


class Pager(HTTPServer):
    """Answers with the given statuses one after the other, and keeps what it was sent."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses, self.received = statuses, []
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status = self.server.statuses[len(self.server.received) - 1]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def pager() -> Iterator[object]:
    opened = []

    def answering(*statuses: int) -> Pager:
        opened.append(Pager(list(statuses)))
        return opened[-1]

    yield answering
    for one in opened:
        one.shutdown()
        one.server_close()


def test_alarms_are_errors_of_the_log_and_warnings_warnings(caplog):
    with caplog.at_level(logging.WARNING):
        assert LogSink().send([SHIFT, FEW], "benne/0123")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert caplog.records[0].getMessage() == "alarm of benne/0123 in 2026-03: It moved."


def test_a_webhook_gets_all_alerts_in_one_document(pager):
    to = pager(200)
    assert WebhookSink(to.url).send([SHIFT, FEW], "benne/0123")
    assert to.received == [{"format": 1, "model_id": "benne/0123", "alerts": [SHIFT.as_dict(), FEW.as_dict()]}]
    assert to.received[0]["alerts"][0]["value"] == 0.31


def test_nothing_is_sent_where_there_is_nothing_to_tell(pager):
    to = pager()
    assert WebhookSink(to.url).send([], "benne/0123")
    assert to.received == []


def test_a_server_that_is_down_for_a_moment_is_tried_again_with_longer_pauses(pager):
    to, pauses = pager(503, 500, 204), []
    assert WebhookSink(to.url, pause=pauses.append).send([SHIFT], "benne/0123")
    assert (len(to.received), pauses) == (3, [0.5, 1.0])


@pytest.mark.parametrize(("statuses", "tries"), [((500, 500, 500), 3), ((404,), 1), ((302,), 1)])
def test_what_cannot_be_sent_is_in_the_log_without_the_address_s_secrets(pager, caplog, statuses, tries):
    to = pager(*statuses)
    with caplog.at_level(logging.ERROR):
        assert not WebhookSink(to.url, pause=lambda _: None).send([SHIFT], "benne/0123")
    assert len(to.received) == tries
    assert f"1 alerts of benne/0123 could not be sent to 127.0.0.1: status {statuses[-1]}." in caplog.text
    assert "secret" not in caplog.text


def test_nobody_who_listens_is_a_failure_that_does_not_raise():
    assert not WebhookSink("http://127.0.0.1:9/hook", timeout=0.2, pause=lambda _: None).send([SHIFT], "benne/0123")


@pytest.mark.parametrize(
    "url", ["http://pager.example/hook", "ftp://pager.example", "file:///etc/passwd", "pager", "https://", "http://[x"]
)
def test_only_https_or_this_machine_is_an_address(url):
    with pytest.raises(MonitoringError, match="A webhook must be"):
        WebhookSink(url)


def test_https_and_this_machine_are():
    for url in ("https://pager.example/hook", "http://localhost:8080", "http://[::1]:80/x"):
        WebhookSink(url)
