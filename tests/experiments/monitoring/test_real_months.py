from __future__ import annotations

import pandas as pd

from benne.experiments.monitoring.real_months import label_months


def test_a_card_in_use_and_not_late_is_labelled_by_the_six_months_after():
    card = [("1", -2, "0", 0), ("1", 3, "1", 1), ("2", -2, "0", 0), ("2", 5, "2", 2), ("2", -1, "X", 0)]
    late_or_closed = [("3", -2, "1", 1), ("3", -1, "0", 0), ("4", -2, "C", 0), ("4", -1, "C", 0)]
    panel = pd.DataFrame([*card, *late_or_closed], columns=["ID", "MONTHS_BALANCE", "STATUS", "months_past_due"])
    found = label_months(panel, range(-1, 0))
    assert found[["member_id", "bad"]].to_numpy().tolist() == [["1", 1.0], ["2", 0.0]]  # month 5 is the seventh
    assert found["as_of"].unique().tolist() == [pd.Timestamp("2020-02-01", tz="UTC")]
