"""Appended rows against the whole store: ids of everybody, one currency, thousands of members at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from benne.errors import EventValueError
from benne.features import load_events
from benne.features.engines.event_store import EventStore

Row = dict[str, Any]
Append = Callable[..., int]


@pytest.fixture
def people(row: Any) -> dict[str, list[Row]]:
    """Anna paid twice, once to correct the first, and owes a due; Ben only joined."""
    first = row("anna", 5, direction="out", amount=7)
    return {
        "members": [row("anna", 0, adult=True), row("ben", 0, adult=True)],
        "payments": [first, row("anna", 5, 6, direction="out", amount=8, supersedes=first["record_id"])],
        "dues": [row("anna", 9, due_id="rent-9", obligation_id="flat", amount_due=5)],
    }


@pytest.fixture
def append(frames: Any, key: Any, clock: datetime) -> Append:
    """Append rows to a store some days after the clock."""

    def appended(store: EventStore, rows: dict[str, list[Row]], day: float = 1, **more: Any) -> int:
        return store.append(frames(rows), key=key, ingested_at=clock + timedelta(days=day), **more)

    return appended


def _pay(row: Any, member: str, *, day: float = 1096.5, **more: Any) -> dict[str, list[Row]]:
    return {"payments": [row(member, day, **{"direction": "out", "amount": 5, **more})]}


def test_a_record_of_one_member_is_not_taken_again_of_another(
    people: Any, make_store: Any, append: Append, row: Any, key: Any
) -> None:
    store, taken = make_store(people), people["payments"][1]["record_id"]
    twice = _pay(row, "ben")["payments"] + _pay(row, "ben", record_id=taken)["payments"]
    said = r"payments.record_id must be unique in the table, got 1 row\(s\) where it is not \(rows 1\). The store holds"
    with pytest.raises(EventValueError, match=said):
        append(store, {"payments": twice})
    assert "payments" not in store.rows(key.subject_ids(["ben"])[0]), "nothing of a refused append stays"
    assert append(store, _pay(row, "ben", record_id="new")) == 1
    with pytest.raises(EventValueError, match=said.replace("rows 1", "rows 0")):
        append(store, _pay(row, "anna", day=1097.5, record_id="new"), 2)


def test_another_table_may_have_the_same_record_id_and_an_erased_member_leaves_none_behind(
    people: Any, make_store: Any, append: Append, row: Any, key: Any
) -> None:
    store, taken = make_store(people), people["payments"][0]["record_id"]
    raw = {"incomes": [row("ben", 1096.5, kind="salary", amount=5, record_id=taken)]}
    assert append(store, raw) == 1
    store.erase(key.subject_ids(["anna"])[0])
    assert append(store, _pay(row, "ben", day=1097.5, record_id=taken), 2) == 1


def test_a_due_of_one_member_is_not_taken_again_of_another_but_its_own_may_be_corrected(
    people: Any, make_store: Any, append: Append, row: Any
) -> None:
    def due(member: str, **more: Any) -> dict[str, list[Row]]:
        return {"dues": [row(member, 1096.5, due_id="rent-9", obligation_id="flat", amount_due=6, **more)]}

    store = make_store(people)
    with pytest.raises(EventValueError, match=r"dues.due_id must be unique unless superseding, got 1 row\(s\).*store"):
        append(store, due("ben"))
    assert append(store, due("anna", supersedes=people["dues"][0]["record_id"])) == 1


@pytest.mark.parametrize(("table", "column"), [("payments", "record_id"), ("dues", "due_id")])
def test_one_load_refuses_the_same_ids_in_the_same_words(
    table: str, column: str, people: Any, frames: Any, key: Any, clock: datetime
) -> None:
    from benne.features.engines.store_identities import UNIQUE

    again = {**people[table][0], "record_id": "fresh", "member_id": "ben", column: people[table][0][column]}
    (rule,) = [unique.rule for unique in UNIQUE if (unique.table, unique.column) == (table, column)]
    with pytest.raises(EventValueError, match=f"{table}.{column} must {rule.must}, got 2"):
        load_events(frames({**people, table: [*people[table], again]}), key=key, ingested_at=clock)


def test_every_id_is_remembered_once(store: EventStore, world: Any) -> None:
    rows = sum(len(rows) for rows in world.values())
    dues = sum(due["supersedes"] is None for due in world["dues"])
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("select count(*) from store_identities").scalar() == rows + dues


def test_amounts_in_another_currency_than_the_stores_are_refused_whoever_they_belong_to(
    people: Any, make_store: Any, append: Append, row: Any
) -> None:
    people["incomes"] = [row("anna", 3, kind="salary", amount=9, currency="EUR")]
    store = make_store(people)
    with pytest.raises(EventValueError, match=r"Amounts must be in one currency in one load, got EUR, USD \(USD in"):
        append(store, _pay(row, "ben", currency="USD"))
    with pytest.raises(EventValueError, match="currency must be the store's own, EUR, got USD"):
        append(store, _pay(row, "ben"), currency="USD")
    assert append(store, _pay(row, "ben", currency="EUR"), currency="EUR") == 1
    assert append(store, _pay(row, "ben", day=1097.5), 2) == 1


@pytest.mark.parametrize(("columns", "said"), [({"currency": "EUR"}, None), ({}, "EUR")], ids=["a row", "the caller"])
def test_the_first_currency_that_is_named_is_the_stores(
    columns: Row, said: str | None, people: Any, make_store: Any, append: Append, row: Any
) -> None:
    store = make_store(people)
    append(store, {"verifications": [row("ben", 1096.5, field="email", event="verified")]}, 1, currency="USD")
    append(store, _pay(row, "ben", day=1097.5, **columns), 2, currency=said)
    with pytest.raises(EventValueError, match="got EUR, USD"):
        append(store, _pay(row, "anna", day=1098.5, currency="USD"), 3)


def test_what_is_no_currency_does_not_become_the_stores(people: Any, make_store: Any, append: Append, row: Any) -> None:
    with pytest.raises(EventValueError, match="currency must be an ISO 4217 code, got something else"):
        append(make_store(people), _pay(row, "ben"), currency="eur")


def test_an_append_of_nothing_says_that_nothing_came(
    people: Any, make_store: Any, append: Append, clock: datetime
) -> None:
    store = make_store(people)
    before = store.watermark
    assert append(store, {}) == 0
    assert store.watermark == before + timedelta(days=1) // timedelta(microseconds=1)


def test_thousands_of_members_join_at_once_and_forget_one_they_all_know(
    people: Any, make_store: Any, key: Any, clock: datetime
) -> None:
    store, many = make_store(people), [f"member-{k}" for k in range(5_000)]
    with store._database.reading() as connection:  # as few parameters as SQLite may be built for
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    when = pd.Timestamp(clock + timedelta(hours=1))
    common = {"record_id": many, "member_id": many, "event_time": when}
    joined = pd.DataFrame({**common, "adult": True})
    paid = pd.DataFrame({**common, "direction": "in", "amount": range(5_000)})
    rated = pd.DataFrame({**common, "other_id": "anna", "direction": "given", "kind": "rating", "value": 5})
    raw = {"members": joined, "payments": paid.sample(frac=1, random_state=3), "interactions": rated}
    assert store.append(raw, key=key, ingested_at=clock + timedelta(days=1)) == 15_000
    subjects = key.subject_ids(["member-0", "member-17", "member-4999"])
    amounts = [store.rows(subject)["payments"].column("amount").to_pylist() for subject in subjects]
    assert amounts == [[0], [17], [4999]]
    assert store.erase(key.subject_ids(["anna"])[0])
    others = {store.rows(subject)["interactions"].column("other_id")[0].as_py() for subject in subjects}
    assert len(others) == 1
    assert others.isdisjoint(key.subject_ids(["anna"]))
