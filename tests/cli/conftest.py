"""A simulated platform taken through every command once, and a way to call commands on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from benne.cli import app
from benne.features.events.key_files import read_key_file, write_key_file

MEMBERS = 4000
ASKED = ("--purpose", "lending", "--recipient", "platform")


def call(*arguments: object) -> Any:
    """Run one command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@dataclass(frozen=True)
class Platform:
    """A folder with everything the commands have made."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def ledger(self) -> tuple[str, Path]:
        return "--ledger", self / "consents.db"

    @property
    def key(self) -> tuple[str, Path]:
        return "--key-file", self / "subject.key"

    def member_with(self, reason: str) -> str:
        """Raw id of a member with this reason for having no score, or 'scored'."""
        name = "scores.parquet" if reason == "scored" else "refused.parquet"
        table = pd.read_parquet(self / name)
        subjects = table if reason == "scored" else table[table["reason"] == reason]
        members = pd.read_parquet(self / "world/observations.parquet")["member_id"]
        keyed = dict(zip(read_key_file(self / "subject.key").subject_ids(members.tolist()), members, strict=True))
        return str(keyed[subjects["subject_id"].iloc[0]])


def succeed(*arguments: object) -> Any:
    """Run a command that must end well, and read its JSON."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="session")
def run():
    return call


@pytest.fixture(scope="session")
def run_json():
    return succeed


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Simulated, keyed, ingested, consents imported."""
    at = Platform(tmp_path_factory.mktemp("platform"))
    succeed("simulate", at / "world", "--members", MEMBERS, "--seed", 1)
    write_key_file(at / "subject.key", bytes(range(32)))  # another key would split the members otherwise
    succeed("ingest", at / "world/raw", at / "events", *at.key)
    succeed("consent", "import", at / "world/consents.parquet", "--terms", at / "world/terms", *at.ledger, *at.key)
    return at


@pytest.fixture(scope="session")
def built(ingested: Platform) -> Platform:
    """Features built for lending and for training."""
    at = ingested
    observed = ("features", "build", at / "events", at / "world/observations.parquet", *at.ledger, *at.key)
    succeed(*observed, *ASKED, "--out", at / "features.parquet")
    training = ("--purpose", "model_training", "--recipient", "platform")
    succeed(*observed, *training, "--out", at / "training.parquet")
    return at


@pytest.fixture(scope="session")
def trained(built: Platform) -> tuple[Platform, Any]:
    """A trained model, and what `benne train` said."""
    at = built
    outcomes = (at / "training.parquet", at / "world/outcomes.parquet", *at.ledger, *at.key)
    said = succeed("train", *outcomes, "--quick", "--out", at / "model", "--tracking", at / "mlflow")
    return at, said


@pytest.fixture(scope="session")
def scored(trained: tuple[Platform, Any]) -> tuple[Platform, Any]:
    """Scores, and what `benne score` said."""
    at, _ = trained
    asked = (at / "features.parquet", "--model", at / "model", *at.ledger, *ASKED)
    return at, succeed("score", *asked, "--out", at / "scores.parquet", "--refused", at / "refused.parquet")
