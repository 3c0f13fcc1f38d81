from __future__ import annotations

import json
import shutil
import stat

import numpy as np
import pandas as pd
import pytest

ASKED = ("--purpose", "lending", "--recipient", "platform")


@pytest.fixture
def own_ledger(scored, tmp_path):
    """The platform with a ledger that a test may change."""
    platform, _ = scored
    copy = tmp_path / "consents.db"
    for part in platform.folder.glob("consents.db*"):
        shutil.copy(part, tmp_path / part.name)
    return platform, ("--ledger", copy)


def test_a_key_file_is_closed_to_everybody_else_and_never_shown(run, tmp_path):
    result = run("keys", "new", tmp_path / "subject.key")
    secret = (tmp_path / "subject.key").read_text("ascii").strip()
    assert stat.S_IMODE((tmp_path / "subject.key").stat().st_mode) == 0o600
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in result.output


def test_a_key_is_never_replaced(run, tmp_path):
    run("keys", "new", tmp_path / "subject.key")
    before = (tmp_path / "subject.key").read_text("ascii")
    result = run("keys", "new", tmp_path / "subject.key")
    assert (result.exit_code, (tmp_path / "subject.key").read_text("ascii")) == (3, before)


def test_a_key_that_others_can_read_is_not_used(run, ingested, tmp_path):
    shutil.copy(ingested / "subject.key", tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o604)
    result = run("ingest", ingested / "world/raw", tmp_path / "events", "--key-file", tmp_path / "open.key")
    assert result.exit_code == 3
    assert "must be closed to others" in result.stderr


def test_raw_events_that_break_the_contract_leave_nothing_behind(run, ingested, tmp_path):
    (tmp_path / "raw").mkdir()
    members = pd.read_parquet(ingested / "world/raw/members.parquet")
    members.drop(columns="event_time").to_parquet(tmp_path / "raw/members.parquet")
    result = run("ingest", tmp_path / "raw", tmp_path / "events", *ingested.key)
    assert result.exit_code == 3
    assert "members" in result.stderr
    assert "event_time" in result.stderr
    assert not (tmp_path / "events").exists()


def test_an_ingest_clock_without_timezone_is_a_usage_error(run, ingested, tmp_path):
    asked = ("--ingested-at", "2026-01-01T00:00:00")
    result = run("ingest", ingested / "world/raw", tmp_path / "events", *ingested.key, *asked)
    assert result.exit_code == 2
    assert "timezone" in result.stderr


def test_features_are_built_only_where_consent_allows(built):
    frame = pd.read_parquet(built / "features.parquet")
    social = [name for name in frame.columns if name == "relationships_365d"]
    assert 0 < frame["consented_social"].sum() < len(frame)
    assert frame.loc[~frame["consented_social"], social].isna().all(axis=None)


def test_features_without_a_word_about_consent_are_a_usage_error(run, ingested, tmp_path):
    observations = (ingested / "events", ingested / "world/observations.parquet", *ingested.key)
    result = run("features", "build", *observations, "--out", tmp_path / "f.parquet")
    assert result.exit_code == 2
    assert "--all-granted" in result.stderr


def test_all_granted_says_so_on_stderr(run, ingested, tmp_path, caplog):
    observations = (ingested / "events", ingested / "world/observations.parquet", *ingested.key)
    result = run("features", "build", *observations, "--all-granted", "simulated", "--out", tmp_path / "f.parquet")
    assert result.exit_code == 0, result.stderr
    assert "without a ledger: simulated" in caplog.text
    assert pd.read_parquet(tmp_path / "f.parquet")["consented_social"].all()


def test_raw_observations_need_the_key(run, ingested, tmp_path):
    observations = (ingested / "events", ingested / "world/observations.parquet", *ingested.ledger)
    result = run("features", "build", *observations, *ASKED, "--out", tmp_path / "f.parquet")
    assert result.exit_code == 3
    assert "--key-file" in result.stderr


def test_keyed_observations_need_no_key(run_json, ingested, built, tmp_path):
    frame = pd.read_parquet(built / "features.parquet", columns=["subject_id", "as_of"]).head(20)
    frame.to_parquet(tmp_path / "observations.parquet")
    asked = (ingested / "events", tmp_path / "observations.parquet", *ingested.ledger, *ASKED)
    assert run_json("features", "build", *asked, "--out", tmp_path / "f.parquet")["observations"] == 20


