"""A run that ann trained under gates declared before, and members it has not seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benne.experiments.labelling import LabelledRows
from benne.experiments.model_registry import register_challenger
from benne.experiments.splitting import Splitting
from benne.experiments.tracked_training import TrackedRun, train_tracked
from benne.experiments.tracking import Tracking, default_store
from benne.experiments.training import split_labelled
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring import open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.wiring import system_clock
from tests.experiments.conftest import CATEGORIES, make_rows
from tests.scoring.validated import declared_in

ANN, BOB, OPS = "ann", "bob", Actor("ops", "admin")

GATES = """
version = "2026-11"
approver = "carol"

[[gates]]
metric = "discrimination.auc"
at_least = 0.60
on = "low"
smallest_n = 300
why = "better than chance for sure"

[[gates]]
metric = "calibration.ece"
at_most = 0.10
why = "PDs are shown"

[[gates]]
metric = "contract.largest_miss"
at_most = 1e-6
why = "weights hold"

[[gates]]
metric = "points.largest_gap"
at_most = 1e-9
why = "points add up"

[[gates]]
metric = "fairness.adverse_impact_ratio"
at_least = 0.8
required = false
why = "four fifths"
"""


@contextmanager
def governance_at(place: Path | str) -> Iterator[GovernanceStore]:
    store = open_store(place)
    try:
        with GroupCommit(store, clock=system_clock) as group:
            yield GovernanceStore(store, group, "test", None)
    finally:
        store.close()


@dataclass(frozen=True)
class World:
    """Where everything is: MLflow, the database of governance, runs of ann's, rows of others."""

    tracking: Tracking
    database: Path
    runs: tuple[str, ...]
    rows: LabelledRows
    trained: LabelledRows


def train_run(tracking: Tracking, seed: int, author: str = ANN, rows: LabelledRows | None = None) -> TrackedRun:
    """A run that began now; the same rows and seed give the same model."""
    quick = BoosterOptions(max_trees=25, learning_rate=0.3, patience=10, folds=2, threads=1)
    model = CreditScoreModel(categories=CATEGORIES, booster=quick, random_state=seed, unconstrained_price=False)
    split = split_labelled(make_rows(1000, 3) if rows is None else rows, Splitting("member", 0.2, 0))
    tracked = train_tracked(
        split, model, tracking, name=f"run {seed}", tags={"benne.author": author}, report=None, seed=seed
    )
    register_challenger(tracking, tracked.run_id)
    return tracked


def trained_under(folder: Path, gates: str, seeds: tuple[int, ...]) -> World:
    """Gates first, then runs; nothing is validated yet."""
    with governance_at(folder / "governance.db") as governance:
        declared_in(governance.group, gates, "carol")
    tracking, rows = default_store(folder / "mlflow"), make_rows(1000, 3)
    tracked = [train_run(tracking, seed, rows=rows) for seed in seeds]
    runs = tuple(one.run_id for one in tracked)
    return World(tracking, folder / "governance.db", runs, make_rows(600, 4), tracked[0].run.train)


def copied(world: World, folder: Path) -> World:
    """A copy of its database and registry; the files of the models are shared."""
    shutil.copy(world.database, folder / "governance.db")
    (folder / "mlflow").mkdir()
    shutil.copy(Path(world.tracking.uri.removeprefix("sqlite:///")), folder / "mlflow" / "mlflow.db")
    return replace(world, tracking=default_store(folder / "mlflow"), database=folder / "governance.db")


@pytest.fixture(scope="session")
def trained_world(tmp_path_factory) -> World:
    return trained_under(tmp_path_factory.mktemp("governed"), GATES, (0, 1))


@pytest.fixture
def world(trained_world: World, tmp_path: Path) -> World:
    return copied(trained_world, tmp_path)


@pytest.fixture
def governance(world: World) -> Iterator[GovernanceStore]:
    with governance_at(world.database) as opened:
        yield opened
