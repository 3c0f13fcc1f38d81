"""Hand-made rows for the kernel, without any engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benne.features.kernel.evaluation import evaluate
from benne.features.kernel.expressions import Expression
from benne.features.kernel.layout import TABLE_COLUMNS
from benne.features.kernel.ordering import canonical
from benne.features.kernel.program import program
from benne.features.kernel.stream import NEVER, NULL, Observations, Partition, Stream

Row = dict[str, int]


def _stream(table: str, rows: Sequence[Row]) -> Stream:
    def column(name: str, default: int | None = None) -> np.ndarray:
        return np.array([r["time"] if default is None and name not in r else r.get(name, default) for r in rows],
                        dtype=np.int64)  # fmt: skip

    columns = {name: column(name, NULL) for name in TABLE_COLUMNS[table]}
    stream = Stream(column("subject", 0), column("time"), column("known_at"), column("superseded_at", NEVER), columns)
    return canonical(stream, [])


@pytest.fixture(scope="session")
def compute() -> Callable[..., list[float]]:
    """The values of one expression at observations (subject, as_of), over rows given as dicts of numbers."""

    def computed(
        expression: Expression, tables: dict[str, Sequence[Row]], asked: Sequence[tuple[int, int]], **knowledge: Any
    ) -> list[float]:
        subject, as_of = np.array(sorted(asked), dtype=np.int64).reshape(-1, 2).T.copy()
        known_by = np.full(len(as_of), knowledge["known_by"]) if knowledge else as_of
        streams = {name: _stream(name, rows) for name, rows in tables.items()}
        partition = Partition.of(streams, int(subject.max(initial=0)) + 1, 64)
        first = {
            name: min((row["known_at"] if "known_at" in row else row["time"] for row in rows), default=0)
            for name, rows in tables.items()
        }
        lowered = program({"it": expression}, first)
        values, _ = evaluate(lowered, partition, Observations(subject, as_of, known_by))
        found = dict(zip(zip(subject.tolist(), as_of.tolist(), strict=True), values[0].tolist(), strict=True))
        return [found[one] for one in asked]

    return computed
