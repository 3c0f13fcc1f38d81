"""From a trained run to a served champion by the commands themselves, with every refusal on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from benne.cli import app
from benne.experiments.model_registry import versions
from benne.features.consent_mask import MASK_COLUMNS
from benne.features.engines.online import FeatureVector
from benne.features.frames import FeatureFile
from benne.scoring.api.app import create_app
from benne.scoring.consent.terms_file import TermsDraft, write_terms
from benne.scoring.housekeeping import follow_promotion
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from tests.experiments.conftest import make_rows
from tests.experiments.validation.conftest import GATES, train_run
from tests.scoring.service.conftest import Running, bearer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

REFUSED = 11


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def done(*arguments):
    said = run(*arguments, "--json")
    assert said.exit_code == 0, said.stderr
    return json.loads(said.stdout)


def refused(*arguments):
    said = run(*arguments)
    assert said.exit_code == REFUSED, said.stdout + said.stderr
    return " ".join(said.stderr.split())


@pytest.fixture
def home(tmp_path):
    """A service that has no model yet."""
    (tmp_path / "terms").mkdir()
    write_terms(tmp_path / "terms" / "lending.toml", TermsDraft("lending", "shop", "Example Ltd", granularity="exact"))
    assert "It has no model yet" in run("service", "init", tmp_path / "shop", "--terms", tmp_path / "terms").stderr
    return tmp_path / "shop"


@pytest.fixture
def files(world, tmp_path, monkeypatch):
    """Features and outcomes of others, as files; what reading them checks is tested elsewhere."""
    rows = world.rows
    outcomes = rows.features.index.to_frame(index=False).assign(bad=rows.bad)
    outcomes.to_parquet(tmp_path / "outcomes.parquet")
    monkeypatch.setattr("benne.features.frames.read_features", lambda _: FeatureFile(rows.features, None))
    monkeypatch.setattr("benne.experiments.labelling.require_training_consent", lambda file: file)
    return "--features", tmp_path / "features.parquet", "--outcomes", tmp_path / "outcomes.parquet"


def strict(text):
    return text.replace("at_least = 0.60", "at_least = 0.999").replace("2026-11", "2026-12")


@dataclass(frozen=True)
class Story:
    """Runs that were trained before, a service, and the commands with the options that all of them are given."""

    world: Any
    home: Path
    folder: Path
    rows: tuple[Any, ...]

    @property
    def where(self):
        return "--store", self.home, "--tracking", self.folder / "mlflow"

    def train(self, seed):
        """A run that begins now."""
        return train_run(self.world.tracking, seed, rows=make_rows(500, 3)).run_id

    def declare(self, text, *options):
        file = self.folder / "gates.toml"
        file.write_text(text)
        return done("gates", "declare", file, "--store", self.home, *options)

    def validation(self, run_id, validator):
        return "validate", run_id, *self.where, *self.rows, "--out", self.folder / "verdict", "--by", validator

    def promotion(self, run_id):
        return "promote", run_id, *self.where, "--by", "ops"


@pytest.fixture
def story(world, home, files, tmp_path):
    return Story(world, home, tmp_path, files)


def test_from_a_trained_run_to_a_served_champion_and_back(story):
    before_gates, _ = story.world.runs
    first = is_refused_before_somebody_else_has_validated_it(story, before_gates)
    assert done(*story.validation(first, "bob"))["passed"]
    assert "✓ passed" in (story.folder / "verdict" / "verdict.html").read_text("utf-8")
    assert done(*story.promotion(first))["recorded"]
    service = open_service(read_settings(story.home, rate_per_second=0))
    running = Running(service, "")
    champion, shop = service.models.current.model_id, running.register("shop", ("lending",))
    know(running, story.world, "anna")
    with TestClient(create_app(service, close=False)) as client:
        assert ask(client, shop)["model_id"] == champion
        is_refused_under_gates_that_it_does_not_pass(story)
        assert not follow_promotion(service)
        another = passes_though_others_of_its_rows_did_not(story)
        assert done(*story.promotion(another))["alias_moved"]
        assert follow_promotion(service)
        assert ask(client, shop)["model_id"] != champion
        assert champion_version(story.world) == 6

        back = done("rollback", *story.where, "--by", "ops", "--reason", "calibration")  # one command
        assert (back["model_id"], back["version"]) == (champion, 3)
        assert follow_promotion(service)
        assert ask(client, shop)["model_id"] == champion
        assert champion_version(story.world) == 3
    service.close()
    assert done("audit", "verify", "--ledger", story.home)["intact"]


def is_refused_before_somebody_else_has_validated_it(story, before_gates):
    """Gates that come after the training do not stand for it; nobody has validated it, and its author may not."""
    assert story.declare(GATES, "--approver", "carol")["version"] == "2026-11"
    assert "must be declared before the training begins" in refused(*story.validation(before_gates, "bob"))
    run_id = story.train(2)
    assert "no verdict on these files" in refused(*story.promotion(run_id))
    assert "somebody other than its author" in refused(*story.validation(run_id, "Ann"))
    return run_id


def is_refused_under_gates_that_it_does_not_pass(story):
    """Also where gates are made laxer and the same is trained again, to the byte: it is as old as the record says."""
    story.declare(strict(GATES))
    failed = story.train(3)
    missed = run(*story.validation(failed, "bob"))
    assert missed.exit_code == REFUSED
    assert "It may not serve: discrimination.auc failed" in missed.stdout
    assert "a verdict that failed: discrimination.auc" in refused(*story.promotion(failed))
    story.declare(GATES.replace("2026-11", "2027-01"))
    again = story.train(3)
    missed = run(*story.validation(again, "bob"))
    assert missed.exit_code == REFUSED
    assert "under gates 2026-12" in missed.stdout
    assert "These files were judged before: not passed under gates 2026-12" in " ".join(missed.stderr.split())
    assert "a verdict that failed: discrimination.auc" in refused(*story.promotion(again))


def passes_though_others_of_its_rows_did_not(story):
    """Another model of the same rows, trained under the laxer gates; its verdict says what became of those before."""
    another = story.train(4)
    content = done(*story.validation(another, "bob"))
    assert (content["passed"], content["gates"]["version"]) == (True, "2027-01")
    told = content["tables"]["validation.earlier"]
    assert [(one["gates"], one["passed"], one["missed"]) for one in told] == [
        ("2026-12", "not passed", "discrimination.auc")
    ] * 2
    assert all(one["about"].endswith("of the same training rows") for one in told)
    page = (story.folder / "verdict" / "verdict.html").read_text("utf-8")
    assert "Other models of the same training rows did not pass" in page
    return another


def champion_version(world):
    return next(one.version for one in versions(world.tracking) if "champion" in one.aliases)


def know(running, world, member):
    """A member who consents to everything, with features of the model."""
    running.grant(member)
    names = tuple(name for name in world.rows.features.columns if name not in MASK_COLUMNS.values())
    now = running.service.clock()
    consented = dict.fromkeys(MASK_COLUMNS, True)
    vector = FeatureVector(running.member(member), now, names, np.zeros(len(names)), consented)
    with running.service.store.write() as connection:
        running.service.vectors.keep(
            connection, [vector], now_us=int(now.timestamp() * 1e6), purpose="lending", recipient="shop"
        )


def ask(client, key):
    answer = client.post("/v1/scores", json={"member_id": "anna", "purpose": "lending"}, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return answer.json()
