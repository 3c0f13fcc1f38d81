from __future__ import annotations

import pandas as pd
import pytest

TERMS = ("--purpose", "lending", "--recipient", "shop", "--controller", "Example Ltd")
ASKED = ("--purpose", "lending", "--recipient", "shop")
ANNA = "a" * 32
CHOSEN = ("--category", "credit_history", "--category", "ability")


@pytest.fixture
def terms(run_json, tmp_path):
    run_json("consent", "terms", tmp_path / "lending.toml", *TERMS)
    return "--terms", tmp_path / "lending.toml"


@pytest.fixture
def ledger(tmp_path):
    return "--ledger", tmp_path / "consents.db"


def test_drafted_terms_are_never_written_over_those_members_saw(run, terms):
    result = run("consent", "terms", terms[1], *TERMS)
    assert result.exit_code == 3
    assert "must not exist yet" in result.stderr


def test_a_grant_shows_the_notice_and_every_switch(run, terms, ledger):
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    assert result.exit_code == 0, result.stderr
    assert "May we compute your score" in result.stderr
    assert "[on ] credit_history" in result.stderr
    assert "[off] social" in result.stderr


def test_nothing_is_recorded_without_an_affirmative_act(run, run_json, terms, ledger):
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN)
    assert result.exit_code == 2
    assert "the member's own act" in result.stderr
    assert not ledger[1].exists()


def test_no_category_is_on_by_itself(run, terms, ledger):
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, "--yes-i-consent")
    assert result.exit_code == 2
    assert "none is on by itself" in result.stderr


def test_what_was_granted_is_what_is_shown(run, run_json, terms, ledger):
    granted = run_json("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    shown = run_json("consent", "show", *ledger, "--subject", ANNA)
    assert granted["categories"] == ["credit_history", "ability"]
    assert shown["active"] == {"lending for shop": ["ability", "credit_history"]}
    assert [one["state"] for one in shown["records"][0]["events"]] == ["given", "given"]
    assert "given: ability" in run("consent", "show", *ledger, "--subject", ANNA).stdout


def test_withdrawing_takes_fewer_words_than_granting_and_asks_nothing(run, run_json, terms, ledger):
    granting = ("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    withdrawing = ("consent", "withdraw", *ledger, "--subject", ANNA, *ASKED)
    run_json(*granting)
    assert len(withdrawing) < len(granting)
    assert sorted(run_json(*withdrawing)["ended"]) == ["ability", "credit_history"]
    assert run_json(*withdrawing) == {"ended": []}
    assert run_json("consent", "show", *ledger, "--subject", ANNA)["active"] == {"lending for shop": []}


def test_one_category_can_be_withdrawn_alone(run_json, terms, ledger):
    run_json("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    ended = run_json("consent", "withdraw", *ledger, "--subject", ANNA, *ASKED, "--category", "ability")
    assert ended == {"ended": ["ability"]}
    assert run_json("consent", "show", *ledger, "--subject", ANNA)["active"] == {"lending for shop": ["credit_history"]}


def test_a_raw_id_is_keyed_before_anything_is_kept(run_json, terms, ledger, tmp_path):
    run_json("keys", "new", tmp_path / "subject.key")
    who = ("--member", "anna", "--key-file", tmp_path / "subject.key")
    run_json("consent", "grant", *terms, *ledger, *who, *CHOSEN, "--yes-i-consent")
    assert run_json("consent", "show", *ledger, *who)["active"] == {"lending for shop": ["ability", "credit_history"]}
    assert b"anna" not in ledger[1].read_bytes()


def test_a_mistyped_ledger_is_not_an_empty_one(run, ledger):
    result = run("consent", "show", *ledger, "--subject", ANNA)
    assert result.exit_code == 5
    assert not ledger[1].exists()


def test_a_raw_id_in_place_of_a_subject_id_is_refused_without_repeating_it(run, terms, ledger):
    result = run("consent", "grant", *terms, *ledger, "--subject", "anna@example.org", *CHOSEN, "--yes-i-consent")
    assert result.exit_code == 3
    assert "anna@example.org" not in result.stderr


def test_terms_with_an_unknown_field_are_refused(run, terms, ledger):
    text = terms[1].read_text("utf-8")
    terms[1].write_text(text + 'pre_ticked = "yes"\n', "utf-8")
    result = run("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    assert result.exit_code == 3
    assert "unknown" in result.stderr


def test_a_text_changed_under_one_version_is_refused(run, run_json, terms, ledger):
    grant = ("consent", "grant", *terms, *ledger, "--subject", ANNA, *CHOSEN, "--yes-i-consent")
    run_json(*grant)
    terms[1].write_text(terms[1].read_text("utf-8").replace("May we", "Surely we may"), "utf-8")
    result = run(*grant)
    assert result.exit_code == 3
    assert "new version" in result.stderr


def history(*acts: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(acts, columns=["category", "event", "time"]).assign(
        subject_id=ANNA, purpose="lending", recipient="shop"
    )
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True))


def test_an_imported_history_keeps_its_own_times(run_json, terms, ledger, tmp_path):
    acts = history(
        ("ability", "given", "2026-01-01"), ("ability", "withdrawn", "2026-02-01"), ("social", "given", "2026-01-01")
    )
    acts.to_parquet(tmp_path / "history.parquet")
    said = run_json("consent", "import", tmp_path / "history.parquet", *terms, *ledger)
    events = [
        (one["time"][:10], one["category"], one["state"])
        for record in run_json("consent", "show", *ledger, "--subject", ANNA)["records"]
        for one in record["events"]
    ]
    assert said == {"records": {"lending for shop": 1}, "withdrawals": {"lending for shop": 1}}
    assert sorted(events) == [
        ("2026-01-01", "ability", "given"),
        ("2026-01-01", "social", "given"),
        ("2026-02-01", "ability", "withdrawn"),
    ]


def test_importing_a_history_again_adds_nothing_and_says_so(run, run_json, terms, ledger, tmp_path):
    history(("ability", "given", "2026-01-01")).to_parquet(tmp_path / "history.parquet")
    importing = ("consent", "import", tmp_path / "history.parquet", *terms, *ledger)
    run_json(*importing)
    assert "nothing new" in run(*importing).stdout
    assert run_json(*importing) == {"records": {"lending for shop": 0}, "withdrawals": {"lending for shop": 0}}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda h: h.drop(columns="event"), "add event"),
        (lambda h: h.assign(event="assumed"), "given or withdrawn"),
        (lambda h: h.assign(purpose="rental"), "got none"),
        (lambda h: h.assign(time=pd.Timestamp("2126-01-01", tz="UTC")), "not in the future"),
    ],
)
def test_a_history_that_cannot_be_is_refused_whole(run, terms, ledger, tmp_path, change, complaint):
    change(history(("ability", "given", "2026-01-01"))).to_parquet(tmp_path / "history.parquet")
    result = run("consent", "import", tmp_path / "history.parquet", *terms, *ledger)
    assert result.exit_code == 3
    assert complaint in result.stderr
