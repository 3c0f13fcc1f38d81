"""Events of one kind in one partition, sorted by subject and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["NEVER", "Integers", "Mask", "Observations", "Stream", "Values"]

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Values:
    """One column as int64 with a mask: money in minor units, categories and ids as codes.

    Parameters
    ----------
    data : ndarray of int64, shape (m,)
        Zero where not known.
    known : ndarray of bool, shape (m,)
        False where the event does not say.
    """

    data: Integers
    known: Mask

    def take(self, rows: Integers | Mask) -> Values:
        """The column at some rows."""
        return Values(self.data[rows], self.known[rows])


@dataclass(frozen=True)
class Observations:
    """Who is observed when.

    Parameters
    ----------
    subject : ndarray of int64, shape (n,)
        Codes of a partition's subjects, from 0.
    as_of : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01 UTC.
    """

    subject: Integers
    as_of: Integers

    def __len__(self) -> int:
        """How many observations."""
        return len(self.subject)

    def take(self, rows: Integers | Mask) -> Observations:
        """Some of the observations."""
        return Observations(self.subject[rows], self.as_of[rows])


@dataclass(frozen=True)
class Stream:
    """Events of one kind.

    Parameters
    ----------
    subject, time : ndarray of int64, shape (m,)
        Sorted by (subject, time); ties in an order that does not depend on the partition.
    known_at : ndarray of int64, shape (m,)
        When the platform knew the event.
    superseded_at : ndarray of int64, shape (m,)
        When a correction of it became known; :data:`NEVER` where none did.
    columns : mapping of str to Values
    """

    subject: Integers
    time: Integers
    known_at: Integers
    superseded_at: Integers
    columns: Mapping[str, Values]

    def __len__(self) -> int:
        """How many events."""
        return len(self.time)

    def take(self, rows: Integers | Mask, *, subject: Integers | None = None) -> Self:
        """Some of the events, in the order given, for other subjects where wanted."""
        return type(self)(
            self.subject[rows] if subject is None else subject,
            self.time[rows],
            self.known_at[rows],
            self.superseded_at[rows],
            {name: values.take(rows) for name, values in self.columns.items()},
        )

    @classmethod
    def of(cls, subject: Integers, time: Integers, columns: Mapping[str, Values]) -> Self:
        """Derived events, known as soon as they happen; sorted here."""
        order = np.lexsort((time, subject))
        return cls(
            subject[order],
            time[order],
            time[order],
            np.full(len(time), NEVER),
            {name: values.take(order) for name, values in columns.items()},
        )
