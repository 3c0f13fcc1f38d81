"""Validation with protected attributes out of their own store, by the command, and cut-offs that gates declare."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.errors import GatesError
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.documents import documents_of
from benne.scoring.governance.gates_file import parse_gates
from benne.scoring.protected import Declared, lay_out_protected, opened_protected
from tests.experiments.validation.conftest import GATES, copied, governance_at, trained_under
from tests.experiments.validation.test_end_to_end import REFUSED, done, files, run  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

FAIR = f"""{GATES}
[[gates]]
metric = "fairness.flip_test"
at_most = 0
why = "an attribute changes no score"

[fairness]
cutoffs = [560, 600.5]
"""


@pytest.fixture(scope="module")
def fair_world(tmp_path_factory):
    """A run that was trained under gates that ask for fairness."""
    return trained_under(tmp_path_factory.mktemp("fair"), FAIR, (0,))


@pytest.fixture
def world(fair_world, tmp_path):
    return copied(fair_world, tmp_path)


@pytest.fixture
def protected(world, tmp_path):
    """Sex of everybody who is validated on, and of one member besides, in a store of their own."""
    subjects = world.rows.features.index.get_level_values("subject_id").unique()
    drawn = np.random.default_rng(0).choice(["female", "male"], len(subjects) + 1)
    index = pd.Index([*subjects, "f" * 32], name="subject_id")
    home = lay_out_protected(tmp_path / "protected", Declared("us", {"sex": "Regulation B 1002.5(b)(1), self-test"}))
    with opened_protected(home) as store:
        store.add(pd.DataFrame({"sex": drawn}, index=index), actor=Actor("counsel-1", "compliance"))
    return home


@pytest.fixture
def validating(world, files, protected, tmp_path):  # noqa: F811
    """The command with attributes."""
    governed = ("--store", tmp_path / "governance.db", "--tracking", tmp_path / "mlflow")
    return ("validate", world.runs[0], *governed, *files, "--by", "bob",
            "--out", tmp_path / "verdict", "--protected", protected)  # fmt: skip


def log(protected):
    with opened_protected(protected) as store:
        return [one for one in store.log() if one["what"] == "protected_attributes_read"]


def test_fairness_gates_are_measured_at_declared_cut_offs_and_the_read_is_on_record(
    world, validating, protected, tmp_path
):
    content = done(*validating, "--purpose", "fairness_audit:2026-q4")
    states = {one["metric"]: (one["state"], one["value"]) for one in content["results"]}
    assert states["fairness.flip_test"] == ("passed", 0.0)
    assert content["measures"]["fairness.standardised_mean_difference"]["state"] == "measured"
    assert "for fairness_audit:2026-q4, which is on record in their store; fairness is at the cut-offs 560, 600.5." in (
        " ".join(content["notes"])
    )
    (read,) = log(protected)
    assert (read["actor"], read["purpose"], read["decision"]) == ("bob", "fairness_audit:2026-q4", "granted")
    assert read["outcome"] == "600-members"  # of those validated on, and of nobody else
    with governance_at(tmp_path / "governance.db") as governance, governance.store.read() as connection:
        (filed,) = documents_of(connection, content["model"]["config_hash"], "fairness")
        (card,) = documents_of(connection, content["model"]["config_hash"], "card")
    assert (filed.content["purpose"], filed.content["cutoffs"]) == ("fairness_audit:2026-q4", [560.0, 600.5])
    assert "Fairness, by group" not in card.content["missing"]
    assert json.loads((tmp_path / "verdict" / "fairness.json").read_text("utf-8")) == filed.content
    assert "f" * 32 not in json.dumps(content)


def test_a_store_is_not_read_for_no_audit_nor_for_a_models_author(world, validating, protected, tmp_path):
    said = run(*validating)
    assert said.exit_code != 0
    assert "Protected attributes are read for an audit, got no purpose" in " ".join(said.stderr.split())
    assert [(one["decision"], one["outcome"]) for one in log(protected)] == [("denied", "no-purpose")]
    as_author = [*validating, "--purpose", "fairness_audit:2026-q4"]
    as_author[as_author.index("bob")] = "ann"
    assert run(*as_author).exit_code == REFUSED
    assert len(log(protected)) == 1  # refused before anything was read
    assert not (tmp_path / "verdict").exists()


def test_without_cut_offs_the_bands_give_them_and_what_is_no_rising_list_of_scores_is_refused():
    assert parse_gates(GATES, "gates").cutoffs == ()
    assert parse_gates(FAIR, "gates").cutoffs == (560.0, 600.5)
    for given, said in {
        "[600, 560]": "each above the one before", "[560, 560]": "each above the one before",
        "[nan]": "must be scores above 350", "[400, inf]": "must be scores above 350", "[350]": "everybody passes",
        "[]": "must be a list of scores", '["560"]': "must be a list of scores", "[true]": "must be a list of scores",
        "560": "must be a list of scores",
    }.items():  # fmt: skip
        with pytest.raises(GatesError, match=said):
            parse_gates(FAIR.replace("[560, 600.5]", given), "gates")
    with pytest.raises(GatesError, match=r"fairness\.cutoff must be one of cutoffs"):
        parse_gates(FAIR.replace("cutoffs =", "cutoff ="), "gates")
