"""What leaves an institution: consenting members' rows, under ids that say nothing, and nothing else."""

from __future__ import annotations

import hmac
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import ConsentError, ConsentRequired, EventSchemaError, EventValueError
from benne.features import ConsentMask, SubjectKey
from benne.features.events.interchange import ExportOptions, RowTerms, check_package


def _grants(key: SubjectKey, periods: dict[str, tuple[str, str | None]], category: str = "credit_history") -> Any:
    rows = [(key.subject_ids([m])[0], category, a, b) for m, (a, b) in periods.items()]
    grants = pd.DataFrame(rows, columns=["subject_id", "category", "granted_from", "granted_until"])
    times = {c: pd.to_datetime(grants[c], utc=True) for c in ("granted_from", "granted_until")}
    return ConsentMask(grants.assign(**times), reason="a test's ledger")


def _read(package: Path, table: str) -> pd.DataFrame:
    return pq.read_table(package / f"{table}.parquet").to_pandas()


def test_only_members_whose_consent_is_active_at_the_export_are_shared(sender, key_a):
    consents = _grants(key_a, {"anna": ("2024-06-01", None), "ben": ("2024-06-01", "2024-12-01")})
    report = sender.report(consents=consents)
    assert (report.members_shared, report.members_withheld, report.members_without_identifier) == (1, 2, 0)
    assert report.rows == {"obligation_events": 1, "dues": 1, "repayments": 2, "account_status": 1,
                           "adverse_items": 2, "withdrawals": 0}  # fmt: skip


def test_consent_to_another_category_is_none_to_share_credit_history(sender, key_a):
    consents = _grants(key_a, {"anna": ("2024-06-01", None)}, category="behaviour")
    with pytest.raises(ConsentRequired, match="3 members do not let inst-b have their credit history for lending, 0 "):
        sender.export(consents=consents)
    assert list(sender.folder.iterdir()) == []


def test_identifiers_of_nobody_among_the_members_are_refused(sender):
    others = sender.identifiers.assign(member_id=["dora", "emil", "fred"])
    with pytest.raises(EventValueError, match="identifiers must name members of the events, got none of the 3 there"):
        sender.export(identifiers=others)


def test_without_a_mask_nothing_is_shared(sender):
    with pytest.raises(ConsentError, match="consents must be a ConsentMask, got set"):
        sender.export(consents={"anna"})
    assert list(sender.folder.iterdir()) == []


def test_a_member_without_identifier_is_not_shared(sender):
    report = sender.report(identifiers=sender.identifiers.iloc[:1])
    assert (report.members_shared, report.members_without_identifier) == (1, 2)


def test_members_who_withdrew_since_the_last_package_are_named_and_those_who_never_consented_are_not(sender, key_a):
    consents = _grants(key_a, {"anna": ("2024-06-01", None), "ben": ("2024-06-01", "2024-12-01")})
    since = datetime(2024, 11, 1, tzinfo=UTC)
    package = sender.export(consents=consents, options=ExportOptions(withdrawn_since=since))
    secret = b"of inst-a and inst-b, nobody else"
    ref = hmac.digest(secret, b"interchange-member\0ID BEN", "sha256").hex()[:32]
    assert _read(package, "withdrawals")["member_ref"].tolist() == [ref]


def test_a_member_reference_is_the_standard_hmac_of_the_identifier(sender):
    secret = b"of inst-a and inst-b, nobody else"
    expected = {hmac.digest(secret, b"interchange-member\0ID " + m, "sha256").hex()[:32]
                for m in (b"ANNA", b"BEN", b"CLEO")}  # fmt: skip
    assert set(_read(sender.export(), "dues")["member_ref"]) == expected


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_no_raw_id_and_no_subject_id_leaves(sender, key_a, a_world, file_format):
    package = sender.export(options=ExportOptions(file_format=file_format))
    names = {r["member_id"] for r in a_world["members"]}
    raw = names | {f"ID {n}".upper() for n in names} | {r["record_id"] for t in a_world.values() for r in t}
    keyed = set(key_a.subject_ids(sorted(names)).tolist())
    cells = {str(v) for p in package.glob(f"*.{file_format}") for v in _cells(p)}
    assert cells & (raw | keyed) == set()
    assert not any(name in cell for cell in cells for name in names)


