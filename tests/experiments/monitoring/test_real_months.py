"""Monitoring of the public status panel: its labels, and the figures that docs/monitoring.md tells of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from benne.errors import DatasetError
from benne.experiments.monitoring.real_months import label_months, watch_panel


def test_a_card_in_use_and_not_late_is_labelled_by_the_six_months_after():
    card = [("1", -2, "0", 0), ("1", 3, "1", 1), ("2", -2, "0", 0), ("2", 5, "2", 2), ("2", -1, "X", 0)]
    late_or_closed = [("3", -2, "1", 1), ("3", -1, "0", 0), ("4", -2, "C", 0), ("4", -1, "C", 0)]
    panel = pd.DataFrame([*card, *late_or_closed], columns=["ID", "MONTHS_BALANCE", "STATUS", "months_past_due"])
    found = label_months(panel, range(-1, 0))
    assert found[["member_id", "bad"]].to_numpy().tolist() == [["1", 1.0], ["2", 0.0]]  # month 5 is the seventh
    assert found["as_of"].unique().tolist() == [pd.Timestamp("2020-02-01", tz="UTC")]


@pytest.mark.slow
def test_what_the_page_tells_of_real_months_is_so(repository: Path):
    try:
        report, learned = watch_panel()
    except DatasetError as error:
        pytest.skip(f"the monthly status panel is not here: {error}")
    alarms = Counter(alert.name for alert in report.alarms)
    ages = ("psi.days_since_joining", "psi.days_since_first_obligation", "psi.days_on_record")
    assert (learned, report.rows, len(report.alarms)) == (115_073, 241_100, 38)
    assert sum(alarms.pop(name) for name in ages) == 16
    assert alarms == {"psi.late_count_30d": 18, "psi.score": 2, "calibration.band.very good": 2}
    vintages, shifts = (pd.DataFrame(report.tables[name]) for name in ("vintages", "scores"))
    told = [
        f"learned from {learned:,} rows of twelve months", f"the next eighteen ({report.rows:,} rows)",
        f"There are {len(report.alarms)} alarms",
        _from_to(100 * vintages["observed"], "{:.1f}", "{:.1f} % bad"),
        _from_to(100 * vintages["predicted"], "{:.1f}", "{:.1f} % predicted"),
        _from_to(vintages["auc"], "AUC stays from {:.2f}", "{:.2f}"),
    ]  # fmt: skip
    page = " ".join((repository / "docs" / "monitoring.md").read_text("utf-8").split())
    assert [words for words in told if words not in page] == []
    days = pd.to_datetime(shifts["period"]).sub(pd.Timedelta(days=1)).dt.days_in_month  # of the month before
    short, long = shifts["psi"][days <= 30], shifts["psi"][days == 31]
    assert (
        f"(PSI {short.min():.2f} to {short.max():.2f}, two of them alarms; {long.min():.2f} to {long.max():.2f}" in page
    )


def _from_to(values: pd.Series, first: str, last: str) -> str:
    return f"{first.format(values.min())} to {last.format(values.max())}"
