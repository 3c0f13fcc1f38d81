"""The card of a model: what is in it, what it admits to lack, and that it is always the same."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from benne.errors import GovernanceError
from benne.experiments.measure import Measure
from benne.experiments.model_card import (
    Approval,
    CardSources,
    card_from_document,
    card_of,
    with_approvals,
    with_documents,
)
from benne.experiments.model_card.description import describe_card
from benne.experiments.model_card.registered import card_of_run, describe_version
from benne.experiments.model_card.writing import write_card
from benne.experiments.model_registry import register_challenger
from benne.experiments.simulator import NOTICE
from benne.experiments.tracking import store_in_use

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOLD = {"means": "a", "rationale": "b", "source": "c", "direction": "d", "gaming": "low", "owner": "e"}


@pytest.fixture(scope="module")
def saved(training_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("card") / "model"
    training_run.model.save(folder)
    return folder


@pytest.fixture(scope="module")
def sources(training_run):
    reasons = dict.fromkeys(training_run.model.feature_names_in_, TOLD)
    return CardSources(training_run, {"data": "simulated"}, reasons=reasons)


@pytest.fixture(scope="module")
def card(saved, sources):
    return card_of(saved, sources, made_at=NOW, by="anna")


def document_of(card, kind="fairness", **changes):
    return {
        "format": 1, "kind": kind, "model": {"model_id": card.model_id, "config_hash": card.config_hash},
        "measures": {f"{kind}.figure": Measure(value=0.9, low=0.8, high=1.0, n=100).as_dict()},
        "tables": {"groups": [{"group": "f", "rows": 100}]}, "notes": ["Read this."],
    } | changes  # fmt: skip


# ------------------------------------------------------------------- content


def test_a_training_fills_all_that_a_training_can(card):
    assert card.card_complete.value == 0.0
    assert card.missing == ["Fairness, by group", "Resistance to gaming"]


def test_figures_on_the_card_are_those_of_the_evaluation(card, training_run):
    lines = {line["figure"]: line for line in card.sections["performance"].tables["performance"]}
    assert lines["auc"]["value"] == round(training_run.evaluation.metrics["auc"], 10)
    assert lines["auc"]["low"] < lines["auc"]["value"] < lines["auc"]["high"]
    sides = card.sections["data"].tables["data.rows"]
    assert [side["rows"] for side in sides] == [len(training_run.train.bad), len(training_run.test.bad)]


def test_the_weights_and_their_price_are_on_it(card):
    shares = {line["category"]: line for line in card.sections["contract"].tables["contract"]}
    assert shares["social"]["target"] == pytest.approx(5 / 85)
    assert {line["model"] for line in card.sections["price"].tables["price"]} >= {"additive", "contracted"}


def test_intended_and_banned_uses_stand_first(card):
    document = card.as_document()
    assert document["sections"][0]["key"] == "uses"
    assert {line["use"] for line in document["tables"]["uses"]} == {"intended", "banned"}


def test_simulated_members_are_named_first(card):
    assert card.notes[0] == NOTICE


def test_a_feature_that_nobody_gave_a_reason_for_is_missing(saved, training_run):
    card = card_of(saved, CardSources(training_run, {"data": "own"}), made_at=NOW, by="anna")
    assert card.missing[0] == "Features: why late_count, oldest, utilisation and others (7) are in it"
    assert card.card_complete.value == 1.0


def test_a_folder_alone_says_what_the_model_knows_and_lists_the_rest(saved):
    card = card_of(saved, made_at=NOW, by="anna")
    assert {"uses", "features", "contract", "price"} == set(card.sections)
    assert "Data" in card.missing
    assert "Limits" in card.missing
    assert card.card_complete.value == len(card.missing) - 2  # fairness and gaming have gates of their own


def test_no_subject_id_is_on_it(card, training_run):
    text = json.dumps(card.as_document())
    subjects = training_run.test.features.index.get_level_values("subject_id")
    assert not any(subject in text for subject in subjects[:50])


# ----------------------------------------------------------- documents, approvals


def test_other_reports_fill_their_sections(card):
    full = with_documents(card, [document_of(card), document_of(card, "gaming")])
    assert full.missing == []
    assert full.measures["fairness.figure"]["value"] == 0.9
    assert full.as_document()["tables"]["fairness.groups"] == [{"group": "f", "rows": 100}]
    assert full.notes.count("Read this.") == 1


def test_a_report_on_another_model_is_refused(card):
    other = document_of(card, model={"model_id": "benne/0", "config_hash": "0" * 64})
    with pytest.raises(GovernanceError, match="must be about the card's own model"):
        with_documents(card, [other])


def test_a_document_of_another_kind_is_refused(card):
    with pytest.raises(GovernanceError, match="takes documents of kind fairness, gaming, categories, got 'card'"):
        with_documents(card, [document_of(card, "card")])


def test_approvals_are_lines_of_their_own_and_can_be_taken_away(card):
    given = Approval(what="validation", verdict="passed", by="bert", author="anna", at=NOW, gates_version="v1")
    approved = with_approvals(card, [given])
    assert approved.as_document()["tables"]["approvals"][0]["by"] == "bert"
    assert "approvals" not in with_approvals(approved, []).sections


# ------------------------------------------------------------------- on disk


def test_the_same_card_is_the_same_bytes_in_three_forms(saved, sources, tmp_path):
    one, two = (write_card(card_of(saved, sources, made_at=NOW, by="anna"), tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in one] == ["card.html", "card.md", "card.json"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_card_is_read_as_it_was_written(card, tmp_path):
    path = write_card(card, tmp_path)[2]
    assert card_from_document(json.loads(path.read_text("utf-8"))).as_document() == card.as_document()


def test_another_document_is_no_card():
    with pytest.raises(GovernanceError, match="must be a document of kind 'card' and format 1"):
        card_from_document({"kind": "fairness", "format": 1})


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(card, tmp_path):
    hostile = with_documents(card, [document_of(card, notes=["<script>alert(1)</script>"])])
    page = write_card(hostile, tmp_path)[0].read_text("utf-8")
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    markdown = (tmp_path / "card.md").read_text("utf-8")
    assert "<script" not in markdown


# ------------------------------------------------------------------- tracked


def test_every_tracked_run_has_a_card_which_its_version_shows(logged_run):
    card = card_of_run(logged_run.tracking, logged_run.run_id)
    assert card.sections["data"].tables["data.origin"][0]["is"] == "f" * 64
    version = register_challenger(logged_run.tracking, logged_run.run_id, "carded")
    describe_version(logged_run.tracking, version, card)
    import mlflow

    with store_in_use(logged_run.tracking):
        shown = mlflow.MlflowClient().get_model_version("carded", "1").description
    assert shown == describe_card(card)
    assert len(shown) <= 5000
    assert [line[4:] for line in shown.splitlines() if line.startswith("> - ")] == card.missing


def test_a_run_without_a_card_is_refused(logged_run):
    with pytest.raises(GovernanceError, match="must have logged a card, got none"):
        card_of_run(logged_run.tracking, "0" * 32)