def _cells(path: Path) -> Any:
    frame = pd.read_csv(path, dtype=str) if path.suffix == ".csv" else pd.read_parquet(path)
    return frame.astype(str).to_numpy().ravel()


def test_two_recipients_cannot_join_what_they_were_sent(sender, terms):
    other = replace(terms, recipient_id="inst-c")
    one = _read(sender.export("one"), "dues")
    two = _read(sender.export("two", terms=other, exchange_key=SubjectKey(b"of inst-a and inst-c" * 2)), "dues")
    for column in ("source_record_id", "obligation_id", "due_id", "member_ref"):
        assert set(one[column]) & set(two[column]) == set()


def test_ids_stay_the_same_from_package_to_package(sender):
    one, two = (_read(sender.export(name), "dues") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)


def test_a_correction_travels_and_points_at_what_it_corrects(sender):
    rows = _read(sender.export(), "repayments")
    corrections = rows[rows["supersedes"].notna()]
    assert len(corrections) == 3
    assert set(corrections["supersedes"]) <= set(rows["source_record_id"])


def test_every_row_says_where_it_comes_from_since_when_it_is_known_and_how_good_it_is(make_sender, a_world):
    for one in a_world["account_status"]:
        one["source"] = "branch books"
    sender = make_sender(a_world)
    by_source = {"branch books": RowTerms(quality="reported", legal_basis="contract")}
    package = sender.export(options=ExportOptions(by_source=by_source))
    status, dues = _read(package, "account_status"), _read(package, "dues")
    assert set(zip(status["quality"], status["legal_basis"], strict=True)) == {("reported", "contract")}
    assert set(zip(dues["quality"], dues["legal_basis"], strict=True)) == {("recorded", "consent")}
    assert set(dues["source"]) == {"inst-a"}
    assert set(dues["collected_at"]) == {pd.Timestamp("2024-01-11", tz="UTC")}
    assert set(dues["currency"]) == set(status["currency"]) == {"EUR"}


def test_what_others_reported_does_not_travel_on(make_sender, a_world):
    a_world["dues"][0]["source"] = "interchange:inst-c"
    a_world["repayments"] = a_world["repayments"][2:]
    assert make_sender(a_world).report().rows["dues"] == 2


def test_only_what_was_known_in_the_period_is_packed(sender, created):
    early = sender.report("early", options=ExportOptions(known_until=datetime(2024, 2, 1, tzinfo=UTC)))
    late = sender.report("late", options=ExportOptions(known_from=datetime(2024, 2, 1, tzinfo=UTC)))
    assert (early.rows["dues"], early.rows["repayments"]) == (3, 0)
    assert (late.rows["dues"], late.rows["repayments"]) == (0, 6)
    nothing = sender.report("before", created_at=datetime(2024, 1, 2, tzinfo=UTC))
    assert sum(nothing.rows.values()) == 0


@pytest.mark.parametrize(("name", "file_format"), [("package", "csv"), ("package.zip", "parquet")])
def test_what_is_exported_passes_the_check(sender, agreement, created, file_format, name):
    package = sender.export(name, options=ExportOptions(file_format=file_format))
    report = check_package(package, checked_at=created, exchange_key=agreement.exchange_key)
    assert (report.problems, report.sealed) == ((), True)
    assert report.rows["repayments"] == 6


def test_the_same_export_gives_the_same_zip(sender):
    assert sender.export("one.zip").read_bytes() == sender.export("two.zip").read_bytes()


def test_a_zip_holds_files_in_no_folder_that_only_their_owner_may_read(sender):
    with zipfile.ZipFile(sender.export("package.zip")) as archive:
        assert {e.external_attr >> 16 for e in archive.infolist()} == {0o600}
        assert "manifest.json" in archive.namelist()


