"""The real data sets there are, how each is loaded, and what a user is told about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benne.errors import DatasetError
from benne.experiments.datasets.berka import load_berka
from benne.experiments.datasets.dataset import Dataset, DatasetAbout
from benne.experiments.datasets.descriptions import BERKA, MONTHLY_STATUS, TAIWAN
from benne.experiments.datasets.monthly_status import load_monthly_status
from benne.experiments.datasets.originals import FOLDER_VARIABLE
from benne.experiments.datasets.taiwan import load_taiwan

__all__ = ["CATALOGUE", "describe_downloads", "field_table", "load"]

CATALOGUE: Final[dict[str, tuple[DatasetAbout, Callable[..., Dataset]]]] = {
    about.name: (about, loader)
    for about, loader in ((TAIWAN, load_taiwan), (MONTHLY_STATUS, load_monthly_status), (BERKA, load_berka))
}


def load(name: str, folder: str | Path | None = None, *, allow_unknown: bool = False) -> Dataset:
    """Load a public data set by name.

    Parameters
    ----------
    name : str
        One of :data:`CATALOGUE`.
    folder : path, optional
        See :func:`benne.experiments.datasets.data_folder`.
    allow_unknown : bool
        Read files that match no known checksum; the figures are then not the published ones.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the name is unknown, or a file is missing, unreadable or not the known original.

    Examples
    --------
    >>> load("mortgages")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    benne.errors.DatasetError: The data set must be one of ..., got 'mortgages'. Choose one.
    """
    if name not in CATALOGUE:
        raise DatasetError(f"The data set must be one of {', '.join(CATALOGUE)}, got {name!r}. Choose one.")
    return CATALOGUE[name][1](folder, allow_unknown=allow_unknown)


def describe_downloads() -> str:
    """Say in plain text where each original is, under which licence, and where to put it."""
    sets = [
        f"{about.name}: {about.title}\n  licence: {about.licence}\n  {about.download}"
        for about, _ in CATALOGUE.values()
    ]
    where = f"Benne looks in the folder you name, else in ${FOLDER_VARIABLE}, else in ../shared/data."
    return "\n\n".join([*sets, where]) + "\n"


def field_table(about: DatasetAbout) -> str:
    """The table 'field → event column' of a set, in Markdown."""
    lines = ["| field of the original | event column | how | note |", "|---|---|---|---|"]
    lines += [f"| {row.field} | {row.goes_to} | {row.how} | {row.note} |" for row in about.field_map]
    return "\n".join(lines) + "\n"
