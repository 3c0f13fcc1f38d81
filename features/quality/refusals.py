"""What was turned away before the build, as whoever turned it away counted it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from benne.errors import QualityInputError
from benne.features.quality.cells import Share
from benne.features.quality.documents import read_document

__all__ = ["Refusals"]


@dataclass(frozen=True)
class Refusals:
    """How much was refused of how much.

    Parameters
    ----------
    rows_offered, rows_refused : int
        Event rows at the door.
    observations_offered, observations_refused : int
        (member, as_of) pairs of the build.

    Raises
    ------
    QualityInputError
        A count is not a whole number from 0, or more was refused than offered.
    """

    rows_offered: int = 0
    rows_refused: int = 0
    observations_offered: int = 0
    observations_refused: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            count = getattr(self, field.name)
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise QualityInputError(f"{field.name} must be a whole number from 0, got {count!r}. Count again.")
        if self.rows_refused > self.rows_offered or self.observations_refused > self.observations_offered:
            raise QualityInputError("No more can be refused than was offered, got more. Count again.")

    def shares(self) -> dict[str, Share]:
        """The refused share of rows and of observations."""
        return {
            "rows": Share.of(self.rows_refused, self.rows_offered),
            "observations": Share.of(self.observations_refused, self.observations_offered),
        }

    def as_document(self) -> dict[str, Any]:
        """What was offered, and which share of it refused."""
        offered = {"rows": self.rows_offered, "observations": self.observations_offered}
        return {name: {"offered": offered[name], "refused": share.shown} for name, share in self.shares().items()}

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read the counts from a JSON or TOML file.

        Raises
        ------
        QualityInputError
            The file cannot be read, or names something else.
        """
        document = read_document(path, "Refusals")
        document.pop("format")
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(document) - set(names))
        if unknown:
            raise QualityInputError(f"Refusals must be {', '.join(names)}, got {', '.join(unknown)}. Drop them.")
        return cls(**document)
