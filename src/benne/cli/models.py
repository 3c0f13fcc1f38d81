"""``benne models``: which version of the model is in use, and which could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, table
from benne.cli.edge import quiet_mlflow
from benne.cli.options import RegisteredName, WantJson

if TYPE_CHECKING:
    from benne.experiments.model_registry import Registered

__all__ = ["app"]

app = typer.Typer(
    help="Versions of the model: the challenger, the champion, and those before it.", no_args_is_help=True
)

Place = Annotated[str, typer.Option("--tracking", help="MLflow: the folder of a local store, or a tracking URI.")]


@app.command("list")
def list_versions(
    tracking: Place = "mlflow", registered_name: RegisteredName = "benne", want_json: WantJson = False
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


@app.command()
def promote(
    version: Annotated[int | None, typer.Argument(min=1, help="By default the challenger.")] = None,
    tracking: Place = "mlflow",
    registered_name: RegisteredName = "benne",
    want_json: WantJson = False,
) -> None:
    """Make a version the champion, which services load as models:/benne@champion.

    It is loaded first, which checks its format and checksums. Whether it is good enough is not asked here.

    \b
    Example:
      benne models promote --tracking mlflow
    """
    quiet_mlflow()
    from benne.experiments.model_registry import existing_store, promote

    _tell(promote(existing_store(tracking), version, registered_name), want_json)


@app.command("rollback")
def roll_back(
    tracking: Place = "mlflow", registered_name: RegisteredName = "benne", want_json: WantJson = False
) -> None:
    """Make the champion before this one the champion again.

    \b
    Example:
      benne models rollback --tracking mlflow
    """
    quiet_mlflow()
    from benne.experiments.model_registry import existing_store, roll_back

    _tell(roll_back(existing_store(tracking), registered_name), want_json)


def _facts(version: Registered) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "run": version.run_id,
        "uri": version.uri,
        "registered_at": version.registered_at.isoformat(),
    }


def _tell(version: Registered, want_json: bool) -> None:
    if want_json:
        answer_json(_facts(version))
        return
    answer(f"Version {version.version} of {version.name} is the champion: models:/{version.name}@champion")
