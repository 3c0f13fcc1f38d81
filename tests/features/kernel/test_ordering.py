"""One order of rows, whatever order they came in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benne.features.kernel.ordering import canonical
from benne.features.kernel.stream import NEVER, NULL, Stream

cells = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 1), st.sampled_from([NULL, 0, 1, 2]))


def _stream(rows: list[tuple[int, int, int, int]]) -> Stream:
    subject, time, lag, amount = np.array(rows, dtype=np.int64).reshape(-1, 4).T.copy()
    return Stream(subject, time, time + lag, np.full(len(time), NEVER), {"amount": amount})


@given(st.lists(cells, max_size=12), st.randoms(use_true_random=False), st.booleans())
def test_rows_are_ordered_by_subject_time_knowledge_and_content(
    rows: list[tuple[int, int, int, int]], random: object, sorted_first: bool
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    if sorted_first:
        shuffled.sort(key=lambda row: row[:2])
    got = canonical(_stream(shuffled), ["amount"])
    found = zip(got.subject.tolist(), got.time.tolist(), got.known_at - got.time, got.columns["amount"].tolist())  # noqa: B905
    assert [(s, t, int(k), a) for s, t, k, a in found] == sorted(rows)


def test_rows_that_stand_in_order_are_not_copied() -> None:
    stream = _stream([(0, 1, 0, 5), (0, 2, 0, 4), (1, 1, 0, 3)])
    assert canonical(stream, ["amount"]) is stream
