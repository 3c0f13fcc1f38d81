"""A catalogue of messages: one TOML file for each area and language, found by dotted keys."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from benne.errors import TextMissing
from benne.explain.texts.values import number_in_words, value_in_words
from benne.features import registry
from benne.features.categories import CATEGORY_LABELS

__all__ = ["LANGUAGES", "Language", "Texts", "texts_of"]

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SPEC: Final = re.compile(r"\+?,?(\.\d)?[df%]?")


@dataclass(frozen=True, repr=False)
class Texts:
    """What is said in one language.

    Parameters
    ----------
    language : {'en', 'zh'}
    messages : mapping of str to str
        By dotted key, such as ``report.title``: the file's name, then the tables within it.

    Examples
    --------
    >>> from benne.explain.texts import texts_of
    >>> texts_of("en").say("common.score")
    'Score'
    >>> texts_of("zh").category("ability")
    '履约能力'
    >>> texts_of("en").say("common.nothing_like_this")
    Traceback (most recent call last):
    ...
    benne.errors.TextMissing: ...'
    """

    language: Language
    messages: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse messages whose places could reach into what they are given."""
        wrong = next((key for key, text in self.messages.items() if wrong_places(text)), None)
        if wrong is not None:
            raise TextMissing(
                f"Places of a text must be plain names, got others in {wrong} of {self.language}. "
                "Write {name}, and {{ for a brace."
            )

    def say(self, key: str, /, **values: object) -> str:
        """A message with its places filled in; the caller escapes it for where it is shown.

        Raises
        ------
        TextMissing
            If there is no such message, or it has a place that no value was given for.
        """
        if key not in self.messages:
            raise TextMissing(
                f"A text must be in the catalogue, got key {key} of {self.language}. "
                f"Add it to explain/texts/{self.language}/{key.split('.')[0]}.toml."
            )
        try:
            return self.messages[key].format(**values)
        except KeyError as error:
            raise TextMissing(f"Text {key} must be given each place's value, got none for {error}. Pass it.") from None
        except ValueError:
            raise TextMissing(f"Text {key} must be given a number where it asks for one, got words. Pass it.") from None

    def has(self, key: str) -> bool:
        """Whether there is such a message."""
        return key in self.messages

    def category(self, name: str) -> str:
        """A category's name; one that is not of the five is named as it is."""
        return self.say(f"common.category.{name}") if name in CATEGORY_LABELS else name

    def band(self, name: str) -> str:
        """A band's name; of a scheme that the catalogue does not know, as it is."""
        key = f"common.band.{name.replace(' ', '_')}"
        return self.messages.get(key, name)

    def category_means(self, name: str) -> str:
        """What a category is about, in a sentence; empty for one that is not of the five."""
        return self.messages.get(f"common.category_means.{name}", "")

    def band_means(self, name: str) -> str:
        """What a band means, in a sentence; empty for one of a scheme that the catalogue does not know."""
        return self.messages.get(f"common.band_means.{name.replace(' ', '_')}", "")

    def label(self, feature: str) -> str:
        """What a feature is called; one that is not registered is named as it is."""
        return self._of(feature, "label") or feature

    def reason(self, feature: str, *, favourable: bool) -> str:
        """What a feature's points commonly mean; empty for one that is not registered."""
        return self._of(feature, "favourable_reason" if favourable else "adverse_reason") or ""

    def action(self, feature: str) -> str | None:
        """What a member can do about it; None where nothing."""
        return self._of(feature, "actionable")

    def null_means(self, feature: str) -> str:
        """What it says that there is no value."""
        return self._of(feature, "null_means") or self.say("common.not_known")

    def value(self, feature: str, value: float | None) -> str:
        """A value with its unit, or what it says that there is none."""
        if value is None or value != value:
            return self.null_means(feature)
        unit = registry[feature].unit if feature in registry else ""
        below = self.messages.get(f"units.below_zero.{_key(unit)}") if value < 0 else None
        if below is not None:
            return value_in_words(-value, unit, below)
        return value_in_words(value, unit, self._unit(feature, unit, value))

    def day(self, moment: date) -> str:
        """A date; of a ``datetime``, the day in its own time zone."""
        if self.language == "zh":
            return f"{moment.year}年{moment.month}月{moment.day}日"
        return f"{moment.day} {self.say(f'common.month.{moment.month}')} {moment.year}"

    def points(self, shown: int) -> str:
        """Whole points with their sign; a true minus, so that columns line up."""
        return f"+{shown}" if shown > 0 else f"\N{MINUS SIGN}{-shown}" if shown < 0 else "0"

    def _unit(self, feature: str, unit: str, value: float) -> str:
        """What a unit is called beside a value: of the feature itself, of one, or commonly."""
        one = [f"one.{_key(unit)}"] if number_in_words(abs(value)) == "1" else []
        found = (self.messages.get(f"units.{key}") for key in (f"of_feature.{feature}", *one, _key(unit)))
        return next((text for text in found if text is not None), unit)

    def _of(self, feature: str, field: str) -> str | None:
        if feature not in registry:
            return None
        own: str | None = getattr(registry[feature], field)
        if own is None or self.language == "en":
            return own
        return self.messages.get(f"features.{feature}.{field}", own)


@cache
def texts_of(language: str) -> Texts:
    """The texts of a language.

    Raises
    ------
    TextMissing
        If there are none.
    """
    if language not in LANGUAGES:
        raise TextMissing(f"A language must be one of {', '.join(LANGUAGES)}, got another. Take one of these.")
    return Texts(language, messages_of(language))


def messages_of(language: Language) -> dict[str, str]:
    """Every message of a language by its dotted key, as the files hold it."""
    found = {}
    for file in files("benne.explain.texts").joinpath(language).iterdir():
        if file.name.endswith(".toml"):
            area = file.name.removesuffix(".toml")
            found.update({f"{area}.{key}": text for key, text in _flat(tomllib.loads(file.read_text("utf-8")))})
    return found


def places_of(text: str) -> frozenset[str]:
    """Names of the places in a message that values go into."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def wrong_places(text: str) -> bool:
    """Whether a message has a place that is not a plain name, or braces that do not match.

    Examples
    --------
    >>> wrong_places("{score} of {highest:,}"), wrong_places("{score.__class__}"), wrong_places("{")
    (False, True, True)
    """
    try:
        places = [place for place in string.Formatter().parse(text) if place[1] is not None]
    except ValueError:
        return True
    return any(
        conversion or not _NAME.fullmatch(name or "") or not _SPEC.fullmatch(spec or "")
        for _, name, spec, conversion in places
    )


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, found in tree.items():
        if isinstance(found, str):
            yield before + name, found
        elif isinstance(found, dict):
            yield from _flat(found, f"{before}{name}.")
        else:
            raise TextMissing(
                f"A text must be words in quotes, got something else at {before}{name}. Put it in quotes."
            )


def _key(unit: str) -> str:
    return unit.replace(" ", "_").replace(",", "")