def test_training_reports_shares_that_are_the_weights(trained):
    _, said = trained
    for category, weight in said["weights"].items():
        assert said["shares_reference"][category] == pytest.approx(weight, abs=1e-6)
    assert said["largest_gap"] < 1e-9
    assert said["trained_on"] > said["tested_on"] > 0
    assert said["left_out"]["no consent to training"] > 0
    assert said["left_out"]["no consent to ability, without which there is no score"] > 0


def test_consent_to_be_scored_is_not_consent_to_train_on(run, built, tmp_path):
    outcomes = (built / "features.parquet", built / "world/outcomes.parquet", *built.key)
    result = run("train", *outcomes, "--quick", "--out", tmp_path / "model", "--tracking", tmp_path / "mlflow")
    assert result.exit_code == 4
    assert "model_training" in result.stderr
    assert not (tmp_path / "model").exists()


def test_every_observation_is_scored_or_refused_with_a_reason(scored):
    platform, said = scored
    scores, refused = (pd.read_parquet(platform / f"{name}.parquet") for name in ("scores", "refused"))
    assert (said["scored"], sum(said["refused"].values())) == (len(scores), len(refused))
    assert len(scores) + len(refused) == 4000
    assert not set(scores["subject_id"]) & set(refused["subject_id"])
    assert said["refused"]["consent-required"] > 0


def test_written_scores_add_up(scored):
    scores = pd.read_parquet(scored[0] / "scores.parquet")
    total = scores["base"] + scores.filter(regex="^points_").sum(axis=1) + scores["clipped"]
    np.testing.assert_allclose(total, scores["score"], atol=1e-9)
    assert scores["score"].between(350, 950).all()


def test_nobody_who_consents_is_exit_code_4_and_no_file(run, built, trained, tmp_path):
    frame = pd.read_parquet(built / "features.parquet")
    nobody = ("--purpose", "rental", "--recipient", "platform", "--out", tmp_path / "scores.parquet")
    frame.set_index(["subject_id", "as_of"]).to_parquet(tmp_path / "features.parquet")  # says no purpose
    result = run("score", tmp_path / "features.parquet", "--model", built / "model", *built.ledger, *nobody)
    assert result.exit_code == 4
    assert "consent-required" in result.stderr
    assert not (tmp_path / "scores.parquet").exists()


def test_features_of_another_purpose_are_not_scored(run, built, trained, tmp_path):
    asked = ("--purpose", "rental", "--recipient", "platform", "--out", tmp_path / "scores.parquet")
    result = run("score", built / "features.parquet", "--model", built / "model", *built.ledger, *asked)
    assert result.exit_code == 4
    assert "rental" in result.stderr


def test_an_explanation_in_text_adds_up_and_equals_the_score(run, scored):
    platform, _ = scored
    asked = (platform / "features.parquet", "--model", platform / "model", *platform.ledger, *ASKED, *platform.key)
    member = platform.member_with("scored")
    text = run("explain", *asked, "--member", member)
    explained = json.loads(run("explain", *asked, "--member", member, "--json").stdout)
    shown = [category["shown"] for category in explained["categories"]]
    assert explained["base_shown"] + sum(shown) + explained["clipped_shown"] == explained["shown"]
    assert text.stdout.startswith(f"Score {explained['shown']} of 350 to 950")
    scores = pd.read_parquet(platform / "scores.parquet")
    assert (scores["score"] == explained["score"]).any()


def test_an_explanation_in_chinese_is_written_as_page_and_pdf_beside_the_answer(run, scored, tmp_path):
    platform, _ = scored
    asked = (platform / "features.parquet", "--model", platform / "model", *platform.ledger, *ASKED, *platform.key)
    page, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    written = ("--language", "zh", "--html", page, "--pdf", pdf)
    told = run("explain", *asked, "--member", platform.member_with("scored"), *written)
    assert told.stdout.startswith("信用分 ")
    assert str(pdf) in told.stderr
    assert "<h1>您的信用报告</h1>" in page.read_text("utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-1.7")


def test_a_member_who_never_consented_gets_no_explanation(run, scored):
    platform, _ = scored
    asked = (platform / "features.parquet", "--model", platform / "model", *platform.ledger, *ASKED, *platform.key)
    result = run("explain", *asked, "--member", platform.member_with("consent-required"))
    assert (result.exit_code, result.stdout) == (4, "")


