"""The pre-ticked box of January 2018, which must never be recordable again.

On 3 January 2018 Alipay showed its users their bill of the year before. At the bottom of its first page, in small
letters, stood "I agree to the Sesame Credit service agreement", with the box already ticked. Whoever only wanted to
see what they had spent had thereby let Sesame Credit collect data about them and give them to others, terms that most
of them never saw. A lawyer noticed the same day. Sesame Credit apologised that night, called it "extremely stupid",
took the tick away and undid what it had brought; the Cyberspace Administration of China summoned both companies days
later and told them that it went against the spirit of the national standard on personal information and of the pledge
they had signed.

A default is not a choice (GDPR, recital 32; Planet49, C-673/17). So here there is no path by which such a consent
can be written down: not from Python, not from the command line, not from a file of another system's consents, and not
by SQL past all of our code, on either database. Each path is tried below with everything else about the consent right,
and then once more with an act of the member, to show that it was the box that was refused.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from benne.cli import app
from benne.errors import ConsentRecordError, StoreError
from benne.scoring import Capture, Notice
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsFile

TWO = ("credit_history", "ability")
SPELLINGS = (
    "pre_ticked",
    "pre-ticked",
    "PRE_TICKED",
    "preticked",
    "checkbox",
    "checkbox_ticked ",
    "CHECKBOX_TICKED",
    "",
)
BOXES = sorted({*words.REFUSED_CAPTURES, *SPELLINGS})
ANNA = "a" * 32


def nothing_was_recorded(platform) -> bool:
    return all(platform.rows(table) == [] for table in ("consent_records", "consent_events"))


# ------------------------------------------------------------------- from Python


@pytest.mark.parametrize("method", BOXES)
def test_python_has_no_word_for_it(method):
    assert method not in get_args(words.CaptureMethod)
    with pytest.raises(ConsentRecordError, match="must be an act of the member"):
        Capture(channel="app", method=method, steps=1, session_hash="ab" * 32)
    with pytest.raises(ConsentRecordError, match="must be an act of the member"):
        replace(Capture(channel="app", method="button_pressed", steps=1, session_hash="ab" * 32), method=method)


def test_python_cannot_slip_it_past_the_check(platform):
    """An object made without its constructor reaches the database, and no further."""
    for method in BOXES:
        request = platform.request(1, TWO)
        request = replace(request, capture=replace(request.capture))
        object.__setattr__(request.capture, "method", method)
        with pytest.raises(StoreError, match="got IntegrityError"):
            platform.ledger.grant(request)
        with pytest.raises(StoreError, match="got IntegrityError"):
            platform.ledger.grant_many([request])
    assert nothing_was_recorded(platform)
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()


def test_silence_and_dismissal_leave_every_switch_off(platform):
    with pytest.raises(ConsentRecordError, match="at least one category"):
        platform.request(1, ())
    with pytest.raises(TypeError, match="categories"):
        type(platform.request(1))(subject_id=ANNA, terms=platform.terms, capture=platform.capture)
    with pytest.raises(TypeError, match="capture"):
        type(platform.request(1))(subject_id=ANNA, terms=platform.terms, categories=TWO)


# ------------------------------------------------------------------ from a shell


@pytest.fixture
def shell(tmp_path):
    def run(*arguments: object, **options):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)

    made = run("consent", "terms", tmp_path / "t.toml", "--purpose", "lending", "--recipient", "shop",
               "--controller", "Example Ltd")  # fmt: skip
    assert made.exit_code == 0
    return run


def test_the_command_line_ticks_nothing_by_itself(shell, tmp_path):
    grant = ("consent", "grant", "--ledger", tmp_path / "l.db", "--terms", tmp_path / "t.toml", "--subject", ANNA)
    both = ("--category", "ability", "--category", "credit_history")
    for arguments, complaint in (
        (grant, "none is on by itself"),
        ((*grant, "--yes-i-consent"), "none is on by itself"),
        ((*grant, *both), "the member's own act"),
        ((*grant, *both, "--pre-ticked"), "No such option"),
        ((*grant, *both, "--capture", "pre_ticked"), "No such option"),
    ):
        result = shell(*arguments, input="")
        assert (result.exit_code, complaint in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "l.db").exists()
    assert shell(*grant, *both, "--yes-i-consent").exit_code == 0


@pytest.mark.parametrize("line", ["pre_ticked = true", 'capture_method = "pre_ticked"', 'default = "on"'])
@pytest.mark.parametrize("table", ["notice", "terms"])
def test_no_file_of_terms_can_ask_for_it(shell, tmp_path, line, table):
    path = tmp_path / "t.toml"
    path.write_text(path.read_text("utf-8").replace(f"[{table}]", f"[{table}]\n{line}"), "utf-8")
    result = shell("consent", "grant", "--ledger", tmp_path / "l.db", "--terms", path, "--subject", ANNA,
                   "--category", "ability", "--yes-i-consent")  # fmt: skip
    assert result.exit_code == 3
    assert "unknown" in result.stderr
    assert not (tmp_path / "l.db").exists()


# -------------------------------------------------- from another system's history


def history(platform, **columns) -> pd.DataFrame:
    rows = pd.DataFrame({"category": list(TWO)}).assign(
        subject_id=platform.member(1), purpose="lending", recipient="shop", event="given",
        time=pd.Timestamp("2018-01-03", tz="Asia/Shanghai"),
    )  # fmt: skip
    return rows.assign(**columns)


def take(platform, rows) -> None:
    shown = platform.ledger.notice_text(platform.terms.notice)
    notice = Notice(notice_id="score", version="1", language="en", text=shown)
    import_history(platform.ledger, rows, [TermsFile(notice, platform.terms)], platform.capture)


def test_no_history_brings_it_in(platform):
    for method in BOXES:
        with pytest.raises(ConsentRecordError, match="must be an act of the member"):
            take(platform, history(platform, capture_method=["checkbox_ticked", method]))
    assert nothing_was_recorded(platform)


def test_no_history_brings_it_in_under_another_column(platform):
    for column, mark in itertools.product(sorted(words.REFUSED_CAPTURES), (True, 1, "yes", "on", "true")):
        with pytest.raises(ConsentRecordError, match=f"must be an act of the member, got {column}"):
            take(platform, history(platform, **{column: [False, mark]}))
    assert nothing_was_recorded(platform)


@pytest.mark.parametrize("event", ["pre_ticked", "assumed", "default_on", "opted_in_by_default", None])
def test_no_event_of_a_history_stands_for_it(platform, event):
    with pytest.raises(ConsentRecordError, match="given or withdrawn, got another"):
        take(platform, history(platform, event=event))
    assert nothing_was_recorded(platform)


def test_a_history_of_acts_is_taken_and_says_which_act_it_was(platform):
    take(platform, history(platform, capture_method="checkbox_ticked", pre_ticked=False, implied="no"))
    assert {row["capture_method"] for row in platform.rows("consent_records")} == {"checkbox_ticked"}


def test_a_history_of_several_kinds_of_acts_is_not_levelled(platform):
    with pytest.raises(ConsentRecordError, match="by one kind of act, got several"):
        take(platform, history(platform, capture_method=["checkbox_ticked", "words_spoken"]))


def test_that_a_withdrawal_was_no_tick_holds_nothing_up(platform):
    take(platform, history(platform))
    take(platform, history(platform, event="withdrawn", pre_ticked=True,
                           time=pd.Timestamp("2018-01-04", tz="Asia/Shanghai")))  # fmt: skip
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()


# ---------------------------------------------------------------- past all of it


def test_the_database_itself_refuses_it(platform):
    platform.grant(1, TWO)
    (row,) = platform.rows("consent_records")
    insert = text(f"INSERT INTO consent_records ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})")
    for method in BOXES:
        forged = {**row, "seq": 2, "record_id": "forged", "capture_method": method}
        with pytest.raises(DBAPIError, match="capture_method"), platform.store.engine.begin() as connection:
            connection.execute(insert, forged)
        with platform.store.engine.connect() as connection:
            connection.execute(insert, {**forged, "capture_method": "checkbox_ticked"})
            connection.rollback()


def test_no_recorded_act_can_be_turned_into_it(platform):
    platform.grant(1, TWO)
    turning = [f"UPDATE consent_records SET capture_method = '{method}'" for method in BOXES]
    for statement in turning:
        with pytest.raises(DBAPIError, match="append-only"):
            platform.behind_our_back(statement)
    for statement in turning:  # and with every trigger gone
        with pytest.raises(DBAPIError, match="capture_method"):
            platform.tamper(statement)


def test_every_word_that_can_be_recorded_is_an_act():
    assert set(words.CAPTURE_METHODS) == {
        "checkbox_ticked", "toggle_switched_on", "button_pressed", "signature_written", "words_spoken",
    }  # fmt: skip
    assert not words.REFUSED_CAPTURES & set(words.CAPTURE_METHODS)
    for act, suspect in itertools.product(words.CAPTURE_METHODS, ("pre", "default", "impl", "silen", "scroll")):
        assert suspect not in act.replace("pressed", "")
