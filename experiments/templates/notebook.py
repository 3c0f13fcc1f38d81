"""A script in cells as a notebook: the same text, the same bytes, no outputs."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from benne.errors import ParameterError

__all__ = ["as_notebook"]

_MARK: Final = re.compile(r"^# %%(?P<kind> \[markdown\])?\n", re.M)


def as_notebook(script: str) -> str:
    """Turn a script whose cells begin with ``# %%`` into a Jupyter notebook (nbformat 4.5).

    Parameters
    ----------
    script : str
        ``# %% [markdown]`` begins a cell of text, whose lines begin with ``#``.

    Returns
    -------
    str
        JSON.

    Raises
    ------
    ParameterError
        If the script has no cells.

    Examples
    --------
    >>> made = json.loads(as_notebook("# %% [markdown]\\n# # Title\\n\\n# %%\\nx = 1\\n"))
    >>> [(cell["cell_type"], cell["source"]) for cell in made["cells"]]
    [('markdown', ['# Title']), ('code', ['x = 1'])]
    >>> as_notebook("x = 1")
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A script must have cells that begin with '# %%', got none. Mark them.
    """
    marks = list(_MARK.finditer(script))
    if not marks:
        raise ParameterError("A script must have cells that begin with '# %%', got none. Mark them.")
    ends = [mark.start() for mark in marks[1:]] + [len(script)]
    cells = [
        _cell(number, script[mark.end() : end], text=mark["kind"] is not None)
        for number, (mark, end) in enumerate(zip(marks, ends, strict=True))
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, source: str, *, text: bool) -> dict[str, Any]:
    body = source.strip("\n")
    if text:
        body = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines())
    lines = body.splitlines(keepends=True)
    common = {"id": f"cell-{number:02d}", "metadata": {}, "source": lines}
    return {"cell_type": "markdown", **common} if text else {
        "cell_type": "code", "execution_count": None, "outputs": [], **common,
    }  # fmt: skip
