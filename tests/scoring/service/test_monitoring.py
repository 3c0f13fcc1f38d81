"""A service that watches itself: counts of what it answers, a route, gauges, alerts sent on; nothing of any member."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from benne.errors import MonitoringError, StoreError
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import file_document
from benne.scoring.housekeeping import tidy
from benne.scoring.monitoring.live import LiveMonitoring
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.monitoring.live_watch import ANSWERS, PD, SCORE
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.store.database import open_store
from benne.scoring.wiring import random_id
from tests.scoring.monitoring.conftest import scored_pass
from tests.scoring.service.conftest import Running, bearer

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def ask(client: TestClient, key: str, member: str = "anna", **more: Any) -> Any:
    body = {"member_id": member, "purpose": "lending", **more}
    return client.post("/v1/scores", headers=bearer(key), json=body)


def counted(running: Running) -> dict[tuple[str, int], int]:
    running.service.monitoring.gather()
    return {(row["name"], row["cell"]): row["n"] for row in running.rows("live_counts")}


def yesterday(running: Running, n: int) -> None:
    """As many answers, all in the lowest bin of scores, the day before."""
    served = running.service.models.current
    counts = LiveCounts(running.service.store, lambda: running.service.clock() - timedelta(days=1))
    for name, amount in ((SCORE, 0.0), (ANSWERS, 0.0), (PD, 0.05 * n)):
        counts.add_cells(served.model_id, name, np.array([0]), np.array([n]), np.array([amount]))
    counts.flush()


def test_answers_and_refusals_are_counted_on_either_database(running: Running, client: TestClient) -> None:
    key = running.register()
    running.grant("anna", ("credit_history", "behaviour", "ability"))
    running.know("anna", 0.0, ("credit_history", "behaviour", "ability"))
    assert ask(client, key).status_code == 200
    assert ask(client, key, "berta").status_code == 403
    found = counted(running)
    assert (found["answers", 0], found["answers", 1], found["refused.consent-required", 0]) == (1, 1, 1)
    features = {name for name, _ in found if name.startswith("feature.")}
    assert features == {"feature.x_credit_history", "feature.x_behaviour", "feature.x_ability"}
    assert found["pattern", 8 + 16] == 1


@on_sqlite
def test_how_the_model_does_is_told_to_whoever_governs_it(running: Running, client: TestClient) -> None:
    yesterday(running, 60)
    for role in ("compliance", "admin", "data_scientist"):
        sent = client.get("/v1/monitoring", headers=bearer(running.key(role)))
        assert sent.status_code == 200
        told = sent.json()
        assert told["model"]["model_id"] == running.service.models.current.model_id
        assert told["measures"]["live.mean_pd"] == {
            "value": 0.05, "low": None, "high": None, "n": 60, "state": "measured", "note": "",
        }  # fmt: skip
    assert client.get("/v1/monitoring", headers=bearer(running.register())).status_code == 403
    verdict = client.get("/v1/models/current/filings", headers=bearer(running.key("data_scientist"))).json()["filings"]
    assert [(one["kind"], one["whole"], one["filed_by"]) for one in verdict] == [("verdict", True, "bob")]


@on_sqlite
def test_gauges_are_told_once_they_rest_on_enough(running: Running, client: TestClient) -> None:
    yesterday(running, 49)
    running.service.monitoring.evaluate()
    assert "\nbenne_score_psi " not in client.get("/metrics").text
    yesterday(running, 11)
    running.service.monitoring.evaluate()
    text = client.get("/metrics").text
    psi = float(text.split("\nbenne_score_psi ", 1)[1].split("\n", 1)[0])
    assert psi > 0.25
    assert "\nbenne_refused_share 0.0\n" in text
    assert "\nbenne_overturned_share " not in text
    assert "\nbenne_alerts_open 1.0\n" in text


@on_sqlite
def test_what_was_counted_is_kept_when_a_service_ends(running: Running, client: TestClient) -> None:
    key = running.register()
    running.grant("anna")
    running.know("anna")
    ask(client, key)
    settings = running.service.settings
    running.service.close()
    store = open_store(settings.database_address)
    with store.read() as connection:
        kept = LiveCounts.read(connection, running.service.models.current.model_id, names=(PD,))
    store.close()
    assert kept["n"].tolist() == [1]


@on_sqlite
def test_a_store_that_fails_spoils_no_answer_and_loses_no_count(running: Running, client: TestClient) -> None:
    key = running.register()
    running.grant("anna")
    running.know("anna")
    with running.service.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE live_counts RENAME TO elsewhere")
    assert ask(client, key).status_code == 200
    with pytest.raises(StoreError, match="The store must be reachable"):
        running.service.monitoring.gather()
    assert ask(client, key).status_code == 200
    with running.service.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO live_counts")
    assert counted(running)["answers", 0] == 2


@on_sqlite
def test_a_watch_that_fails_spoils_no_answer(
    running: Running, client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = running.register()
    running.grant("anna")
    running.know("anna")

    def fail(*_: object) -> None:
        raise ZeroDivisionError("anna has 17 obligations")

    monkeypatch.setattr(running.service.monitoring.watch, "_see", fail)
    assert ask(client, key).status_code == 200
    assert "an observer of decisions failed: ZeroDivisionError" in caplog.text
    assert "obligations" not in caplog.text


@on_sqlite
def test_old_counts_are_deleted_by_housekeeping(running: Running) -> None:
    long_ago = running.service.clock() - timedelta(days=401)
    counts = LiveCounts(running.service.store, lambda: long_ago)
    counts.add("benne/1", PD, 0)
    counts.flush()
    tidy(running.service, compacting=False)
    assert running.rows("live_counts") == []


def file_monitoring(running: Running, measures: dict[str, Any], config_hash: str | None = None) -> str:
    served = running.service.models.current
    content = {
        "format": 1, "kind": "monitoring", "made_at": "2026-11-01T00:00:00+00:00", "by": "ada", "tables": {},
        "model": {"model_id": served.model_id, "config_hash": config_hash or served.config_hash},
        "measures": measures, "notes": [],
    }  # fmt: skip
    actor = Actor("ada", "data_scientist")
    work = file_document(content, actor=actor, event_id=random_id(), policy_version="test")
    return running.service.group.submit(work).result.document_id


def measure(value: float | None, n: int = 400, note: str = "in 2026-10") -> dict[str, Any]:
    state = "INSUFFICIENT" if value is None else "measured"
    return {"value": value, "low": None, "high": None, "n": n, "state": state, "note": note}


@on_sqlite
def test_figures_of_the_newest_document_on_file_are_told_with_their_date(running: Running, client: TestClient) -> None:
    text = client.get("/metrics").text
    assert "\nbenne_monitoring_filed{" not in text
    assert "\nbenne_monitoring_filed_age_seconds " not in text
    file_monitoring(running, {"monitoring.auc": measure(0.5)})
    newest = file_monitoring(
        running,
        {
            "monitoring.auc": measure(0.71), "monitoring.bad_rate": measure(0.056),
            "monitoring.calibration_slope": measure(None), "monitoring.alarms": {"value": True, "n": "many", "note": 3},
            "monitoring.of_one_member": measure(1.0),
        },
    )  # fmt: skip
    file_monitoring(running, {"monitoring.auc": measure(0.9)}, config_hash="cd" * 32)  # of another model
    told = client.get("/v1/monitoring", headers=bearer(running.key("data_scientist"))).json()["filed"]
    assert (told["document_id"], told["made_at"]) == (newest, "2026-11-01T00:00:00+00:00")
    assert {name: one["value"] for name, one in told["measures"].items()} == {
        "monitoring.auc": 0.71, "monitoring.bad_rate": 0.056, "monitoring.calibration_slope": None,
        "monitoring.alarms": None,
    }  # fmt: skip
    assert told["measures"]["monitoring.alarms"] == measure(None) | {"n": None, "note": ""}
    running.service.monitoring.evaluate()
    text = client.get("/metrics").text
    assert '\nbenne_monitoring_filed{measure="auc"} 0.71\n' in text
    assert '\nbenne_monitoring_filed{measure="bad_rate"} 0.056\n' in text
    assert text.count("\nbenne_monitoring_filed{") == 2
    age = float(text.split("\nbenne_monitoring_filed_age_seconds ", 1)[1].split("\n", 1)[0])
    assert 0.0 <= age < 60.0


@on_sqlite
def test_figures_of_a_document_that_was_changed_are_not_told(
    running: Running, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    file_monitoring(running, {"monitoring.auc": measure(0.71)})
    with running.service.store.write() as connection:
        for name in (
            connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'model_documents'"
            )
            .scalars()
            .all()
        ):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE model_documents SET content = replace(content, '0.71', '0.99')")
    running.service.monitoring.evaluate()
    assert "benne_monitoring_filed{" not in client.get("/metrics").text
    assert client.get("/v1/monitoring", headers=bearer(running.key("admin"))).json()["filed"] is None
    assert "must be the one on record in the audit chain" in caplog.text


@on_sqlite
def test_somebody_is_warned_where_no_monitoring_was_filed_for_longer_than_is_allowed(running: Running) -> None:
    service, start = running.service, running.service.clock()

    def raised(days: float) -> list[str]:
        parts = replace(service.monitoring._parts, clock=lambda: start + timedelta(days=days))
        return [one.message for one in LiveMonitoring(parts).evaluate() if one.name == "monitoring.not_filed"]

    assert raised(44.9) == []
    assert raised(46.0) == [
        "monitoring.not_filed: no monitoring of this model was filed for 46 days, which is more than 45. "
        "Run benne monitor with outcomes and --store."
    ]  # since its promotion
    never = replace(service.monitoring._parts, clock=lambda: start + timedelta(days=400), filed_within=0)
    assert "monitoring.not_filed" not in {one.name for one in LiveMonitoring(never).evaluate()}


@on_sqlite
def test_the_days_are_those_of_the_settings(running: Running) -> None:
    service = open_service(read_settings(running.service.settings.home, monitoring_days=7))
    assert service.monitoring._parts.filed_within == 7
    service.close()


class Hook(BaseHTTPRequestHandler):
    """Takes what is posted."""

    received: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    Hook.received = []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@on_sqlite
def test_alerts_are_sent_to_the_address_of_the_settings_without_any_member(running: Running, hook: HTTPServer) -> None:
    address = f"http://127.0.0.1:{hook.server_port}/alerts"
    service = open_service(read_settings(running.service.settings.home, alert_webhook=address))
    served = service.models.current
    service.monitoring.watch(scored_pass(served, [(9.0,) * 5] * 200, score=420.0, band="poor"))
    raised = service.monitoring.evaluate()
    assert service.monitoring.evaluate() == []
    service.close()
    assert len(Hook.received) == 1
    sent = Hook.received[0]
    assert sent["model_id"] == served.model_id
    assert {one["name"] for one in sent["alerts"]} == {one.name for one in raised} >= {"score.psi"}
    assert set(sent["alerts"][0]) == {"name", "severity", "value", "threshold", "message", "period"}


@on_sqlite
def test_an_address_that_anybody_can_listen_to_is_refused_at_the_start(running: Running) -> None:
    settings = read_settings(running.service.settings.home, alert_webhook="http://pager.example/secret-path")
    with pytest.raises(MonitoringError, match="must be https, or http to this machine") as refused:
        open_service(settings)
    assert "secret-path" not in str(refused.value)
    assert "secret-path" not in repr(settings)


@on_sqlite
def test_limits_are_those_of_the_file_that_the_settings_name(running: Running) -> None:
    home = running.service.settings.home
    (home / "limits.toml").write_text("format = 1\n[limits.psi]\nwarning = 8.0\nalarm = 9.0\n")
    changed = open_service(read_settings(home, thresholds="limits.toml"))
    for service in (running.service, changed):
        service.monitoring.watch(scored_pass(service.models.current, [(9.0,) * 5] * 200, score=420.0, band="poor"))
    named = {one.name for one in changed.monitoring.evaluate()}
    changed.close()
    by_default = {one.name for one in running.service.monitoring.evaluate()}
    assert not any("psi" in name for name in named)
    assert "score.psi" in by_default


@on_sqlite
@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, "must be a TOML file, got none that can be read"),
        ("format = 1\n[limits.psy]\nwarning = 0.1\n", "must be of known checks, got 'psy'"),
        ("format = 1\n[limits.psi]\nwarning = nan\n", "must warn before it alarms, got nan"),
        ("format = 1\n[limits.psi]\nwarning = 0.3\n", "must warn before it alarms, got 0.3 and 0.25"),
    ],
)
def test_limits_that_are_wrong_keep_the_service_from_starting(running: Running, text: str | None, match: str) -> None:
    home = running.service.settings.home
    if text is not None:
        (home / "limits.toml").write_text(text)
    with pytest.raises(MonitoringError, match=match):
        open_service(read_settings(home, thresholds="limits.toml"))
