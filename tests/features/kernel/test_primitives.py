"""Each primitive against the plain thing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel import primitives
from benne.features.kernel.windows import Bounds

cells = st.lists(st.tuples(st.integers(0, 3), st.integers(-4, 4)), max_size=30)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Rows of (subject, value) sorted by subject, and ranges within one subject's rows."""
    rows = sorted(draw(cells), key=lambda row: row[0])
    found = []
    for subject in draw(st.lists(st.integers(0, 3), max_size=6)):
        places = [i for i, (s, _) in enumerate(rows) if s == subject]
        start = places[0] if places else 0
        lo = draw(st.integers(start, start + len(places)))
        found.append((lo, draw(st.integers(lo, start + len(places)))))
    return rows, found


def _bounds(found: list[tuple[int, int]]) -> Bounds:
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return Bounds(pairs[:, 0], pairs[:, 1])


@pytest.mark.parametrize(("primitive", "plain"), [
    (lambda v, s, b: primitives.total(v, b), sum),
    (lambda v, s, b: primitives.largest(v, b, -99), lambda x: max(x, default=-99)),
    (lambda v, s, b: primitives.smallest(v, b, 99), lambda x: min(x, default=99)),
    (lambda v, s, b: primitives.latest(v, b, -7), lambda x: x[-1] if x else -7),
    (lambda v, s, b: primitives.distinct(v, s, b), lambda x: len(set(x))),
])  # fmt: skip
@given(ranges())
def test_a_primitive_equals_plain_python(
    primitive: Callable[..., np.ndarray], plain: Callable[[list[int]], int],
    drawn: tuple[list[tuple[int, int]], list[tuple[int, int]]],
) -> None:  # fmt: skip
    rows, found = drawn
    subject, value = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    got = primitive(np.ascontiguousarray(value), np.ascontiguousarray(subject), _bounds(found))
    assert got.tolist() == [plain([v for _, v in rows[lo:hi]]) for lo, hi in found]


def test_distinct_counts_do_not_depend_on_how_much_is_gathered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values, subject = rng.integers(0, 9, 500), np.zeros(500, dtype=np.int64)
    bounds = Bounds(rng.integers(0, 250, 40), rng.integers(250, 500, 40))
    whole = primitives.distinct(values, subject, bounds)
    monkeypatch.setattr(primitives, "_GATHERED", 3)
    np.testing.assert_array_equal(primitives.distinct(values, subject, bounds), whole)


def test_sums_stay_exact_where_the_running_sum_of_a_partition_wraps() -> None:
    values = np.full(2**8, 2**55, dtype=np.int64)
    bounds = Bounds(np.array([250]), np.array([253]))
    assert primitives.total(values, bounds).tolist() == [3 * 2**55]
