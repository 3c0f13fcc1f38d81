"""What another institution sent, beside one's own: each row once, each source apart, each clock its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import EventSchemaError, EventValueError
from benne.features import ConsentMask, SubjectKey, build_features, ingest, load_events
from benne.features.events.interchange import ExportOptions, ImportOptions, ImportReport, RowTerms
from benne.features.events.tables import TABLES

LATER = datetime(2025, 6, 1, tzinfo=UTC)


def _raw(report: ImportReport, table: str) -> pd.DataFrame:
    return pq.read_table(report.raw / table / "imported.parquet").to_pandas()


def _kept(report: ImportReport, table: str) -> pd.DataFrame:
    return pq.read_table(report.raw.parent / "imported" / f"{table}.parquet").to_pandas()


def _new(report: ImportReport) -> dict[str, int]:
    return {name: count.new for name, count in report.tables.items()}


TWO_MEMBERS = {"obligation_events": 2, "dues": 2, "repayments": 4, "account_status": 2, "adverse_items": 4}


# ------------------------------------------------------------------ what is taken


@pytest.mark.parametrize(("name", "file_format"), [("package", "parquet"), ("package.zip", "csv")])
def test_only_known_members_are_taken_and_the_others_counted(sender, receiver, file_format, name):
    report = receiver.take(sender.export(name, options=ExportOptions(file_format=file_format)))
    assert _new(report) == TWO_MEMBERS
    assert (report.members, report.unknown_members, report.tables["dues"].of_unknown_members) == (2, 1, 1)
    assert set(_raw(report, "dues")["member_id"]) == {"1", "2"}


def test_rows_count_as_known_from_the_import_on_and_the_source_s_own_time_is_kept(sender, receiver):
    report = receiver.take(sender.export(), imported_at=LATER)
    assert set(_raw(report, "repayments")["known_at"]) == {pd.Timestamp(LATER)}
    collected = {pd.Timestamp("2024-02-11", tz="UTC"), pd.Timestamp("2024-02-15", tz="UTC")}
    assert set(_kept(report, "repayments")["collected_at"]) == collected
    assert set(_raw(report, "repayments")["event_time"]) == {pd.Timestamp("2024-02-11", tz="UTC")}


def test_ids_and_source_name_the_institution(sender, receiver):
    dues = _raw(receiver.take(sender.export()), "dues")
    assert set(dues["source"]) == {"interchange:inst-a"}
    for column in ("record_id", "due_id", "obligation_id"):
        assert dues[column].str.fullmatch("interchange:inst-a:[0-9a-f]{32}").all()


def test_a_correction_still_corrects_what_it_corrected(sender, receiver):
    rows = _raw(receiver.take(sender.export()), "repayments")
    first = rows[rows["supersedes"].isna()].set_index("record_id")
    again = rows[rows["supersedes"].notna()]
    assert first.loc[again["supersedes"], "amount"].tolist() == [500, 500]
    assert again["amount"].tolist() == [600, 600]


def test_the_raw_folder_passes_the_door_with_everything_that_was_there_before(
    sender, make_receiver, row, key, tmp_path
):
    own = {"members": [row("1", 0, adult=True)],
           "payments": [row("1", 5, direction="out", amount=7, currency="EUR")],
           "dues": [row("1", 30, 5, due_id="own", obligation_id="own", amount_due=9, currency="EUR")]}  # fmt: skip
    report = make_receiver(own, {"1": "anna"}).take(sender.export())
    events = ingest(report.raw, tmp_path / "events", key=key, ingested_at=LATER)
    assert {name: events.rows(name) for name in ("members", "payments", "dues", "repayments")} == {
        "members": 1, "payments": 1, "dues": 2, "repayments": 2,
    }  # fmt: skip
    assert events.has("dues", "source")


def test_own_ids_may_be_numbers(sender, receiver, key, tmp_path):
    members = pd.read_parquet(receiver.own / "members.parquet").astype({"member_id": "int64"})
    members.to_parquet(receiver.own / "members.parquet", index=False)
    due = {"record_id": [1], "member_id": [1], "event_time": members["event_time"][:1] + timedelta(days=9),
           "known_at": members["known_at"][:1], "due_id": [5], "obligation_id": [6], "amount_due": [7]}  # fmt: skip
    pd.DataFrame(due).to_parquet(receiver.own / "dues.parquet", index=False)
    report = receiver.take(sender.export(), identifiers=receiver.identifiers.astype({"member_id": "int64"}))
    events = ingest(report.raw, tmp_path / "events", key=key, ingested_at=LATER)
    assert events.rows("dues") == 3
    assert set(events.read("dues").column("subject_id").to_pylist()) == set(key.subject_ids([1, 2]).tolist())


# ------------------------------------------------------------------ once, however often


def test_the_same_package_twice_loads_once(sender, receiver):
    package = sender.export()
    first = receiver.take(package, "one", imported_at=LATER)
    second = receiver.take(package, "two", previous=first.raw.parent, imported_at=LATER + timedelta(days=1))
    assert sum(_new(second).values()) == 0
    assert {n: c.already_there for n, c in second.tables.items()} == TWO_MEMBERS
    for table in TWO_MEMBERS:
        pd.testing.assert_frame_equal(_raw(first, table), _raw(second, table))


def test_overlapping_packages_load_once_and_each_row_keeps_the_clock_of_its_import(sender, receiver):
    february = datetime(2024, 2, 12, tzinfo=UTC)
    first = receiver.take(sender.export("early", created_at=february), "one", imported_at=february)
    second = receiver.take(sender.export("whole"), "two", previous=first.raw.parent, imported_at=LATER)
    assert (first.tables["repayments"].new, second.tables["repayments"].new) == (2, 2)
    rows = _raw(second, "repayments").set_index("record_id")
    assert set(rows.loc[rows["supersedes"].isna(), "known_at"]) == {pd.Timestamp(february)}
    assert set(rows.loc[rows["supersedes"].notna(), "known_at"]) == {pd.Timestamp(LATER)}
    at_once = _raw(receiver.take(sender.export("again"), "three"), "repayments").set_index("record_id")
    pd.testing.assert_frame_equal(at_once.drop(columns="known_at"), rows.drop(columns="known_at").loc[at_once.index])


def test_somebody_who_joins_later_gets_their_rows_from_the_same_package(sender, make_receiver, row):
    names = {"1": "anna", "2": "ben"}
    package = sender.export()
    receiver = make_receiver({"members": [row("1", 0, adult=True)]}, names)
    first = receiver.take(package, "one")
    members = pd.read_parquet(receiver.own / "members.parquet")
    joined = members.assign(record_id="joined", member_id="2")
    pd.concat([members, joined]).to_parquet(receiver.own / "members.parquet", index=False)
    second = receiver.take(package, "two", previous=first.raw.parent)
    assert (first.tables["dues"].new, second.tables["dues"].new, second.tables["dues"].already_there) == (1, 1, 1)


def test_rows_of_somebody_who_left_are_dropped_at_the_next_import(sender, receiver):
    first = receiver.take(sender.export(), "one")
    members = pd.read_parquet(receiver.own / "members.parquet")
    members[members["member_id"] != "2"].to_parquet(receiver.own / "members.parquet", index=False)
    second = receiver.take(sender.export("again"), "two", previous=first.raw.parent)
    assert second.tables["dues"].dropped == 1
    assert set(_kept(second, "dues")["member_id"]) == {"1"}


def test_something_else_under_the_same_id_is_refused(sender, make_sender, receiver, a_world):
    first = receiver.take(sender.export(), "one")
    a_world["dues"][0]["amount_due"] = 601
    changed = make_sender(a_world).export("changed")
    with pytest.raises(
        EventValueError, match=r"dues\.source_record_id must name the row it named before .*\(rows \d\)"
    ):
        receiver.take(changed, "two", previous=first.raw.parent)
    assert not (receiver.folder / "two").exists()


def test_the_same_change_as_a_correction_is_taken(sender, make_sender, receiver, a_world):
    first = receiver.take(sender.export(), "one")
    old = a_world["dues"][0]
    a_world["dues"].append(old | {"record_id": "fixed", "supersedes": old["record_id"], "amount_due": 601})
    second = receiver.take(make_sender(a_world).export("changed"), "two", previous=first.raw.parent)
    assert second.tables["dues"].new == 1


def test_basis_and_quality_may_be_told_otherwise_later_and_stay_as_they_were(sender, receiver):
    first = receiver.take(sender.export("one"), "one")
    better = sender.export("two", options=ExportOptions(rows=RowTerms(quality="reported")))
    second = receiver.take(better, "two", previous=first.raw.parent)
    assert set(_kept(second, "dues")["quality"]) == {"recorded"}


def test_another_series_of_record_ids_is_refused_as_nothing_could_be_recognised(forge, sender, receiver):
    first = receiver.take(sender.export(), "one")
    forged = forge()
    forged.say(record_ids={"series": "new-system"})
    with pytest.raises(EventSchemaError, match=r"record_ids\.series must be the one this institution used before"):
        receiver.take(forged.folder, "two", previous=first.raw.parent)


# ------------------------------------------------------------------ consent and its end


def _until(key: SubjectKey, members: list[str], end: str | None) -> pd.DataFrame:
    return pd.DataFrame({
        "subject_id": key.subject_ids(members), "category": "credit_history",
        "granted_from": pd.Timestamp("2024-01-01", tz="UTC"),
        "granted_until": pd.to_datetime([end] * len(members), utc=True),
    })  # fmt: skip


def test_who_withdraws_is_dropped_and_an_old_package_does_not_bring_them_back(sender, receiver, key_a, created):
    old = sender.export("old")
    first = receiver.take(old, "one")
    grants = pd.concat([_until(key_a, ["anna"], None), _until(key_a, ["ben"], "2025-02-01")])
    mask = ConsentMask(grants, reason="a test's ledger")
    options = ExportOptions(withdrawn_since=created)
    newer = sender.export("newer", consents=mask, created_at=LATER, options=options)
    second = receiver.take(newer, "two", previous=first.raw.parent, imported_at=LATER)
    assert second.tables["dues"].dropped == 1
    assert set(_kept(second, "dues")["member_id"]) == {"1"}
    third = receiver.take(old, "three", previous=second.raw.parent, imported_at=LATER)
    assert (third.tables["dues"].withdrawn, third.tables["dues"].new) == (1, 0)
    anew = sender.export("anew", created_at=LATER + timedelta(days=1))
    fourth = receiver.take(anew, "four", previous=third.raw.parent, imported_at=LATER + timedelta(days=1))
    assert fourth.tables["dues"].new == 1
    assert set(_kept(fourth, "dues")["member_id"]) == {"1", "2"}


def test_a_new_exchange_key_changes_nothing_in_what_is_recognised_or_withdrawn(
    sender, receiver, agreement, key_a, created
):
    first = receiver.take(sender.export("one"), "one")
    renewed = SubjectKey(b"the next key of inst-a and inst-b, nobody else's")
    second = receiver.take(sender.export("two", exchange_key=renewed), "two", previous=first.raw.parent,
                           agreement=replace(agreement, exchange_key=renewed))  # fmt: skip
    assert (second.tables["dues"].new, second.tables["dues"].already_there) == (0, 2)
    nobody = ConsentMask(_until(key_a, ["anna", "ben", "cleo"], "2025-02-01"), reason="a test's ledger")
    last = sender.export("three", exchange_key=renewed, consents=nobody, created_at=LATER,
                         options=ExportOptions(withdrawn_since=created))  # fmt: skip
    third = receiver.take(last, "three", previous=second.raw.parent, imported_at=LATER,
                          agreement=replace(agreement, exchange_key=renewed))  # fmt: skip
    assert third.tables["dues"].dropped == 2


# ------------------------------------------------------------------ two institutions, one contract


def _loan(row: Any, member: str, day: float, principal: int | None = 1200) -> dict[str, Any]:
    loan = {"obligation_id": f"own {day}", "kind": "loan", "event": "opened", "principal": principal}
    made: dict[str, Any] = row(member, day, currency="EUR", **loan)
    return made


@pytest.mark.parametrize(("day", "principal", "found"), [(13, 1200, 1), (14, 1200, 0), (10, 1201, 0)])
def test_a_contract_both_may_have_reported_is_named_and_kept_twice(sender, make_receiver, row, day, principal, found):
    own = {"members": [row("1", 0, adult=True)], "obligation_events": [_loan(row, "1", day, principal)]}
    report = make_receiver(own, {"1": "anna"}).take(sender.export())
    pairs = pd.read_parquet(report.raw.parent / "possible_duplicates.parquet")
    assert (report.possible_duplicates, len(pairs)) == (found, found)
    if found:
        assert pairs.iloc[0][["member_id", "kind", "source", "other_source", "days_apart", "amount"]].tolist() == [
            "1", "loan", "interchange:inst-a", "own", day - 10, 1200,
        ]  # fmt: skip
    assert (report.raw / "obligation_events" / "own-00000.parquet").is_file()
    assert len(_raw(report, "obligation_events")) == 1


def test_how_far_apart_duplicates_may_lie_can_be_chosen_and_a_corrected_opening_is_none(sender, make_receiver, row):
    wrong = _loan(row, "1", 30)
    right = _loan(row, "1", 200) | {"supersedes": wrong["record_id"]}
    own = {"members": [row("1", 0, adult=True)], "obligation_events": [wrong, right]}
    receiver = make_receiver(own, {"1": "anna"})
    options = ImportOptions(duplicate_days=30)
    assert receiver.take(sender.export(), options=options).possible_duplicates == 0
    own_alone = pd.read_parquet(receiver.own / "obligation_events.parquet").iloc[:1]
    own_alone.to_parquet(receiver.own / "obligation_events.parquet", index=False)
    assert receiver.take(sender.export("p"), "two", options=options).possible_duplicates == 1


def test_two_senders_with_the_same_ids_do_not_collide(sender, receiver, terms, agreement):
    first = receiver.take(sender.export("a"), "one")
    second_terms = replace(terms, institution_id="inst-c")
    from_c = replace(agreement, institution_id="inst-c")
    second = receiver.take(sender.export("c", terms=second_terms), "two", previous=first.raw.parent, agreement=from_c)
    assert second.tables["dues"].new == 2
    assert second.possible_duplicates == 2  # anna's and ben's loan, told by both
    assert _raw(second, "dues")["record_id"].is_unique
    assert set(_raw(second, "dues")["source"]) == {"interchange:inst-a", "interchange:inst-c"}


# ------------------------------------------------------------------ what the features see


def _as_of(subjects: Any, moment: datetime) -> pd.DataFrame:
    return pd.DataFrame({"subject_id": subjects, "as_of": pd.to_datetime([moment] * len(subjects), utc=True)})


_IDS = ("record_id", "supersedes", "obligation_id", "due_id", "item_id")


def _as_theirs(row: dict[str, Any], member: str, known_at: int) -> dict[str, Any]:
    """A row as the importer has it, under ids that are nobody else's."""
    ids = ("record_id", "supersedes", "obligation_id", "due_id", "item_id")
    apart = {name: f"theirs {row[name]}" for name in ids if row.get(name) is not None}
    return row | apart | {"member_id": member, "known_at": known_at}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
