"""What docs/rights.md says of deadlines, kinds and steps is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benne.cli.disclosures import BasisName
from benne.cli.duties import KindName
from benne.scoring.jurisdictions import PROFILES, Limit, Profile
from benne.scoring.notices.kinds import LEGAL_BASES, NOTICE_KINDS, TO_RECIPIENTS
from benne.scoring.rights.case import CASE_KINDS

LIMITS = {
    "answer a dispute in writing": "dispute",
    "more time for a dispute, with notice": "dispute_extension",
    "decide a review": "rights",
    "correct scores and tell recipients": "correction_live",
    "tell a member of an adverse action": "adverse_action",
    "the same after an offer that was not accepted": "adverse_action_after_counter_offer",
    "ask for reasons within": "reasons_asked_within",
    "give the reasons asked for": "reasons_answered",
}


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "rights.md").read_text("utf-8")


def in_words(profile: Profile, name: str) -> str:
    limit: Limit = getattr(profile, name)
    if limit == Limit():
        return "none"
    count, unit = (limit.months, "month") if limit.months else (limit.days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def test_the_deadlines_are_those_of_the_profiles(page):
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.M)[1:]
    told = {row[0]: list(row[1:]) for row in rows}
    assert told == {
        what: [in_words(PROFILES[place], name) for place in ("cn", "eu", "us", "default")]
        for what, name in LIMITS.items()
    }


def test_every_kind_of_notice_is_listed_with_whom_it_is_to(page):
    told = dict(re.findall(r"^\| `(\w+)` \| (member|recipient) \|", page, re.M))
    assert told == {kind: "recipient" if kind in TO_RECIPIENTS else "member" for kind in NOTICE_KINDS}


def test_the_words_of_the_commands_are_those_of_the_code():
    assert tuple(BasisName) == LEGAL_BASES
    assert tuple(KindName) == CASE_KINDS
