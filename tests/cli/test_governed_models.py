"""From raw events to a champion by the commands alone, on real files, with every refusal on the way."""

from __future__ import annotations

import json
import shutil

import pytest

from benne.features.events.key_files import write_key_file
from benne.scoring.governance.opening import opened_governance
from tests.cli.conftest import Platform, call, succeed

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

REFUSED = 11
GATES = """
version = "{version}"
approver = "carol"

[[gates]]
metric = "discrimination.auc"
at_least = {auc}
smallest_n = 100
why = "ranks"

[[gates]]
metric = "points.largest_gap"
at_most = 1e-9
why = "points add up"
"""


@pytest.fixture(scope="module")
def at(tmp_path_factory) -> Platform:
    """Features of 1,500 members who consent to training, with what became of them."""
    here = Platform(tmp_path_factory.mktemp("governed"))
    succeed("simulate", here / "world", "--members", 1500, "--seed", 1)
    write_key_file(here / "subject.key", bytes(range(32)))
    succeed("ingest", here / "world/raw", here / "events", *here.key)
    succeed(
        "consent", "import", here / "world/consents.parquet", "--terms", here / "world/terms", *here.ledger, *here.key
    )
    observed = (here / "events", here / "world/observations.parquet", *here.ledger, *here.key)
    training = ("--purpose", "model_training", "--recipient", "platform")
    succeed("features", "build", *observed, *training, "--out", here / "training.parquet")
    return here


class Desk:
    """The commands, with the options that all of them are given."""

    def __init__(self, at: Platform) -> None:
        self.at, self.store = at, ("--store", at / "governance.db")
        self.tracking = ("--tracking", at / "mlflow")

    def declare(self, version, auc):
        (self.at / "gates.toml").write_text(GATES.format(version=version, auc=auc))
        succeed("gates", "declare", self.at / "gates.toml", *self.store)

    def train(self, name, seed):
        rows = (self.at / "training.parquet", self.at / "world/outcomes.parquet", *self.at.ledger, *self.at.key)
        made = ("--out", self.at / name, *self.tracking, "--author", "ann", "--seed", seed)
        return succeed("train", *rows, "--quick", *made)["mlflow_run"]

    def validating(self, candidate, by="bob", *more):
        rows = ("--features", self.at / "training.parquet", "--outcomes", self.at / "world/outcomes.parquet")
        return ("validate", candidate, *self.store, *self.tracking, *rows, *self.at.ledger, *self.at.key,
                "--by", by, "--out", self.at / "verdict", *more)  # fmt: skip

    def promoting(self, run_id):
        return "promote", run_id, *self.store, *self.tracking, "--by", "ops"

    def verdict(self):
        return json.loads((self.at / "verdict" / "verdict.json").read_text("utf-8"))


def refused(*command):
    said = call(*command)
    assert said.exit_code == REFUSED, said.stdout + said.stderr
    return " ".join((said.stdout + said.stderr).split())


@pytest.mark.slow
def test_only_what_somebody_else_validated_under_gates_from_before_becomes_the_champion(at):
    desk = Desk(at)
    desk.declare("strict", 0.999)
    run_id = desk.train("model", 0)
    assert "got no verdict on these files" in refused(*desk.promoting(run_id))
    assert "somebody other than its author, got Ann" in refused(*desk.validating(run_id, "Ann"))
    assert "It may not serve: discrimination.auc failed." in refused(*desk.validating(run_id))
    honest = desk.verdict()
    assert "got a verdict that failed: discrimination.auc" in refused(*desk.promoting(run_id))

    desk.declare("lax", 0.5)  # after results
    shutil.copytree(at / "model", at / "moved", copy_function=shutil.copyfile)  # as cp -r does: all files are new
    named = call(*desk.validating(at / "moved", "ann", "--author", "zed"))
    assert (named.exit_code, "must be the one that training.json names, ann" in named.stderr) == (3, True)
    assert "It may not serve: discrimination.auc failed." in refused(*desk.validating(at / "moved"))
    moved = desk.verdict()
    assert (moved["gates"], moved["training_began_us"]) == (honest["gates"], honest["training_began_us"])
    assert (moved["measures"]["discrimination.auc"], moved["rows"]) == (
        honest["measures"]["discrimination.auc"], honest["rows"]
    )  # fmt: skip
    (at / "moved" / "training.json").unlink()
    assert "must be whom the record names for these files, ann, got zed" in refused(
        *desk.validating(at / "moved", "ann", "--author", "zed")
    )
    again = desk.train("again", 0)  # the same to the byte
    assert (at / "again/manifest.json").read_bytes() == (at / "model/manifest.json").read_bytes()
    assert "under gates strict" in refused(*desk.validating(again))
    assert [one["gates"] for one in desk.verdict()["tables"]["validation.earlier"]] == ["strict", "strict"]

    first, second = (desk.train(f"{seed}", seed) for seed in (1, 2))
    for one in (first, second):
        assert succeed(*desk.validating(one))["gates"]["version"] == "lax"
        assert succeed(*desk.promoting(one))["recorded"]
    back = succeed("rollback", *desk.store, *desk.tracking, "--by", "ops", "--reason", "calibration")
    assert (back["model_id"], back["recorded"]) == (succeed(*desk.promoting(first))["model_id"], True)
    assert succeed("audit", "verify", "--ledger", at / "governance.db")["intact"]
    assert denied(at) == [
        ("model_promoted", "not_validated"),
        ("model_validated", "not_independent"),
        ("model_promoted", "not_validated"),
        ("model_validated", "not_independent"),
    ]


def denied(at):
    with opened_governance(at / "governance.db") as governance, governance.store.read() as connection:
        query = "SELECT type, deny_reason FROM audit_records WHERE decision = 'denied' ORDER BY seq"
        return [tuple(row) for row in connection.exec_driver_sql(query)]