def test_features_see_the_obligations_of_both_and_the_same_after_importing_twice(
    seed, random_world, make_sender, make_receiver, frames, key, everything, tmp_path
):
    """The oracle: the rows of both put together by hand and taken straight through the door."""
    theirs, ours = random_world(seed, 6), random_world(seed + 50, 5)
    people = sorted({r["member_id"] for r in theirs["members"]})[:4]
    mine = sorted({r["member_id"] for r in ours["members"]})
    names = dict(zip(people, mine, strict=False))
    clock = datetime(2026, 9, 1, tzinfo=UTC)
    sender = make_sender(theirs)
    receiver = make_receiver(ours, {own: theirs for theirs, own in names.items()})
    package = sender.export(created_at=clock)
    first = receiver.take(package, "one", imported_at=clock)
    second = receiver.take(package, "two", imported_at=clock + timedelta(days=1), previous=first.raw.parent)

    known_at = int(clock.timestamp()) * 1_000_000
    shared = {t: [r for r in theirs[t] if r["member_id"] in names and t in TWO_MEMBERS] for t in ours}
    by_hand = {t: ours[t] + [_as_theirs(r, names[r["member_id"]], known_at) for r in shared[t]] for t in ours}
    joined = load_events(frames(by_hand), key=key, ingested_at=clock + timedelta(days=2))
    alone = load_events(frames(ours), key=key, ingested_at=clock + timedelta(days=2))
    subjects = key.subject_ids(mine)

    def built(events: Any, moment: datetime) -> pd.DataFrame:
        return build_features(events, _as_of(subjects, moment), consents=everything)

    expected = built(joined, clock + timedelta(days=1))
    assert not expected.equals(built(alone, clock + timedelta(days=1))[expected.columns])
    for number, report in enumerate((first, second)):
        events = ingest(report.raw, tmp_path / f"events-{number}", key=key, ingested_at=clock + timedelta(days=2))
        pd.testing.assert_frame_equal(built(events, clock + timedelta(days=1)), expected)
    before = built(events, clock)  # nothing that was imported at the clock was known before it
    pd.testing.assert_frame_equal(before, built(alone, clock)[before.columns])


