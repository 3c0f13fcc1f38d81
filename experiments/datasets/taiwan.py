"""Taiwan: six monthly statements of 30,000 credit cards in 2005, and whether the next was defaulted on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benne.experiments.datasets.dataset import Dataset, Split
from benne.experiments.datasets.descriptions import TAIWAN
from benne.experiments.datasets.originals import Original, Originals, data_folder

__all__ = ["load_taiwan", "read_taiwan"]

_MINOR_UNITS: Final = 100
"""ISO 4217 gives the New Taiwan dollar two decimals; the file has whole dollars."""

_AS_OF: Final = pd.Timestamp("2005-10-01", tz="UTC")
_MONTHS: Final = ("2005-09", "2005-08", "2005-07", "2005-06", "2005-05", "2005-04")
_STATUS_COLUMNS: Final = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")
_LABEL: Final = "default.payment.next.month"
_PROTECTED: Final = ("SEX", "EDUCATION", "MARRIAGE", "AGE")
_STATUSES: Final = {-2: "no_balance", -1: "current", 0: "revolving"}

_COLUMNS: Final = (
    "ID", "LIMIT_BAL", *_PROTECTED, *_STATUS_COLUMNS,
    *(f"BILL_AMT{k}" for k in range(1, 7)), *(f"PAY_AMT{k}" for k in range(1, 7)), _LABEL,
)  # fmt: skip
# UCI's own CSV numbers its columns X1 … X23, Y; its spreadsheet spells the label with blanks.
_OTHER_SPELLINGS: Final = {
    **{f"X{k}": name for k, name in enumerate(_COLUMNS[1:-1], start=1)},
    "Y": _LABEL, "default payment next month": _LABEL, "PAY_1": "PAY_0",
}  # fmt: skip

TAIWAN_FILE: Final = Original(
    names=(
        "UCI_Credit_Card.csv",
        "default of credit card clients.xls",
        "default+of+credit+card+clients.zip",
        "default_of_credit_card_clients.csv",
        "data.csv",
        "archive.zip",
    ),
    sha256=("f7b7d22d1f8dd27dadb25d4b78d8a4ae7c441ab6cc12d1ea58c0efc54d4d1788",),
    content="d62a1db7cf931bccd5a95eda70b026a4d7bf4421a64b5b807bffa7eb1bc9f57c",
)


def load_taiwan(folder: str | Path | None = None, *, allow_unknown: bool = False) -> Dataset:
    """Load the Taiwan panel as raw event tables.

    Parameters
    ----------
    folder : path, optional
        See :func:`benne.experiments.datasets.data_folder`.
    allow_unknown : bool
        Read a file even if it is not the known data.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the file is missing, unreadable or unknown.
    """
    rows, files = read_taiwan(folder, allow_unknown=allow_unknown)
    member = rows["ID"].astype(str)
    return Dataset(
        about=TAIWAN,
        tables={"members": _members(rows, member), "account_status": _account_status(rows, member)},
        currency="TWD",
        observations=pd.DataFrame({"member_id": member, "as_of": _AS_OF}),
        labels=rows[_LABEL].astype("int8").rename("bad"),
        groups=None,
        protected=pd.concat([member.rename("member_id"), rows[list(_PROTECTED)].rename(columns=str.lower)], axis=1),
        split=Split("holdout"),
        files=files,
    )


def read_taiwan(
    folder: str | Path | None = None, *, allow_unknown: bool = False
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the original in Kaggle's spelling, sorted by ID, with the checksums of what was read."""
    originals = Originals(data_folder(folder), "uci_taiwan", TAIWAN.download, allow_unknown=allow_unknown)
    rows = originals.read(TAIWAN_FILE).rename(columns=_OTHER_SPELLINGS)
    originals.require_columns(TAIWAN_FILE, rows, list(_COLUMNS))
    rows = rows[list(_COLUMNS)].astype("int64").sort_values("ID", ignore_index=True)
    originals.check_content(TAIWAN_FILE, rows)
    return rows, originals.checksums


def _members(rows: pd.DataFrame, member: pd.Series) -> pd.DataFrame:
    first_month = pd.Timestamp(_MONTHS[-1], tz="UTC")
    return pd.DataFrame({
        "record_id": member, "member_id": member, "event_time": first_month, "known_at": first_month,
        "adult": rows["AGE"] >= 18,
    })  # fmt: skip


def _account_status(rows: pd.DataFrame, member: pd.Series) -> pd.DataFrame:
    months = [_month(rows, member, number) for number in range(len(_MONTHS))]
    return pd.concat(months, ignore_index=True)


def _month(rows: pd.DataFrame, member: pd.Series, number: int) -> pd.DataFrame:
    start = pd.Timestamp(_MONTHS[number], tz="UTC")
    end = start + pd.offsets.MonthEnd(1)
    delay = rows[_STATUS_COLUMNS[number]]
    return pd.DataFrame({
        "record_id": member + f"-{_MONTHS[number]}",
        "member_id": member,
        "event_time": end,
        "known_at": end,
        "obligation_id": member,
        "period_start": start,
        "months_past_due": np.maximum(delay, 0),
        "status": delay.map(_STATUSES).fillna("late"),
        "statement_amount": rows[f"BILL_AMT{number + 1}"] * _MINOR_UNITS,
        "amount_paid": rows[f"PAY_AMT{number + 1}"] * _MINOR_UNITS,
        "limit": rows["LIMIT_BAL"] * _MINOR_UNITS,
        "currency": "TWD",
    })  # fmt: skip
