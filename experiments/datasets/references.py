"""Plain LightGBM on hand-made columns of the original files: what our features are measured against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from benne.experiments.datasets.berka import read_berka
from benne.experiments.datasets.monthly_status import MONTHS_OF_OUTCOME, read_monthly_status
from benne.experiments.datasets.taiwan import read_taiwan

__all__ = ["REFERENCE_COLUMNS", "reference_log_odds"]

_MOST_TREES: Final = 1500
_PATIENCE: Final = 60
_INNER_FOLDS: Final = 5
_MOST_ROWS_IN_LEAF: Final = 50
_LEAVES: Final = (4, 8, 16)
_PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary", "metric": "auc", "learning_rate": 0.03, "lambda_l2": 5.0, "feature_fraction": 0.5,
    "bagging_fraction": 0.8, "bagging_freq": 1, "seed": 0, "deterministic": True, "force_row_wise": True,
    "verbose": -1,
}  # fmt: skip


def taiwan_columns(folder: str | Path | None = None, *, allow_unknown: bool = False) -> pd.DataFrame:
    """Raw unprotected columns, and for each month the bill over the limit and the payment over the bill."""
    rows, _ = read_taiwan(folder, allow_unknown=allow_unknown)
    raw = rows.filter(regex="^(LIMIT_BAL|PAY_|BILL_AMT)").astype("float64")
    months = range(1, 7)
    use = {f"bill_to_limit_{k}": raw[f"BILL_AMT{k}"] / raw["LIMIT_BAL"] for k in months}
    owed = {k: raw[f"BILL_AMT{k}"].where(raw[f"BILL_AMT{k}"] > 0) for k in months}
    paid = {f"paid_to_bill_{k}": raw[f"PAY_AMT{k}"] / owed[k] for k in months}
    return pd.concat([raw, pd.DataFrame(use | paid)], axis=1).set_axis(rows["ID"].astype(str), axis=0)


def monthly_status_columns(folder: str | Path | None = None, *, allow_unknown: bool = False) -> pd.DataFrame:
    """Seven aggregates of each card's months up to ``as_of``."""
    panel, _, _ = read_monthly_status(folder, allow_unknown=allow_unknown)
    past = panel[panel["MONTHS_BALANCE"] <= -MONTHS_OF_OUTCOME]
    past = past.assign(
        unused=past["STATUS"] == "X",
        days_late=past["STATUS"] == "0",
        month_late=past["months_past_due"] >= 1,
        recent=past["MONTHS_BALANCE"] > -2 * MONTHS_OF_OUTCOME,
    )
    by_card = past.groupby("ID")
    recent = past[past["recent"]].groupby("ID")
    columns = pd.DataFrame({
        "months": by_card.size(),
        "worst_months_past_due": by_card["months_past_due"].max(),
        "months_30_late": by_card["month_late"].sum(),
        "share_days_late": by_card["days_late"].mean(),
        "share_unused": by_card["unused"].mean(),
        "share_days_late_last_year": recent["days_late"].mean(),
        "days_late_at_last": by_card["days_late"].last(),
    }).astype("float64")  # fmt: skip
    return columns.set_axis(columns.index.astype(str), axis=0)


def berka_columns(folder: str | Path | None = None, *, allow_unknown: bool = False) -> pd.DataFrame:
    """Aggregates of each account's transactions before its loan, without the loan's terms."""
    rows, _, _ = read_berka(folder, allow_unknown=allow_unknown)
    coming = rows["type"] == "credit"
    rows = rows.assign(
        coming_in=rows["amount"].where(coming, 0),
        going_out=rows["amount"].where(~coming, 0),
        cash=rows["operation"].str.contains("cash"),
        penalty=rows["k_symbol"].str.startswith("sanction"),
        household=rows["amount"].where(rows["k_symbol"] == "household", 0),
        day=pd.to_datetime("19" + rows["date"].astype(str), format="%Y%m%d"),
    )
    by_account = rows.groupby("account_id")
    columns = pd.DataFrame({
        "balance_lowest": by_account["balance"].min(),
        "balance_mean": by_account["balance"].mean(),
        "balance_spread": by_account["balance"].std(),
        "balance_last": by_account["balance"].last(),
        "transactions": by_account.size(),
        "in_to_out": by_account["coming_in"].sum() / by_account["going_out"].sum().clip(lower=1),
        "largest_in": by_account["coming_in"].max(),
        "cash_share": by_account["cash"].mean(),
        "penalties": by_account["penalty"].sum(),
        "household_to_out": by_account["household"].sum() / by_account["going_out"].sum().clip(lower=1),
        "days_active": (by_account["day"].max() - by_account["day"].min()).dt.days,
    }).astype("float64")  # fmt: skip
    return columns.set_axis(columns.index.astype(str), axis=0)


REFERENCE_COLUMNS: Final[dict[str, Callable[..., pd.DataFrame]]] = {
    "taiwan": taiwan_columns,
    "monthly_status": monthly_status_columns,
    "berka": berka_columns,
}
"""For each data set, the columns of its reference, indexed by member_id."""


def reference_log_odds(
    columns: pd.DataFrame,
    labels: pd.Series,
    fold: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    groups: pd.Series | None = None,
) -> npt.NDArray[np.float64]:
    """Log odds of bad of the test members by LightGBM without any constraint.

    Parameters
    ----------
    columns : DataFrame, shape (n, columns)
    labels : Series of int, shape (n,)
    fold : pair of ndarray
        Positions of training and test members. Size and number of the trees are chosen by
        five folds inside the training members.
    groups : Series, shape (n,), optional
        Members of one group stay in one inner fold.

    Returns
    -------
    ndarray of float64, shape (test members,)
    """
    train, test = fold
    X, y = columns.to_numpy(), labels.to_numpy()
    person = np.arange(len(train)) if groups is None else groups.to_numpy()[train]
    folds = StratifiedGroupKFold(_INNER_FOLDS, shuffle=True, random_state=0).split(X[train], y[train], person)
    inner = list(folds)
    fewest = min(_MOST_ROWS_IN_LEAF, len(train) // 40)
    candidates = [_PARAMETERS | {"num_leaves": leaves, "min_data_in_leaf": fewest} for leaves in _LEAVES]
    tried = [_cross_validated(candidate, X[train], y[train], inner) for candidate in candidates]
    best = int(np.argmax([auc for auc, _ in tried]))
    booster = lgb.train(candidates[best], lgb.Dataset(X[train], y[train]), tried[best][1])
    return np.asarray(booster.predict(X[test], raw_score=True), dtype=np.float64)


def _cross_validated(
    parameters: dict[str, Any], X: npt.NDArray[np.float64], y: npt.NDArray[np.int8], inner: list[Any]
) -> tuple[float, int]:
    """Best mean AUC over the inner folds, and after how many trees."""
    stop = lgb.early_stopping(_PATIENCE, verbose=False)
    history: dict[str, list[float]] = lgb.cv(  # type: ignore[assignment]
        parameters, lgb.Dataset(X, y), _MOST_TREES, folds=inner, callbacks=[stop]
    )
    path = history["valid auc-mean"]
    return path[-1], len(path)
