"""A small simulated platform: its events in a store, a model of registered features, and raw ids by keyed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benne.experiments.simulator import SimulatorOptions, simulate
from benne.explain.what_if import History, Scoring, scored_by
from benne.features import SubjectKey, build_features, load_events, registry, split_mask
from benne.features.consent_mask import ConsentMask
from benne.features.engines.event_store import EventStore
from benne.features.events.moments import moment_of
from benne.features.events.tables import TABLES
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel

KEY = SubjectKey(b"k" * 32)
OPTIONS = SimulatorOptions(as_of=(datetime(2026, 8, 1, tzinfo=UTC),), tail_months=2, minor_share=0.0)


def ending_before(now: datetime) -> SimulatorOptions:
    """A simulation whose last events are one to two months old."""
    months = now.year * 12 + now.month - 1 - 3
    as_of = (datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC),)
    return SimulatorOptions(as_of=as_of, tail_months=2, minor_share=0.0)


@dataclass(frozen=True)
class Platform:
    """A store, its members, and what scores them."""

    store: EventStore
    path: Path
    members: list[str]
    raw_ids: Mapping[str, str]
    features: pd.DataFrame
    model: CreditScoreModel
    consents: ConsentMask

    @property
    def now(self) -> datetime:
        return moment_of(self.store.watermark)

    @property
    def scoring(self) -> Scoring:
        return scored_by(self.model, self.model.feature_names_in_)

    def history(self, member: str, store: EventStore | None = None) -> History:
        held, subject_id = store or self.store, KEY.subject_id(member)
        found = held.member(subject_id)
        return History(subject_id, held.rows(subject_id), found.known_since, found.watermark)

    def raw(self, tables: Mapping[str, pa.Table], *, prefix: str) -> dict[str, pd.DataFrame]:
        """Imagined rows as a platform would send them: raw ids, moments as timestamps."""
        return {name: self._raw(name, rows, prefix) for name, rows in tables.items()}

    def _raw(self, name: str, rows: pa.Table, prefix: str) -> pd.DataFrame:
        made: dict[str, Any] = {}
        for column in TABLES[name].all_columns:
            values = rows.column("subject_id" if column.name == "member_id" else column.name).to_pylist()
            if column.name == "record_id":
                values = [f"{prefix}-{name}-{value}" for value in values]
            elif column.kind == "id":
                values = [None if value is None else self.raw_ids[f"{column.domain}:{value}"] for value in values]
            elif column.kind == "time":
                values = [None if value is None else moment_of(value) for value in values]
            if any(value is not None for value in values):
                kind = {"money": "Int64", "integer": "Int64"}.get(column.kind)
                made[column.name] = pd.array(values, dtype=kind) if kind else pd.Series(values)
        return pd.DataFrame(made)


def make_platform(
    folder: Path, *, members: int = 150, seed: int = 3, options: SimulatorOptions = OPTIONS,
    watermark: datetime | None = None,
) -> Platform:  # fmt: skip
    """Simulate, ingest, fit and store; by default everything is known as of the simulation's end."""
    world = simulate(folder / "world", members=members, seed=seed, options=options)
    clock = watermark or world.extracted_at.to_pydatetime()
    events = load_events(
        {file.stem: file for file in world.raw.iterdir()}, key=KEY, ingested_at=world.extracted_at.to_pydatetime()
    )
    consents = ConsentMask.all_granted(reason="simulated")
    frame = build_features(events, key_member_ids(world.observations(), KEY), consents=consents)
    features, _ = split_mask(frame)
    store = EventStore.create(folder / "events.db", events, watermark=clock)
    store.wipe()  # all of it in the one file that tests copy
    names = sorted(pd.read_parquet(world.raw / "members.parquet")["member_id"].unique())
    return Platform(store, folder / "events.db", names, _raw_ids(world.raw), features, fitted(features), consents)


def fitted(features: pd.DataFrame, seed: int = 0) -> CreditScoreModel:
    """A quick model in which every directed feature tells something."""
    rng = np.random.default_rng(seed)
    rank = features.rank(pct=True).fillna(0.5)
    telling = [(name, spec.direction) for name, spec in registry.items() if name in rank and spec.direction]
    log_odds = sum(sign * (rank[name] - 0.5) for name, sign in telling) - 1.0
    bad = (rng.random(len(rank)) < 1.0 / (1.0 + np.exp(-log_odds))).astype(np.int64)
    quick = BoosterOptions(max_trees=40, learning_rate=0.2, patience=15, folds=2, threads=1)
    groups = registry.categories_of(features.columns)
    return CreditScoreModel(categories=groups, booster=quick).fit(features.reset_index(drop=True), bad.to_numpy())


def _raw_ids(folder: Path) -> dict[str, str]:
    """Raw ids by domain and keyed id."""
    found: dict[str, str] = {}
    for file in folder.iterdir():
        table = pq.read_table(file)
        for column in TABLES[file.stem].all_columns:
            if column.kind == "id" and column.name in table.column_names:
                raw = table.column(column.name).unique()
                keyed = KEY.key_column(raw, column.domain)
                pairs = zip(keyed.to_pylist(), raw.to_pylist(), strict=True)
                found.update({f"{column.domain}:{one}": str(other) for one, other in pairs if one is not None})
    return found
