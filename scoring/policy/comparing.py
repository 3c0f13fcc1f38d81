"""What differs between two sets of policies, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from benne.scoring.policy.policies import Policies

__all__ = ["Difference", "differences"]


class Difference(NamedTuple):
    """One place and what stands there; None where nothing does."""

    key: str
    before: Any
    after: Any


def differences(before: Policies, after: Policies) -> tuple[Difference, ...]:
    """Every place that differs, in alphabetical order. Periods are in seconds.

    Examples
    --------
    >>> from benne.scoring.policy.policy_file import parse_policies
    >>> differences(parse_policies('jurisdiction = "eu"', "old"), parse_policies('jurisdiction = "cn"', "new"))
    (Difference(key='jurisdiction', before='eu', after='cn'),)
    """
    old, new = dict(_places("", before.content())), dict(_places("", after.content()))
    changed = sorted(key for key in {**old, **new} if old.get(key) != new.get(key))
    return tuple(Difference(key, old.get(key), new.get(key)) for key in changed)


def _places(at: str, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        key = f"{at}.{name}" if at else name
        if isinstance(value, Mapping):
            yield from _places(key, value)
        else:
            yield key, value
