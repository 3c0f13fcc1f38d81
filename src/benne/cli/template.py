"""``benne template``: projects to begin one's own experiment with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.options import WantJson

__all__ = ["app"]

app = typer.Typer(
    help="Projects to copy and change: from your own data to a validated model.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip


@app.command("list")
def list_templates(want_json: WantJson = False) -> None:
    """List the projects there are.

    \b
    Example:
      benne template list
    """
    from benne.experiments.templates import TEMPLATES

    if want_json:
        answer_json(dict(TEMPLATES))
        return
    for name, about in TEMPLATES.items():
        answer(f"{name}: {about}")
    note("Next: benne template new own_table my-project")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of `benne template list`.")],
    folder: Annotated[Path, typer.Argument(help="Folder to copy it into; nothing in it is written over.")],
    want_json: WantJson = False,
) -> None:
    """Copy a project, as a script and as a notebook of the same cells. It runs as it is, on an example it makes up.

    \b
    Example:
      benne template new lender_csv my-project
    """
    from benne.experiments.templates import new_project

    paths = new_project(name, folder)
    if want_json:
        answer_json([str(path) for path in paths])
        return
    for path in paths:
        answer(str(path))
    note("Run it as it is first, then change the cells marked CHANGE.")
