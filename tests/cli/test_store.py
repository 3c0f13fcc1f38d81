"""One member's features from a store that grows."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

ASKED = ("--purpose", "lending", "--recipient", "platform")
CLOCK = ("--ingested-at", "2027-02-01T00:00:00Z")


@pytest.fixture(scope="module")
def store(run_json, built, tmp_path_factory):
    """A store of the platform's events."""
    path = tmp_path_factory.mktemp("store") / "events.db"
    said = run_json("store", "create", built / "events", "--store", path, "--watermark", "2027-01-01T00:00:00Z")
    assert said["rows"] > 100_000
    return path


def _features(run_json, platform, store, member, *more):
    return run_json("store", "features", "--store", store, *platform.ledger, *ASKED, *platform.key, "--member", member,
                    *more)  # fmt: skip


def test_one_member_has_the_features_of_the_build(run_json, built, store):
    frame = pd.read_parquet(built / "features.parquet")
    members = pd.read_parquet(built / "world/observations.parquet")["member_id"]
    consenting = frame.filter(regex="^consented_").any(axis=1)
    for place in frame.index[consenting][[0, 17, 99]]:
        said = _features(run_json, built, store, members[place], "--as-of", frame["as_of"][place].isoformat())
        names = list(said["features"])
        wanted = [None if pd.isna(v) else v for v in frame.loc[place, names]]
        assert list(said["features"].values()) == wanted
        assert said["consented"]["social"] == frame["consented_social"][place]


def test_new_rows_are_appended_and_seen_from_then_on(run, run_json, built, store, tmp_path):
    raw = tmp_path / "today"
    raw.mkdir()
    moment = pd.Timestamp("2027-01-15", tz="UTC")
    pd.DataFrame({
        "record_id": ["fee-1"], "member_id": ["m00000004"], "event_time": [moment], "direction": ["out"],
        "kind": ["fee"], "amount": [500], "currency": ["EUR"],
    }).to_parquet(raw / "payments.parquet")  # fmt: skip
    append = ("store", "append", raw, "--store", store, *built.key, *CLOCK)
    assert run_json(*append)["added"] == 1
    again = run(*append[:-1], "2027-02-02T00:00:00Z")
    assert again.exit_code == 3
    assert "payments.record_id must be unique" in again.stderr
    told = run("store", "features", "--store", store, "--all-granted", "test", *built.key, "--member", "m00000004")
    assert told.exit_code == 0, told.stderr
    assert "penalty_fees_180d" in told.stdout
    asked = ("--all-granted", "test", *built.key, "--member", "m00000004")
    assert run_json("store", "features", "--store", store, *asked)["features"]["penalty_fees_180d"] >= 1
    later = run_json("store", "advance", "--store", store, "--ingested-at", "2027-03-01T00:00:00Z")
    assert later["watermark"].startswith("2027-03-01")


def test_a_member_who_has_withdrawn_everything_is_refused_with_the_categories_named(
    run, run_json, built, store, tmp_path
):
    for part in built.folder.glob("consents.db*"):
        shutil.copy(part, tmp_path / part.name)
    ledger, member = ("--ledger", tmp_path / "consents.db"), ("--member", "m00000004", *built.key)
    asked = ("store", "features", "--store", store, *ledger, *ASKED, *member)
    run_json("consent", "withdraw", *ledger, *ASKED, *member, "--category", "social")
    some = run(*asked)
    assert some.exit_code == 0, some.stderr
    assert "Not computed, as not consented to: personal_information, social." in some.stderr
    run_json("consent", "withdraw", *ledger, *ASKED, *member)
    for form in ((), ("--json",)):
        none = run(*asked, *form)
        assert (none.exit_code, none.stdout) == (4, "")
        assert "got none to credit_history, behaviour, ability, personal_information, social" in none.stderr
        assert "(consent ledger: lending for platform)" in none.stderr


def test_a_store_that_is_not_there_and_a_moment_not_known_yet_are_refused(run, built, store, tmp_path):
    missing = run("store", "features", "--store", tmp_path / "no.db", "--all-granted", "test", "--subject", "0" * 32)
    assert missing.exit_code == 5
    assert "An event store must be at" in missing.stderr
    asked = ("store", "features", "--store", store, "--all-granted", "test", *built.key, "--member", "m00000004")
    early = run(*asked, "--as-of", "2030-01-01T00:00:00Z")
    assert early.exit_code == 3
    assert "as_of must be at most the store's watermark" in early.stderr
