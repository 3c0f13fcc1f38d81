"""Finding the original files, in whichever container they come, and refusing what is not them."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from benne.errors import DatasetError

__all__ = ["FOLDER_VARIABLE", "Original", "Originals", "content_sha256", "data_folder"]

FOLDER_VARIABLE = "BENNE_DATA"
_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Original:
    """One file of a data set.

    Parameters
    ----------
    names : tuple of str
        File names it is distributed under, most usual first; zip archives are looked into.
    sha256 : tuple of str
        Checksums of the distributions that are known, byte for byte.
    content : str
        :func:`content_sha256` of its rows: the same in every container and spelling, so that
        another packing of the same data is recognised too. Empty where there is none.
    """

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    content: str = ""


def data_folder(folder: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """Decide where the data lie.

    Parameters
    ----------
    folder : path, optional
        Taken if given.
    environment : mapping, optional
        By default the process's; its ``BENNE_DATA`` comes next, then ``../shared/data`` beside
        the repository or the working directory.

    Returns
    -------
    Path

    Raises
    ------
    DatasetError
        If none of them is a folder.
    """
    variables = os.environ if environment is None else environment
    named = folder or variables.get(FOLDER_VARIABLE)
    candidates = [Path(named)] if named else [base.parent / "shared" / "data" for base in (_REPOSITORY, Path.cwd())]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise DatasetError(
        f"The data folder must exist, got {candidates[0]}. Name one that does, or set {FOLDER_VARIABLE}"
        " to it; `benne data` says where to download each set."
    )


class Originals:
    """The files of one data set in one folder.

    Parameters
    ----------
    root : Path
        Either the set's own folder, or the folder that holds ``subfolder``.
    subfolder : str
    download : str
        What to tell someone who lacks a file.
    allow_unknown : bool
        Whether a file that matches no known checksum is read all the same.
    """

    def __init__(self, root: Path, subfolder: str, download: str, *, allow_unknown: bool = False) -> None:
        inner = root / subfolder
        self._folder = inner if inner.is_dir() else root
        self._download = download
        self._allow_unknown = allow_unknown
        self._recognised: set[Original] = set()
        self.checksums: dict[str, str] = {}

    def holds(self, original: Original) -> bool:
        """Whether one of the names is there."""
        return any((self._folder / name).exists() for name in original.names)

    def read(self, original: Original, **options: Any) -> pd.DataFrame:
        """Read the file with :func:`pandas.read_csv`, or :func:`pandas.read_excel` for ``.xls``.

        Raises
        ------
        DatasetError
            If it is not there, cannot be read, or is unknown and has no content checksum.
        """
        path = self._find(original)
        digest = _file_sha256(path)
        self.checksums[path.name] = digest
        if digest in original.sha256:
            self._recognised.add(original)
        elif not original.content and not self._allow_unknown:
            raise DatasetError(self._not_known(path.name, digest))
        try:
            return _read_table(path, original, options)
        except (ValueError, ImportError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path.name} must be a table that can be read, got {type(error).__name__}. {self._download}"
            ) from error

    def check_content(self, original: Original, rows: pd.DataFrame) -> None:
        """Refuse rows that are not the known ones, unless the file itself was recognised.

        Raises
        ------
        DatasetError
            If neither the file's bytes nor its rows are known.
        """
        if original in self._recognised or self._allow_unknown:
            return
        digest = content_sha256(rows)
        if digest != original.content:
            raise DatasetError(self._not_known(original.names[0], digest))

    def require_columns(self, original: Original, rows: pd.DataFrame, columns: list[str]) -> None:
        """Refuse a table that lacks a column, by name.

        Raises
        ------
        DatasetError
        """
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise DatasetError(
                f"{original.names[0]} must have the columns of the original, got none named "
                f"{', '.join(missing)}. {self._download}"
            )

    def _find(self, original: Original) -> Path:
        for name in original.names:
            if (self._folder / name).exists():
                return self._folder / name
        raise DatasetError(
            f"{' or '.join(original.names)} must be in {self._folder}, got no such file. {self._download}"
        )

    def _not_known(self, name: str, digest: str) -> str:
        return (
            f"{name} must be the known original, got an unknown checksum ({digest[:12]}…). {self._download} "
            "Or allow unknown files, and expect other figures."
        )


def content_sha256(rows: pd.DataFrame) -> str:
    """sha256 over names and values of a table of integers and strings, column by column.

    Independent of the file's container, quoting and line ends. Missing strings count as empty;
    the caller brings columns and rows into a fixed order.

    Examples
    --------
    >>> content_sha256(pd.DataFrame({"a": [1, 2], "b": ["x", None]}))[:12]
    'dcdc707d1204'
    """
    whole = hashlib.sha256()
    for name in rows.columns:
        column = rows[name]
        whole.update(f"{name}\n".encode())
        if pd.api.types.is_numeric_dtype(column.dtype):
            whole.update(column.to_numpy(dtype="<i8").tobytes())
        else:
            whole.update("\n".join(column.astype(object).where(column.notna(), "").astype(str)).encode())
    return whole.hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_table(path: Path, original: Original, options: dict[str, Any]) -> pd.DataFrame:
    if path.suffix != ".zip":
        return _parse(path, path.suffix, options)
    with zipfile.ZipFile(path) as archive:
        member = _member(archive, original)
        with archive.open(member) as file:
            return _parse(file, Path(member).suffix, options)


def _parse(file: Path | IO[bytes], suffix: str, options: dict[str, Any]) -> pd.DataFrame:
    if suffix in (".xls", ".xlsx"):
        return pd.read_excel(file, header=1)  # the first row numbers the columns, the second names them
    rows: pd.DataFrame = pd.read_csv(file, **options)
    return rows


def _member(archive: zipfile.ZipFile, original: Original) -> str:
    inside = [name for name in archive.namelist() if Path(name).name in original.names]
    if inside:
        return inside[0]
    tables = [name for name in archive.namelist() if Path(name).suffix in (".csv", ".xls", ".asc")]
    if len(tables) == 1:
        return tables[0]
    raise ValueError("the archive holds none of the names, or several tables")
