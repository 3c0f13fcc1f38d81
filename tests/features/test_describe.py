"""The registry in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from benne.errors import RegistrationError
from benne.features import describe, documentation, registry


def test_every_feature_has_a_row_with_the_same_keys() -> None:
    rows = describe()
    assert [row["name"] for row in rows] == list(registry)
    assert len({tuple(row) for row in rows}) == 1
    assert all(isinstance(value, str) and value for row in rows for value in row.values())


def test_a_row_says_what_the_specification_says() -> None:
    (row,) = describe(["late_30_count_90d"])
    assert row["category"] == "credit_history"
    assert row["range"] == "0 to 1000"
    assert row["null_means"] == "never null"
    assert row["direction"] == "more raises the risk"
    assert row["reads"] == "account_status.months_past_due, repayments.amount"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(RegistrationError, match="Features must be registered, got blood_group"):
        describe(["late_30_count_90d", "blood_group"])


def test_the_page_of_the_documentation_is_up_to_date(repository: Path) -> None:
    page = (repository / "docs" / "features.md").read_text(encoding="utf-8")
    assert page == documentation(), "docs/features.md is out of date: its head says how to renew it"
