"""The registry in words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from benne.errors import RegistrationError
from benne.features import FeatureSpec, describe, documentation, registry


def test_every_feature_has_a_row_with_the_same_keys() -> None:
    rows = describe()
    assert [row["name"] for row in rows] == list(registry)
    assert len({tuple(row) for row in rows}) == 1
    assert all(isinstance(value, str) and value for row in rows for value in row.values())


def test_a_row_says_what_the_specification_says() -> None:
    (row,) = describe(["late_30_count_90d"])
    assert row["category"] == "credit_history"
    assert row["range"] == "0 to 1,000"
    assert row["retention"] == "546 days"
    assert row["null_means"] == "never null"
    assert row["direction"] == "more raises the risk"
    assert row["reads"] == (
        "account_status (months_past_due, obligation_id, status); dues (amount_due, due_id, obligation_id);"
        " obligation_events (event, kind, obligation_id); repayments (amount, due_id)"
    )


def test_large_and_uneven_ends_of_ranges_are_readable() -> None:
    income, variation = describe(["income_monthly_180d", "income_variation_180d"])
    assert income["range"] == "0 to 1,000,000,000,000"
    assert variation["range"] == "0 to 2.2361"


def test_a_row_leaves_out_no_field_of_a_specification() -> None:
    told = {"minimum": "range", "maximum": "range", "expression": "reads"}
    (row,) = describe(["late_30_count_90d"])
    assert {told.get(field.name, field.name) for field in fields(FeatureSpec)} <= set(row)


def test_every_text_of_a_row_is_on_the_page() -> None:
    page = documentation()
    assert all(row[key] in page for row in describe() for key in row if key != "category")


def test_the_page_begins_with_how_many_there_are_of_what() -> None:
    assert "| Social relationships | 9 | 1 | 4 | 4 | 2 | 6 |" in documentation()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(RegistrationError, match="Features must be registered, got blood_group"):
        describe(["late_30_count_90d", "blood_group"])


def test_the_page_of_the_documentation_is_up_to_date(repository: Path) -> None:
    page = (repository / "docs" / "features.md").read_text(encoding="utf-8")
    assert page == documentation(), "docs/features.md is out of date: its head says how to renew it"
