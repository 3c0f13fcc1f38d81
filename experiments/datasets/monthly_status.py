"""Monthly status panel: five years of months past due of some 46,000 credit cards."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benne.experiments.datasets.dataset import Dataset, Split
from benne.experiments.datasets.descriptions import MONTHLY_STATUS
from benne.experiments.datasets.originals import Original, Originals, data_folder

__all__ = ["load_monthly_status", "month_starts", "panel_tables", "read_monthly_status"]

MONTHS_OF_OUTCOME: Final = 12
_ANCHOR: Final = pd.Period("2020-03", freq="M")
"""Month 0. The file has no calendar; this is the month its own archive is dated."""

_TRUNCATED: Final = -60
"""The panel reaches no further back: a card first seen here may be older."""

_MONTHS_PAST_DUE: Final = {"X": 0, "C": 0, "0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
_STATUSES: Final = {"X": "no_balance", "C": "closed"}
_PROTECTED: Final = {
    "CODE_GENDER": "sex",
    "DAYS_BIRTH": "days_birth",
    "NAME_FAMILY_STATUS": "family_status",
    "CNT_CHILDREN": "children",
    "CNT_FAM_MEMBERS": "family_members",
    "NAME_EDUCATION_TYPE": "education",
}
_PANEL_COLUMNS: Final = ["ID", "MONTHS_BALANCE", "STATUS"]
_APPLICATION_COLUMNS: Final = ["ID", "DAYS_EMPLOYED", "NAME_INCOME_TYPE", "NAME_HOUSING_TYPE", *_PROTECTED]

PANEL_FILE: Final = Original(
    names=("credit_record.csv", "credit_record.zip", "archive.zip"),
    sha256=(
        "ba0006a4734f74422d68b0a7132ad591850be0a6affb535eb1042d207fe4b27e",
        "ca8ac1e3023d47982d9d96b75ee617dbc1dbb54365c415337f2c77385320c736",
    ),
    content="9e184ed2fc82d660783ff48779c629153cfbb1ca889e62f71ef99bd5c98f128b",
)
APPLICATIONS_FILE: Final = Original(
    names=("application_record.csv", "application_record.zip", "archive.zip"),
    sha256=(
        "4833f502d02ad94295de3ffe74f665e726a4b04342d2e94f8cec41dce951925b",
        "6f68f6589691b4f0f17680d6d32926ff65dc31332fd77b70599676a22a868f1f",
    ),
    content="d1b82a0a6e5894a670445b794f8dbe37301bb2a239171790e9c90413f0a02cd3",
)


def load_monthly_status(folder: str | Path | None = None, *, allow_unknown: bool = False) -> Dataset:
    """Load the monthly status panel as raw event tables.

    The tables also hold the months after ``as_of``: the feature kernel leaves them out.

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
    panel, applications, files = read_monthly_status(folder, allow_unknown=allow_unknown)
    labels = _labels(panel)
    panel = panel[panel["ID"].isin(labels.index)]
    ids = labels.index.to_series(index=pd.RangeIndex(len(labels)))
    return Dataset(
        about=MONTHLY_STATUS,
        tables=panel_tables(panel),
        currency=None,
        observations=pd.DataFrame(
            {"member_id": ids.astype(str), "as_of": month_starts(np.array([1 - MONTHS_OF_OUTCOME]))[0]}
        ),
        labels=labels.reset_index(drop=True),
        groups=_people(ids, applications),
        protected=_protected(ids, applications),
        split=Split("folds"),
        files=files,
    )


