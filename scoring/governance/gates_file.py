"""Gates in a TOML file: every key is known, and every mistake is told by its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from benne.errors import GatesError, GovernanceError
from benne.scoring.governance.gates import Gate, Gates
from benne.scoring.governance.people import named

__all__ = ["default_gates", "default_text", "parse_gates", "read_gates_text"]

_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "metric": (str,), "at_least": (int, float), "at_most": (int, float), "on": (str,), "smallest_n": (int,),
    "required": (bool,), "why": (str,),
}  # fmt: skip
_IN_WORDS: Final = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_LARGEST: Final = 64 * 1024


def default_text() -> str:
    """The gates that come with Benne, as they are laid out in their file."""
    return files("benne.scoring.governance").joinpath("default.toml").read_text(encoding="utf-8")


def default_gates() -> Gates:
    """The gates that come with Benne: a place to start from.

    Examples
    --------
    >>> default_gates().version
    'benne-1'
    """
    return parse_gates(default_text(), "the built-in gates")


def read_gates_text(path: str | Path) -> str:
    """The text of a file of gates, which is checked: what is declared is the file as it is, comments and all.

    Raises
    ------
    GatesError
        As :func:`parse_gates`, or if it cannot be read or is larger than 64 KiB.
    """
    try:
        with Path(path).open("rb") as file:  # no more than that, and its line ends as they are: its bytes are hashed
            text = file.read(_LARGEST + 1).decode()
    except (OSError, UnicodeDecodeError):
        raise GatesError(
            f"Gates must be a TOML file, got none that can be read: {path}. "
            "Begin with a copy of the built-in ones: benne gates show --toml"
        ) from None
    if len(text.encode()) > _LARGEST:
        raise GatesError(f"A file of gates must be of at most 64 KiB, got a larger one: {path}. Shorten it.")
    parse_gates(text, str(path))
    return text


def parse_gates(text: str, name: str) -> Gates:
    """Gates out of TOML.

    Raises
    ------
    GatesError
        If it is not TOML, or a key is unknown, missing or outside its domain; named by its place.

    Examples
    --------
    >>> parse_gates('''
    ... version = "1"
    ... [[gates]]
    ... metric = "discrimination.auc"
    ... at_least = "0.65"
    ... why = "better than chance"
    ... ''', "mine.toml")
    Traceback (most recent call last):
    ...
    benne.errors.GatesError: mine.toml: gates[1].at_least must be a number, got str. ...
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise GatesError(f"{name} must be TOML, got something else: {error}. Correct it there.") from None
    try:
        return _gates(content)
    except GovernanceError as error:
        raise GatesError(f"{name}: {error}") from None
    except OverflowError:
        raise GatesError(f"{name}: numbers must be finite, got one that is too large. Correct it there.") from None


def _gates(content: dict[str, Any]) -> Gates:
    _require_known("", content, ("version", "approver", "gates", "fairness"))
    version, listed, approver = content.get("version"), content.get("gates"), content.get("approver")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise GatesError("version must be a name of up to 64 letters, digits and any of _.:-, got none. Name it.")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise GatesError("gates must be a list of tables, got something else. Write each as [[gates]].")
    if approver is not None and not isinstance(approver, str):
        raise GatesError("approver must be a text, got something else. Put it in quotes.")
    return Gates(
        version=version,
        approver=None if approver is None else named(approver, "approver"),
        gates=tuple(_gate(f"gates[{place}]", table) for place, table in enumerate(listed, 1)),
        cutoffs=_cutoffs(content),
    )


def _cutoffs(content: dict[str, Any]) -> tuple[float, ...]:
    """``[fairness] cutoffs``, the lowest scores that pass; none where the file does not say."""
    if "fairness" not in content:
        return ()
    table = content["fairness"]
    if not isinstance(table, dict):
        raise GatesError("fairness must be a table, got something else. Write it as [fairness].")
    _require_known("fairness.", table, ("cutoffs",))
    given = table.get("cutoffs")
    if not isinstance(given, list) or not given or not all(type(one) in (int, float) for one in given):
        raise GatesError("fairness.cutoffs must be a list of scores, got something else. Such as [600, 650].")
    return tuple(float(one) for one in given)


def _gate(at: str, table: dict[str, Any]) -> Gate:
    _require_known(f"{at}.", table, tuple(_KINDS))
    for key, value in table.items():
        # true is a whole number to Python, and to nobody else.
        if not isinstance(value, _KINDS[key]) or (isinstance(value, bool) and key != "required"):
            kind = _IN_WORDS[_KINDS[key][-1]]
            raise GatesError(f"{at}.{key} must be {kind}, got {type(value).__name__}. Correct it.")
    for key in ("metric", "why"):
        if key not in table:
            raise GatesError(f"{at}.{key} must be given, got none. Add it.")
    try:
        return Gate(**table)
    except GatesError as error:
        raise GatesError(f"{at}: {error}") from None


def _require_known(at: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise GatesError(f"{at}{key} must be one of {', '.join(known)}, got another key. Correct its name.")
