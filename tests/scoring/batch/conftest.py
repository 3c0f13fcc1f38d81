"""A batch over the small platform: its features in files, and a model one can check by hand."""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features.categories import CATEGORIES
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.audit.chain import verify
from benne.scoring.batch import Asked
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.live import Live
from benne.scoring.batch.parquet_source import open_parquet
from benne.scoring.batch.run import Batch, BatchSummary, score_batch
from benne.scoring.policy import default_policies

ASKED = Asked("lending", "shop", "nightly")


class Entropy:
    """Random bytes that repeat."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def bytes(self, count: int) -> bytes:
        return self._rng.bytes(count)

    def id(self) -> str:
        return str(uuid.UUID(bytes=self._rng.bytes(16), version=4))


@dataclass
class Batches:
    """Everything it takes to run batches over a platform."""

    platform: Any
    folder: Path
    entropy: Entropy = field(default_factory=Entropy)

    @property
    def out(self) -> Path:
        return self.folder / "scores.parquet"

    @property
    def refused_file(self) -> Path:
        return self.folder / "refused.parquet"

    @property
    def job(self) -> Path:
        return self.folder / "scores.parquet.job"

    @property
    def live(self) -> Live:
        return Live(self.platform.store, self.platform.clock, self.entropy.bytes, self.entropy.id)

    @property
    def model(self) -> BatchModel:
        return BatchModel(self.platform.model, "benne/0123456789abcdef", "ab" * 32, CATEGORIES)

    def write(self, frame: pd.DataFrame, name: str = "features.parquet") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.reset_index().to_parquet(path)
        return path

    def batch(self, path: Path, **changes: Any) -> Batch:
        batch = Batch(features=lambda _: open_parquet(path), out=self.out, asked=ASKED, refused=self.refused_file)
        return replace(batch, **{"chunk_rows": 2} | changes)

    def run(
        self, path: Path, *, model: BatchModel | None = None, live: Live | None = None, **changes: Any
    ) -> BatchSummary:
        return score_batch(self.batch(path, **changes), model or self.model, live or self.live, default_policies())

    def scores(self) -> pd.DataFrame:
        return pd.read_parquet(self.out)

    def refusals(self) -> dict[str, str]:
        table = pd.read_parquet(self.refused_file)
        return dict(zip(table["subject_id"], table["reason"], strict=True))

    def records(self) -> list[dict[str, Any]]:
        return [row for row in self.platform.rows("audit_records") if row["type"] == "scores_batched"]

    def chain_is_intact(self) -> bool:
        with self.platform.store.read() as connection:
            return verify(connection).intact


@pytest.fixture
def batches(platform: Any, tmp_path: Path) -> Batches:
    folder = tmp_path / "batch"
    folder.mkdir()
    return Batches(platform, folder)


@pytest.fixture
def five(batches: Batches) -> Path:
    """Features of five members who consent to everything, exactly."""
    for number in range(5):
        batches.platform.grant(number, granularity="exact")
    return batches.write(batches.platform.features(dict.fromkeys(range(5), CATEGORIES)))


def values_of(rows: int, seed: int = 0, missing: float = 0.1) -> pd.DataFrame:
    """Five features of random members."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 5))
    values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"x_{c}" for c in CATEGORIES])


def fit_small_model() -> CreditScoreModel:
    X = values_of(800)
    log_odds = X.fillna(0.0).to_numpy() @ np.array([0.9, 0.7, 0.6, 0.5, 0.4]) - 1.0
    y = (np.random.default_rng(1).random(800) < 1.0 / (1.0 + np.exp(-log_odds))).astype(np.int64)
    quick = BoosterOptions(max_trees=30, learning_rate=0.3, patience=10, folds=2, threads=1)
    return CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y)


@pytest.fixture(scope="session")
def real_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of five features."""
    folder = tmp_path_factory.mktemp("model") / "model"
    fit_small_model().save(folder)
    return folder


@pytest.fixture(scope="session")
def real_model(real_model_folder: Path) -> BatchModel:
    return BatchModel.load(real_model_folder)


Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="session")
def processes() -> Any:
    """Makes processes that have what they need imported already, so that they can be killed often."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["benne.scoring.batch.run", "tests.scoring.batch.conftest"])
    return forking