@pytest.mark.parametrize("name", ["package", "package.zip"])
def test_a_package_is_never_overwritten_and_leaves_nothing_beside_it(sender, name):
    before = sender.export(name)
    with pytest.raises(EventSchemaError, match="must not exist yet"):
        sender.export(name)
    assert list(sender.folder.iterdir()) == [before]


def test_the_keys_must_be_the_right_ones_and_two(sender, key_a, agreement):
    with pytest.raises(EventSchemaError, match="key must be the key of the events, got another"):
        sender.export(key=agreement.exchange_key)
    with pytest.raises(EventSchemaError, match="exchange_key must be another key than that of the events"):
        sender.export(exchange_key=key_a)


@pytest.mark.parametrize(("wrong", "message"), [
    ({"institution_id": "Inst A"}, r"institution\.id must match"),
    ({"institution_name": "A\nB"}, r"institution\.name must match"),
    ({"legal_basis": "because"}, "legal_basis must be one of consent, contract"),
    ({"currency": "euro"}, "currency must match"),
    ({"jurisdiction": "Germany"}, "jurisdiction must match"),
])  # fmt: skip
def test_terms_that_the_schema_does_not_allow_are_refused_before_anything_is_written(sender, terms, wrong, message):
    with pytest.raises(EventSchemaError, match=message):
        sender.export(terms=replace(terms, **wrong))
    assert list(sender.folder.iterdir()) == []


def test_events_in_another_currency_are_refused(sender, terms):
    with pytest.raises(EventValueError, match=r"obligation_events\.currency must be the currency of the manifest"):
        sender.export(terms=replace(terms, currency="JPY"))
    assert list(sender.folder.iterdir()) == []


def test_a_clock_without_zone_is_refused(sender):
    with pytest.raises(EventSchemaError, match="A clock must be timezone-aware"):
        sender.export(created_at=datetime(2025, 1, 1))  # noqa: DTZ001


def test_a_period_after_the_package_is_refused(sender, created):
    with pytest.raises(EventSchemaError, match="period must end after it starts, and no later than created_at"):
        sender.export(options=ExportOptions(known_until=created + timedelta(days=1)))


@pytest.mark.parametrize(("identifiers", "error", "message"), [
    ({"member_id": ["anna"]}, EventSchemaError, r"identifiers must have the column\(s\) identifier"),
    ({"member_id": ["anna", "ben"], "identifier": ["1", "1"]}, EventValueError, r"\.identifier must be unique"),
    ({"member_id": ["anna", "anna"], "identifier": ["1", "2"]}, EventValueError, r"\.member_id must be unique"),
    ({"member_id": ["anna"], "identifier": [None]}, EventSchemaError, r"identifiers\.identifier must be text"),
    ({"member_id": ["anna", "ben"], "identifier": ["1", None]}, EventValueError, "must be in every row"),
    ({"member_id": ["anna"], "identifier": [1.5]}, EventSchemaError, "must be text or whole numbers, got double"),
])  # fmt: skip
def test_identifiers_that_do_not_tell_members_apart_are_refused(sender, identifiers, error, message):
    with pytest.raises(error, match=message):
        sender.export(identifiers=pd.DataFrame(identifiers))


def test_identifiers_may_lie_in_a_file_and_be_numbers(sender, tmp_path):
    frame = sender.identifiers.assign(identifier=[7, 8, 9])
    frame.to_parquet(tmp_path / "identifiers.parquet")
    as_text = frame.assign(identifier=["7", "8", "9"])
    one = sender.export("one", identifiers=tmp_path / "identifiers.parquet")
    two = sender.export("two", identifiers=as_text)
    assert (
        json.loads((one / "manifest.json").read_text())["files"]
        == json.loads((two / "manifest.json").read_text())["files"]
    )
    with pytest.raises(EventSchemaError, match="identifiers must be a Parquet file, got something else"):
        sender.export("three", identifiers=tmp_path / "nowhere.parquet")
