"""What goes wrong around the service: each time a typed refusal, nothing lost, and nobody else harmed."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fastapi.testclient import TestClient

from benne.errors import BenneError, ModelDirectoryError, NotValidated
from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.scoring import housekeeping
from benne.scoring.api.app import create_app
from benne.scoring.audit.chain import verify
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.promotion import promote
from benne.scoring.decisions.request import Actor, ScoreRequest
from benne.scoring.housekeeping import follow_promotion
from benne.scoring.policy import Asked
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.wiring import random_id
from tests.scoring.service.conftest import TWO, bearer
from tests.scoring.validated import validated, validated_bare

ASKED = {"member_id": "anna", "purpose": "lending", "granularity": "exact"}
WHERE = {"purpose": "lending", "recipient": "shop"}


def ask(client, key, **changes):
    return client.post("/v1/scores", json={**ASKED, **changes}, headers=bearer(key))


def stream(client, key, members):
    lines = "\n".join(json.dumps({**ASKED, "member_id": member}) for member in members)
    headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
    return [
        json.loads(line)
        for line in client.post("/v1/scores:batch", content=lines, headers=headers).text.split("\n")
        if line
    ]


def damage(running, member):
    with running.service.store.write() as connection:
        statement = "UPDATE member_payloads SET ciphertext = ? WHERE subject_id = ?"
        if connection.dialect.name == "postgresql":
            statement = statement.replace("?", "%s")
        changed = connection.exec_driver_sql(statement, (b"\x00" * 200, running.member(member)))
        assert changed.rowcount


# ------------------------------------------------------------------ one member's data are damaged


def test_a_damaged_vector_harms_its_own_member_only(running, client, three):
    damage(running, "berta")
    got = stream(client, three, ["anna", "berta", "carla"])
    assert [next(iter(one)) for one in got] == ["answer", "problem", "answer"], got
    assert got[1]["problem"]["type"] == "/problems/features-missing"
    alone = ask(client, three, member_id="berta")
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/features-missing")
    row = running.rows("audit_records")[-1]
    assert (row["event_id"], row["deny_reason"]) == (alone.json()["decision_id"], "features-missing")


def test_features_of_another_layout_harm_their_own_member_only(running, client, three):
    now = datetime.now(UTC)
    odd = FeatureVector(running.member("berta"), now, ("x_other",), np.array([1.0]), dict.fromkeys(CATEGORIES, True))
    with running.service.store.write() as connection:
        running.service.vectors.keep(connection, [odd], now_us=int(now.timestamp() * 1e6), **WHERE)
    got = stream(client, three, ["anna", "berta", "carla"])
    assert [next(iter(one)) for one in got] == ["answer", "problem", "answer"], got
    assert got[1]["problem"]["type"] == "/problems/features-stale"


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_a_value_that_is_no_number_harms_its_own_member_only(running, client, three, value):
    running.know("berta", value)
    got = stream(client, three, ["anna", "berta", "carla"])
    assert next(iter(got[0])) == next(iter(got[2])) == "answer"
    if not np.isfinite(value):
        assert got[1]["problem"]["type"] == "/problems/value-not-scorable"


def test_a_member_whose_vector_is_damaged_can_withdraw_all_the_same(running, client, three):
    damage(running, "anna")
    anna = bearer(running.member_key("anna"))
    part = client.delete("/v1/members/me/consents", params={**WHERE, "category": "social"}, headers=anna)
    assert (part.status_code, part.json()) == (200, {"ended": ["social"]})
    ended = client.delete("/v1/members/me/consents", params=WHERE, headers=anna)
    assert ended.status_code == 200
    assert ask(client, three).json()["type"] == "/problems/consent-withdrawn"
    assert client.delete("/v1/members/me", headers=anna).status_code == 202


def test_a_member_whose_decision_is_damaged_still_sees_the_rest(running, client, three):
    ask(client, three)
    damage(running, "anna")
    anna = bearer(running.member_key("anna"))
    for what in ("report", "export", "history"):
        seen = client.get(f"/v1/members/me/{what}", headers=anna)
        assert seen.status_code < 500, (what, seen.text)
    assert client.get("/v1/members/me/explanation", headers=anna).status_code == 404


def test_choosing_fewer_categories_lets_go_of_what_was_computed_of_the_others(running, client, three):
    anna = bearer(running.member_key("anna"))
    offers = {one["offer"]: one for one in client.get("/v1/consent-offers", headers=anna).json()}
    choice = {
        "offer": "lending", "notice_hash": offers["lending"]["notice_hash"], "categories": list(TWO),
        "channel": "app", "method": "toggle_switched_on", "steps": 1,
    }  # fmt: skip
    assert client.post("/v1/members/me/consents", json=choice, headers=anna).status_code == 201
    choice["categories"] = list(CATEGORIES)
    assert client.post("/v1/members/me/consents", json=choice, headers=anna).status_code == 201
    assert ask(client, three).json()["categories"] == list(TWO)


def test_the_chain_is_whole_after_all_that(running, client, three):
    damage(running, "berta")
    stream(client, three, ["anna", "berta"] * 5)
    with running.service.store.read() as connection:
        assert verify(connection).intact


# ------------------------------------------------------------------ the model


def test_a_champion_that_fails_a_later_validation_goes_on_serving_and_cannot_be_promoted_again(running, caplog):
    service = running.service
    served = service.models.current
    validated(service.store, service.group, (served.model_id, served.config_hash), state="failed")
    again = open_service(service.settings)
    try:
        assert again.models.current.config_hash == served.config_hash
    finally:
        again.close()
    assert "has failed its newest validation" in caplog.text
    with pytest.raises(NotValidated, match="a verdict that failed"):
        service.group.submit(promote(served, Actor("ops", "admin"), event_id=random_id(), policy_version="test"))


def test_a_champion_of_which_somebody_validates_a_bare_copy_has_failed_nothing(running, caplog):
    service = running.service
    served = service.models.current
    validated_bare(service.store, service.group, (served.model_id, served.config_hash))
    open_service(service.settings).close()
    assert "newest validation" not in caplog.text
    service.group.submit(promote(served, Actor("ops", "admin"), event_id=random_id(), policy_version="test"))


def test_a_damaged_model_that_was_promoted_does_not_serve_and_the_old_one_does(running, client, three, another_model):
    before = ask(client, three).json()["model_id"]
    service = running.service
    shelf = type(service.shelf)(service.settings.path("models"))
    served = shelf.put(another_model)
    validated(service.store, service.group, another_model)
    service.group.submit(promote(served, Actor("ops", "admin"), event_id=random_id(), policy_version="test"))
    folder = service.settings.path("models") / served.model_id.removeprefix("benne/")
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != "manifest.json":
            whole = file.read_bytes()
            file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            with pytest.raises(ModelDirectoryError, match="model"):
                follow_promotion(service)
            file.write_bytes(whole)
    moved = folder.with_name("elsewhere")
    shutil.move(folder, moved)
    with pytest.raises(ModelDirectoryError, match="model"):
        follow_promotion(service)
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "the one before it serves" in ready.json()["status"]
    assert ask(client, three).json()["model_id"] == before
    shutil.move(moved, folder)
    assert follow_promotion(service)
    assert client.get("/readyz").json() == {"status": "ready"}
    assert ask(client, three).json()["model_id"] == served.model_id


def test_housekeeping_goes_on_after_whatever_went_wrong(running, monkeypatch):
    tried, again = [], threading.Event()

    def fails(_):
        tried.append(1)
        if len(tried) == 3:
            again.set()
        raise OSError("disk full")

    monkeypatch.setattr(housekeeping, "follow_promotion", fails)
    monkeypatch.setattr(housekeeping, "_PROMOTION_EVERY", timedelta(milliseconds=5))
    keeper = housekeeping.Housekeeper(running.service)
    keeper.start()
    assert again.wait(10)
    keeper.stop()


# ------------------------------------------------------------------ the clock


def test_a_clock_that_runs_backwards_opens_nothing(running, client, three):
    """Withdrawn a moment ago by the clock of another instance, which is ahead of this one's."""
    asked = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
    request = ScoreRequest(
        subject_id=running.member("anna"), asked=asked, actor=Actor("key:1", "recipient"),
        registered_for=frozenset({"lending"}),
    )  # fmt: skip
    anna = bearer(running.member_key("anna"))
    assert client.delete("/v1/members/me/consents", params=WHERE, headers=anna).status_code == 200
    parts = running.service.maker._parts
    for behind in (timedelta(milliseconds=300), timedelta(seconds=30), timedelta(days=3)):
        maker = DecisionMaker(replace(parts, clock=lambda behind=behind: parts.clock() - behind))
        (answer,) = maker.decide([request])
        assert answer.reason == "consent-withdrawn", behind
    times = [row["time_us"] for row in running.rows("audit_records")]
    assert times == sorted(times)


