"""What the console is made of, put together once for a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benne.scoring.console.attempts import Attempts
from benne.scoring.console.references import References
from benne.scoring.console.rendering import Pages
from benne.scoring.console.sealed import Sealer
from benne.scoring.console.sessions import Sessions
from benne.scoring.service import Service

if TYPE_CHECKING:
    from benne.scoring.console.registry import Entry
    from benne.scoring.console.visit import Visit

__all__ = ["Parts", "parts_of"]


@dataclass(frozen=True, repr=False)
class Parts:
    """What the console is made of.

    Parameters
    ----------
    service : Service
    sealer : Sealer
    sessions : Sessions
    references : References
    attempts : Attempts
        Sign-ins that failed, by address.
    pages : Pages
        Templates.
    navigation : callable
        What a visitor may go to.
    """

    service: Service
    sealer: Sealer
    sessions: Sessions
    references: References
    attempts: Attempts
    pages: Pages
    navigation: Callable[[Visit], list[Entry]]


def parts_of(
    service: Service, random_bytes: Callable[[int], bytes], navigation: Callable[[Visit], list[Entry]]
) -> Parts:
    """The parts of a console that serves with ``service``."""
    sealer = Sealer(service.vault.keyring, random_bytes)
    return Parts(
        service, sealer, Sessions(sealer, service.clock, random_bytes), References(sealer), Attempts(service.clock),
        Pages(service.clock), navigation,
    )  # fmt: skip
