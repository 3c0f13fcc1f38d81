"""``benne score``, ``benne audit prove`` and ``benne audit check-proof`` as somebody types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring import Capture, ConsentRequest, ConsentTerms, Notice, open_ledger
from tests.scoring.conftest import DAY

MEMBERS = 8
ASKED = ("--purpose", "lending", "--recipient", "shop")


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    y = (rng.random(600) < 1.0 / (1.0 + np.exp(1.0 - X.sum(axis=1)))).astype(np.int64)
    quick = BoosterOptions(max_trees=20, learning_rate=0.3, patience=10, folds=2, threads=1)
    folder = tmp_path_factory.mktemp("model") / "model"
    CreditScoreModel(categories={c: [f"x_{c}"] for c in CATEGORIES}, booster=quick).fit(X, y).save(folder)
    return folder


@pytest.fixture
def scene(tmp_path, model_folder):
    """A ledger in which all but one of eight members consent, their features, and the options that name them."""
    ledger = open_ledger(tmp_path / "consents.db")
    notice = ledger.register_notice(Notice(notice_id="n", version="1", language="en", text="May we? It starts off."))
    terms = ConsentTerms(
        notice=notice, purpose="lending", recipient="shop", controller="The platform", validity=300 * DAY,
        retention_days=700, storage_location="eu", withdrawal_method="the same switch", granularity="exact",
    )  # fmt: skip
    capture = Capture(channel="app", method="toggle_switched_on", steps=1, session_hash="ab" * 32)
    subjects = [f"{n:032x}" for n in range(MEMBERS)]
    ledger.grant_many(
        [ConsentRequest(subject_id=s, terms=terms, capture=capture, categories=CATEGORIES) for s in subjects[1:]]
    )
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(MEMBERS, 5)), columns=[f"x_{c}" for c in CATEGORIES])
    frame = values.assign(
        subject_id=subjects, as_of=pd.Timestamp.now(tz="UTC"), **dict.fromkeys(MASK_COLUMNS.values(), True)
    )
    frame.to_parquet(tmp_path / "features.parquet")
    return tmp_path, ("--model", model_folder, "--ledger", tmp_path / "consents.db", *ASKED)


def scored(run_json, scene, *more, features="features.parquet"):
    folder, asked = scene
    return run_json("score", folder / features, *asked, "--out", folder / "scores.parquet", *more)


def test_what_was_done_is_told_in_counts(run_json, scene):
    said = scored(run_json, scene, "--refused", scene[0] / "refused.parquet", "--chunk-rows", "3")
    assert (said["rows"], said["scored"], said["refused"]) == (8, 7, {"consent-required": 1})
    assert (said["audit_records"], said["resumed_at"]) == (3, 0)
    assert sum(said["bands"].values()) == 7
    assert Path(said["proofs"]).is_file()
    assert len(pd.read_parquet(scene[0] / "refused.parquet")) == 1


def test_the_answer_in_words_names_every_band_and_reason(run, scene):
    folder, asked = scene
    said = run("score", folder / "features.parquet", *asked, "--out", folder / "scores.parquet")
    assert said.exit_code == 0, said.stderr
    assert "7 scored, 1 not" in said.stdout
    assert "scores.proofs.parquet: what proves each row, in 1 audit records" in said.stdout
    assert [line for line in said.stdout.splitlines() if line.startswith("  excellent")]
    assert "consent-required" in said.stdout


def test_a_proof_is_made_checked_and_rejected(run, run_json, scene):
    folder, _ = scene
    scored(run_json, scene)
    ledger = ("--ledger", folder / "consents.db")
    one = ("--subject", f"{3:032x}")
    made = run("audit", "prove", folder / "scores.parquet", *ledger, *one, "--out", folder / "proof.json")
    assert (made.exit_code, "proves a decision (granted) that is in record 1" in made.stdout) == (0, True), made.stderr
    assert run_json("audit", "check-proof", folder / "proof.json", *ledger)["decision"] == "granted"
    told = run("audit", "check-proof", folder / "proof.json", *ledger)
    assert told.stdout.startswith("It holds: granted, recorded ")
    proof = json.loads(run("audit", "prove", folder / "scores.parquet", *ledger, *one).stdout)
    proof["row"]["score"] += 1.0
    (folder / "forged.json").write_text(json.dumps(proof))
    forged = run("audit", "check-proof", folder / "forged.json", *ledger)
    assert (forged.exit_code, forged.stdout) == (6, "")
    assert "does not lead to" in " ".join(forged.stderr.split()) or "must lead to what is on record" in forged.stderr
    (folder / "no.json").write_text("no")
    assert run("audit", "check-proof", folder / "no.json", *ledger).exit_code == 6


def test_who_is_not_in_the_batch_is_bad_input(run, run_json, scene):
    folder, _ = scene
    scored(run_json, scene)
    nobody = ("--subject", "f" * 32, "--ledger", folder / "consents.db")
    assert run("audit", "prove", folder / "scores.parquet", *nobody).exit_code == 3


def test_a_table_is_scored_too(run, run_json, scene):
    folder, asked = scene
    frame = pd.read_parquet(folder / "features.parquet")
    address = f"sqlite:///{folder / 'features.db'}"
    engine = create_engine(address)
    frame.assign(as_of_us=frame.pop("as_of").astype("int64")).to_sql("member_features", engine, index=False)
    engine.dispose()
    said = run_json("score", address, "--table", "member_features", *asked, "--out", folder / "scores.parquet")
    assert said["scored"] == 7
    assert run("score", address, *asked, "--out", folder / "scores.parquet").exit_code == 2


def test_resume_never_begins(run, scene):
    folder, asked = scene
    result = run("score", folder / "features.parquet", *asked, "--out", folder / "scores.parquet", "--resume")
    assert result.exit_code == 3
    assert "got none there" in " ".join(result.stderr.split())


def test_a_ledger_that_is_not_there_is_not_made(run, scene):
    folder, asked = scene
    other = ["--ledger" if a == "--ledger" else folder / "none.db" if a == folder / "consents.db" else a for a in asked]
    result = run("score", folder / "features.parquet", *other, "--out", folder / "scores.parquet")
    assert result.exit_code == 5
    assert not (folder / "none.db").exists()


def test_policies_of_ones_own_decide_how_much_is_told(run, run_json, scene):
    folder, _ = scene
    from benne.scoring.policy.policy_file import default_text

    text = default_text()
    assert 'granularity = "exact"' in text
    (folder / "policies.toml").write_text(text.replace('granularity = "exact"', 'granularity = "band"', 1))
    scored(run_json, scene, "--policies", folder / "policies.toml")
    told = pd.read_parquet(folder / "scores.parquet")
    assert told["score"].isna().all()
    assert told["band"].notna().all()


STOPPING = """
import os, signal, sys
from benne.scoring.batch import settling
calls, finish = iter(range(9)), settling.finish
def dying(path):
    if next(calls) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    finish(path)
settling.finish = dying
from benne.cli import main
sys.argv[0] = "benne"
main()
"""


def test_the_same_command_goes_on_after_a_kill(run, scene):
    folder, asked = scene
    arguments = [str(a) for a in ("score", folder / "features.parquet", *asked, "--out", folder / "scores.parquet")]
    killed = subprocess.run([sys.executable, "-c", STOPPING, *arguments, "--chunk-rows", "3"], check=False)
    assert killed.returncode == -9
    assert not (folder / "scores.parquet").exists()
    assert oct(os.stat(folder / "scores.parquet.job").st_mode)[-3:] == "700"
    result = run(*arguments, "--chunk-rows", "3", "--resume")
    assert result.exit_code == 0, result.stderr
    assert "Gone on after 6 rows that were done." in result.stdout
    assert run("audit", "verify", "--ledger", folder / "consents.db").exit_code == 0
    assert len(pd.read_parquet(folder / "scores.parquet")) == 7
