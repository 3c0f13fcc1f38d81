"""In which language a page is: asked for in the address, remembered in a cookie, or as the browser prefers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benne.explain.texts import LANGUAGES, Language

__all__ = ["COOKIE", "HTML_LANG", "language_of"]

COOKIE: Final = "benne_language"
HTML_LANG: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}
_LONGEST: Final = 500  # characters of a header


def language_of(asked: str | None, remembered: str | None, accepted: str | None) -> Language:
    """The first of these that is one of ours; English if none is.

    Parameters
    ----------
    asked, remembered : str or None
        Of the address and the cookie.
    accepted : str or None
        An ``Accept-Language`` header.

    Examples
    --------
    >>> language_of(None, None, "fr;q=0.9, zh-CN, en;q=0.8")
    'zh'
    >>> language_of("en", "zh", None), language_of("xx", None, "<script>")
    ('en', 'en')
    """
    candidates = [asked, remembered, *_preferred(accepted or "")]
    return next((known for one in candidates for known in LANGUAGES if one == known), "en")


def _preferred(accepted: str) -> Iterator[str]:
    weighed = []
    for place, part in enumerate(accepted[:_LONGEST].split(",")):
        tag, _, parameters = part.strip().partition(";")
        weight = parameters.strip().removeprefix("q=")
        try:
            weighed.append((-float(weight or 1), place, tag.lower().partition("-")[0]))
        except ValueError:
            continue
    return (tag for _, _, tag in sorted(weighed))
