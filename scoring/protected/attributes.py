"""Which protected attributes a fairness audit may hold, where, and on what legal ground."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benne.errors import FairnessError
from benne.features.forbidden_topics import topics_in
from benne.scoring.consent.vocabulary import JURISDICTIONS

__all__ = ["HOLDABLE", "Declared", "Holdable", "checked_value", "read_declared", "write_declared"]

_FORMAT: Final = 1
_LONGEST_BASIS: Final = 200
_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,+/<>=()-]{0,47}")
_EVERYWHERE: Final = ("cn", "eu", "us", "default")


@dataclass(frozen=True, slots=True)
class Holdable:
    """An attribute that an audit may hold.

    Parameters
    ----------
    what : str
    jurisdictions : tuple of str
        Where it may be held at all.
    """

    what: str
    jurisdictions: tuple[str, ...] = _EVERYWHERE


HOLDABLE: Final[dict[str, Holdable]] = {
    "sex": Holdable("sex, as the member states it"),
    "age": Holdable("age in whole years"),
    "age_band": Holdable("age in bands"),
    "marital_status": Holdable("whether married, separated or neither"),
    # Special categories in the EU and refused in China even with consent; US lenders may, or must, collect them.
    "race": Holdable("race, as the member states it (Regulation B 1002.5(b), 1002.13; Regulation C)", ("us",)),
    "national_origin": Holdable("national origin, as the member states it (Regulation B 1002.13)", ("us",)),
    "public_assistance": Holdable("whether income comes from public assistance (ECOA 701(a)(2))", ("us",)),
}
"""Everything an audit may hold; what is not here is refused, consent or not."""


@dataclass(frozen=True)
class Declared:
    """What one store may hold.

    Parameters
    ----------
    jurisdiction : str
        One of ``cn``, ``eu``, ``us``, ``default``.
    legal_basis : mapping of str to str
        Of each attribute, in words that a regulator can check.

    Raises
    ------
    FairnessError
        If an attribute may not be held at all, or not there, or has no legal basis.

    Examples
    --------
    >>> sorted(Declared("us", {"sex": "Regulation B 1002.5(b)(1), self-test"}).legal_basis)
    ['sex']
    >>> Declared("us", {"religion": "they agreed"})
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: A protected attribute must be one of ..., got 'religion' (refused ...). Leave it out.
    >>> Declared("eu", {"race": "an audit"})
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: 'race' must not be held in jurisdiction eu, only in us. Leave it out.
    """

    jurisdiction: str
    legal_basis: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.jurisdiction not in JURISDICTIONS:
            raise FairnessError(f"A jurisdiction must be one of {', '.join(JURISDICTIONS)}, got another. Name one.")
        if not self.legal_basis:
            raise FairnessError("A store of protected attributes must declare one at least, got none. Name them.")
        for name, basis in self.legal_basis.items():
            self._require(name, basis)

    def _require(self, name: str, basis: Any) -> None:
        if name not in HOLDABLE:
            wrong = next((f" ({why})" for _, why in topics_in(name)), "")
            raise FairnessError(
                f"A protected attribute must be one of {', '.join(HOLDABLE)}, got {name!r}{wrong}. Leave it out."
            )
        allowed = HOLDABLE[name].jurisdictions
        if self.jurisdiction not in allowed:
            raise FairnessError(
                f"{name!r} must not be held in jurisdiction {self.jurisdiction}, only in {', '.join(allowed)}. "
                "Leave it out."
            )
        if not isinstance(basis, str) or not 4 <= len(basis.strip()) <= _LONGEST_BASIS:
            raise FairnessError(
                f"{name!r} must have a legal basis of 4 to {_LONGEST_BASIS} characters, got none. Name the law."
            )

    def require(self, names: list[str]) -> None:
        """Refuse attributes that were not declared.

        Raises
        ------
        FairnessError
        """
        for name in names:
            if name not in self.legal_basis:
                self._require(name, "declared before")
                raise FairnessError(
                    f"{name!r} must have been declared with its legal basis, got it undeclared. Make the store with it."
                )


def checked_value(name: str, value: Any) -> str | int:
    """One member's value of an attribute, as it is kept.

    Raises
    ------
    FairnessError
        Without the value.

    Examples
    --------
    >>> checked_value("age", 41.0), checked_value("sex", "female")
    (41, 'female')
    >>> checked_value("age", 400)
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: Values of 'age' must be whole years from 18 to 120, got another. Correct the file.
    """
    if name == "age":
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value // 1
            or not 18 <= value <= 120
        ):
            raise FairnessError(
                f"Values of {name!r} must be whole years from 18 to 120, got another. Correct the file."
            )
        return int(value)
    if isinstance(value, float) and value == value // 1:
        value = int(value)
    text = str(value)
    if not _VALUE.fullmatch(text):
        raise FairnessError(
            f"Values of {name!r} must be short words of at most 48 letters, digits and signs, got another. "
            "Correct the file."
        )
    return text


def write_declared(declared: Declared, path: Path) -> None:
    """Write what a store may hold, as TOML that people read."""
    lines = [f"format = {_FORMAT}", f"jurisdiction = {json.dumps(declared.jurisdiction)}"]
    for name, basis in declared.legal_basis.items():
        lines += ["", f"[attributes.{name}]", f"legal_basis = {json.dumps(basis, ensure_ascii=False)}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_declared(path: Path) -> Declared:
    """Read what a store may hold.

    Raises
    ------
    FairnessError
        If the file is missing, is not of its form, or declares what may not be held.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        bases = {name: one["legal_basis"] for name, one in content["attributes"].items()}
        jurisdiction, form = str(content["jurisdiction"]), content["format"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FairnessError(
            f"{path} must say what the store may hold, got no such file. Make a store: benne protected init"
        ) from None
    if form != _FORMAT:
        raise FairnessError(f"{path} must have format {_FORMAT}, got another. Use the Benne that wrote it.")
    return Declared(jurisdiction, bases)
