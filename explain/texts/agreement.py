"""Whether two languages say the same things, as far as a machine can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from benne.explain.texts.catalogue import places_of, wrong_places

__all__ = ["disagreements"]

_ONE_LANGUAGE_ONLY: Final = re.compile(r"features\.|units\.one\.")
"""English texts of features are the registry's; Chinese has no plural."""


def disagreements(en: Mapping[str, str], zh: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Find keys of one language only, and messages with other places, as language, key, rule and what was found.

    Parameters
    ----------
    en, zh : mapping of str to str
        Messages by dotted key.

    Examples
    --------
    >>> list(disagreements({"a.b": "{day}", "a.c": "Yes"}, {"a.b": "{date}"}))
    [('zh', 'a.c', 'missing', 'it is in en'), ('zh', 'a.b', 'places', 'en has day, zh has date')]
    """
    for language, own, others in (("zh", zh, en), ("en", en, zh)):
        for key in sorted(others.keys() - own.keys()):
            if not _ONE_LANGUAGE_ONLY.match(key):
                yield language, key, "missing", f"it is in {'en' if language == 'zh' else 'zh'}"
    for key in sorted(en.keys() & zh.keys()):
        if wrong_places(en[key]) or wrong_places(zh[key]) or key.startswith("units."):
            continue
        if places_of(en[key]) != places_of(zh[key]):
            yield "zh", key, "places", f"en has {_list(en[key])}, zh has {_list(zh[key])}"


def _list(text: str) -> str:
    return ", ".join(sorted(places_of(text))) or "none"
