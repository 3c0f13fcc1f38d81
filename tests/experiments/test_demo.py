from __future__ import annotations

import json
import re

import numpy as np
import pytest

from benne.errors import SimulationError
from benne.experiments.demo import STEPS, DemoOptions, run_demo
from benne.experiments.training_record import read_training_record
from benne.models import CreditScoreModel
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import documents_of
from benne.scoring.governance.opening import opened_governance
from benne.scoring.protected import opened_protected

OPTIONS = DemoOptions(members=4000, seed=0)
KEYS = {
    "bands", "category_auc", "contract_largest_miss", "coverage", "data", "ece_against_known_pd",
    "ece_against_known_pd_self_selected", "shares_natural", "events", "features",
    "largest_gap", "members", "mlflow_run", "model_uri", "price", "refused", "scored", "seed", "shares_reference",
    "shares_test", "test", "tested_on", "tracking_uri", "trained_on", "verdict", "weights", "withheld",
}  # fmt: skip
OWN_TO_A_RUN = {"mlflow_run", "model_uri", "tracking_uri"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A whole demo: its folder, what it made, and the steps it said it took."""
    folder, steps = tmp_path_factory.mktemp("demo") / "demo", []
    result = run_demo(folder, OPTIONS, lambda number, name: steps.append((number, name)))
    return folder, result, steps


@pytest.fixture(scope="module")
def summary(demo):
    return json.loads((demo[0] / "summary.json").read_text("utf-8"))


def test_the_summary_holds_what_others_read(summary, demo):
    assert set(summary) == KEYS
    assert summary == json.loads(json.dumps(demo[1].summary))


def test_everybody_is_scored_or_refused_for_a_reason(summary):
    assert summary["scored"] + sum(summary["refused"].values()) == OPTIONS.members
    assert sum(summary["bands"].values()) == sum(summary["withheld"].values()) == summary["scored"]
    assert summary["refused"]["consent-required"] > 0


def test_the_weights_hold_and_every_score_adds_up(summary, demo):
    assert summary["weights"] == pytest.approx(
        {"credit_history": 0.35, "behaviour": 0.25, "ability": 0.2, "personal_information": 0.15, "social": 0.05}
    )
    assert summary["shares_reference"] == pytest.approx(summary["weights"], abs=1e-6)
    assert summary["contract_largest_miss"] <= 1e-6
    assert summary["largest_gap"] < 1e-9
    assert demo[1].explanation.gap < 1e-9


def test_the_shown_whole_points_add_up(demo):
    shown = demo[1].explanation
    assert shown.base_shown + sum(c.shown for c in shown.categories) + shown.clipped_shown == shown.shown
    for category in shown.categories:
        assert sum(feature.shown for feature in category.features) == category.shown


def test_the_refusal_says_why_and_names_nobody(demo):
    assert "consent-required" in demo[1].refusal
    assert not re.search(r"[0-9a-f]{32}", demo[1].refusal)


def test_the_report_needs_nothing_but_itself(demo):
    page = (demo[0] / "report.html").read_text("utf-8")
    linked = re.findall(r"(?:href|src|action)\s*=\s*[\"']([^\"']*)|url\(([^)]*)\)|@import\s+(\S+)", page)
    assert [link for found in linked for link in found if link and not link.startswith("#")] == []
    assert "<script" not in page
    assert page.count("<svg") >= 6


def test_the_report_holds_no_member(demo):
    page = (demo[0] / "report.html").read_text("utf-8")
    assert not re.search(r"\b[0-9a-f]{32}\b|\bm\d{8}\b", page)


def test_the_report_shows_the_shares_of_the_summary(demo, summary):
    page = (demo[0] / "report.html").read_text("utf-8")
    assert "35.00 %" in page
    assert f"{100 * summary['shares_test']['social']:.2f} %" in page
    assert "proves nothing about real people" in page


def test_the_saved_model_is_the_one_reported(demo, summary):
    model = CreditScoreModel.load(demo[1].model)
    assert model.n_features_in_ == summary["features"]
    assert model.contract_report_.shares["reference"].to_dict() == summary["shares_reference"]


def test_its_model_has_the_record_of_its_training_beside_it(demo, summary):
    record = read_training_record(demo[1].model)
    assert (record.author, record.split.order, record.split.seed) == ("demo-author", "member", OPTIONS.seed)
    assert len(record.members) == summary["trained_on"]


def test_the_summary_tells_what_stopped_the_model_from_what_is_worth_a_look(demo, summary):
    results = json.loads((demo[0] / "validation" / "verdict.json").read_text("utf-8"))["results"]
    for which, required in (("missed", True), ("worth_a_look", False)):
        open_gates = [f"{one['metric']} {one['state']}" for one in results
                      if one["required"] is required and one["state"] != "passed"]  # fmt: skip
        assert summary["verdict"][which] == open_gates
    assert summary["verdict"]["passed"] is (summary["verdict"]["missed"] == [])


def test_the_steps_are_said_in_order(demo):
    assert demo[2] == list(enumerate(STEPS))


@pytest.mark.slow
def test_a_second_demo_replaces_the_first_and_finds_the_same(demo, summary, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "DEMO").touch()
    (tmp_path / "demo" / "left_over").touch()
    again = run_demo(tmp_path / "demo", OPTIONS)
    assert not (tmp_path / "demo" / "left_over").exists()
    same = {name: value for name, value in summary.items() if name not in OWN_TO_A_RUN}
    assert json.loads(json.dumps({k: v for k, v in again.summary.items() if k not in OWN_TO_A_RUN})) == same
    assert again.explanation.as_text() == demo[1].explanation.as_text()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work", "utf-8")
    with pytest.raises(SimulationError, match="new, empty, or an earlier demo's"):
        run_demo(tmp_path, OPTIONS)
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "ten years of work"


def test_features_cover_what_the_summary_says(summary):
    assert all(0.0 < share <= 1.0 for share in summary["coverage"].values())
    assert all(np.isfinite(auc) and auc > 0.5 for auc in summary["category_auc"].values())


def test_its_audits_are_filed_about_the_model_and_told_on_its_card(demo):
    folder = demo[0]
    hashed = identity_of(demo[1].model)[1]
    with opened_governance(folder / "consents.db") as governance, governance.store.read() as connection:
        filed = {one.kind: one.content for one in documents_of(connection, hashed)}
    assert set(filed) == {"card", "categories", "fairness", "gaming", "monitoring"}
    assert filed["card"]["tables"]["approvals"][0]["by"] == "demo-validator"
    assert filed["card"]["missing"] == []
    for kind, place in (("categories", "categories"), ("fairness", "validation"), ("monitoring", "monitoring")):
        assert json.loads((folder / place / f"{kind}.json").read_text("utf-8")) == filed[kind]


def test_protected_attributes_are_read_once_for_the_validation_and_on_record(demo):
    with opened_protected(demo[0] / "protected") as store:
        reads = [one for one in store.log() if one["what"] == "protected_attributes_read"]
    assert [(one["actor"], one["purpose"], one["decision"]) for one in reads] == [
        ("demo-validator", "fairness_audit:demo", "granted")
    ]
    verdict = json.loads((demo[0] / "validation" / "verdict.json").read_text("utf-8"))
    flips = next(one for one in verdict["results"] if one["metric"] == "fairness.flip_test")
    assert (flips["state"], flips["value"]) == ("passed", 0.0)
