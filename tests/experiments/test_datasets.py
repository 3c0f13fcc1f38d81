"""Adapters on small made-up files in the originals' form: every value can be checked by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benne.errors import DatasetError
from benne.experiments.datasets import (
    CATALOGUE,
    Dataset,
    Split,
    content_sha256,
    data_folder,
    describe_downloads,
    field_table,
    load,
    load_berka,
    load_monthly_status,
    load_taiwan,
)
from benne.experiments.datasets.berka import chain_within_days
from benne.features import CATEGORIES
from benne.features.events.tables import TABLES

MONTHS = range(1, 7)


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def taiwan_rows() -> pd.DataFrame:
    rows = {
        "ID": [7], "LIMIT_BAL": [50_000], "SEX": [2], "EDUCATION": [1], "MARRIAGE": [2], "AGE": [30],
        "PAY_0": [2], "PAY_2": [-1], "PAY_3": [0], "PAY_4": [-2], "PAY_5": [8], "PAY_6": [1],
    }  # fmt: skip
    rows |= {f"BILL_AMT{k}": [100 * k] for k in MONTHS} | {f"PAY_AMT{k}": [10 * k] for k in MONTHS}
    return pd.DataFrame(rows | {"default.payment.next.month": [1]})


@pytest.fixture
def taiwan(tmp_path: Path) -> Dataset:
    taiwan_rows().to_csv(tmp_path / "UCI_Credit_Card.csv", index=False)
    return load_taiwan(tmp_path, allow_unknown=True)


@pytest.fixture
def monthly(tmp_path: Path) -> Dataset:
    histories = {
        1: {-14: "0", -13: "X", -12: "0"} | dict.fromkeys(range(-11, 1), "0") | {-3: "1"},  # turns bad
        2: {-12: "X"} | dict.fromkeys(range(-11, 1), "C"),  # good, complete
        3: {-12: "0", -11: "0"},  # outcome window incomplete
        4: {-12: "0", -11: "2"},  # incomplete, but bad in it
        5: {-13: "0", -12: "C"} | dict.fromkeys(range(-11, 1), "C"),  # closed at as_of
        6: {-12: "1"} | dict.fromkeys(range(-11, 1), "0"),  # 30 days late at as_of
        7: dict.fromkeys(range(-60, 1), "0"),  # panel begins before its card's first month is known
    }
    rows = [(card, month, status) for card, months in histories.items() for month, status in months.items()]
    panel = pd.DataFrame(rows, columns=["ID", "MONTHS_BALANCE", "STATUS"])
    panel.sample(frac=1, random_state=0).to_csv(tmp_path / "credit_record.csv", index=False)
    person = {
        "CODE_GENDER": "F", "DAYS_BIRTH": -15000, "DAYS_EMPLOYED": -100, "NAME_FAMILY_STATUS": "Married",
        "CNT_CHILDREN": 0, "CNT_FAM_MEMBERS": 2.0, "NAME_EDUCATION_TYPE": "Higher education",
        "NAME_INCOME_TYPE": "Working", "NAME_HOUSING_TYPE": "House / apartment", "OCCUPATION_TYPE": None,
    }  # fmt: skip
    applications = pd.DataFrame([{"ID": 1} | person, {"ID": 4} | person, {"ID": 2} | person | {"CNT_CHILDREN": 3}])
    with zipfile.ZipFile(tmp_path / "application_record.zip", "w") as archive:
        archive.writestr("application_record.csv", applications.to_csv(index=False))
    return load_monthly_status(tmp_path, allow_unknown=True)


def write_berka(folder: Path, transactions: list[str]) -> None:
    files = {
        "loan.asc": ["loan_id;account_id;date;amount;duration;payments;status",
                     "1;11;970110;900;12;75.00;B", "2;12;970110;900;12;75.00;A", "3;13;961231;900;12;75.00;D"],
        "account.asc": ["account_id;district_id;frequency;date",
                        "11;1;POPLATEK MESICNE;960101", "12;1;POPLATEK MESICNE;960201", "13;1;POPLATEK MESICNE;960101"],
        "disp.asc": ["disp_id;client_id;account_id;type",
                     "1;21;11;OWNER", "2;22;12;OWNER", "3;23;12;DISPONENT", "4;24;13;OWNER"],
        "client.asc": ["client_id;birth_number;district_id",
                       "21;705213;5", "22;790112;6", "23;600101;5", "24;600101;5"],
        "trans.asc": ["trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account", *transactions],
    }  # fmt: skip
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def berka(tmp_path: Path) -> Dataset:
    write_berka(tmp_path, [
        '2;11;960301;"VYDAJ";"PREVOD NA UCET";30.00;70.00;"SIPO";"AB";555',
        '3;11;960301;"PRIJEM";"VKLAD";100.00;100.00;;;',
        '4;11;960401;"PRIJEM";"PREVOD Z UCTU";12.50;82.50;"DUCHOD";"CD";7',
        '5;11;960501;"VYDAJ";"VYBER";90.00;-7.50;" ";;0',
        '6;11;960601;"VYDAJ";"VYBER";0.10;-7.60;"SANKC. UROK";;',
        '7;11;960601;"PRIJEM";;0.20;-7.40;"UROK";;',
        '8;11;970110;"PRIJEM";"VKLAD";999.00;991.60;;;',
        '9;12;960301;"PRIJEM";"VKLAD";5.00;5.00;;;',
        '1;13;960301;"PRIJEM";"VKLAD";5.00;5.00;;;',
    ])  # fmt: skip
    return load_berka(tmp_path, allow_unknown=True)


def test_taiwan_months_end_on_their_last_day_and_precede_as_of(taiwan: Dataset) -> None:
    months = taiwan.tables["account_status"].set_index("record_id")
    assert months.loc["7-2005-09", "event_time"] == utc("2005-09-30")
    assert months.loc["7-2005-04", "period_start"] == utc("2005-04-01")
    assert (months["event_time"] < taiwan.observations["as_of"].iloc[0]).all()
    assert (months["known_at"] == months["event_time"]).all()


def test_taiwan_statuses_say_what_the_delay_codes_say(taiwan: Dataset) -> None:
    months = taiwan.tables["account_status"]
    assert months["status"].tolist() == ["late", "current", "revolving", "no_balance", "late", "late"]
    assert months["months_past_due"].tolist() == [2, 0, 0, 0, 8, 1]


def test_taiwan_amounts_are_in_hundredths_of_a_dollar(taiwan: Dataset) -> None:
    august = taiwan.tables["account_status"].set_index("record_id").loc["7-2005-08"]
    assert (august["statement_amount"], august["amount_paid"], august["limit"]) == (20_000, 2_000, 5_000_000)
    assert taiwan.currency == "TWD"


def test_taiwan_reads_the_spelling_of_uci_as_it_reads_that_of_kaggle(taiwan: Dataset, tmp_path: Path) -> None:
    rows = taiwan_rows()
    numbered = dict(zip(rows.columns, ["ID", *(f"X{k}" for k in range(1, 24)), "Y"], strict=True))
    other = tmp_path / "uci"
    other.mkdir()
    with zipfile.ZipFile(other / "default+of+credit+card+clients.zip", "w") as archive:
        archive.writestr("data.csv", rows.rename(columns=numbered).to_csv(index=False))
    again = load_taiwan(other, allow_unknown=True)
    pd.testing.assert_frame_equal(again.tables["account_status"], taiwan.tables["account_status"])


def test_the_panel_observes_cards_open_and_in_order_whose_outcome_is_known(monthly: Dataset) -> None:
    labels = dict(zip(monthly.observations["member_id"], monthly.labels, strict=True))
    assert labels == {"1": 1, "2": 0, "4": 1, "7": 0}
    assert (monthly.observations["as_of"] == utc("2019-04-01")).all()


def test_panel_months_count_back_from_the_declared_anchor(monthly: Dataset) -> None:
    card = monthly.tables["account_status"].query("member_id == '1'")
    assert card["event_time"].iloc[[0, 2, -1]].tolist() == [utc("2019-01-31"), utc("2019-03-31"), utc("2020-03-31")]
    assert card["status"].iloc[:3].tolist() == ["late", "no_balance", "late"]
    assert card["months_past_due"].iloc[[0, 11]].tolist() == [0, 1]


def test_a_card_that_the_panel_cuts_off_has_no_opening(monthly: Dataset) -> None:
    opened = monthly.tables["obligation_events"].set_index("member_id")["event_time"]
    assert "7" not in opened.index
    assert opened["1"] == utc("2019-01-01")


def test_identical_applications_are_one_person_and_a_card_without_one_its_own(monthly: Dataset) -> None:
    assert monthly.groups is not None
    person = dict(zip(monthly.observations["member_id"], monthly.groups, strict=True))
    assert person["1"] == person["4"]
    assert len({person["1"], person["2"], person["7"]}) == 3


def test_berka_keeps_loans_of_the_population_and_rows_before_the_loan(berka: Dataset) -> None:
    assert berka.observations["member_id"].tolist() == ["11", "12"]
    assert berka.labels.tolist() == [1, 0]
    assert "8" not in set(berka.tables["payments"]["record_id"])
    assert berka.observations["as_of"].iloc[0] == utc("1997-01-10")


def test_berka_rows_of_one_day_follow_the_running_balance(berka: Dataset) -> None:
    balances = berka.tables["balances"].query("member_id == '11'")
    assert balances["record_id"].tolist() == ["3", "2", "4", "5", "6", "7"]
    assert balances["amount"].tolist() == [10_000, 7_000, 8_250, -750, -760, -740]
    first, second = balances["event_time"].iloc[:2]
    assert (first, second - first) == (utc("1996-03-01"), pd.Timedelta(1, "us"))


def test_berka_kinds_and_counterparties_are_what_the_bank_wrote(berka: Dataset) -> None:
    payments = berka.tables["payments"].query("member_id == '11'")
    assert payments["kind"].tolist() == ["cash", "bill", "transfer", "cash", "fee", "interest"]
    assert payments["direction"].tolist() == ["in", "out", "in", "out", "out", "in"]
    assert payments["counterparty_id"].dropna().tolist() == ["AB:555", "CD:7"]


def test_berka_income_is_only_what_the_bank_calls_a_pension(berka: Dataset) -> None:
    incomes = berka.tables["incomes"]
    assert incomes[["kind", "amount", "regular"]].to_numpy().tolist() == [["pension", 1_250, True]]


def test_berka_without_a_pension_has_no_incomes_at_all(tmp_path: Path) -> None:
    write_berka(tmp_path, ['2;11;960301;"PRIJEM";"VKLAD";100.00;100.00;;;', '9;12;960301;"PRIJEM";"VKLAD";5;5;;;'])
    assert "incomes" not in load_berka(tmp_path, allow_unknown=True).tables


def test_berka_birth_numbers_give_sex_and_age_to_the_right_tables(berka: Dataset) -> None:
    assert berka.protected["sex"].tolist() == ["female", "male"]
    assert berka.protected["born"].iloc[0] == utc("1970-02-13")
    assert berka.tables["members"]["adult"].tolist() == [True, False]  # born 1979-01-12: 17 on 1997-01-10


def test_a_day_that_does_not_chain_keeps_the_order_of_the_file() -> None:
    rows = pd.DataFrame({
        "account_id": 1, "date": 960301, "type": "credit", "amount": [100, 100], "balance": [500, 900],
    })  # fmt: skip
    assert chain_within_days(rows)["balance"].tolist() == [500, 900]


@pytest.mark.parametrize("name", ["taiwan", "monthly", "berka"])
def test_adapters_write_only_columns_of_the_event_tables(name: str, request: pytest.FixtureRequest) -> None:
    dataset: Dataset = request.getfixturevalue(name)
    for table, rows in dataset.tables.items():
        schema = {column.name: column for column in TABLES[table].all_columns}
        assert set(rows.columns) <= set(schema), table
        required = [c.name for c in schema.values() if c.required]
        assert rows[required].notna().all(axis=None), table


@pytest.mark.parametrize("name", ["taiwan", "monthly", "berka"])
def test_protected_attributes_stand_apart_from_the_events(name: str, request: pytest.FixtureRequest) -> None:
    dataset: Dataset = request.getfixturevalue(name)
    attributes = set(dataset.protected.columns) - {"member_id"}
    for rows in dataset.tables.values():
        assert not attributes & {column.lower() for column in rows.columns}
    assert dataset.protected["member_id"].tolist() == dataset.observations["member_id"].tolist()


def test_a_missing_file_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"UCI_Credit_Card\.csv or .* got no such file\. Download .*kaggle"):
        load("taiwan", tmp_path)


def test_rows_that_are_not_the_originals_are_refused(tmp_path: Path) -> None:
    taiwan_rows().to_csv(tmp_path / "UCI_Credit_Card.csv", index=False)
    with pytest.raises(DatasetError, match=r"UCI_Credit_Card\.csv must be the known original, got an unknown checksum"):
        load_taiwan(tmp_path)


def test_a_file_without_its_columns_is_refused_by_name(tmp_path: Path) -> None:
    taiwan_rows().drop(columns=["PAY_3", "AGE"]).to_csv(tmp_path / "UCI_Credit_Card.csv", index=False)
    with pytest.raises(DatasetError, match=r"got none named AGE, PAY_3"):
        load_taiwan(tmp_path, allow_unknown=True)


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive.zip").write_bytes(b"not a zip")
    with pytest.raises(DatasetError, match=r"archive\.zip must be a table that can be read, got BadZipFile"):
        load_taiwan(tmp_path, allow_unknown=True)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"one of taiwan, monthly_status, berka, got 'mortgages'"):
        load("mortgages")


def test_the_argument_decides_over_the_environment_and_that_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "variable").mkdir()
    environment = {"BENNE_DATA": str(tmp_path / "variable")}
    assert data_folder(tmp_path / "named", environment) == tmp_path / "named"
    assert data_folder(None, environment) == tmp_path / "variable"
    with pytest.raises(DatasetError, match=r"The data folder must exist, got .*nowhere"):
        data_folder(tmp_path / "nowhere", environment)


def test_content_is_the_same_whatever_the_quoting_and_another_once_a_value_changes() -> None:
    rows = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert content_sha256(rows) == content_sha256(rows.astype({"a": "int32"}).fillna({"b": ""}))
    assert content_sha256(rows) != content_sha256(rows.assign(a=[1, 3]))
    assert content_sha256(rows) != content_sha256(rows.rename(columns={"a": "c"}))


def test_folds_hold_each_member_out_once_and_keep_a_person_on_one_side() -> None:
    labels = pd.Series([0, 1] * 50)
    groups = pd.Series(np.repeat(np.arange(25), 4))
    held_out = []
    for train, test in Split("folds").of(labels, groups):
        assert not set(groups[train]) & set(groups[test])
        held_out += test.tolist()
    assert sorted(held_out) == list(range(100))


def test_a_holdout_is_one_stratified_split() -> None:
    ((train, test),) = Split("holdout").of(pd.Series([0, 1] * 50), None)
    assert (len(train), len(test)) == (70, 30)


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_mapped_field_goes_to_a_column_there_is(name: str) -> None:
    about, _ = CATALOGUE[name]
    assert set(about.categories) <= set(CATEGORIES)
    for row in about.field_map:
        table, _, columns = row.goes_to.partition(".")
        if columns and row.how != "absent":
            for column in columns.replace(f"{table}.", "").split(", "):
                TABLES[table if "." not in column else column.split(".")[0]].column(column.split(".")[-1])
        assert row.how == "exact" or row.note, row


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_the_docs_carry_the_table_of_fields(name: str) -> None:
    about, _ = CATALOGUE[name]
    page = Path(__file__).parents[2] / "docs" / "datasets.md"
    text = page.read_text(encoding="utf-8")
    assert field_table(about) in text
    for said in (about.title, about.licence, about.population, about.as_of, about.label, about.split):
        assert said in text


def test_downloads_name_every_set_its_licence_and_the_folder_variable() -> None:
    text = describe_downloads()
    for about, _ in CATALOGUE.values():
        assert about.title in text
        assert about.licence in text
    assert "$BENNE_DATA" in text
