"""``benne models``: which version of the model is in use, and which could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from benne.cli.console import answer_json, table
from benne.cli.edge import quiet_mlflow
from benne.cli.options import RegisteredName, TrackingPlace, WantJson

if TYPE_CHECKING:
    from benne.experiments.model_registry import Registered

__all__ = ["app"]

app = typer.Typer(help="Versions of the model: the challenger, the champion, and others.", no_args_is_help=True)


@app.command("list")
def list_versions(
    tracking: TrackingPlace = "mlflow", registered_name: RegisteredName = "benne", want_json: WantJson = False
) -> None:
    """List the versions of the model, the newest first.

    \b
    Example:
      benne models list --tracking mlflow
    """
    quiet_mlflow()
    from benne.experiments.model_registry import existing_store, versions

    found = versions(existing_store(tracking), registered_name)
    if want_json:
        answer_json([_facts(version) for version in found])
        return
    rows = [(v.version, ", ".join(v.aliases), f"{v.registered_at:%Y-%m-%d %H:%M} UTC", v.run_id) for v in found]
    table(("version", "is", "registered", "run"), rows, left=4)


def _facts(version: Registered) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "run": version.run_id,
        "uri": version.uri,
        "registered_at": version.registered_at.isoformat(),
    }
