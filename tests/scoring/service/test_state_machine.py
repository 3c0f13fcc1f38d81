"""Whatever members do, in whatever order, while recipients ask through two instances at once: consent holds.

Two services on one database stand for two processes; each has its clerks, its writer and its own connections.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from benne.features.categories import CATEGORIES
from benne.scoring import service_wiring
from benne.scoring.api.app import create_app
from benne.scoring.audit.chain import verify
from benne.scoring.housekeeping import tidy
from benne.scoring.laying_out import lay_out
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import DAY, TWO, Running, bearer

REQUIRED = frozenset(TWO)
WHERE = {"purpose": "lending", "recipient": "shop"}
MEMBERS = st.integers(0, 1)
SIDES = st.integers(0, 1)
SOME = st.sets(st.sampled_from(CATEGORIES), min_size=1)
REFUSED = {403, 409, 410}


class World:
    """Two instances on one database, a clock one can turn, and everything anybody was told."""

    def __init__(self, stack, home, turned):
        self.turned = turned
        self.sides = []
        for _ in range(2):
            service = open_service(read_settings(home, rate_per_second=0, access_cache_seconds=0))
            stack.callback(service.close)
            client = TestClient(create_app(service, close=False), raise_server_exceptions=False)
            self.sides.append((Running(service, ""), stack.enter_context(client)))
        self.running = self.sides[0][0]
        self.shop = self.running.register()
        self.numbers = itertools.count()
        self.told = {}
        self.counts = dict.fromkeys(("answered", "refused", "raced"), 0)

    def now(self):
        return datetime.now(UTC) + self.turned[0]

    def ask(self, side, member, key=None):
        headers = bearer(self.shop) | ({} if key is None else {"Idempotency-Key": key})
        asked = {"member_id": member, "purpose": "lending", "granularity": "exact"}
        got = self.sides[side][1].post("/v1/scores", json=asked, headers=headers)
        assert got.status_code == 200 or got.status_code in REFUSED, got.text
        self.told[got.json()["decision_id"]] = "granted" if got.status_code == 200 else "denied"
        self.counts["answered" if got.status_code == 200 else "refused"] += 1
        return got


class Members(RuleBasedStateMachine):
    """What is known of two members, and what may be answered about them."""

    def __init__(self, world):
        super().__init__()
        self.world = world

    @initialize()
    def two_nobody_has_heard_of(self):
        self.names = [f"member-{next(self.world.numbers)}" for _ in range(2)]
        self.keys = [self.world.running.member_key(name) for name in self.names]
        self.given = [frozenset(), frozenset()]
        self.until = [self.world.now()] * 2
        self.known = [frozenset(), frozenset()]
        self.known_at = [self.world.now() - 30 * DAY] * 2

    def standing(self, k):
        return self.given[k] if self.world.now() < self.until[k] else frozenset()

    @rule(k=MEMBERS, side=SIDES, chosen=SOME)
    def give(self, k, side, chosen):
        running, client = self.world.sides[side]
        offer = running.service.terms["lending"]
        choice = {"offer": "lending", "notice_hash": offer.notice.ref.hash, "categories": sorted(chosen),
                  "channel": "app", "method": "toggle_switched_on", "steps": 1}  # fmt: skip
        got = client.post("/v1/members/me/consents", json=choice, headers=bearer(self.keys[k]))
        assert got.status_code == 201, got.text
        self.given[k], self.until[k] = frozenset(chosen), self.world.now() + offer.terms.validity
        self.known[k] &= frozenset(chosen)

    @rule(k=MEMBERS, side=SIDES, some=st.none() | SOME)
    def withdraw(self, k, side, some):
        params = WHERE | ({} if some is None else {"category": sorted(some)})
        client = self.world.sides[side][1]
        got = client.delete("/v1/members/me/consents", params=params, headers=bearer(self.keys[k]))
        assert got.status_code == 200, got.text
        ended = frozenset(CATEGORIES if some is None else some)
        assert set(got.json()["ended"]) == ended & self.standing(k)
        self.known[k] -= ended
        self.given[k] -= ended

    @rule(k=MEMBERS)
    def features_are_built(self, k):
        standing = self.standing(k)
        if standing:
            self.world.running.know(self.names[k], categories=tuple(standing))
            self.known[k], self.known_at[k] = standing, self.world.now()

    @rule(days=st.sampled_from([1, 5, 8, 200, 400]))
    def time_passes(self, days):
        self.world.turned[0] += timedelta(days=days)

    @rule(k=MEMBERS, side=SIDES)
    def erase_and_return(self, k, side):
        client = self.world.sides[side][1]
        assert client.delete("/v1/members/me", headers=bearer(self.keys[k])).status_code == 202
        assert client.get("/v1/members/me/report", headers=bearer(self.keys[k])).status_code == 401
        assert self.world.ask(1 - side, self.names[k]).status_code in REFUSED
        tidy(self.world.sides[side][0].service, compacting=True)
        self.given[k] = self.known[k] = frozenset()
        self.keys[k] = self.world.running.member_key(self.names[k])

    @rule(k=MEMBERS, side=SIDES, again=st.booleans())
    def ask(self, k, side, again):
        got = self.world.ask(side, self.names[k], key=self.names[k] if again else None)
        standing = self.standing(k)
        if got.status_code == 200:
            assert set(got.json()["categories"]) <= standing
            assert got.json()["score"] is not None
        fresh = self.world.now() - self.known_at[k] < 6 * DAY
        if standing >= REQUIRED and self.known[k] >= REQUIRED and fresh and not again:
            assert got.status_code == 200, got.text

    @rule(k=MEMBERS, side=SIDES, chosen=SOME)
    def be_scored(self, k, side, chosen):
        self.give(k, side, REQUIRED | chosen)
        self.features_are_built(k)
        got = self.world.ask(1 - side, self.names[k])
        assert got.status_code == 200, got.text
        assert set(got.json()["categories"]) == REQUIRED | chosen

    @rule(k=MEMBERS, side=SIDES, some=st.none() | SOME, chosen=SOME)
    def withdraw_while_others_ask(self, k, side, some, chosen):
        """No request that begins once the withdrawal is acknowledged may use what was withdrawn."""
        self.be_scored(k, side, chosen)
        acknowledged, stop, wrong = threading.Event(), threading.Event(), []
        ended = frozenset(CATEGORIES if some is None else some)

        def keep_asking(side):
            while not stop.is_set():
                late = acknowledged.is_set()
                got = self.world.ask(side, self.names[k])
                if late and got.status_code == 200 and ended & set(got.json()["categories"]):
                    wrong.append(got.json())

        threads = [threading.Thread(target=keep_asking, args=(n % 2,)) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.03)
            self.withdraw(k, side, some)
            acknowledged.set()
            self.world.ask(0, self.names[k])
            self.world.ask(1, self.names[k])
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.world.counts["raced"] += 1
        assert wrong == []

    def teardown(self):
        running = self.world.running
        with running.service.store.read() as connection:
            assert verify(connection).intact
            on_record = dict(connection.exec_driver_sql(
                "SELECT event_id, decision FROM audit_records WHERE decision IS NOT NULL").all())  # fmt: skip
        assert self.world.told.items() <= on_record.items()


@pytest.fixture
def world(tmp_path, model_folder, verdicts, terms_folder, database, monkeypatch):
    turned = [timedelta(0)]
    monkeypatch.setattr(service_wiring, "system_clock", lambda: datetime.now(UTC) + turned[0])
    address = str(database())
    home = lay_out(
        tmp_path / "service", model_folder, validated_in=verdicts, terms=terms_folder,
        database=address if "://" in address else None,
    ).home  # fmt: skip
    with ExitStack() as stack:
        yield World(stack, home, turned)


def walk(world, examples, steps):
    rules = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(lambda: Members(world), settings=rules)


def test_a_sample_of_what_members_do(world):
    walk(world, 8, 15)
    assert world.counts["answered"] > 50
    assert world.counts["refused"] > 50
    assert world.counts["raced"] > 5


@pytest.mark.slow
def test_much_of_what_members_do(world):
    walk(world, 120, 40)
    assert world.counts["answered"] > 200
    assert world.counts["raced"] > 200
