"""``benne velocity``: learned from honest members, checked on others, and nothing said of who was not flagged."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benne.features import MASK_COLUMNS
from benne.features.frames import Provenance, write_features
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import documents_of
from benne.scoring.store.database import open_store

ENDORSED, KNOWN = "endorsements_received_365d", "relationships_365d"
GAMERS = 12


def written(path, day, endorsed, known, **provenance):
    """Features of as many members, each under every consent."""
    names = [f"{k:032x}" for k in range(len(endorsed))]
    index = pd.MultiIndex.from_product([names, [pd.Timestamp(day, tz="UTC")]], names=["subject_id", "as_of"])
    frame = pd.DataFrame({ENDORSED: endorsed, KNOWN: known}, index=index, dtype=float)
    said = {"consents": "simulated members", "purpose": None, "recipient": None, "events_fingerprint": "e",
            "key_fingerprint": "k"} | provenance  # fmt: skip
    return write_features(frame.assign(**dict.fromkeys(MASK_COLUMNS.values(), True)), path, Provenance(**said))


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    """June and July of honest members; July and August in which twelve of a thousand deal and are endorsed at once."""
    at, rng, n = tmp_path_factory.mktemp("velocity"), np.random.default_rng(0), 1000
    endorsed, known = rng.poisson(2, n), rng.poisson(5, n)
    for name, day in (("june", "2025-06-01"), ("july", "2025-07-01"), ("august", "2025-07-31")):
        written(at / f"{name}.parquet", day, endorsed, known)
        endorsed, known = endorsed + rng.poisson(0.2, n), known + rng.poisson(0.5, n)
        if name == "july":
            endorsed[:GAMERS] += 9
            known[:GAMERS] += 9
    return at


@pytest.fixture(scope="module")
def learned(moments, run_json):
    said = run_json("velocity", "learn", moments / "june.parquet", moments / "july.parquet",
                    "--out", moments / "reference.json")  # fmt: skip
    return moments, said


def test_learning_writes_a_reference_of_nobody(learned):
    at, said = learned
    assert (said["members"], said["features"], said["quantile"]) == (1000, [ENDORSED, KNOWN], 0.995)
    text = (at / "reference.json").read_text("utf-8")
    assert json.loads(text)["kind"] == "velocity_reference"
    assert f"{0:032x}" not in text


def test_those_who_burst_are_named_and_nobody_else(learned, run, run_json, tmp_path):
    at, _ = learned
    asked = ("velocity", "check", at / "july.parquet", at / "august.parquet", "--reference", at / "reference.json",
             "--out", tmp_path / "flags.parquet")  # fmt: skip
    said = run_json(*asked)
    flags = pd.read_parquet(tmp_path / "flags.parquet")
    assert list(flags.columns) == ["subject_id", "fast_features", "which"]
    assert {f"{k:032x}" for k in range(GAMERS)} <= set(flags["subject_id"])
    assert len(flags) == said["flagged"] < GAMERS + 20
    assert said["members"] == 1000
    assert said["measures"]["velocity.flagged_share"]["value"] == said["flagged"] / 1000
    told = run(*asked)
    assert told.exit_code == 0, told.stderr
    assert f"1,000 members at both moments, {said['flagged']} flagged; 0.5% expected" in told.stdout
    assert ENDORSED in told.stdout
    assert "For a person to look at" in told.stderr
    assert f"{0:032x}" not in told.stdout + told.stderr


def test_the_share_is_filed_about_the_model_and_no_name(learned, trained, run_json, tmp_path):
    at, model = learned[0], trained[0] / "model"
    open_store(tmp_path / "governance.db").close()
    run_json("velocity", "check", at / "july.parquet", at / "august.parquet", "--reference", at / "reference.json",
             "--out", tmp_path / "flags.parquet", "--model", model, "--store", tmp_path / "governance.db",
             "--by", "ana")  # fmt: skip
    store = open_store(tmp_path / "governance.db")
    with store.read() as connection:
        (filed,) = documents_of(connection, identity_of(model)[1], "velocity")
    store.close()
    content = filed.content
    assert (content["by"], content["reference"]) == ("ana", {"quantile": 0.995, "rows": 1000})
    assert content["measures"]["velocity.flagged_share"]["n"] == 1000
    assert all(row["fast"] is None or row["fast"] == 0 or row["fast"] >= 10 for row in content["tables"]["features"])
    assert f"{0:032x}" not in json.dumps(content)


def test_features_of_two_purposes_or_keys_are_not_compared(learned, run, tmp_path):
    at, _ = learned
    n = np.zeros(300)
    other = written(tmp_path / "key.parquet", "2025-09-01", n, n, key_fingerprint="another")
    rent = written(tmp_path / "rent.parquet", "2025-09-01", n, n, purpose="rental", recipient="platform")
    for after, what in ((other, "key of members"), (rent, "purpose")):
        result = run("velocity", "check", at / "july.parquet", after, "--reference", at / "reference.json",
                     "--out", tmp_path / "flags.parquet")  # fmt: skip
        assert result.exit_code == 3
        assert f"must have one {what}, got two" in result.stderr
    assert not (tmp_path / "flags.parquet").exists()


def test_consent_is_asked_again_and_nobody_is_learned_from_who_gave_it_for_something_else(run, tmp_path):
    n, lending = np.zeros(300), {"purpose": "lending", "recipient": "platform"}
    asked = [written(tmp_path / f"{day}.parquet", day, n, n, **lending) for day in ("2025-06-01", "2025-07-01")]
    result = run("velocity", "learn", *asked, "--out", tmp_path / "reference.json")
    assert result.exit_code == 4
    assert "must be computed for model_training" in result.stderr
    trained_on = {"purpose": "model_training", "recipient": "platform"}
    asked = [written(tmp_path / f"{day}.parquet", day, n, n, **trained_on) for day in ("2025-06-01", "2025-07-01")]
    result = run("velocity", "learn", *asked, "--out", tmp_path / "reference.json")
    assert result.exit_code == 4
    assert "consent ledger must be asked again" in result.stderr
    assert not (tmp_path / "reference.json").exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"threshold": float("-inf")}, "must be as it was written"),
        ({"quantile": 0.2}, "must be as it was written"),
        ({"grids": {}}, "must be as it was written"),
        ({"rows": float("inf")}, "must be as it was written"),
        ({"days": 3}, "must be 3 days apart as in the reference"),
        ({"grids": {ENDORSED: [1.0, 0.0]}}, "must be as it was written"),
        ({"grids": {"income_monthly_180d_x": [0.0, 1.0]}}, "got no 'income_monthly_180d_x'"),
    ],
)
def test_a_reference_that_somebody_edited_flags_nobody(learned, run, tmp_path, change, match):
    at, _ = learned
    edited = json.loads((at / "reference.json").read_text("utf-8")) | change
    (tmp_path / "edited.json").write_text(json.dumps(edited))
    result = run("velocity", "check", at / "july.parquet", at / "august.parquet",
                 "--reference", tmp_path / "edited.json", "--out", tmp_path / "flags.parquet")  # fmt: skip
    assert result.exit_code == 3
    assert match in result.stderr
    assert not (tmp_path / "flags.parquet").exists()


def test_moments_the_wrong_way_round_and_a_store_without_a_model_are_refused(learned, run, tmp_path):
    at, _ = learned
    asked = ("--reference", at / "reference.json", "--out", tmp_path / "flags.parquet")
    result = run("velocity", "check", at / "august.parquet", at / "july.parquet", *asked)
    assert result.exit_code == 3
    assert "second moment must lie after the first" in result.stderr
    result = run("velocity", "check", at / "july.parquet", at / "august.parquet", *asked, "--store", tmp_path / "g.db")
    assert result.exit_code == 2
    assert "name its folder, --model" in result.stderr
