"""Policies in a TOML file: every key is known, and every mistake is told by its place."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from benne.errors import PolicyError
from benne.scoring.policy.policies import BenefitPolicy, Policies, PurposePolicy

__all__ = ["default_policies", "default_text", "parse_policies", "read_policies"]

_LONGEST: Final = timedelta(days=3660)


def default_text() -> str:
    """The policies that come with Benne, as they are laid out in their file."""
    return files("benne.scoring.policy").joinpath("default.toml").read_text(encoding="utf-8")


def default_policies() -> Policies:
    """The policies that come with Benne: a place to start from.

    Examples
    --------
    >>> default_policies().jurisdiction
    'default'
    """
    return parse_policies(default_text(), "the built-in policies")


def read_policies(path: str | Path) -> Policies:
    """Read a file of policies.

    Raises
    ------
    PolicyError
        If it cannot be read, is not TOML, or a key is unknown, missing or outside its set; named by its place.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise PolicyError(
            f"Policies must be a TOML file, got none that can be read: {path}. "
            "Begin with a copy of the built-in ones: benne policies show --toml"
        ) from None
    return parse_policies(text, str(path))


def parse_policies(text: str, name: str) -> Policies:
    """Policies out of TOML.

    Raises
    ------
    PolicyError
        As :func:`read_policies`.

    Examples
    --------
    >>> parse_policies('jurisdiction = "eu"', "mine.toml").version
    '6d82201b4f8b2a41'
    >>> parse_policies('jurisdiktion = "eu"', "mine.toml")
    Traceback (most recent call last):
    ...
    benne.errors.PolicyError: mine.toml: jurisdiktion must be one of jurisdiction, purposes, benefits, recipients, ...
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{name} must be TOML, got something else: {error}. Correct it there.") from None
    try:
        return _policies(content)
    except PolicyError as error:
        raise PolicyError(f"{name}: {error}") from None


def _policies(content: dict[str, Any]) -> Policies:
    _require_known("", content, ("jurisdiction", "purposes", "benefits", "recipients"))
    if "jurisdiction" not in content:
        raise PolicyError("jurisdiction must be given, got none. Name cn, eu, us or default.")
    return Policies(
        jurisdiction=_text("jurisdiction", content["jurisdiction"]),  # type: ignore[arg-type]
        purposes={name: _purpose(name, table) for name, table in _tables(content, "purposes")},  # type: ignore[misc]
        benefits={name: _benefit(name, table) for name, table in _tables(content, "benefits")},
        recipients={name: _recipient(name, table) for name, table in _tables(content, "recipients")},
    )


def _tables(content: Mapping[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    tables = content.get(key, {})
    if not isinstance(tables, dict):
        raise _of_another_kind(key, "a table", tables)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _of_another_kind(f"{key}.{name}", "a table", table)
    return list(tables.items())


def _purpose(name: str, table: dict[str, Any]) -> PurposePolicy:
    at = f"purposes.{name}"
    _require_known(at, table, tuple(_PURPOSE_KEYS))
    if "contexts" not in table:
        raise PolicyError(f"{at}.contexts must be given, got none. List where the purpose may be asked.")
    read = {_PURPOSE_KEYS[key][0]: _PURPOSE_KEYS[key][1](f"{at}.{key}", value) for key, value in table.items()}
    return PurposePolicy(purpose=name, **read)  # type: ignore[arg-type]


def _benefit(name: str, table: dict[str, Any]) -> BenefitPolicy:
    at = f"benefits.{name}"
    _require_known(at, table, tuple(_BENEFIT_KEYS))
    for key in ("purpose", "grants"):
        if key not in table:
            raise PolicyError(f"{at}.{key} must be given, got none. Add it.")
    read = {key: _BENEFIT_KEYS[key](f"{at}.{key}", value) for key, value in table.items()}
    return BenefitPolicy(name=name, **read)


def _recipient(name: str, table: dict[str, Any]) -> frozenset[str]:
    at = f"recipients.{name}"
    _require_known(at, table, ("purposes",))
    return _set(f"{at}.purposes", table.get("purposes", []))


def _require_known(at: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            place = f"{at}.{key}" if at else key
            raise PolicyError(f"{place} must be one of {', '.join(known)}, got another key. Correct its name.")


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _of_another_kind(key, "a text", value)
    return value


def _truth(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _of_another_kind(key, "true or false", value)
    return value


def _whole(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _of_another_kind(key, "a whole number", value)
    return value


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _of_another_kind(key, "a list", value)
    return value


def _set(key: str, value: Any) -> frozenset[str]:
    return frozenset(_text(key, one) for one in _list(key, value))


def _marks(key: str, value: Any) -> tuple[int, ...]:
    return tuple(sorted({_whole(key, one) for one in _list(key, value)}))


def _period(unit: timedelta) -> Callable[[str, Any], timedelta]:
    def period(key: str, value: Any) -> timedelta:
        most = _LONGEST // unit
        if not 1 <= _whole(key, value) <= most:
            raise PolicyError(f"{key} must be a whole number from 1 to {most}, got {value!r}. Correct it.")
        return int(value) * unit

    return period


def _of_another_kind(key: str, must: str, got: object) -> PolicyError:
    return PolicyError(f"{key} must be {must}, got {type(got).__name__}. Correct it.")


_PURPOSE_KEYS: Final[dict[str, tuple[str, Callable[[str, Any], Any]]]] = {
    "enabled": ("enabled", _truth),
    "contexts": ("contexts", _set),
    "reliance": ("reliance", _text),
    "granularity": ("granularity", _text),
    "marks": ("marks", _marks),
    "review_route": ("review_route", _text),
    "required_categories": ("required_categories", _set),
    "key_factors": ("key_factors", _truth),
    "answer_valid_hours": ("answer_valid", _period(timedelta(hours=1))),
    "vector_age_hours": ("vector_age", _period(timedelta(hours=1))),
    "payload_retention_days": ("payload_retention", _period(timedelta(days=1))),
}
"""Keys of a purpose in the file, the field each becomes, and how it is read."""

_BENEFIT_KEYS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "purpose": _text,
    "grants": _text,
    "threshold": _whole,
    "band": _text,
    "otherwise": _text,
}
