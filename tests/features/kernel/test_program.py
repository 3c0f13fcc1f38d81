"""What expressions are lowered to."""

from __future__ import annotations

import pytest

from benne.errors import RegistrationError
from benne.features import registry
from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import Count, Expression, Latest, Ratio, Total, stream
from benne.features.kernel.layout import DERIVED_COLUMNS, STREAMS, columns_of
from benne.features.kernel.program import program

PAYMENTS = stream("payments")


def _program(*expressions: Expression) -> object:
    return program({str(k): e for k, e in enumerate(expressions)}, dict.fromkeys(TABLES, 0))


def test_equal_aggregates_are_computed_once() -> None:
    share = Ratio(Count(PAYMENTS.where(status="failed")), Count(PAYMENTS))
    lowered = _program(share, share, Count(PAYMENTS))
    assert (len(lowered.aggregates), len(lowered.steps), lowered.registers) == (2, 1, 3)
    assert lowered.results[0] == lowered.results[1]


def test_windows_of_the_same_rows_share_one_selection_and_a_column_that_is_never_null_asks_nothing() -> None:
    lowered = _program(Count(PAYMENTS.within(30)), Total(PAYMENTS.within(90), "amount"), Total(PAYMENTS, "amount"))
    assert len(lowered.selections) == 1
    assert len(lowered.conditions) == 0


def test_only_the_columns_that_are_used_are_read() -> None:
    lowered = _program(Total(PAYMENTS.where(direction="in"), "amount"))
    read = [name for name, used in zip(columns_of("payments"), lowered.read[STREAMS["payments"]]) if used]  # noqa: B905
    assert read == ["direction", "amount"]
    assert lowered.tables.tolist() == [STREAMS["payments"]]


def test_a_derived_stream_is_made_only_where_it_is_used() -> None:
    assert _program(Count(PAYMENTS)).derived.tolist() == []
    assert _program(Total(stream("arrears"), "amount")).derived.tolist() == [STREAMS["arrears"]]


def test_looking_ahead_in_what_is_no_schedule_is_refused() -> None:
    with pytest.raises(RegistrationError, match="Rows of payments must lie before as_of, got a window"):
        PAYMENTS.between(-30, 0)
    with pytest.raises(RegistrationError, match="Rows of arrears must lie before as_of"):
        stream("arrears").between(-1, 5)


def test_a_column_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match=r"A column of payments must be one of direction, kind, .*, got 'shoe_size'"):
        _program(Latest(PAYMENTS, "shoe_size"))


def test_every_derived_stream_is_declared_and_numbered() -> None:
    assert list(DERIVED) == list(DERIVED_COLUMNS)
    for name, derivation in DERIVED.items():
        assert derivation.never_null <= set(DERIVED_COLUMNS[name])
        assert set(derivation.columns) | set(derivation.categories) <= set(DERIVED_COLUMNS[name])
        for table, columns in derivation.reads.items():
            assert set(columns) <= set(columns_of(table))


def test_the_registry_lowers_to_fewer_aggregates_than_its_features_name() -> None:
    lowered = program({name: spec.expression for name, spec in registry.items()}, dict.fromkeys(TABLES, 0))
    assert len(lowered.results) == len(registry)
    assert len(lowered.selections) < len(lowered.aggregates)