def test_a_member_must_be_named_exactly_once(run, scored):
    platform, _ = scored
    asked = (platform / "features.parquet", "--model", platform / "model", *platform.ledger, *ASKED)
    assert run("explain", *asked).exit_code == 2
    assert run("explain", *asked, "--member", "anna", "--subject", "0" * 32).exit_code == 2
    assert run("explain", *asked, "--member", "anna").exit_code == 2


def test_after_a_withdrawal_the_very_next_score_is_refused(run, run_json, own_ledger, tmp_path):
    platform, ledger = own_ledger
    member = platform.member_with("scored")
    ended = run_json("consent", "withdraw", *ledger, *ASKED, "--member", member, *platform.key)["ended"]
    assert "credit_history" in ended
    asked = (platform / "features.parquet", "--model", platform / "model", *ledger, *ASKED, *platform.key)
    result = run("explain", *asked, "--member", member)
    assert result.exit_code == 4
    assert "consent-withdrawn" in result.stderr
    said = run_json("score", *asked[:-2], "--out", tmp_path / "scores.parquet")
    assert said["scored"] == len(pd.read_parquet(platform / "scores.parquet")) - 1


def test_withdrawing_one_category_holds_up_nobody_else(run_json, own_ledger, tmp_path):
    platform, ledger = own_ledger
    whole = pd.read_parquet(platform / "scores.parquet").query("withheld == ''")["subject_id"].iloc[0]
    run_json("consent", "withdraw", *ledger, *ASKED, "--subject", whole, "--category", "social")
    asked = (platform / "features.parquet", "--model", platform / "model", *ledger, *ASKED)
    said = run_json("score", *asked, "--out", tmp_path / "scores.parquet")
    assert said["refused"]["consent-changed"] == 1
    assert said["scored"] == len(pd.read_parquet(platform / "scores.parquet")) - 1


def test_a_feature_can_be_listed_and_shown(run_json, run, ingested):
    listed = run_json("features", "list", "--category", "social", "--events", ingested / "events")
    assert {one["category"] for one in listed} == {"social"}
    assert all(one["absent"] is None for one in listed)
    shown = run_json("features", "show", listed[0]["name"])
    assert shown["rationale"]
    assert run("features", "show", "shoe_size").exit_code == 3
    assert run("features", "list", "--category", "luck").exit_code == 3
    assert listed[0]["name"] in run("features", "list").stdout


def test_the_data_sets_are_listed_with_where_to_get_them(run_json, tmp_path):
    listed = run_json("data", "list", "--folder", tmp_path)
    assert [one["found"] for one in listed] == [False, False, False]
    assert all("http" in one["download"] for one in listed)


def test_a_corrected_build_says_so_and_no_model_learns_from_it(run, run_json, ingested, tmp_path):
    observations = (ingested / "events", ingested / "world/observations.parquet", *ingested.key, *ingested.ledger)
    training = ("--purpose", "model_training", "--recipient", "platform", "--known-by", "2027-01-01T00:00:00Z")
    run_json("features", "build", *observations, *training, "--out", tmp_path / "corrected.parquet")
    outcomes = (tmp_path / "corrected.parquet", ingested / "world/outcomes.parquet", *ingested.key)
    result = run("train", *outcomes, "--quick", "--out", tmp_path / "model", "--tracking", tmp_path / "mlflow")
    assert result.exit_code == 3
    assert "got a corrected build that knows what was learned by 2027-01-01" in result.stderr


def test_a_build_stops_where_its_data_are_beyond_a_limit(run, ingested, tmp_path):
    limits = tmp_path / "limits.json"
    limits.write_text(json.dumps({"format": 1, "thin_share": {"warn": 0, "stop": 0.001}}))
    observations = (ingested / "events", ingested / "world/observations.parquet", *ingested.key, *ingested.ledger)
    asked = ("--quality-out", tmp_path / "quality.html", "--thresholds", limits, "--out", tmp_path / "f.parquet")
    result = run("features", "build", *observations, *ASKED, *asked)
    assert result.exit_code == 8
    assert (tmp_path / "quality.html").exists()
    assert not (tmp_path / "f.parquet").exists()
