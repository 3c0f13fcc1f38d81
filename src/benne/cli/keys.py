"""``benne keys``: the secret that stands between raw ids and everything else."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.options import WantJson

__all__ = ["app"]

app = typer.Typer(help="The key that turns raw ids into subject ids.", no_args_is_help=True, rich_markup_mode=None)
_BYTES = 32


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write; must not exist.")],
    want_json: WantJson = False,
) -> None:
    """Draw a new key and write it to a file that only you can read. It is never printed.

    Whoever has the key can tell who is behind a subject id. Keep it away from events, features and
    models, and keep a copy: without it no raw id can be found again.

    \b
    Example:
      benne keys new subject.key
    """
    from benne.features.events.key_files import write_key_file

    key = write_key_file(path, secrets.token_bytes(_BYTES))
    if want_json:
        answer_json({"path": str(path), "fingerprint": key.fingerprint})
        return
    answer(f"{path}: a new key, fingerprint {key.fingerprint}")
    note("Keep it secret, apart from the data, and keep a copy.")
