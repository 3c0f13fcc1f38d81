"""Berka: the transactions of Czech bank accounts before a loan, and how the loan stood at the end of 1998."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benne.experiments.datasets.dataset import Dataset, Split
from benne.experiments.datasets.descriptions import BERKA
from benne.experiments.datasets.originals import Original, Originals, data_folder

__all__ = ["chain_within_days", "load_berka", "read_berka"]

_FIRST_LOAN_DAY: Final = 970101
"""Loans granted from here on: the 354 whose earlier transactions the smaller file holds."""

_TRANSLATED: Final = {
    "type": {"PRIJEM": "credit", "VYDAJ": "withdrawal", "VYBER": "withdrawal in cash"},
    "operation": {
        "VKLAD": "credit in cash", "VYBER": "withdrawal in cash", "VYBER KARTOU": "credit card withdrawal",
        "PREVOD Z UCTU": "collection from another bank", "PREVOD NA UCET": "remittance to another bank",
    },
    "k_symbol": {
        "UROK": "interest credited", "SANKC. UROK": "sanction interest if negative balance",
        "SLUZBY": "payment for statement", "SIPO": "household", "POJISTNE": "insurrance payment",
        "DUCHOD": "old-age pension", "UVER": "loan payment",
    },
}  # fmt: skip
_KIND_BY_SYMBOL: Final = {
    "interest credited": "interest",
    "sanction interest if negative balance": "fee",
    "payment for statement": "bill",
    "household": "bill",
    "insurrance payment": "bill",
    "loan payment": "bill",
    "old-age pension": "transfer",
}
_KIND_BY_OPERATION: Final = {
    "credit in cash": "cash",
    "withdrawal in cash": "cash",
    "credit card withdrawal": "cash",
    "collection from another bank": "transfer",
    "remittance to another bank": "transfer",
}
_TRANSACTION_COLUMNS: Final = [
    "trans_id", "account_id", "date", "type", "operation", "amount", "balance", "k_symbol", "bank", "account",
]  # fmt: skip

_ROUNDING: Final = 10
"""Hellers by which a running balance may miss: the original rounds some interest."""

TRANSACTIONS_FILE: Final = Original(
    names=("trans_preloan_354.csv", "trans.asc"),
    sha256=("4991309374e80ba386bc4d2579ddef8d758235fad0c448c6c3fb8fe4e6b0f06e",),
    content="5f4cf53b532a4703b4115adbd801c9682d820e9c08d9bd8b786fdd353f7a9eee",
)
LOANS_FILE: Final = Original(
    names=("loan.asc",),
    sha256=("68535f609a254aa7a3f03dd8e27dcb822b532df12a0d6046f0666b8dc0b8ae8e",),
    content="f8e88bcadadfb6991a305cb339f4de0dc33b9d8eeb6eda53b5f73e5c8d31c71f",
)
ACCOUNTS_FILE: Final = Original(
    names=("account.asc",),
    sha256=("58d7f50abd72e9b1a5568346f74bb54cd71224ee1db9f09a27d7cac563f38cc6",),
    content="903c9a5db247f1e449cefa990b96f435cf7a341863e5ac177c6a088d3c65fd2c",
)
OWNERS_FILE: Final = Original(
    names=("disp.asc",),
    sha256=("ebd801f77b6d322e8ebc08e52f188e7c8fca539325f85f57f8c73434da9d32d8",),
    content="f2b84095f0364593d2bb758d1c799cc720ed39c302a392df03510191e8499081",
)
CLIENTS_FILE: Final = Original(
    names=("client.asc",),
    sha256=("e435c6b92d246f4f0dfd5e2827469d745c06238714c32b3ffb415eebe794e1a7",),
    content="0da177f65c40fe95017959593f1d5c261f9c9b10ef5a684248a4e62f1df3e1c1",
)


def load_berka(folder: str | Path | None = None, *, allow_unknown: bool = False) -> Dataset:
    """Load the Berka accounts with a loan as raw event tables.

    Parameters
    ----------
    folder : path, optional
        See :func:`benne.experiments.datasets.data_folder`.
    allow_unknown : bool
        Read files even if they are not the known data.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If a file is missing, unreadable or unknown.
    """
    transactions, loans, files = read_berka(folder, allow_unknown=allow_unknown)
    member = loans["account_id"].astype(str)
    granted = _days(loans["date"])
    born = _birth_dates(loans["birth_number"])
    tables = {"members": _members(loans, member, adult=born + pd.DateOffset(years=18) <= granted)}
    incomes = _incomes(transactions)
    return Dataset(
        about=BERKA,
        tables=tables | {"payments": _payments(transactions), "balances": _balances(transactions)} | incomes,
        currency="CZK",
        observations=pd.DataFrame({"member_id": member, "as_of": granted}),
        labels=loans["status"].isin(["B", "D"]).astype("int8").rename("bad"),
        groups=None,
        protected=_protected(loans, member, born),
        split=Split("folds"),
        files=files,
    )


def read_berka(
    folder: str | Path | None = None, *, allow_unknown: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Read transactions before the loan (chained within days), one row per loan, and the checksums."""
    originals = Originals(data_folder(folder), "berka", BERKA.download, allow_unknown=allow_unknown)
    loans = _read(originals, LOANS_FILE, ["account_id", "date", "status"])
    accounts = _read(originals, ACCOUNTS_FILE, ["account_id", "date"]).rename(columns={"date": "opened"})
    owners = _read(originals, OWNERS_FILE, ["account_id", "client_id", "type"])
    clients = _read(originals, CLIENTS_FILE, ["client_id", "birth_number", "district_id"])
    loans = (
        loans[loans["date"] >= _FIRST_LOAN_DAY]
        .merge(accounts, on="account_id")
        .merge(owners.loc[owners["type"] == "OWNER", ["account_id", "client_id"]], on="account_id")
        .merge(clients, on="client_id")
    )
    return _read_transactions(originals, loans), loans, originals.checksums