def read_monthly_status(
    folder: str | Path | None = None, *, allow_unknown: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Read the panel (sorted by card and month), the applications, and the files' checksums."""
    originals = Originals(
        data_folder(folder), "cc_approval_monthly", MONTHLY_STATUS.download, allow_unknown=allow_unknown
    )
    panel = originals.read(PANEL_FILE, dtype={"STATUS": str})
    originals.require_columns(PANEL_FILE, panel, _PANEL_COLUMNS)
    panel = panel[_PANEL_COLUMNS].sort_values(["ID", "MONTHS_BALANCE"], ignore_index=True)
    originals.check_content(PANEL_FILE, panel)
    panel["months_past_due"] = panel["STATUS"].map(_MONTHS_PAST_DUE)
    applications = originals.read(APPLICATIONS_FILE)
    originals.require_columns(APPLICATIONS_FILE, applications, _APPLICATION_COLUMNS)
    originals.check_content(APPLICATIONS_FILE, _in_fixed_order(applications))
    return panel, applications, originals.checksums


def _in_fixed_order(applications: pd.DataFrame) -> pd.DataFrame:
    return applications[_APPLICATION_COLUMNS].sort_values(_APPLICATION_COLUMNS, ignore_index=True)


def _labels(panel: pd.DataFrame) -> pd.Series:
    """Whether each observed card turns bad, indexed by ID."""
    now = panel[panel["MONTHS_BALANCE"] == -MONTHS_OF_OUTCOME]
    observed = now.loc[(now["STATUS"] != "C") & (now["months_past_due"] == 0), "ID"]
    after = panel[(panel["MONTHS_BALANCE"] > -MONTHS_OF_OUTCOME) & panel["ID"].isin(observed)]
    seen = after.groupby("ID")["months_past_due"].agg(["max", "size"]).reindex(observed, fill_value=0)
    bad = seen["max"] >= 1
    complete = seen["size"] == MONTHS_OF_OUTCOME
    return bad[bad | complete].astype("int8").rename("bad")


def month_starts(months: np.ndarray) -> pd.DatetimeIndex:
    """First moment of each month numbered from the anchor."""
    first = np.datetime64(_ANCHOR.strftime("%Y-%m"), "M")
    return pd.DatetimeIndex((first + months).astype("datetime64[us]")).tz_localize("UTC")


def panel_tables(panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The panel, or cards of it, as event tables; every card a member."""
    first = panel.drop_duplicates("ID")
    member = first["ID"].astype(str).reset_index(drop=True)
    joined = month_starts(first["MONTHS_BALANCE"].to_numpy())
    members = pd.DataFrame(
        {"record_id": member, "member_id": member, "event_time": joined, "known_at": joined, "adult": True}
    )
    opened = members.drop(columns="adult").assign(obligation_id=member, kind="card", event="opened")
    seen_to_open = (first["MONTHS_BALANCE"] > _TRUNCATED).to_numpy()
    return {
        "members": members,
        "obligation_events": opened[seen_to_open].reset_index(drop=True),
        "account_status": _account_status(panel),
    }


def _account_status(panel: pd.DataFrame) -> pd.DataFrame:
    months = panel["MONTHS_BALANCE"].to_numpy()
    end = month_starts(months + 1) - pd.Timedelta(days=1)
    member = panel["ID"].astype(str)
    return pd.DataFrame({
        "record_id": member + panel["MONTHS_BALANCE"].astype(str),
        "member_id": member,
        "event_time": end,
        "known_at": end,
        "obligation_id": member,
        "period_start": month_starts(months),
        "months_past_due": panel["months_past_due"],
        "status": panel["STATUS"].map(_STATUSES).fillna("late"),
    }).reset_index(drop=True)  # fmt: skip


def _people(ids: pd.Series, applications: pd.DataFrame) -> pd.Series:
    """One number per person: identical applications are one, a card without one its own."""
    facts = applications.drop_duplicates("ID").set_index("ID")
    person = facts.groupby(list(facts.columns), dropna=False, sort=False).ngroup()
    number = person.reindex(ids.to_numpy()).to_numpy()
    own = len(person) + np.arange(len(ids))
    return pd.Series(np.where(np.isnan(number), own, number).astype("int64"), name="person")


def _protected(ids: pd.Series, applications: pd.DataFrame) -> pd.DataFrame:
    facts = applications.drop_duplicates("ID").set_index("ID")[list(_PROTECTED)].rename(columns=_PROTECTED)
    aligned = facts.reindex(ids.to_numpy()).reset_index(drop=True)
    return pd.concat([ids.astype(str).rename("member_id"), aligned], axis=1)
