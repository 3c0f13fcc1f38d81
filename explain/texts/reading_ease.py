"""How hard a text is to read, by counts that anybody can repeat."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["characters", "sentences", "syllables", "years_of_school"]

_WORD: Final = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_SILENT: Final = re.compile(r"[^aeiouyl]e$|[aeiouy]le$|[^aeiouydtl]ed$|[aeiouy]led$|[^aeiouyscghxzl]es$|[aeiouy]les$")
"""Endings whose e is not said."""
_END: Final = re.compile(r"(?<=[.!?;:])\s+|[。！？；：\n]")


def sentences(text: str) -> list[str]:
    """Parts of a text that are read in one breath; a colon or semicolon ends one.

    Examples
    --------
    >>> sentences("Pay on time; it helps. 请按时付款。谢谢")
    ['Pay on time;', 'it helps.', '请按时付款', '谢谢']
    """
    return [part.strip() for part in _END.split(text) if part.strip()]


def syllables(word: str) -> int:
    """Syllables of an English word: groups of vowels, less silent endings; at least one.

    Examples
    --------
    >>> [syllables(word) for word in ("late", "payment", "settled", "verified", "due", "obligation")]
    [1, 2, 2, 3, 1, 4]
    """
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", plain))
    apart = len(re.findall(r"ia(?!l|n)|[aeioy]ing$", plain))
    silent = bool(_SILENT.search(plain)) + len(re.findall(r"[^aeiouy]e(?:ly|ment|ful|less)", plain))
    return max(1, groups + apart - silent)


def years_of_school(texts: Iterable[str]) -> float:
    """Years of school that English texts ask for together.

    Parameters
    ----------
    texts : iterable of str
        Each begins a sentence of its own; with less than some hundred words the figure jumps about.

    Raises
    ------
    ValueError
        If there are no words.

    References
    ----------
    Kincaid, Fishburne, Rogers & Chissom, Research Branch Report 8-75, Naval Technical Training 1975:
    ``0.39 words/sentences + 11.8 syllables/words - 15.59``.

    Examples
    --------
    >>> round(years_of_school(["The cat sat on the mat."]), 2)
    -1.45
    >>> years_of_school([])
    Traceback (most recent call last):
    ...
    ValueError: Texts to be measured must have words, got none. Give at least one.
    """
    parts = [part for text in texts for part in sentences(text)]
    words = [word for part in parts for word in _WORD.findall(part)]
    if not words:
        raise ValueError("Texts to be measured must have words, got none. Give at least one.")
    return 0.39 * len(words) / len(parts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def characters(text: str) -> int:
    """Signs of a text as a reader counts them: spaces aside."""
    return len(re.sub(r"\s", "", text))
