"""What it costs to move a feature without becoming more creditworthy: declared as data, with its reasons."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, Self

from benne.errors import GamingError
from benne.features.specification import FeatureSpec

__all__ = ["EASES", "Budget", "CostTable", "Effort", "Together"]

Ease = Literal["high", "medium", "low"]

EASES: Final[tuple[Ease, ...]] = ("high", "medium", "low")
_FORMAT: Final = 1
_DIGITS: Final = 16
_SECTIONS: Final = {"format", "version", "rungs", "budget", "ease", "together", "feature"}
_OF_FEATURE: Final = {"cost", "days", "held", "ease", "direction", "why"}


@dataclass(frozen=True)
class Effort:
    """What one rung costs, for one feature.

    Parameters
    ----------
    ease : {"high", "medium", "low"}
        How easily it is moved; high is cheap.
    cost : float
        Small efforts for one rung, above 0.
    days : int
        Until the move shows.
    direction : {-1, 0, 1}
        On the odds of bad, as in the registry.
    held : bool
        It cannot be hastened at all.
    why : str
    """

    ease: Ease
    cost: float
    days: int
    direction: int
    held: bool
    why: str


@dataclass(frozen=True)
class Together:
    """Features that the same acts move."""

    name: str
    features: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Budget:
    """How much effort, and how much time, an attack may take.

    Parameters
    ----------
    cheap, medium, any : float
        Small efforts, by the least easy of the moves that an attack allows.
    burst_days : int
        Days of a burst right before asking.
    time_days : int
        Days of every other attack.
    """

    cheap: float = 6.0
    medium: float = 16.0
    any: float = 24.0
    burst_days: int = 14
    time_days: int = 180


@dataclass(frozen=True)
class CostTable:
    """The whole table.

    Parameters
    ----------
    version : str
        Named in every report.
    rungs : tuple of float
        Increasing shares of members, in (0, 1), whose values in the favourable direction are the rungs.
    eases : mapping of str to Effort
        By ease; their direction is of no meaning.
    budget : Budget
    together : tuple of Together
    features : mapping of str to dict
        What is special about a feature.

    Examples
    --------
    >>> table = CostTable.default()
    >>> table.eases["high"].cost < table.eases["medium"].cost < table.eases["low"].cost
    True
    >>> CostTable.read("/nowhere/costs.toml")
    Traceback (most recent call last):
    ...
    benne.errors.GamingError: A cost table must be a TOML file that can be read, got none at /nowhere/costs.toml. ...
    """

    version: str
    rungs: tuple[float, ...]
    eases: Mapping[str, Effort]
    budget: Budget = field(default_factory=Budget)
    together: tuple[Together, ...] = ()
    features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def default(cls) -> Self:
        """The table that comes with Benne."""
        return cls._of(tomllib.loads(files("benne.experiments.gaming").joinpath("default.toml").read_text("utf-8")))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a table of one's own.

        Raises
        ------
        GamingError
            If the file is not there, or its form is another than ``default.toml`` has.
        """
        try:
            document = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError):
            raise GamingError(
                f"A cost table must be a TOML file that can be read, got none at {path}. Copy the default one."
            ) from None
        return cls._of(document)

    @property
    def digest(self) -> str:
        """Of all that it says: the same table, the same 16 hexadecimal digits."""
        said = json.dumps(dataclasses.asdict(self), sort_keys=True, default=dict)
        return hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]

    def effort(self, name: str, spec: FeatureSpec | None) -> Effort | None:
        """What a feature costs; None where neither the registry nor the table knows how easily it is moved."""
        own = self.features.get(name, {})
        ease = own.get("ease", None if spec is None else spec.gaming)
        if ease is None:
            return None
        usual = self.eases[ease]
        return Effort(
            ease=ease,
            cost=float(own.get("cost", usual.cost)),
            days=int(own.get("days", usual.days)),
            direction=int(own.get("direction", 0 if spec is None else spec.direction)),
            held=bool(own.get("held", False)),
            why=str(own.get("why", usual.why)),
        )

    @classmethod
    def _of(cls, document: dict[str, Any]) -> Self:
        if document.get("format") != _FORMAT or not set(document) <= _SECTIONS:
            raise GamingError(
                f"A cost table must have format {_FORMAT} and only sections that the default one has. Correct it."
            )
        try:
            table = cls(
                version=str(document["version"]),
                rungs=tuple(float(share) for share in document["rungs"]),
                eases={ease: _effort(ease, document["ease"][ease]) for ease in EASES},
                budget=Budget(**document.get("budget", {})),
                together=tuple(
                    Together(str(one["name"]), tuple(one["features"]), str(one["why"]))
                    for one in document.get("together", ())
                ),
                features=document.get("feature", {}),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GamingError(f"A cost table must be as the default one, got {error} wrong. Correct it.") from None
        _check(table)
        return table


def _effort(ease: Ease, said: Mapping[str, Any]) -> Effort:
    return Effort(ease, float(said["cost"]), int(said["days"]), 0, held=False, why=str(said["why"]))


def _check(table: CostTable) -> None:
    if (
        not table.rungs
        or list(table.rungs) != sorted(set(table.rungs))
        or not 0 < table.rungs[0] <= table.rungs[-1] < 1
    ):
        raise GamingError(f"rungs must be increasing shares within (0, 1), got {list(table.rungs)}. Correct them.")
    for name, own in table.features.items():
        strange = sorted(set(own) - _OF_FEATURE)
        if strange or own.get("ease", "high") not in EASES or own.get("direction", 0) not in (-1, 0, 1):
            raise GamingError(
                f"Feature {name!r} of a cost table must say {', '.join(sorted(_OF_FEATURE))} as the default one does, "
                f"got {', '.join(strange) or 'an unknown ease or direction'}. Correct it."
            )
        if not str(own.get("why", "")).strip():
            raise GamingError(f"Feature {name!r} of a cost table must say why it differs. Add why.")
    costs = [effort.cost for effort in table.eases.values()]
    costs += [float(own["cost"]) for own in table.features.values() if "cost" in own]
    if not all(math.isfinite(cost) and cost > 0 for cost in costs):
        raise GamingError("Every cost of a cost table must be above 0 and finite. What is free is not an attack.")
    twice = [name for one in table.together for name in one.features]
    if len(twice) != len(set(twice)):
        raise GamingError(
            "A feature must move together with others in one list at most, got one in two. Join the lists."
        )
