"""A folder of exports that members are erased from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from benne.errors import ErasureError
from benne.scoring.erasure.export_files import take_out

__all__ = ["ExportFolder"]

_UNFINISHED: Final = ".erasing"


class ExportFolder:
    """Everything that was written out for people or programs, in one folder.

    A file or folder that carries a member in its name is about them and goes. Out of tables (Parquet, CSV, JSON
    lines) their rows go, and rows of others that name them. Any other file must not name them, or the erasure stops
    and says which file it is.

    Parameters
    ----------
    folder : Path
        With its subfolders. A link in it is refused: what it leads to would stay.
    names_of : callable, optional
        Takes a subject id and gives everything the member is called in these exports, such as their pseudonyms for
        each recipient; by default the subject id alone.
    name : str, default='exports'
    """

    def __init__(
        self,
        folder: Path,
        *,
        names_of: Callable[[str], Collection[str]] = lambda subject_id: (subject_id,),
        name: str = "exports",
    ) -> None:
        self._folder = folder
        self._names_of = names_of
        self.name = name

    def erase(self, subject_id: str) -> None:
        """Take a member out of every file.

        Raises
        ------
        ErasureError
            If there is no such folder, it holds a link, or a file that cannot be taken apart.
        """
        if not self._folder.is_dir():
            raise ErasureError(f"{self._folder} must be a folder of exports, and is none. Name the right one.")
        names = frozenset(self._names_of(subject_id)) | {subject_id}
        for path in list(self._entries()):
            if not path.exists():  # gone with its folder
                continue
            if any(name in path.name for name in names):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            elif path.name.endswith(_UNFINISHED):  # of somebody who was killed meanwhile
                path.unlink()
            elif not path.is_dir():
                take_out(path, names)

    def compact(self) -> bool:
        """Nothing is left to do: files are replaced or removed at once."""
        return True

    def _entries(self) -> Iterator[Path]:
        """Folders before what is in them."""
        for folder, folders, files in os.walk(self._folder):
            for name in sorted([*folders, *files]):
                path = Path(folder, name)
                if path.is_symlink():
                    raise ErasureError(f"{path} must be no link: what it leads to would stay. Remove it, and resume.")
                yield path