# ------------------------------------------------------------------ the importer's side


def test_a_folder_of_rows_that_were_imported_is_not_taken_for_one_s_own(sender, receiver):
    first = receiver.take(sender.export(), "one")
    with pytest.raises(EventValueError, match=r"of your own tables must not begin with interchange:"):
        receiver.take(sender.export("p"), "two", own=first.raw)


@pytest.mark.parametrize("name", ["likes.parquet", "notes.txt", "members"])
def test_own_tables_must_be_a_raw_folder(sender, receiver, name):
    path = receiver.own / name
    path.mkdir() if name == "members" else path.write_bytes(b"x")
    with pytest.raises(EventSchemaError, match=r"must be a folder of raw tables|must hold the table members once"):
        receiver.take(sender.export())


def test_folders_may_have_letters_that_mean_something_to_a_database(sender, receiver, tmp_path):
    odd = tmp_path / "it's [own] *"
    receiver.own.rename(odd)
    assert receiver.take(sender.export("pack'age"), "im'ported", own=odd).tables["dues"].new == 2


def test_own_tables_that_no_door_would_take_are_refused_without_a_value(sender, receiver):
    (receiver.own / "obligation_events.parquet").write_bytes(b"PAR1 anna")
    with pytest.raises(
        EventSchemaError, match=r"Your own tables must be such as `benne ingest` takes, got others\. Ingest"
    ):
        receiver.take(sender.export())
    assert receiver.left == ["own"]