def _read(originals: Originals, original: Original, columns: list[str]) -> pd.DataFrame:
    rows = originals.read(original, sep=";")
    originals.require_columns(original, rows, columns)
    rows = rows[columns].sort_values(columns, ignore_index=True)
    originals.check_content(original, rows)
    return rows


def _read_transactions(originals: Originals, loans: pd.DataFrame) -> pd.DataFrame:
    rows = originals.read(TRANSACTIONS_FILE, sep=";", dtype=dict.fromkeys([*_TRANSLATED, "bank"], str))
    originals.require_columns(TRANSACTIONS_FILE, rows, _TRANSACTION_COLUMNS)
    rows = rows[_TRANSACTION_COLUMNS].merge(loans[["account_id", "date"]], on="account_id", suffixes=("", "_loan"))
    rows = _in_english(rows[rows["date"] < rows["date_loan"]].drop(columns="date_loan"))
    rows = rows.sort_values(["account_id", "date", "trans_id"], ignore_index=True)
    originals.check_content(TRANSACTIONS_FILE, rows)
    return chain_within_days(rows)


def _in_english(rows: pd.DataFrame) -> pd.DataFrame:
    """One spelling for both files: English words, money in hellers, no blanks or zero for nothing."""
    words = {name: rows[name].fillna("").str.strip().replace(dictionary) for name, dictionary in _TRANSLATED.items()}
    bank = rows["bank"].fillna("").str.strip()
    account = rows["account"].fillna(0).astype("int64").where(bank != "", 0)
    money = {name: (rows[name] * 100).round().astype("int64") for name in ("amount", "balance")}
    return rows.assign(**words, **money, bank=bank, account=account)


