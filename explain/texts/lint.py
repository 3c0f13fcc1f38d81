"""A lint over everything that members and staff are told (consent-and-rights X2); each rule is a sentence below."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from benne.explain.texts.agreement import disagreements
from benne.explain.texts.catalogue import LANGUAGES, Language, messages_of
from benne.explain.texts.plain_words import jargon_in, topics_of, vague_in
from benne.explain.texts.reading_ease import characters, sentences, years_of_school
from benne.explain.texts.wellformed import flaws
from benne.features import registry
from benne.features.specification import FeatureSpec

__all__ = ["FIELDS", "Finding", "findings", "lint_features", "lint_messages", "said_of"]

FIELDS: Final = ("label", "adverse_reason", "favourable_reason", "null_means", "actionable")
"""What is said of a feature, in this order."""

SPEAKS_TO_STAFF: Final = frozenset({"console"})
"""Areas that may use the words of the trade."""

JOINTS: Final = frozenset({"report.sentences"})
"""What stands between two sentences: a blank in English, nothing in Chinese."""

MOST_YEARS_OF_SCHOOL: Final = 9.0

_REASONS: Final = ("adverse_reason", "favourable_reason")
_LONGEST: Final[dict[Language, dict[str, int]]] = {
    "en": {"label": 14, "adverse_reason": 18, "favourable_reason": 18, "null_means": 12, "actionable": 14},
    "zh": {"label": 26, "adverse_reason": 30, "favourable_reason": 30, "null_means": 24, "actionable": 30},
}
"""Words in English, signs in Chinese."""
_SHORTEST: Final[dict[Language, int]] = {"en": 3, "zh": 5}
_LONGEST_SENTENCE: Final[dict[Language, int]] = {"en": 32, "zh": 70}
_LONG_WORD: Final = 15
_SPAN: Final = re.compile(r"\b(?:last|next|past) \d+ (?:days|months|years)\b|(?:近|此前|未来) \d+ (?:天|个月|年)")
"""How far back a feature looks, which is no figure of the member's own."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong with one text.

    Parameters
    ----------
    language : {'en', 'zh'}
    key : str
        Of the text, such as ``features.late_count_30d.label``.
    rule : str
        What it breaks, in a word or two; ``docs/texts.md`` lists them.
    says : str
        What was found.
    """

    language: str
    key: str
    rule: str
    says: str

    def __str__(self) -> str:
        """As one line."""
        return f"{self.language} {self.key}: {self.rule}: {self.says}"


def findings() -> list[Finding]:
    """Everything wrong with the texts of all languages; empty if nothing is.

    Examples
    --------
    >>> [str(finding) for finding in findings()]
    []
    """
    messages = {language: messages_of(language) for language in LANGUAGES}
    found = [Finding(*found) for found in disagreements(messages["en"], messages["zh"])]
    for language in LANGUAGES:
        bare = [text for key, text in messages[language].items() if key.startswith("common.category.")]
        found += lint_messages(language, messages[language])
        found += lint_features(language, said_of(language, registry, messages[language]), registry, bare)
    return found


def said_of(
    language: Language, specs: Mapping[str, FeatureSpec], messages: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """What a language says of each feature, by field: English as registered, others as their files hold it."""
    if language == "en":
        return {name: {field: getattr(spec, field) or "" for field in FIELDS} for name, spec in specs.items()}
    return {name: {field: messages.get(f"features.{name}.{field}", "") for field in FIELDS} for name in specs}


def lint_messages(language: Language, messages: Mapping[str, str]) -> Iterator[Finding]:
    """Check messages one by one: well formed, and plain where members read them.

    Parameters
    ----------
    language : {'en', 'zh'}
    messages : mapping of str to str
        By dotted key.

    Examples
    --------
    >>> [finding.rule for finding in lint_messages("en", {"report.of": "{member.__class__}"})]
    ['place']
    """
    for key, text in messages.items():
        if key in JOINTS and not text.strip():
            continue
        yield from (Finding(language, key, rule, says) for rule, says in flaws(language, text))
        area = key.split(".")[0]
        if area in SPEAKS_TO_STAFF or area == "features":
            continue
        yield from (Finding(language, key, "jargon", word) for word in jargon_in(language, _spoken(text)))
        yield from (Finding(language, key, "too long", part) for part in _endless(language, _spoken(text)))


def lint_features(
    language: Language,
    said: Mapping[str, Mapping[str, str]],
    specs: Mapping[str, FeatureSpec],
    categories: Iterable[str] = (),
) -> Iterator[Finding]:
    """Check what is said of features: specific, readable, without jargon, claims or protected topics.

    Parameters
    ----------
    language : {'en', 'zh'}
    said : mapping of str to mapping of str to str
        Texts by feature and field; an empty one is none.
    specs : mapping of str to FeatureSpec
        Which fields each feature must have, and its reason group.
    categories : iterable of str
        Names of categories, which alone are no reason.

    Examples
    --------
    >>> from benne.features import registry
    >>> said = {"late_count_30d": dict.fromkeys(FIELDS, "") | {"adverse_reason": "Score too low"}}
    >>> {finding.rule for finding in lint_features("en", said, registry)} >= {"vague", "missing"}
    True
    """
    bare = {name.strip().lower() for name in categories}
    for name, fields in said.items():
        for field in FIELDS:
            text = fields[field]
            for rule, says in _of_field(language, field, text, bool(getattr(specs[name], field)), bare):
                yield Finding(language, f"features.{name}.{field}", rule, says)
        if fields["adverse_reason"].strip(" .。").lower() == fields["favourable_reason"].strip(" .。").lower():
            yield Finding(language, f"features.{name}.adverse_reason", "both ways", "the same as the favourable reason")
    yield from _repeated(language, said, specs)
    yield from _hard(language, said)


def _of_field(language: Language, field: str, text: str, wanted: bool, bare: set[str]) -> Iterator[tuple[str, str]]:
    if bool(text.strip()) != wanted:
        yield ("missing", "say it") if wanted else ("not asked for", text)
    if not text.strip():
        return
    yield from flaws(language, text)
    yield from (("jargon", word) for word in jargon_in(language, text))
    yield from (("protected topic", word) for word in topics_of(language, text))
    yield from _form(language, field, text)
    if field in _REASONS:
        yield from (("vague", word) for word in vague_in(language, text))
        if text.strip(" .。").lower() in bare:
            yield "vague", "only the name of a category"
    if field in (*_REASONS, "actionable") and re.search(r"\d", _SPAN.sub("", text)):
        yield "figure", "a number that could be taken for the member's own"


def _form(language: Language, field: str, text: str) -> Iterator[tuple[str, str]]:
    length = len(text.split()) if language == "en" else characters(text)
    if length > _LONGEST[language][field]:
        yield "too long", f"{length}, at most {_LONGEST[language][field]}"
    if field in _REASONS and length < _SHORTEST[language]:
        yield "too short", f"{length}, at least {_SHORTEST[language]}"
    if re.search(r"[.。!！?？]$|[{}]", text) or (field in _REASONS and len(sentences(text)) > 1):
        yield "form", "one sentence without full stop or places"
    if language == "en" and field != "null_means" and not text[0].isupper():
        yield "form", "begin with a capital"
    if language == "zh" and re.search(r"[A-Za-z]", text):
        yield "form", "no Latin letters"
    if language == "en" and any(len(word) > _LONG_WORD for word in re.findall(r"[A-Za-z]+", text)):
        yield "hard to read", f"a word of more than {_LONG_WORD} letters"


def _repeated(
    language: Language, said: Mapping[str, Mapping[str, str]], specs: Mapping[str, FeatureSpec]
) -> Iterator[Finding]:
    """The same words for two reasons, or for a reason and its opposite, would not say which."""
    first: dict[str, tuple[str, str]] = {}
    for name, fields in said.items():
        for field in ("label", *_REASONS):
            text = fields[field].strip().lower()
            other, as_field = first.setdefault(text, (name, field))
            same_group = specs[other].reason_group == specs[name].reason_group
            if text and other != name and not (same_group and field == as_field != "label"):
                yield Finding(language, f"features.{name}.{field}", "repeated", f"said of {other} too")


def _hard(language: Language, said: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """English reasons together: one alone is too short to be measured."""
    texts = [fields[field] for fields in said.values() for field in _REASONS if fields[field].strip()]
    years = years_of_school(texts) if language == "en" and texts else 0.0
    if years > MOST_YEARS_OF_SCHOOL:
        yield Finding(language, "features", "hard to read", f"{years:.1f} years of school, at most 9")


def _endless(language: Language, text: str) -> Iterator[str]:
    for part in sentences(text):
        if (len(part.split()) if language == "en" else characters(part)) > _LONGEST_SENTENCE[language]:
            yield part


def _spoken(text: str) -> str:
    """A message without the names of its places, which no reader sees."""
    return re.sub(r"\{[^{}]*\}", " ", text)
