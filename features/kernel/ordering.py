"""The one order of a member's rows: by time, and ties by what the rows say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benne.features.kernel.compiled import compiled
from benne.features.kernel.stream import Integers, Stream

__all__ = ["canonical"]


def canonical(stream: Stream, content: Sequence[str]) -> Stream:
    """Put rows in the order that every engine gives them.

    Parameters
    ----------
    stream : Stream
        Rows in any order; sorted by subject and time where the engine could do it cheaply.
    content : sequence of str
        Columns that decide between rows of the same subject, time and ``known_at``: what they
        say, never their keyed ids, so that another key gives the same features.

    Returns
    -------
    Stream
    """
    keys = [stream.columns[name] for name in content]
    order = _sorted(stream, keys)
    if order is None:
        return stream
    columns: Mapping[str, Integers] = {name: values[order] for name, values in stream.columns.items()}
    return Stream(
        stream.subject[order], stream.time[order], stream.known_at[order], stream.superseded_at[order], columns
    )


def _sorted(stream: Stream, keys: list[Integers]) -> Integers | None:
    """The order to take, or None where the rows have it already."""
    if not _by_time(stream.subject, stream.time):
        return np.lexsort((*reversed(keys), stream.known_at, stream.time, stream.subject))
    tied = _ties(stream.subject, stream.time)
    if not len(tied):
        return None
    within = np.lexsort((*(k[tied] for k in reversed(keys)), stream.known_at[tied], stream.time[tied],
                         stream.subject[tied]))  # fmt: skip
    order = np.arange(len(stream.time))
    order[tied] = tied[within]
    return order


@compiled
def _by_time(subject: Integers, time: Integers) -> bool:
    for i in range(1, len(time)):
        if subject[i] < subject[i - 1] or (subject[i] == subject[i - 1] and time[i] < time[i - 1]):
            return False
    return True


@compiled
def _ties(subject: Integers, time: Integers) -> Integers:
    """Rows that share subject and time with a neighbour."""
    found = np.empty(len(time), dtype=np.int64)
    count = 0
    for i in range(len(time)):
        before = i > 0 and subject[i] == subject[i - 1] and time[i] == time[i - 1]
        after = i + 1 < len(time) and subject[i] == subject[i + 1] and time[i] == time[i + 1]
        if before or after:
            found[count] = i
            count += 1
    return found[:count]
