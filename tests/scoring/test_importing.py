"""Another system's history: whatever order it comes in, and however often, a withdrawal ends consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from benne.errors import ConsentRecordError
from benne.scoring import Notice
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsFile


def notice(platform) -> Notice:
    return Notice(
        notice_id="score", version="1", language="en", text=platform.ledger.notice_text(platform.terms.notice)
    )


def take(platform, *acts: tuple[str, str], **changes: str) -> tuple[int, int]:
    frame = pd.DataFrame(acts, columns=["event", "time"])
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    frame = frame.assign(subject_id=platform.member(1), purpose="lending", recipient="shop", category="ability")
    file = TermsFile(notice(platform), platform.terms)
    ((records, withdrawals),) = import_history(platform.ledger, frame.assign(**changes), [file], platform.capture)
    return records, withdrawals


def active(platform, at: str | None = None) -> set[str]:
    moment = None if at is None else pd.Timestamp(at, tz="UTC").to_pydatetime()
    return set(platform.ledger.active(platform.member(1), "lending", "shop", moment))


def states(platform) -> list[tuple[str, str]]:
    events = [event for _, events in platform.ledger.history(platform.member(1)) for event in events]
    return [(f"{event.time:%m-%d}", event.state) for event in sorted(events, key=lambda event: event.time)]


def test_a_withdrawal_in_a_later_file_ends_what_an_earlier_one_gave(platform):
    assert take(platform, ("given", "2026-01-01")) == (1, 0)
    assert take(platform, ("withdrawn", "2026-02-01")) == (0, 1)
    assert active(platform) == set()
    assert active(platform, "2026-01-31") == {"ability"}
    assert active(platform, "2026-02-01") == set()


def test_a_withdrawal_older_than_what_stands_ends_it_now(platform):
    platform.grant(1, ("ability",))
    platform.clock.turn(timedelta(days=1))
    take(platform, ("withdrawn", "2026-02-01"))
    assert active(platform) == set()
    assert active(platform, "2026-03-02") == {"ability"}
    assert take(platform, ("withdrawn", "2026-02-01")) == (0, 0)


def test_a_consent_after_the_withdrawal_in_the_same_history_stands(platform):
    take(platform, ("given", "2026-01-01"), ("withdrawn", "2026-01-10"), ("given", "2026-02-01"))
    assert active(platform) == {"ability"}
    assert active(platform, "2026-01-15") == set()
    assert states(platform) == [("01-01", "given"), ("01-10", "withdrawn"), ("02-01", "given")]


def test_a_renewal_is_no_withdrawal(platform):
    assert take(platform, ("given", "2026-02-01"), ("given", "2026-01-01")) == (2, 0)
    assert states(platform) == [("01-01", "given"), ("02-01", "renewed")]
    assert active(platform) == {"ability"}


@pytest.mark.parametrize("order", [("given", "withdrawn"), ("withdrawn", "given")])
def test_a_withdrawal_wins_over_a_consent_of_the_same_moment(platform, order):
    take(platform, *[(event, "2026-02-01") for event in order])
    assert active(platform) == set()
    assert states(platform) == [("02-01", "given"), ("02-01", "withdrawn")]
    assert take(platform, *[(event, "2026-02-01") for event in order]) == (0, 0)


def test_the_same_history_again_adds_nothing_and_revives_nothing(platform):
    history = (("given", "2026-01-01"), ("withdrawn", "2026-01-10"), ("given", "2026-02-01"))
    assert take(platform, *history) == (2, 1)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    assert take(platform, *history) == (0, 0)
    assert active(platform) == set()
    assert platform.ledger.verify_chain().intact


def test_a_withdrawal_of_what_was_never_given_ends_nothing(platform):
    assert take(platform, ("withdrawn", "2026-02-01")) == (0, 0)


def test_all_terms_are_imported_or_none(platform):
    frame = pd.DataFrame(
        {
            "subject_id": platform.member(1),
            "purpose": ["lending", "rental"],
            "recipient": "shop",
            "category": "ability",
            "event": "given",
            "time": pd.to_datetime(["2026-01-01", "2126-01-01"], utc=True),
        }
    )
    files = [TermsFile(notice(platform), replace(platform.terms, purpose=p)) for p in ("lending", "rental")]
    with pytest.raises(ConsentRecordError, match="not in the future"):
        import_history(platform.ledger, frame, files, platform.capture)
    assert platform.rows("consent_records") == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"subject_id": "anna"}, "32 hexadecimal digits"),
        ({"category": "astrology"}, "must be among"),
        ({"time": "2026-01-01"}, "timezone-aware"),
        ({"time": pd.Series([pd.NaT]).dt.tz_localize("UTC")}, "never be null"),
    ],
)
def test_a_history_with_what_cannot_be_is_refused(platform, changes, complaint):
    with pytest.raises(ConsentRecordError, match=complaint):
        take(platform, ("withdrawn", "2026-01-01"), **changes)