# ------------------------------------------------------------------ too much at once


def test_a_desk_that_is_full_sends_away_at_once_and_records_nothing_twice(running, three, monkeypatch):
    desk, entered, go = running.service.desk, threading.Semaphore(0), threading.Event()
    honest = desk._answer

    def slow(questions):
        entered.release()
        go.wait(20)
        return honest(questions)

    monkeypatch.setattr(desk, "_answer", slow)
    monkeypatch.setattr(desk, "_most_waiting", 3)
    monkeypatch.setattr(desk, "_most_at_once", 1)  # two clerks hold one question each, three wait: seven are refused
    before = len([row for row in running.rows("audit_records") if row["decision"]])
    with TestClient(create_app(running.service, close=False)) as client, ThreadPoolExecutor(12) as together:
        asking = [together.submit(ask, client, three) for _ in range(2)]
        assert entered.acquire(timeout=10)
        assert entered.acquire(timeout=10)
        asking += [together.submit(ask, client, three) for _ in range(10)]
        until = time.monotonic() + 30
        while len(wait(asking, timeout=0.1).done) < 7:
            assert time.monotonic() < until
        go.set()
        got = [one.result(20) for one in asking]
    assert sorted(one.status_code for one in got) == [200] * 5 + [503] * 7
    assert all(one.headers["Retry-After"] == "1" for one in got if one.status_code == 503)
    decided = [row for row in running.rows("audit_records") if row["decision"]]
    assert len(decided) - before == sum(one.status_code == 200 for one in got)


