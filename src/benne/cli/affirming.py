"""A member's own yes on the command line; nothing stands for it that the member did not do."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benne.cli.console import note

if TYPE_CHECKING:
    from benne.scoring import Capture

__all__ = ["YesIConsent", "affirmed", "capture_of"]

YesIConsent = Annotated[
    bool, typer.Option("--yes-i-consent", help="The member's own yes, where nobody can type it. Off by default.")
]
_WORDS: Final = "I consent"


def affirmed(yes: bool) -> str:
    """The words of the affirmative act; without one, nothing goes on."""
    if yes:
        return "--yes-i-consent"
    if not sys.stdin.isatty():
        raise typer.BadParameter("a consent needs the member's own act: --yes-i-consent, or a terminal to type it in.")
    typed: str = typer.prompt(f"Type '{_WORDS}' to switch these on, anything else to leave them off", default="",
                              show_default=False, err=True)  # fmt: skip
    if typed.strip().lower() != _WORDS.lower():
        note("Left off; nothing was recorded.")
        raise typer.Exit(0)
    return typed


def capture_of(notice_hash: str, chosen: Sequence[str], typed: str) -> Capture:
    """The act as the ledger keeps it: one step, at this command line, with the hash of what was shown and typed."""
    from benne.scoring import Capture
    from benne.scoring.wiring import random_id, system_clock

    evidence = (notice_hash, *chosen, typed, system_clock().isoformat(), random_id())
    session = hashlib.sha256("\n".join(evidence).encode()).hexdigest()
    return Capture(channel="command_line", method="toggle_switched_on", steps=1, session_hash=session)
