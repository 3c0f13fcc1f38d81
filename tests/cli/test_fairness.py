"""``benne protected`` and ``benne fairness``: from a store of its own to an audit that is filed."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import documents_of
from benne.scoring.store.database import open_store

BASIS = "Regulation B 1002.5(b)(1), self-test"


@pytest.fixture(scope="module")
def kept(trained, tmp_path_factory, run_json):
    """The platform, and a store of protected attributes of its members."""
    at, home = trained[0], tmp_path_factory.mktemp("audit") / "protected"
    run_json("protected", "init", home, "--jurisdiction", "us", "--attribute", f"sex={BASIS}",
             "--attribute", f"age_band={BASIS}")  # fmt: skip
    said = run_json(
        "protected", "add", home, at / "world/protected/attributes.parquet", *at.key, "--actor", "counsel-1"
    )
    assert said["members"] > 3_000
    assert said["erased"] == 0
    return at, home


def audit_of(at, home, folder, *more, cutoffs=(600, 650)):
    marks = [one for cutoff in cutoffs for one in ("--cutoff", cutoff)]
    return (
        "fairness", at / "model", at / "training.parquet", "--outcomes", at / "world/outcomes.parquet", *at.ledger,
        *at.key, "--protected", home, *marks, "--by", "counsel-1", "--out", folder, "--held-out", *more,
    )  # fmt: skip


def test_a_model_is_audited_on_held_out_rows_and_the_document_filed(kept, tmp_path, run_json):
    at, home = kept
    open_store(tmp_path / "governance.db").close()
    said = run_json(*audit_of(at, home, tmp_path / "out", "--purpose", "fairness_audit:2026-q4",
                              "--together", "sex,age_band", "--store", tmp_path / "governance.db"))  # fmt: skip
    document = json.loads((tmp_path / "out/fairness.json").read_text())
    model_id, config_hash = identity_of(at / "model")
    assert document["model"] == {"model_id": model_id, "config_hash": config_hash}
    assert document["purpose"] == "fairness_audit:2026-q4"
    assert document["by"] == "counsel-1"
    assert "members that the model was not trained on." in (tmp_path / "out/fairness.html").read_text()
    assert said["rows"] == document["rows"] < 2_500
    assert said["measures"]["flip_test"]["value"] == 0
    assert {line["attribute"] for line in document["tables"]["groups"]} == {"sex", "age_band", "sex x age_band"}
    store = open_store(tmp_path / "governance.db")
    with store.read() as connection:
        filed = documents_of(connection, config_hash, "fairness")
    store.close()
    assert [one.content["measures"] for one in filed] == [document["measures"]]
    log = run_json("protected", "log", home)
    assert log["intact"]
    assert log["records"][-1]["purpose"] == "fairness_audit:2026-q4"
    assert log["records"][-1]["what"] == "protected_attributes_read"


def test_a_file_will_do_and_the_audit_is_told_in_a_table(kept, tmp_path, run):
    at, _ = kept
    file = tmp_path / "attributes.csv"
    pd.read_parquet(at / "world/protected/attributes.parquet").to_csv(file, index=False)
    result = run(*audit_of(at, file, tmp_path / "out", "--attribute", "sex"))
    assert result.exit_code == 0, result.stderr
    assert "adverse impact ratio" in result.stdout
    assert "flip test" in result.stdout


def test_rows_that_the_model_learned_from_are_refused_before_an_attribute_is_read(kept, tmp_path, run, run_json):
    at, home = kept
    before = run_json("protected", "log", home)["records"]
    asked = [one for one in audit_of(at, home, tmp_path / "out", "--purpose", "fairness_audit:2026-q4")
             if one != "--held-out"]  # fmt: skip
    result = run(*asked)
    assert result.exit_code == 3
    assert "Leave them out: --held-out" in " ".join(result.stderr.split())
    assert run_json("protected", "log", home)["records"] == before
    assert not (tmp_path / "out").exists()


def test_attributes_are_not_read_without_a_stated_audit(kept, tmp_path, run):
    at, home = kept
    result = run(*audit_of(at, home, tmp_path / "out"))
    assert result.exit_code == 3
    assert "State which: fairness_audit:2026-q4" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--cutoff", 1000), "A cut-off must be a score from 350 to 950"),
        (("--attribute", "race"), "'race' must have been declared"),
        (("--together", "sex"), "--together must name two attributes"),
        (("--reference", "sex"), "--reference must be NAME=GROUP"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(kept, tmp_path, run, more, told):
    at, home = kept
    result = run(*audit_of(at, home, tmp_path / "out", "--purpose", "fairness_audit:2026-q4", *more))
    assert result.exit_code in (2, 3)
    assert told in " ".join(result.stderr.split())


def test_a_store_may_not_hold_what_is_denied(tmp_path, run):
    result = run("protected", "init", tmp_path / "p", "--attribute", "religion=they agreed")
    assert result.exit_code == 3
    assert "refused even with consent" in result.stderr
    assert not (tmp_path / "p").exists()
    result = run("protected", "init", tmp_path / "p", "--attribute", "sex")
    assert result.exit_code == 2
    assert "NAME=BASIS" in result.stderr


def test_a_member_is_forgotten_by_their_raw_id(kept, run_json, run):
    at, home = kept
    member = pd.read_parquet(at / "world/protected/attributes.parquet")["member_id"].iloc[0]
    assert run_json("protected", "erase", home, "--member", member, *at.key, "--actor", "counsel-1") == {"erased": True}
    said = run_json(
        "protected", "add", home, at / "world/protected/attributes.parquet", *at.key, "--actor", "counsel-1"
    )
    assert said["erased"] == 1
    assert "member_erased" in run("protected", "log", home).stdout


@pytest.mark.slow
def test_alternatives_are_searched_for_and_logged(kept, tmp_path, run_json):
    at, home = kept
    said = run_json(*audit_of(at, home, tmp_path / "out", "--purpose", "fairness_audit:lda", "--attribute", "sex",
                              "--search", 2, "--tracking", tmp_path / "mlflow", cutoffs=[580]))  # fmt: skip
    assert len(said["alternatives"]) == 3
    assert said["alternatives"][0]["candidate"] == "as given"
    assert (tmp_path / "out/alternatives.csv").read_text().startswith("candidate,dropped,tolerance")
    assert "What fairer models would cost" in (tmp_path / "out/fairness.html").read_text()
    document = json.loads((tmp_path / "out/fairness.json").read_text())
    assert document["search"]["fewest_bad"] == 50
    other = document["tables"]["alternatives"][1]
    assert other["auc_change_low"] <= other["auc_change"] <= other["auc_change_high"]
    assert all(one["verdict"] for one in said["alternatives"])


def test_a_comparison_reads_the_store_on_record_as_an_audit_does(kept, tmp_path, run, run_json):
    at, home = kept
    asked = ("compare", at / "model", at / "model", at / "training.parquet",
             "--outcomes", at / "world/outcomes.parquet", *at.ledger, *at.key,
             "--protected", home, "--by", "counsel-2", "--held-out", "--out", tmp_path / "out")  # fmt: skip
    refused = run(*asked)
    assert refused.exit_code == 3
    assert "State which: fairness_audit:2026-q4" in refused.stderr
    assert not (tmp_path / "out").exists()
    run_json(*asked, "--purpose", "fairness_audit:2027-q1")
    groups = json.loads((tmp_path / "out/comparison.json").read_text())["tables"]["groups.at_the_same_score"]
    assert {line["attribute"] for line in groups} == {"sex", "age_band"}
    last = run_json("protected", "log", home)["records"][-1]
    assert (last["actor"], last["purpose"]) == ("counsel-2", "fairness_audit:2027-q1")


@pytest.fixture(scope="module")
def bare(kept, tmp_path_factory):
    """The model without the record of its training."""
    folder = tmp_path_factory.mktemp("bare") / "model"
    shutil.copytree(kept[0] / "model", folder)
    (folder / "training.json").unlink()
    return folder


def test_of_a_model_without_a_record_nothing_is_claimed_and_nothing_filed(kept, bare, tmp_path, run, run_json):
    at, home = kept
    asked = ["fairness", bare, *audit_of(at, home, tmp_path / "out", "--purpose", "fairness_audit:2027-q2",
                                         "--attribute", "sex", cutoffs=[600])[2:]]  # fmt: skip
    asked.remove("--held-out")
    before = run_json("protected", "log", home)["records"]
    open_store(tmp_path / "governance.db").close()
    for more, way_out in (
        ((), "or leave --store out: what is on record about a model must say that it was judged on others."),
        (("--held-out",), "Train it again with `benne train`."),
    ):
        refused = run(*asked, *more, "--store", tmp_path / "governance.db")
        assert refused.exit_code == 3
        told = " ".join(refused.stderr.split())
        assert "must hold the record of its training, training.json, got none. Train it again" in told
        assert told.endswith(way_out)
    assert run_json("protected", "log", home)["records"] == before  # refused before an attribute is read
    assert not (tmp_path / "out").exists()
    run_json(*asked)
    notes = json.loads((tmp_path / "out/fairness.json").read_text())["notes"]
    nobody = "Nobody can say whether the model was trained on these members: no record of its training was there."
    assert notes[0] == nobody
    page = (tmp_path / "out/fairness.html").read_text()
    assert nobody in page
    assert "not trained on" not in page
