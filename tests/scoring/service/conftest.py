"""A service as somebody lays it out, with a real model whose five features one can set by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring import Capture, ConsentRequest
from benne.scoring.access.administration import Administration
from benne.scoring.access.api_keys import ApiKeys
from benne.scoring.access.principal import Principal
from benne.scoring.api.app import create_app
from benne.scoring.consent.terms_file import TermsDraft, write_terms
from benne.scoring.decisions.promotion import promote
from benne.scoring.decisions.request import Actor
from benne.scoring.housekeeping import follow_promotion
from benne.scoring.laying_out import lay_out
from benne.scoring.service import Service
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.wiring import random_id
from tests.scoring.validated import validated, verdicts_for

TWO = ("credit_history", "ability")


def fitted_into(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(800, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    log_odds = X.to_numpy() @ np.array([0.9, 0.7, 0.6, 0.5, 0.4]) - 1.0
    y = (rng.random(800) < 1.0 / (1.0 + np.exp(-log_odds))).astype(np.int64)
    quick = BoosterOptions(max_trees=30, learning_rate=0.3, patience=10, folds=2, threads=1)
    model = CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y)
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted_into(tmp_path_factory.mktemp("model") / "model", 0)


@pytest.fixture(scope="session")
def another_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted_into(tmp_path_factory.mktemp("model") / "model", 1)


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Path:
    """A database in which the model has passed its validation."""
    return verdicts_for(tmp_path_factory.mktemp("verdicts") / "governance.db", model_folder)


@dataclass
class Running:
    """An open service, its keys, and the words to use it with."""

    service: Service
    admin: str
    keys: dict[str, str] = field(default_factory=dict)

    def register(self, name: str = "shop", purposes: tuple[str, ...] = ("lending", "deposit_waiver")) -> str:
        administration = Administration(Principal(id="ops", role="admin"), random_id, self.service.policies.version)
        self.service.group.submit(administration.register(name, contact="dpo@shop.example", purposes=purposes))
        return self.key("recipient", recipient=name)

    def key(self, role: Any, **bound: Any) -> str:
        administration = Administration(Principal(id="ops", role="admin"), random_id, self.service.policies.version)
        work = administration.new_key(ApiKeys(secrets.token_bytes), role, **bound)
        return self.service.group.submit(work).result.text

    def member(self, member_id: str) -> str:
        return self.service.subject_of(member_id)

    def member_key(self, member_id: str) -> str:
        return self.key("member", subject_id=self.member(member_id))

    def grant(
        self, member_id: str, categories: tuple[str, ...] = CATEGORIES, offer: str = "lending", **changes: Any
    ) -> None:
        terms = replace(self.service.terms[offer].terms, **changes)
        capture = Capture(channel="app", method="toggle_switched_on", steps=1, session_hash="ab" * 32)
        self.service.ledger.grant(
            ConsentRequest(subject_id=self.member(member_id), terms=terms, capture=capture, categories=categories)
        )

    def revoke(self, key: str) -> None:
        administration = Administration(Principal(id="ops", role="admin"), random_id, self.service.policies.version)
        self.service.group.submit(administration.revoke_key(ApiKeys(secrets.token_bytes), key.split("_")[1]))

    def know(
        self,
        member_id: str,
        value: float = 1.0,
        categories: tuple[str, ...] = CATEGORIES,
        ago: timedelta = timedelta(0),
        **of: str,
    ) -> None:
        """Keep a feature vector of the member, of some time ago."""
        now = self.service.clock()
        values = np.array([value if c in categories else np.nan for c in CATEGORIES])
        consented = {c: c in categories for c in CATEGORIES}
        vector = FeatureVector(
            self.member(member_id), now - ago, tuple(f"x_{c}" for c in CATEGORIES), values, consented
        )
        asked = {"purpose": "lending", "recipient": "shop", **of}
        with self.service.store.write() as connection:
            self.service.vectors.keep(connection, [vector], now_us=int(now.timestamp() * 1e6), **asked)

    def promote(self, folder: Path) -> None:
        """Have somebody validate a model, then let it serve."""
        served = self.service.shelf.put(folder)
        validated(self.service.store, self.service.group, folder)
        work = promote(served, Actor("ops", "admin"), event_id=random_id(), policy_version="test")
        self.service.group.submit(work)
        assert follow_promotion(self.service)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.service.store.read() as connection:
            return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]


@pytest.fixture
def terms_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "terms"
    folder.mkdir()
    for purpose, granularity in (("lending", "exact"), ("deposit_waiver", "threshold"), ("own_report", "exact")):
        draft = TermsDraft(
            purpose, "shop" if purpose != "own_report" else "platform", "Example Ltd", granularity=granularity
        )
        write_terms(folder / f"{purpose}.toml", draft)
    return folder


@pytest.fixture
def running(
    tmp_path: Path, model_folder: Path, verdicts: Path, terms_folder: Path, database: Callable[[], Path | str]
) -> Iterator[Running]:
    address = str(database())
    laid_out = lay_out(
        tmp_path / "service", model_folder, validated_in=verdicts, terms=terms_folder,
        database=address if "://" in address else None,
    )  # fmt: skip
    service = open_service(read_settings(laid_out.home, rate_per_second=0, access_cache_seconds=0))
    yield Running(service, laid_out.admin_key)
    service.close()


@pytest.fixture
def client(running: Running) -> Iterator[TestClient]:
    with TestClient(create_app(running.service, close=False), raise_server_exceptions=False) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


DAY = timedelta(days=1)


@pytest.fixture
def three(running):
    """Three members who consent, and a recipient's key."""
    for member in ("anna", "berta", "carla"):
        running.grant(member)
        running.know(member)
    return running.register()
