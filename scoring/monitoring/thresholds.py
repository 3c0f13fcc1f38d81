"""From where on somebody is told: one file of limits, and another that changes some of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

from benne.errors import MonitoringError
from benne.scoring.monitoring.alerts import Severity

__all__ = ["Limit", "Rules", "Thresholds"]

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """Above which value somebody is warned, and above which alarmed.

    Raises
    ------
    MonitoringError
        If they are not two numbers in that order.

    Examples
    --------
    >>> Limit(0.1, 0.25).judge(0.3), Limit(0.1, 0.25).judge(0.1)
    ('alarm', None)
    >>> Limit(0.3, 0.1)
    Traceback (most recent call last):
    ...
    benne.errors.MonitoringError: A limit must warn before it alarms, got 0.3 and 0.1. Exchange them.
    """

    warning: float
    alarm: float

    def __post_init__(self) -> None:
        if not (_is_number(self.warning) and _is_number(self.alarm) and self.warning <= self.alarm):
            raise MonitoringError(
                f"A limit must warn before it alarms, got {self.warning!r} and {self.alarm!r}. Exchange them."
            )

    def judge(self, value: float) -> Severity | None:
        """What a value comes to; None where it may be."""
        return "alarm" if value > self.alarm else "warning" if value > self.warning else None

    def of(self, severity: Severity) -> float:
        """The limit that was passed."""
        return self.alarm if severity == "alarm" else self.warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How it is judged.

    Parameters
    ----------
    significance : float
        How likely one kind of check finds something in a period in which nothing has moved, all features together.
    fewest : int
        Rows of a period below which nothing is judged; 50 or more.
    outcome_days, lag_days : int
        Length of the outcome window, and days after it until its labels are known.
    trend_periods : int
        Periods that a trend is looked for in; 3 or more.
    """

    significance: float
    fewest: int
    outcome_days: int
    lag_days: int
    trend_periods: int

    def __post_init__(self) -> None:
        for name, least, most in (
            ("significance", 0.0, 0.5), ("fewest", 50, math.inf), ("outcome_days", 1, 3660), ("lag_days", 0, 3660),
            ("trend_periods", 3, 120),
        ):  # fmt: skip
            value = getattr(self, name)
            if not _is_number(value) or not least <= value <= most or (value == 0.0 and name == "significance"):
                raise MonitoringError(
                    f"{name} of monitoring must be from {least:g} to {most:g}, got {value!r}. Correct it."
                )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All limits by the kind of check, and the rules.

    Examples
    --------
    >>> Thresholds.default().limits["psi"]
    Limit(warning=0.1, alarm=0.25)
    >>> Thresholds.default().changed({"format": 1, "limits": {"psy": {"warning": 0.1}}})
    Traceback (most recent call last):
    ...
    benne.errors.MonitoringError: Thresholds must be of known checks, got 'psy'. Those are psi, trend, nulls, ...
    """

    rules: Rules
    limits: Mapping[str, Limit]

    @classmethod
    def default(cls) -> Self:
        """Those of ``default.toml``."""
        text = files("benne.scoring.monitoring").joinpath("default.toml").read_text("utf-8")
        said = tomllib.loads(text)
        return cls(Rules(**said["rules"]), {name: Limit(**limit) for name, limit in said["limits"].items()})

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The default ones with what a TOML file changes.

        Raises
        ------
        MonitoringError
            If it cannot be read, is of another format, or names what there is not.
        """
        try:
            said = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError):
            raise MonitoringError(
                f"Thresholds must be a TOML file, got none that can be read: {path}. Name another."
            ) from None
        return cls.default().changed(said)

    def changed(self, said: Mapping[str, Any]) -> Self:
        """With other values for what is said.

        Raises
        ------
        MonitoringError
        """
        if said.get("format") != _FORMAT or set(said) - {"format", "rules", "limits"}:
            raise MonitoringError(
                f"Thresholds must have format {_FORMAT} and hold rules and limits, got something else. "
                "See docs/monitoring.md."
            )
        rules, limits = said.get("rules", {}), said.get("limits", {})
        _known(rules, [field.name for field in fields(Rules)], "rules")
        _known(limits, list(self.limits), "checks")
        merged = dict(self.limits)
        for name, ends in limits.items():
            _known(ends, ["warning", "alarm"], f"limits of {name}")
            merged[name] = replace(merged[name], **ends)
        return replace(self, rules=replace(self.rules, **rules), limits=merged)


def _known(given: Any, names: list[str], what: str) -> None:
    unknown = sorted(set(given) - set(names)) if isinstance(given, Mapping) else [str(given)]
    if unknown:
        among = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise MonitoringError(f"Thresholds must be of known {what}, got {unknown[0]!r}. Those are {among}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
