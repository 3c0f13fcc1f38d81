"""`benne card`, `benne categories`, `benne template`: what must be known of a model, and projects to begin with."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def worth(trained, run_json):
    at, _ = trained
    asked = (at / "model", at / "training.parquet", "--outcomes", at / "world/outcomes.parquet", "--by", "anna")
    return run_json("categories", *asked, "--no-free", "--out", at / "worth", *at.ledger, *at.key)


def test_the_card_of_a_run_is_complete_and_says_whose_members_they_are(trained, run_json, tmp_path):
    at, said = trained
    told = run_json("card", said["mlflow_run"], "--tracking", at / "mlflow", "--out", tmp_path)
    assert told["measures"]["documentation.card_complete"]["value"] == 0.0
    assert told["notes"][0].startswith("Simulated members.")
    assert told["measures"]["labels.influenced_share"]["value"] == 0.0
    assert {path.name for path in tmp_path.iterdir()} == {"card.html", "card.md", "card.json"}
    assert all(line["rationale"] for line in told["tables"]["features"])


def test_the_card_of_a_folder_says_what_is_missing(trained, run, tmp_path):
    at, _ = trained
    result = run("card", at / "model", "--by", "anna", "--out", tmp_path)
    assert result.exit_code == 0
    assert "Missing:" in result.stdout
    assert "  Data" in result.stdout


def test_a_report_on_the_model_goes_onto_its_card(trained, worth, run_json, tmp_path):
    at, said = trained
    asked = ("card", said["mlflow_run"], "--tracking", at / "mlflow", "--document", at / "worth/categories.json")
    told = run_json(*asked, "--out", tmp_path)
    assert told["tables"]["categories.verdicts"] == worth["tables"]["verdicts"]


def test_the_card_is_filed_with_the_verdicts_on_record(trained, run, run_json, tmp_path):
    from benne.cli.governance_store import opened_governance_store
    from benne.scoring.governance.documents import documents_of

    at, said = trained
    gates = tmp_path / "gates.toml"
    gates.write_text(run("gates", "show", "--toml").stdout, "utf-8")
    store = tmp_path / "governance.db"
    run_json("gates", "declare", gates, "--store", store, "--approver", "carl")
    told = run_json(
        "card", said["mlflow_run"], "--tracking", at / "mlflow", "--store", store, "--out", tmp_path / "card"
    )
    assert "approvals" not in told["tables"]  # nobody has validated it there
    with opened_governance_store(str(store)) as governance, governance.store.read() as connection:
        (filed,) = documents_of(connection, told["model"]["config_hash"], "card")
    assert filed.content["tables"] == told["tables"]


def test_another_models_report_is_refused(trained, worth, run, tmp_path):
    at, said = trained
    other = tmp_path / "other.json"
    other.write_text(json.dumps(worth | {"model": {"model_id": "benne/0", "config_hash": "0" * 64}}), "utf-8")
    result = run("card", said["mlflow_run"], "--tracking", at / "mlflow", "--document", other, "--out", tmp_path)
    assert result.exit_code != 0
    assert "must be about the card's own model" in result.stderr


def test_the_worth_of_categories_is_told_of_the_model_that_was_saved(worth, trained):
    assert [line["category"] for line in worth["tables"]["verdicts"]] == [
        "credit_history", "behaviour", "ability", "personal_information", "social",
    ]  # fmt: skip
    assert worth["notes"][0].startswith("Simulated members.")
    at, _ = trained
    page = (at / "worth/categories.html").read_text("utf-8")
    assert worth["model"]["model_id"] in page
    assert "weights_free" not in worth["tables"]


def test_templates_are_listed_and_copied(run, run_json, tmp_path):
    assert set(run_json("template", "list")) == {"lender_csv", "own_table"}
    made = run_json("template", "new", "own_table", tmp_path / "mine")
    assert [path.rpartition("/")[2] for path in made] == ["own_table.py", "own_table.ipynb"]
    again = run("template", "new", "own_table", tmp_path / "mine")
    assert again.exit_code != 0
    assert "Choose another folder" in again.stderr