def test_an_import_that_was_changed_afterwards_is_not_built_upon(sender, receiver):
    first = receiver.take(sender.export(), "one").raw.parent
    (first / "imported" / "dues.parquet").write_bytes(b"")
    with pytest.raises(EventSchemaError, match="must be as an import wrote it, got a changed or missing file"):
        receiver.take(sender.export("p"), "two", previous=first)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": "benne-imported", "version": 2}'])
def test_a_folder_that_no_import_wrote_is_not_built_upon(sender, receiver, tmp_path, content):
    (tmp_path / "interchange.json").write_text(content)
    with pytest.raises(EventSchemaError, match="must be the folder of an earlier import, got another"):
        receiver.take(sender.export(), previous=tmp_path)


def test_the_clock_does_not_go_back(sender, receiver):
    first = receiver.take(sender.export(), "one", imported_at=LATER)
    with pytest.raises(EventSchemaError, match="imported_at must not be before the previous import"):
        receiver.take(sender.export("p"), "two", imported_at=LATER - timedelta(days=1), previous=first.raw.parent)


def test_a_repayment_whose_due_was_never_sent_is_refused(sender, receiver):
    late = sender.export(options=ExportOptions(known_from=datetime(2024, 2, 1, tzinfo=UTC)))
    with pytest.raises(EventSchemaError, match="repayments must come with the table dues"):
        receiver.take(late)
    assert receiver.left == ["own"]


def test_an_interrupted_import_leaves_nothing(sender, receiver):
    def stop(table: str, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        receiver.take(sender.export(), progress=stop)
    assert receiver.left == ["own"]


def test_the_record_says_which_packages_were_imported_when(sender, receiver, created):
    first = receiver.take(sender.export(), "one")
    record = json.loads((first.raw.parent / "interchange.json").read_text())
    assert record["packages"] == [{
        "institution": "inst-a", "record_series": sender.events.key_fingerprint, "package": first.sha256,
        "created_at": created.isoformat(), "imported_at": created.isoformat(),
    }]  # fmt: skip


def test_what_is_kept_of_a_row_says_all_there_is_to_say_of_where_it_comes_from(sender, receiver, created):
    report = receiver.take(sender.export())
    row = _kept(report, "dues").iloc[0]
    assert (row["source"], row["legal_basis"], row["quality"]) == ("interchange:inst-a", "consent", "recorded")
    assert (row["package"], row["sent_at"]) == (report.sha256, pd.Timestamp(created))
    assert row["record_id"] == f"interchange:inst-a:{row['source_record_id']}"
    known = {c.name for name in TWO_MEMBERS for c in TABLES[name].all_columns}
    assert set(_raw(report, "dues").columns) <= known
