"""Monitoring where months are real: a model of the public status panel, watched over the year and a half after.

``python -m benne.experiments.monitoring.real_months`` prints what docs/monitoring.md says of it; some minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.experiments.datasets.markdown import markdown_table
from benne.experiments.datasets.monthly_status import month_starts, panel_tables, read_monthly_status
from benne.features import ConsentMask, SubjectKey, build_features, load_events, registry, split_mask
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.monitoring.monitor import Evidence, monitor
from benne.scoring.monitoring.report import MonitoringReport
from benne.scoring.monitoring.thresholds import Thresholds

__all__ = ["label_months", "watch_panel"]

_KEY: Final = SubjectKey(b"public data, no secret key needed")
_INGESTED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_WATCHED_ON: Final = datetime(2021, 6, 1, tzinfo=UTC)  # all outcomes of the panel have matured by then
_TRAINED: Final = range(-36, -24)
_WATCHED: Final = range(-24, -6)
_OUTCOME_MONTHS: Final = 6
_OUTCOME_DAYS: Final = 183
_MOST_NAMED: Final = 12


def label_months(panel: pd.DataFrame, months: range) -> pd.DataFrame:
    """Cards in use and not past due at the beginning of each month, and whether they were in the six months after.

    Parameters
    ----------
    panel : DataFrame
        ``ID``, ``MONTHS_BALANCE``, ``STATUS``, ``months_past_due``.
    months : range
        Numbered as the panel does, 0 the month of extraction.

    Returns
    -------
    DataFrame
        ``member_id``, ``as_of``, ``bad``: 30 days past due or more within the months that are seen.
    """
    found = []
    for month in months:
        before = panel[panel["MONTHS_BALANCE"] == month - 1]
        in_use = before.loc[(before["STATUS"] != "C") & (before["months_past_due"] == 0), "ID"]
        after = panel[panel["MONTHS_BALANCE"].between(month, month + _OUTCOME_MONTHS - 1) & panel["ID"].isin(in_use)]
        worst = after.groupby("ID")["months_past_due"].max()
        as_of = month_starts(np.array([month]))[0]
        bad = worst.ge(1).astype("float64").to_numpy()
        found.append(pd.DataFrame({"member_id": worst.index.astype(str), "as_of": as_of, "bad": bad}))
    return pd.concat(found, ignore_index=True)


def watch_panel(folder: str | Path | None = None) -> tuple[MonitoringReport, int]:
    """Learn from twelve months, watch the eighteen after; gives the rows learned from too.

    Raises
    ------
    DatasetError
        If the panel is missing or another.
    """
    panel, _, _ = read_monthly_status(folder)
    labels = label_months(panel, range(_TRAINED.start, _WATCHED.stop))
    cards = panel[panel["ID"].astype(str).isin(labels["member_id"].unique())]
    events = load_events(panel_tables(cards), key=_KEY, ingested_at=_INGESTED, currency=None)
    labels["subject_id"] = _KEY.subject_ids(labels["member_id"].tolist())
    observed = labels.set_index(["subject_id", "as_of"])["bad"]
    built = build_features(
        events, observed.index.to_frame(index=False), minors_reason="the panel names no ages",
        consents=ConsentMask.all_granted(reason="public data"),
    )  # fmt: skip
    features = split_mask(built)[0]
    features = features.loc[:, features.nunique() > 1]
    early = features.index.get_level_values("as_of") < month_starts(np.array([_WATCHED.start]))[0]
    learned, later = features[early], features[~early]
    model = CreditScoreModel(
        registry.categories_of(features.columns), booster=BoosterOptions(threads=1), own_booster_gap=None,
        unconstrained_price=False,
    )  # fmt: skip
    subjects = learned.index.get_level_values("subject_id").to_numpy(dtype=object)
    model.fit(learned, observed.reindex(learned.index).to_numpy().astype(np.int64), groups=subjects)
    outcomes = observed.reindex(later.index).rename("bad").reset_index()
    limits = Thresholds.default().changed({"format": 1, "rules": {"outcome_days": _OUTCOME_DAYS}})
    report = monitor(model, later, Evidence(outcomes=outcomes), thresholds=limits, clock=lambda: _WATCHED_ON)
    return report, len(learned)


def _shown(lines: Sequence[Mapping[str, Any]]) -> str:
    return markdown_table([
        {name: f"{value:.3f}" if isinstance(value, float) else str(value) for name, value in line.items()}
        for line in lines
    ])  # fmt: skip


def _main() -> None:
    report, learned = watch_panel()
    named = Counter((alert.severity, alert.name) for alert in report.alerts).most_common(_MOST_NAMED)
    checks = [{"severity": how, "check": name, "periods": n} for (how, name), n in named]
    shifts = [{"period": line["period"], "psi of the score": line["psi"]} for line in report.tables["scores"]]
    sys.stdout.write("\n".join([
        f"Learned from {learned:,} rows, watched over {report.rows:,}: {len(report.alarms)} alarms.", "",
        *(_shown(lines) for lines in (checks, shifts, report.tables["vintages"])),
    ]))  # fmt: skip


if __name__ == "__main__":
    _main()
