"""Where the commands meet the machine they run on: files, keys, the clock, the environment."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benne.errors import StoreError

if TYPE_CHECKING:
    from benne.features import SubjectKey
    from benne.scoring import ConsentLedger
    from benne.scoring.signing import Signer

__all__ = [
    "database_of",
    "existing_ledger",
    "key_from",
    "logged_in",
    "moment_from",
    "new_ledger",
    "quiet_mlflow",
    "subject_from",
]


def logged_in(name: str | None) -> str:
    """Whoever is named, else whoever is logged in: a record of who did something is of a person."""
    try:
        return name or getpass.getuser()
    except (KeyError, OSError):
        raise typer.BadParameter("Nobody is logged in under a name. Say who does it.") from None


def database_of(address: str | None) -> str | None:
    """The address of a database; a service's folder stands for the database of its settings, password and all."""
    if address is None or "://" in address or not Path(address).is_dir():
        return address
    from benne.scoring.settings import read_settings

    return read_settings(Path(address)).database_address


def key_from(path: Path | None) -> SubjectKey | None:
    """The key in a file, if one is named."""
    if path is None:
        return None
    from benne.features.events.key_files import read_key_file

    return read_key_file(path)


def subject_from(member: str | None, subject: str | None, key_file: Path | None) -> str:
    """The one subject id meant by --member with --key-file, or by --subject."""
    if (member is None) == (subject is None):
        raise typer.BadParameter("name one member: either --member with --key-file, or --subject.")
    if subject is not None:
        return subject
    key = key_from(key_file)
    if key is None:
        raise typer.BadParameter("--member is a raw id and needs the key of the events: --key-file.")
    return str(key.subject_ids([member])[0])


def existing_ledger(address: str, signing_key: Path | None = None) -> ConsentLedger:
    """Open a ledger that is there: a mistyped path must not look like a ledger nobody consented in."""
    from benne.scoring import open_ledger

    if "://" not in address and not Path(address).is_file():
        raise StoreError(
            f"The ledger must exist, got no file {address}. Grant or import a consent first: benne consent"
        )
    return open_ledger(address, signer=_signer_from(signing_key))


def new_ledger(address: str, signing_key: Path | None = None) -> ConsentLedger:
    """Open a ledger, made if it is not there; with a key it signs receipts."""
    from benne.scoring import open_ledger

    return open_ledger(address, signer=_signer_from(signing_key))


def _signer_from(path: Path | None) -> Signer | None:
    if path is None:
        return None
    from benne.scoring.signing import read_signer

    return read_signer(path)


def moment_from(text: str | None, option: str) -> datetime | None:
    """A moment written as ISO 8601 with its timezone; without one nobody knows when it was."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} must be a moment such as 2025-07-01T00:00:00Z, got {text!r}.") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{option} must name its timezone, such as 2025-07-01T00:00:00Z, got {text!r}.")
    return moment.astimezone(UTC)


def quiet_mlflow() -> None:
    """MLflow sends nothing home from here."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
