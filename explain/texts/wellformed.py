"""What is wrong with a text on its face, whatever it says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from benne.explain.texts.catalogue import wrong_places

if TYPE_CHECKING:
    from benne.explain.texts.catalogue import Language

__all__ = ["flaws"]

_CHINESE_SIGNS: Final = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_UNFINISHED: Final = re.compile(r"\b(?:TODO|FIXME|XXX|TBD|lorem ipsum)\b|\?\?|待译|待补|待定", re.IGNORECASE)
_MARKUP: Final = re.compile(r"<[/a-zA-Z!]|&(?:#\d+|[a-z]+);")
_HALF_WIDTH: Final = re.compile(r"[\u3400-\u9fff][,;:?!()]|[,;:?!()][\u3400-\u9fff]")
_TRADITIONAL: Final = re.compile("[應還額為這個們時間費訊個險戶賬單據與對]")
_INFORMAL: Final = re.compile("[你咱]|亲")
_DIGITS: Final = re.compile(r"[\uff10-\uff19]")
_NAMES: Final = re.compile(
    r"\b(?:Benne|Typst|English|PDF|JSON|HTML|CSV|API|UTC|ISO|ID|SHA|KS|AUC|PSI|Gini|A{1,3}|B{1,3}|C|D)\b", re.A
)
"""What is written in Latin letters in Chinese too."""
_AS_IT_IS: Final = re.compile(
    r"https?://\S+|\bbenne(?:_|\[[a-z]+\]|(?: [a-z]+)+)|\b[a-z]+(?:_[a-z]+)+\b|\b[A-Za-z]-[A-Za-z]\b|\banchors\b", re.A
)
"""Addresses, commands, settings and ranges of signs, which one types as they are."""


def flaws(language: Language, text: str) -> Iterator[tuple[str, str]]:
    """Name the rules that a text breaks, with what was found.

    Examples
    --------
    >>> list(flaws("en", "Your score, {name}")), list(flaws("zh", "TODO"))
    ([], [('unfinished', 'TODO'), ('language', 'TODO')])
    """
    if not text.strip():
        yield "empty", "say something, or leave the key out"
        return
    if re.search(r"^\n|\n$|\t|  ", text):
        yield "form", "no line breaks at its ends, no tabs or double blanks"
    if wrong_places(text):
        yield "place", "places must be plain names in braces"
    yield from (("unfinished", found) for found in _UNFINISHED.findall(text))
    yield from (("markup", found) for found in _MARKUP.findall(text))
    yield from (("hidden sign", unicodedata.name(sign, hex(ord(sign)))) for sign in text if _hidden(sign))
    spoken = re.sub(r"\{[^{}]*\}", "", text)
    yield from _english(spoken) if language == "en" else _chinese(spoken)


def _english(text: str) -> Iterator[tuple[str, str]]:
    yield from (("language", sign) for sign in _CHINESE_SIGNS.findall(text))


def _chinese(text: str) -> Iterator[tuple[str, str]]:
    yield from (("language", word) for word in re.findall(r"[A-Za-z]+", _NAMES.sub("", _AS_IT_IS.sub("", text))))
    yield from (("half-width sign", found) for found in _HALF_WIDTH.findall(text))
    yield from (("full-width digit", found) for found in _DIGITS.findall(text))
    yield from (("traditional character", found) for found in _TRADITIONAL.findall(text))
    yield from (("informal", found) for found in _INFORMAL.findall(text))


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn") and sign != "\n"
