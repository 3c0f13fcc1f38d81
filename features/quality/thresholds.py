"""The checks and their limits: one table, and a file that changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self

from benne.errors import QualityInputError
from benne.features.quality.documents import read_document

__all__ = ["CHECKS", "CheckKind", "Limit", "Thresholds"]

Unit = Literal["days", "share", "count", "index"]


@dataclass(frozen=True)
class Limit:
    """Above which value a check warns, and above which it stops a build; None for never.

    Raises
    ------
    QualityInputError
        A limit is not a number, or a build would stop before it warns.
    """

    warn: float | None = None
    stop: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("warn", self.warn), ("stop", self.stop)):
            number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0
            if value is not None and not number:
                raise QualityInputError(f"{name} must be a number from 0, or left out, got {value!r}. Correct it.")
        if self.warn is not None and self.stop is not None and self.stop < self.warn:
            raise QualityInputError(
                f"stop must not be below warn, got stop {self.stop:g} and warn {self.warn:g}. Raise stop or lower warn."
            )

    def judge(self, value: float) -> Literal["pass", "warn", "stop"]:
        """What a value comes to.

        Examples
        --------
        >>> limit = Limit(warn=0.1, stop=0.25)
        >>> limit.judge(0.1), limit.judge(0.2), limit.judge(0.3)
        ('pass', 'warn', 'stop')
        """
        if self.stop is not None and value > self.stop:
            return "stop"
        return "warn" if self.warn is not None and value > self.warn else "pass"


@dataclass(frozen=True)
class CheckKind:
    """One kind of check.

    Parameters
    ----------
    label : str
        What its value is.
    unit : {"days", "share", "count", "index"}
    limit : Limit
        By default.
    advice : str
        What to do about it.
    only : mapping of str to Limit
        Other defaults for some tables.
    """

    label: str
    unit: Unit
    limit: Limit
    advice: str
    only: Mapping[str, Limit] = field(default_factory=dict)


_MONTHLY, _RARE = Limit(45, 92), Limit(92)

CHECKS: Final[Mapping[str, CheckKind]] = MappingProxyType({
    "unconsented_values": CheckKind(
        "features with values where the member does not consent", "count", Limit(stop=0),
        "Do not use this frame. Build it again with the ledger's mask."),
    "missing": CheckKind(
        "in the reference, but not here", "count", Limit(stop=0),
        "Find out why it no longer comes. If it was given up on purpose, save a new reference."),
    "refused_share": CheckKind(
        "share refused", "share", Limit(0.001, 0.01),
        "Read what the door says of the refused rows, and have the source correct them."),
    "stale_days": CheckKind(
        "days since anything became known", "days", Limit(7, 31),
        "Ask the source whether its feed still runs, and load what is missing.",
        {"account_status": _MONTHLY, "incomes": _MONTHLY, "dues": _MONTHLY, "members": _RARE,
         "verifications": _RARE, "obligation_events": _RARE, "adverse_items": _RARE}),
    "lag_days": CheckKind(
        "median days from happening to being known", "days", Limit(31),
        "Give known_at for history, or ask the source to deliver sooner: late events are invisible to earlier scores."),
    "duplicate_share": CheckKind(
        "share of rows that repeat an event", "share", Limit(0.005, 0.05),
        "Ask the source to send each event once, under one record_id, and corrections with supersedes."),
    "corrected_share": CheckKind(
        "share of rows corrected later", "share", Limit(0.1),
        "Ask the source why so much is wrong at first."),
    "coverage_drop": CheckKind(
        "fall in the share of members with a row, of the reference's", "share", Limit(0.1, 0.5),
        "Look for members whose events no longer come, or new ones whose events do not come yet."),
    "filled_drop": CheckKind(
        "fall in the share with a value, of the reference's", "share", Limit(0.1, 0.5),
        "Look for a column that was renamed, or that the source no longer fills."),
    "psi": CheckKind(
        "population stability index against the reference", "index", Limit(0.1, 0.25),
        "Compare the histograms. If the members have changed, validate the model on them, then save a new reference."),
    "outlier_share": CheckKind(
        "share of values far from all others", "share", Limit(0.05, 0.15),
        "Look for a change of unit, currency or sign at the source."),
    "outlier_rise": CheckKind(
        "rise in the share of values far from the reference's", "share", Limit(0.01, 0.05),
        "Look for a change of unit, currency or sign at the source."),
    "held_rise": CheckKind(
        "rise in the share of values held at the end of their range", "share", Limit(0.05, 0.2),
        "Look for values that the registry's range does not foresee, such as another unit."),
    "single_value": CheckKind(
        "one and the same value, or none, throughout", "count", Limit(0),
        "Look whether what the feature reads is still delivered; a constant tells nothing."),
    "thin_share": CheckKind(
        "share of consented observations about which nothing is known", "share", Limit(0.5, 0.9),
        "Load more history, or leave the category out for now: a score would rest on the others."),
})  # fmt: skip
"""Every kind of check by name, the gravest first."""


@dataclass(frozen=True)
class Thresholds:
    """Limits that differ from the defaults in :data:`CHECKS`.

    Parameters
    ----------
    limits : mapping of str to Limit
        By kind of check.
    only : mapping of (str, str) to Limit
        By kind of check and what is checked: a table, ``table/source``, ``table.column``, a
        feature or a category. A table's limit holds for its sources and columns too.

    Examples
    --------
    >>> Thresholds().limit("stale_days", "incomes")
    Limit(warn=45, stop=92)
    >>> Thresholds(only={("stale_days", "payments"): Limit(1, 2)}).limit("stale_days", "payments/bank_link")
    Limit(warn=1, stop=2)
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)
    only: Mapping[tuple[str, str], Limit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted({*self.limits, *(kind for kind, _ in self.only)} - set(CHECKS))
        if unknown:
            raise QualityInputError(
                f"Thresholds must be for checks among {', '.join(CHECKS)}, got {', '.join(unknown)}. Drop them."
            )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read limits from a TOML or JSON file.

        Raises
        ------
        QualityInputError
            The file cannot be read or its form is another than docs/quality.md says.
        """
        document = read_document(path, "Thresholds")
        document.pop("format")
        limits, only = {}, {}
        for kind, section in document.items():
            if not isinstance(section, dict):
                raise QualityInputError(f"Thresholds for {kind} must be a table with warn and stop. Write [{kind}].")
            said = {name: value for name, value in section.items() if name != "only"}
            if said:
                limits[kind] = _limit(kind, said)
            for subject, exception in _table(kind, section.get("only", {})).items():
                only[kind, subject] = _limit(f"{kind}.only.{subject}", exception)
        return cls(limits, only)

    def limit(self, kind: str, subject: str) -> Limit:
        """The limit for one thing: its own, else its table's, else the kind's, else the default."""
        table = subject.partition("/")[0].partition(".")[0]
        own = next((self.only[kind, name] for name in (subject, table) if (kind, name) in self.only), None)
        default = CHECKS[kind]
        return own or self.limits.get(kind) or default.only.get(table) or default.limit

    def as_document(self) -> dict[str, Any]:
        """Every limit that was in force by default or by choice, as the file would say it."""
        document: dict[str, Any] = {}
        for name, kind in CHECKS.items():
            only = {} if name in self.limits else dict(kind.only)
            only |= {subject: limit for (checked, subject), limit in self.only.items() if checked == name}
            document[name] = _said(self.limits.get(name, kind.limit))
            if only:
                document[name]["only"] = {subject: _said(only[subject]) for subject in sorted(only)}
        return document


def _limit(where: str, said: object) -> Limit:
    section = _table(where, said)
    unknown = sorted(set(section) - {"warn", "stop"})
    if unknown:
        raise QualityInputError(
            f"Thresholds for {where} must be warn and stop, got {', '.join(map(str, unknown))}. Rename or drop them."
        )
    return Limit(**section)


def _table(where: str, said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise QualityInputError(f"Thresholds for {where} must be a table, got {type(said).__name__}. Write it as one.")
    return dict(said)


def _said(limit: Limit) -> dict[str, Any]:
    return {name: value for name, value in (("warn", limit.warn), ("stop", limit.stop)) if value is not None}
