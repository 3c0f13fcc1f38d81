"""Adverse items: no listing without notice beforehand, unless public by law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benne.errors import EventValueError

NOTICE = r"adverse_items\.item_id must be notified to the member before it is reported, unless lawfully public"
BELONGS = r"adverse_items\.item_id must be reported or notified for a dispute, .*, got 1 row"
Life = list[tuple[str, float]]


@pytest.fixture
def listed(row: Any, load: Any) -> Callable[..., int]:
    """Load one member's item with these events; how many rows were taken."""

    def made(life: Life, *, public: bool | None = None, before: tuple[Any, ...] = ()) -> int:
        rows = [
            row("anna", day, item_id="item", kind="default", event=event,
                lawfully_public=public if event == "reported" else None)
            for event, day in life
        ]  # fmt: skip
        world = {
            "members": [row("anna", 0, adult=True), row("ben", 0, adult=True)],
            "adverse_items": [*rows, *before],
        }
        return int(load(world).rows("adverse_items"))

    return made


@pytest.mark.parametrize("life", [
    [("notified", 5), ("reported", 9)],
    [("reported", 9), ("notified", 9)],
    [("notified", 1), ("reported", 9), ("reported", 30)],
    [("notified", 1), ("reported", 9), ("disputed", 12), ("upheld", 20), ("ended", 40)],
    [("notified", 1), ("disputed", 3), ("removed", 6)],
    [("notified", 1)],
], ids=["beforehand", "at the moment, in any order", "listed again", "a whole life", "disputed before it was listed",
        "only notified"])  # fmt: skip
def test_a_notified_item_is_taken(life: Life, listed: Any) -> None:
    assert listed(life) == len(life)


@pytest.mark.parametrize("life", [
    [("reported", 9)],
    [("reported", 9), ("notified", 9.5)],
    [("reported", 9), ("disputed", 12), ("removed", 14)],
    [("reported", 9), ("notified", 12), ("reported", 15)],
], ids=["never", "afterwards", "removed later", "the first time without"])  # fmt: skip
def test_an_item_listed_without_notice_is_refused_unless_lawfully_public(life: Life, listed: Any) -> None:
    with pytest.raises(EventValueError, match=rf"{NOTICE}, got 1 row\(s\) .*\(rows 0\).*Add the notified row"):
        listed(life)
    with pytest.raises(EventValueError, match=NOTICE):
        listed(life, public=False)
    assert listed(life, public=True) == len(life)


def test_the_notice_of_another_item_or_member_is_none(row: Any, listed: Any) -> None:
    other_item = row("anna", 1, item_id="other", kind="default", event="notified")
    other_member = row("ben", 1, item_id="item", kind="default", event="notified")
    for notice in (other_item, other_member):
        with pytest.raises(EventValueError, match=rf"{NOTICE}, got 1 row\(s\)"):
            listed([("reported", 9)], before=(notice,))


def test_a_notice_that_was_taken_back_is_none(row: Any, listed: Any) -> None:
    notice = row("anna", 1, item_id="item", kind="default", event="notified")
    moved = {**row("anna", 12, item_id="item", kind="default", event="notified"), "supersedes": notice["record_id"]}
    with pytest.raises(EventValueError, match=NOTICE):
        listed([("reported", 9)], before=(notice, moved))
    assert listed([("reported", 13)], before=(notice, moved)) == 3


def test_a_listing_that_was_corrected_keeps_the_notice_it_had(row: Any, listed: Any) -> None:
    notice = row("anna", 1, item_id="item", kind="default", event="notified")
    moved = {**row("anna", 12, item_id="item", kind="default", event="notified"), "supersedes": notice["record_id"]}
    first = row("anna", 9, item_id="item", kind="default", event="reported")
    right = {**row("anna", 15, item_id="item", kind="default", event="reported"), "supersedes": first["record_id"]}
    assert listed([], before=(notice, moved, first, right)) == 4


@pytest.mark.parametrize("event", ["disputed", "upheld", "removed", "ended"])
def test_what_belongs_to_no_item_is_refused(event: str, listed: Any) -> None:
    with pytest.raises(EventValueError, match=BELONGS):
        listed([(event, 9)])


def test_a_listing_ends_itself_after_it_began_and_what_follows_may_come_later(row: Any, listed: Any, days: Any) -> None:
    def public(event: str, day: float, expires: float) -> Any:
        return row(
            "anna", day, item_id="b", kind="default", event=event, lawfully_public=True, expires_at=days(expires)
        )

    assert listed([], before=(public("reported", 9, 30), public("removed", 31, 30))) == 2
    with pytest.raises(EventValueError, match=r"adverse_items\.expires_at must not be before event_time, got 1 row"):
        listed([], before=(public("reported", 9, 8),))
