"""The real originals, where they are: counts that were published, and the way through the door to a score."""

from __future__ import annotations

import dataclasses
import logging
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benne.errors import DatasetError
from benne.experiments.datasets import Dataset, Split, data_folder, load, load_berka, load_taiwan
from benne.experiments.datasets.berka import read_berka
from benne.experiments.datasets.monthly_status import read_monthly_status
from benne.experiments.datasets.references import REFERENCE_COLUMNS
from benne.experiments.datasets.results import Comparison, compare
from benne.experiments.datasets.results_table import render_results, results_table
from benne.experiments.datasets.taiwan import read_taiwan
from benne.experiments.datasets.trial import features_of
from benne.features import SubjectKey, registry, split_mask

KEY = SubjectKey(b"a key for tests, of 32 bytes size")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def real(name: str) -> Dataset:
    try:
        return load(name)
    except DatasetError as error:
        pytest.skip(f"the real data set {name} is not here: {error}")


@pytest.fixture(scope="module")
def taiwan() -> Dataset:
    return real("taiwan")


@pytest.fixture(scope="module")
def monthly() -> Dataset:
    return real("monthly_status")


@pytest.fixture(scope="module")
def berka() -> Dataset:
    return real("berka")


@pytest.fixture(scope="module")
def berka_compared(berka: Dataset) -> Comparison:
    one_split = dataclasses.replace(berka, split=Split("holdout"))
    return compare(one_split, REFERENCE_COLUMNS["berka"](), key=KEY, ingested_at=NOW)


def test_taiwan_has_the_published_members_and_bads(taiwan: Dataset) -> None:
    assert (len(taiwan.labels), int(taiwan.labels.sum())) == (30_000, 6_636)
    assert len(taiwan.tables["account_status"]) == 180_000


def test_the_panel_has_the_members_and_bads_of_its_definition(monthly: Dataset) -> None:
    assert len(monthly.labels) == 12_361
    assert round(monthly.bad_rate, 4) == 0.0963
    assert monthly.groups is not None
    assert monthly.groups.nunique() == 8_692


def test_only_98_of_the_panel_reach_sixty_days(monthly: Dataset) -> None:
    months = monthly.tables["account_status"]
    after = months[months["event_time"] >= monthly.observations["as_of"].iloc[0]]
    assert int((after.groupby("member_id")["months_past_due"].max() >= 2).sum()) == 98


def test_berka_has_354_loans_of_which_30_are_bad(berka: Dataset) -> None:
    assert (len(berka.labels), int(berka.labels.sum())) == (354, 30)
    assert len(berka.tables["payments"]) == 30_200
    assert "incomes" not in berka.tables


def test_every_berka_balance_follows_from_the_one_before(berka: Dataset) -> None:
    payments, balances = berka.tables["payments"], berka.tables["balances"]
    signed = np.where(payments["direction"] == "in", payments["amount"], -payments["amount"])
    before = balances.groupby("member_id")["amount"].shift(fill_value=0)
    assert (before + signed - balances["amount"]).abs().max() <= 10  # the bank rounds to ten hellers


@pytest.mark.parametrize("name", ["taiwan", "monthly", "berka"])
def test_the_features_fall_into_the_categories_said(name: str, request: pytest.FixtureRequest) -> None:
    dataset: Dataset = request.getfixturevalue(name)
    columns = split_mask(features_of(dataset, key=KEY, ingested_at=NOW))[0].columns
    assert tuple(registry.categories_of(columns)) == dataset.categories


def test_months_after_as_of_change_no_feature_of_the_panel(monthly: Dataset) -> None:
    as_of = monthly.observations["as_of"].iloc[0]
    past = {name: rows[rows["event_time"] < as_of].reset_index(drop=True) for name, rows in monthly.tables.items()}
    without = dataclasses.replace(monthly, tables=past)
    assert len(past["account_status"]) < len(monthly.tables["account_status"])
    pd.testing.assert_frame_equal(
        features_of(without, key=KEY, ingested_at=NOW), features_of(monthly, key=KEY, ingested_at=NOW)
    )


def test_another_container_of_the_same_rows_is_known(taiwan: Dataset, tmp_path: Path) -> None:
    rows, _ = read_taiwan()
    numbered = dict(zip(rows.columns, ["ID", *(f"X{k}" for k in range(1, 24)), "Y"], strict=True))
    other = rows.rename(columns=numbered).sample(frac=1, random_state=0)
    other.to_csv(tmp_path / "data.csv", index=False)
    assert load_taiwan(tmp_path).labels.equals(taiwan.labels)
    other.assign(X1=other["X1"] + 1).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(DatasetError, match="must be the known original"):
        load_taiwan(tmp_path)


def test_the_czech_original_filters_to_the_same_rows(berka: Dataset, tmp_path: Path) -> None:
    folder = data_folder() / "berka"
    for name in ("loan.asc", "account.asc", "disp.asc", "client.asc"):
        (tmp_path / name).symlink_to(folder / name)
    rows = pd.read_csv(folder / "trans_preloan_354.csv", sep=";", dtype={"bank": str})
    czech = {
        "type": {"credit": "PRIJEM", "withdrawal": "VYDAJ", "withdrawal in cash": "VYBER"},
        "operation": {"credit in cash": "VKLAD", "withdrawal in cash": "VYBER",
                      "credit card withdrawal": "VYBER KARTOU",
                      "collection from another bank": "PREVOD Z UCTU",
                      "remittance to another bank": "PREVOD NA UCET"},
        "k_symbol": {"interest credited": "UROK", "sanction interest if negative balance": "SANKC. UROK",
                     "payment for statement": "SLUZBY", "household": "SIPO", "insurrance payment": "POJISTNE"},
    }  # fmt: skip
    rows = rows.replace(czech)
    after_loan = rows.groupby("account_id").tail(1).assign(date=981231, k_symbol="UVER")
    after_loan["trans_id"] += 9_000_000
    no_loan = rows.head(1).assign(account_id=1, trans_id=9_999_999)
    pd.concat([rows, after_loan, no_loan]).to_csv(tmp_path / "trans.asc", sep=";", index=False, quoting=2)
    pd.testing.assert_frame_equal(load_berka(tmp_path).tables["payments"], berka.tables["payments"])


def test_every_known_file_is_recognised_by_its_content_too(
    taiwan: Dataset, monthly: Dataset, berka: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benne.experiments.datasets.originals._file_sha256", lambda path: "another container")
    for read in (read_taiwan, read_monthly_status, read_berka):
        assert "another container" in read()[-1].values()


def test_scores_on_real_data_add_up_and_keep_their_weights(berka_compared: Comparison) -> None:
    assert berka_compared.largest_gap < 1e-9
    shares = berka_compared.shares
    assert (shares["reference"] - shares["weight"]).abs().max() < 1e-6
    assert shares["weight"].to_dict() == pytest.approx({"behaviour": 0.5, "ability": 0.4, "social": 0.1})


def test_the_table_of_results_names_the_set_and_its_weights(berka_compared: Comparison) -> None:
    text = render_results([berka_compared])
    assert "| berka | 354 (" in text
    assert "behaviour 50.00%, ability 40.00%, social 10.00%" in text
    row = results_table([berka_compared]).loc["berka"]
    assert row["price"] == pytest.approx(row["auc_contracted"] - row["auc_free"])
    assert row["auc_free_low"] < row["auc_free"] < row["auc_free_high"]


def test_public_data_are_used_with_a_logged_reason(berka: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        features_of(berka, key=KEY, ingested_at=NOW)
    assert "public, anonymised data" in caplog.text
