"""What an adapter hands over: a public data set as raw event tables, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

__all__ = ["Dataset", "DatasetAbout", "FieldMapping", "Fold", "Split"]

Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True)
class FieldMapping:
    """Where one field of the original went.

    Parameters
    ----------
    field : str
        Name in the original file.
    goes_to : str
        ``table.column`` of the event tables, ``protected``, ``label``, or ``-`` where nowhere.
    how : {"exact", "derived", "absent"}
        exact: the value itself, at most renamed or in another unit; derived: computed from it,
        as the note says; absent: not used, for the reason in the note.
    note : str
    """

    field: str
    goes_to: str
    how: Literal["exact", "derived", "absent"]
    note: str = ""


@dataclass(frozen=True)
class DatasetAbout:
    """What holds for a data set whichever copy of it is read.

    Parameters
    ----------
    name, title, licence, address, download : str
        ``download`` says in one or two sentences how to get the original.
    population, as_of, label, split : str
        Plain descriptions: who is observed, when, what bad means, how test data are held out.
    categories : tuple of str
        Categories the set has evidence for, in the fixed order; weights are renormalised over
        them.
    field_map : tuple of FieldMapping
    """

    name: str
    title: str
    licence: str
    address: str
    download: str
    population: str
    as_of: str
    label: str
    split: str
    categories: tuple[str, ...]
    field_map: tuple[FieldMapping, ...] = field(repr=False)


@dataclass(frozen=True)
class Split:
    """How test members are held out, the same each time.

    Parameters
    ----------
    kind : {"holdout", "folds"}
        One stratified holdout, or stratified folds, grouped where there are groups.
    test_share : float
        Of a holdout.
    count : int
        Of folds.
    random_state : int
    """

    kind: Literal["holdout", "folds"]
    test_share: float = 0.3
    count: int = 5
    random_state: int = 0

    def of(self, labels: pd.Series, groups: pd.Series | None) -> Iterator[Fold]:
        """Yield positions of the training and the test members.

        Parameters
        ----------
        labels : Series of int, shape (n,)
        groups : Series or None, shape (n,)
            Members of one group never stand on both sides of a fold.
        """
        rows = np.arange(len(labels))
        if self.kind == "holdout":
            train, test = train_test_split(
                rows, test_size=self.test_share, stratify=labels, random_state=self.random_state
            )
            yield train, test
        elif groups is None:
            yield from StratifiedKFold(self.count, shuffle=True, random_state=self.random_state).split(rows, labels)
        else:
            grouped = StratifiedGroupKFold(self.count, shuffle=True, random_state=self.random_state)
            yield from grouped.split(rows, labels, groups)


@dataclass(frozen=True)
class Dataset:
    """A public data set in the form a platform would hand over.

    Parameters
    ----------
    about : DatasetAbout
    tables : mapping of str to DataFrame
        Raw event tables for :func:`benne.features.events.load_events`: ids still raw, times in
        UTC, money in int64 minor units. Columns the original lacks are left out.
    currency : str or None
        ISO 4217 code of every amount; ``None`` where the set has no amounts.
    observations : DataFrame, shape (n, 2)
        ``member_id`` (str) and ``as_of`` (UTC).
    labels : Series of int8, shape (n,)
        1 is bad; aligned with ``observations``.
    groups : Series of int64 or None, shape (n,)
        Members who may be one person share a number.
    protected : DataFrame, shape (n, …)
        ``member_id`` and protected attributes or close proxies; only fairness code reads it.
    split : Split
    files : mapping of str to str
        File name to sha256 of each file that was read.
    """

    about: DatasetAbout
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    currency: str | None
    observations: pd.DataFrame = field(repr=False)
    labels: pd.Series = field(repr=False)
    groups: pd.Series | None = field(repr=False)
    protected: pd.DataFrame = field(repr=False)
    split: Split
    files: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The set's short name."""
        return self.about.name

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories the set has evidence for."""
        return self.about.categories

    @property
    def bad_rate(self) -> float:
        """Share of bad members among the observed."""
        return float(self.labels.mean())

    def folds(self) -> Iterator[Fold]:
        """Positions of training and test members, as :attr:`split` says."""
        return self.split.of(self.labels, self.groups)
