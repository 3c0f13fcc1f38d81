"""``benne serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from benne.cli.console import note
from benne.cli.service import ServiceHome
from benne.errors import SettingsError

__all__ = ["serve"]


def serve(
    home: ServiceHome,
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default that of the settings.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; by default that of the settings.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
) -> None:
    """Serve scores over HTTP until told to stop; requests under way are finished first.

    The folder is one that `benne service init` laid out. The interface describes itself at /openapi.json.

    \b
    Example:
      benne service init shop-scores --model model --terms terms
      benne serve shop-scores
    """
    import os

    from benne.scoring.api.serving import serve as serve_settings
    from benne.scoring.settings import read_settings

    if not home.is_dir():
        raise SettingsError(f"A service's folder must be there, got none at {home}. Lay it out: benne service init")
    # Workers read the settings anew, so what was said here goes to them the way everything else does.
    for name, value in (("BENNE_HOST", host), ("BENNE_PORT", port)):
        if value is not None:
            os.environ[name] = str(value)
    settings = read_settings(home)
    note(f"Serving {home} at http://{settings.host}:{settings.port}; the interface is at /openapi.json. Stop: Ctrl-C")
    serve_settings(settings, workers=workers)