def test_a_request_that_takes_too_long_is_given_up_and_others_go_on(running, three, monkeypatch):
    go, honest = threading.Event(), running.service.desk._answer
    monkeypatch.setattr(running.service.desk, "_answer", lambda asked: go.wait(20) and honest(asked))
    object.__setattr__(running.service.settings, "timeout_seconds", 0.2)
    with TestClient(create_app(running.service, close=False)) as client:
        late = ask(client, three)
        assert (late.status_code, late.json()["type"]) == (503, "/problems/unavailable")
        go.set()
        object.__setattr__(running.service.settings, "timeout_seconds", 10.0)
        assert ask(client, three).status_code == 200
    with running.service.store.read() as connection:
        assert verify(connection).intact


# ------------------------------------------------------------------ parts that are damaged at the start


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keyring.json", b"{}"), ("keyring.json", b"\x00\xff"), ("subject.key", b"short"), ("signing.key", b"-----"),
        ("proof-keys.json", b"[]"), ("policies.toml", b"= ="), ("policies.toml", b"version = 7"),
        ("terms/lending.toml", b"purpose = 1"), ("benne.toml", b"port = 'x'"), ("benne.toml", b"\xff"),
        ("benne.toml", b"unheard_of = 1"), ("keyring.json", None), ("subject.key", None), ("policies.toml", None),
        ("signing.key", None), ("proof-keys.json", None),
    ],
)  # fmt: skip
def test_a_part_that_is_damaged_or_missing_is_an_error_that_names_it(running, name, content):
    home = running.service.settings.home
    if content is None:
        (home / name).unlink()
    else:
        (home / name).write_bytes(content)
    before = {thread.name for thread in threading.enumerate()}
    with pytest.raises(BenneError, match="must"):
        open_service(read_settings(home)).proof_keys.keys()
    assert {thread.name for thread in threading.enumerate()} == before