def chain_within_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Put the transactions of each account and day in the order in which the balance runs.

    Parameters
    ----------
    rows : DataFrame
        Sorted by account and date, with ``type``, ``amount`` and ``balance`` in hellers.

    Returns
    -------
    DataFrame
        The same rows with ``order``: 0, 1, … within the day. Where no order chains, the file's.
    """
    signed = np.where(rows["type"] == "credit", rows["amount"], -rows["amount"])
    before, after = (rows["balance"] - signed).to_numpy(), rows["balance"].to_numpy()
    accounts, order = rows["account_id"].to_numpy(), np.zeros(len(rows), dtype=np.int64)
    closing, current = 0, None
    days = rows.groupby(["account_id", "date"], sort=False).indices.values()
    # pandas before 3.1 lists the groups in an order of its own.
    for day in sorted(map(np.asarray, days), key=lambda numbers: int(numbers[0])):
        if accounts[day[0]] != current:
            current, closing = accounts[day[0]], 0
        chained = day[_chain(closing, before[day], after[day])]
        order[chained] = np.arange(len(day))
        closing = after[chained[-1]]
    ordered = rows.assign(order=order)
    return ordered.sort_values(["account_id", "date", "order"], ignore_index=True)


def _chain(opening: int, before: np.ndarray, after: np.ndarray) -> list[int]:
    """Order of a day's rows in which each starts from the balance the one before left."""

    def extend(path: list[int], balance: int) -> list[int] | None:
        if len(path) == len(before):
            return path
        for row in range(len(before)):
            if row not in path and abs(before[row] - balance) <= _ROUNDING:
                whole = extend([*path, row], int(after[row]))
                if whole is not None:
                    return whole
        return None

    return extend([], opening) or list(range(len(before)))


def _days(numbers: pd.Series) -> pd.Series:
    return pd.to_datetime("19" + numbers.astype(str).str.zfill(6), format="%Y%m%d", utc=True).astype(
        "datetime64[us, UTC]"
    )


def _birth_dates(numbers: pd.Series) -> pd.Series:
    women = numbers // 100 % 100 > 50
    return _days(numbers - 5000 * women)


def _common(rows: pd.DataFrame) -> pd.DataFrame:
    moment = _days(rows["date"]) + pd.to_timedelta(rows["order"], unit="us")
    return pd.DataFrame({
        "record_id": rows["trans_id"].astype(str), "member_id": rows["account_id"].astype(str),
        "event_time": moment, "known_at": moment,
    })  # fmt: skip


def _members(loans: pd.DataFrame, member: pd.Series, *, adult: pd.Series) -> pd.DataFrame:
    opened = _days(loans["opened"])
    return pd.DataFrame(
        {"record_id": member, "member_id": member, "event_time": opened, "known_at": opened, "adult": adult}
    )


def _payments(rows: pd.DataFrame) -> pd.DataFrame:
    counterparty = rows["bank"] + ":" + rows["account"].astype(str)
    return _common(rows).assign(
        direction=np.where(rows["type"] == "credit", "in", "out"),
        kind=rows["k_symbol"].map(_KIND_BY_SYMBOL).fillna(rows["operation"].map(_KIND_BY_OPERATION)),
        amount=rows["amount"],
        counterparty_id=counterparty.where(rows["bank"] != ""),
        currency="CZK",
    )


def _balances(rows: pd.DataFrame) -> pd.DataFrame:
    return _common(rows).assign(kind="account", amount=rows["balance"], currency="CZK")


def _incomes(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    pensions = rows[rows["k_symbol"] == "old-age pension"].reset_index(drop=True)
    if pensions.empty:
        return {}
    return {
        "incomes": _common(pensions).assign(kind="pension", amount=pensions["amount"], regular=True, currency="CZK")
    }


def _protected(loans: pd.DataFrame, member: pd.Series, born: pd.Series) -> pd.DataFrame:
    women = loans["birth_number"] // 100 % 100 > 50
    return pd.DataFrame({
        "member_id": member, "sex": np.where(women, "female", "male"), "born": born,
        "district_id": loans["district_id"],
    })  # fmt: skip
