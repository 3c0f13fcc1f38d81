"""A small simulated platform with a model of its real features, served on this machine."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from benne.experiments.demo.serving import ServedPlatform, lay_out_with_members, served_platform
from benne.experiments.labelling import label_rows
from benne.experiments.simulator import simulate
from benne.experiments.training import train_model
from benne.features import ConsentMask, SubjectKey, build_features, ingest
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.access.administration import Administration
from benne.scoring.access.api_keys import ApiKeys
from benne.scoring.access.principal import Principal
from benne.scoring.api.app import create_app
from benne.scoring.decisions.request import Actor
from benne.scoring.members.consenting import Choice
from benne.scoring.members.recording import Doing
from benne.scoring.service import Service
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.wiring import system_clock
from tests.scoring.validated import verdicts_for

__all__ = ["Site", "served_site"]


@dataclass
class Site:
    """A platform that is served, and keys to its pages."""

    address: str
    service: Service
    shown: ServedPlatform

    def key(self, role: Any, member_id: str | None = None) -> str:
        office = Administration(Principal(id="ops", role="admin"), self.service.ids, self.service.policies.version)
        bound = {} if member_id is None else {"subject_id": self.service.subject_of(member_id)}
        return self.service.group.submit(office.new_key(ApiKeys(secrets.token_bytes), role, **bound)).result.text

    def consent(self, member_id: str, offer: str = "own_report") -> None:
        """What a member would switch on for themselves."""
        offered, subject_id = self.service.terms[offer], self.service.subject_of(member_id)
        choice = Choice(
            offer=offer, notice_hash=offered.notice.ref.hash, channel="app", method="toggle_switched_on", steps=1,
            categories=("credit_history", "behaviour", "ability", "personal_information", "social"),
        )  # fmt: skip
        self.service.consenting.give(subject_id, choice, Doing(Actor("key:1", "member")))


@contextmanager
def served_site(folder: Path) -> Iterator[Site]:
    """Lay a platform out in a folder and serve it."""
    home, now = folder / "service", system_clock()
    model = small_model(folder)
    verdicts = verdicts_for(folder / "verdicts.db", model)
    lay_out_with_members(home, model, validated_in=verdicts, members=200, seed=2, now=now)
    service = open_service(read_settings(home, rate_per_second=0))
    shown = served_platform(home, service.ledger, service.subject_key)
    server = uvicorn.Server(
        uvicorn.Config(create_app(service, close=False), port=free_port(), log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield Site(f"http://127.0.0.1:{server.config.port}", service, shown)
    server.should_exit = True
    thread.join(10)
    service.close()


def small_model(folder: Path) -> Path:
    """A model of the features that members really have, fitted on as few as will do."""
    world = simulate(folder / "world", members=500, seed=1)
    key = SubjectKey(bytes(range(32)))
    events = ingest(world.raw, folder / "events", key=key, ingested_at=world.extracted_at.to_pydatetime())
    observed, outcomes = (key_member_ids(frame, key) for frame in (world.observations(), world.outcomes()))
    features = build_features(events, observed, consents=ConsentMask.all_granted(reason="a model for tests of pages"))
    quick = BoosterOptions(max_trees=20, learning_rate=0.3, patience=5, folds=2, threads=1)
    train_model(label_rows(features, outcomes), CreditScoreModel(booster=quick)).model.save(folder / "model")
    return folder / "model"


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
