"""Projects to begin one's own experiment with: which there are, and a copy of one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benne.errors import ParameterError
from benne.experiments.templates.notebook import as_notebook
from benne.features.quality.documents import write_whole

__all__ = ["TEMPLATES", "new_project", "script_of"]

TEMPLATES: Final = MappingProxyType({
    "lender_csv": "A lender's own CSV files: event tables, consents, features, model, evaluation, validation.",
    "own_table": "A table of one's own features: consents, model, challengers, worth of categories, validation.",
})  # fmt: skip
"""Name of each template and what it begins with."""


def script_of(name: str) -> str:
    """The text of a template's script, in cells.

    Raises
    ------
    ParameterError
        If there is none of that name.

    Examples
    --------
    >>> script_of("own_table").splitlines()[1]
    '# # From a table of your own features to a validated score'
    >>> script_of("own_tables")
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A template must be one of lender_csv, own_table, got 'own_tables'. Name one of them.
    """
    if name not in TEMPLATES:
        raise ParameterError(f"A template must be one of {', '.join(TEMPLATES)}, got {name!r}. Name one of them.")
    return files("benne.experiments.templates").joinpath(f"{name}.py.txt").read_text("utf-8")


def new_project(name: str, folder: str | Path) -> list[Path]:
    """Copy a template into a folder, as a script and as a notebook of the same cells.

    Parameters
    ----------
    name : str
        Of :data:`TEMPLATES`.
    folder : path
        Made if it is not there.

    Returns
    -------
    list of Path
        ``<name>.py`` and ``<name>.ipynb``.

    Raises
    ------
    ParameterError
        If there is no such template, or one of the files is there already: nobody's work is written over.
    """
    script, target = script_of(name), Path(folder)
    contents = {f"{name}.py": script, f"{name}.ipynb": as_notebook(script)}
    for file in contents:
        if (target / file).exists():
            raise ParameterError(f"The folder must not have {file} yet, got one with it. Choose another folder.")
    return [write_whole(text.encode(), target / file) for file, text in contents.items()]
