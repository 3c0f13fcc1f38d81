"""What no feature may be about, in whatever spelling: consent-and-rights C6, F1, G1, and what follows from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Final

__all__ = ["FORBIDDEN_TOPICS", "TOPICS", "strange_signs", "topics_in"]

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "refused even with consent": (
        "religio", "faiths?$", "faith_(based|group|communit)", "unfaithful", "beliefs?$", "believers?$", "worship",
        "prayer", "church", "mosque", "temples?$", "synagogue", "christian", "catholic", "muslim", "islam",
        "jew(s|ish)?$", "hindu", "buddh", "atheis", "halal", "kosher", "ramadan", "genetic", "genom", "genes?$", "dna$",
        "fingerprint", "biometric", "facial", "face_(id|recog|scan|match)", "iris_scan", "retina", "voice_?print",
        "blood", "disease", "illness", "sickness", "medical", "medicin", "medicat", "diagnos(e|es|ed|is|ing)$",
        "health", "disabil", "disabled", "handicap", "hospitals?$", "hospitali[sz]", "pharmac", "doctors?$",
        "patients?$", "therap", "prescription", "vaccin", "diabet", "cancer$", "hiv$", "mental(ly)?$", "politic",
        "voters?$", "voting", "election", "activis", "ideolog", "(political|party)_(party|member)",
        "(trade|labou?r)_?union", "union_(member|due|fee)", "sexual", "gay$", "lesbian", "lgbt", "queer", "ethnic",
        "races?$", "racial", "racis", "castes?$", "trib(e|es|al)$", "indigenous", "colou?r_of_(the_)?skin",
        "skin_(colou?r|tone)", "creed$", "sikh", "jain(s|ism)?$", "taois", "pagan", "mormon", "hijab", "pilgrim",
        "spiritual", "obes(e|ity)", "bmi$", "allerg", "smok(er|es|ing)", "surger(y|ies)", "symptom", "psychiatr",
        "ancestr", "hispanic", "latin[oa]s?$", "caucasian", "ballot", "partisan", "communis", "socialis",
    ),
    "a protected attribute, or what stands in for one": (
        "gender", "sex(es)?$", "wom[ae]n", "females?$", "males?$", "feminin", "masculin", "pronouns?$", "marital",
        "married", "marriage", "divorc", "widow", "wedding", "spous", "husbands?$", "wi(fe|ves)$", "fianc", "child",
        "kids?$", "bab(y|ies)", "infants?$", "infancy", "toddler", "mothers?$", "fathers?$", "parents?$",
        "parent(al|hood)", "siblings?$", "daughter", "famil(y|ies|ial)", "household", "dependan?ents?$", "dependants?$",
        "maternity", "paternity", "pregnan", "nationalit", "national_origin", "citizen", "immigra", "emigra",
        "migrants?$", "refugee", "asylum", "foreign(er|_born)", "public_assistance", "welfare", "food_stamp", "birth",
        "dob$", "ages?$", "years?_old", "how_old", "elderly", "seniors$", "senior_(citizen|member|people|customer)",
        "teenage", "youths?$", "young_(people|members?|customers?|adults?)",
        "retire(ment|es?$|d_(member|people|person))", "pensioner", "generation", "students?$", "school", "educati",
        "universit", "college", "diplomas?$", "first_names?$", "given_names?$", "surname", "last_names?$",
        "maiden_name", "mother_tongue", "native_speaker", "language", "accents?$", "photo", "selfie", "dress(es)?$",
        "phone_(model|brand)", "devices?_(model|price|brand|kind|type|maker)", "handset", "iphone", "android",
        "operating_system", "browser", "e_?mail_(domain|provider|host)", "boys?$", "girls?$", "(boy|girl)_friend",
        "men$", "lad(y|ies)$", "sons?$", "sisters?$", "brothers?$", "aunts?$", "uncles?$", "nephew", "niece", "cousin",
        "relatives$", "orphan", "bride", "bachelor", "millennial", "boomer", "teens?$", "adolescen", "juvenile",
        "middle_aged", "old_age", "geriatric",
    ),
    "what somebody buys or gives, which is nobody's business": (
        "napp(y|ies)", "diaper", "video_?gam", "games?$", "gam(er|ers|ing)$", "esport", "playstation", "gambl",
        "casino", "lotter", "bet(s|ting)?$", "charit", "donat", "donors?$", "philanthrop", "alms$", "tithe", "zakat",
        "fundrais", "merchant", "shop", "alcohol", "wines?$", "beers?$", "tobacco", "cigar", "grocer", "basket",
        "brands?$", "purchase_categor", "products?_(bought|kind|categor)", "books?_(title|bought)", "gifts?$", "toys?$",
        "pets?$", "luxur", "cosmetic", "cloth(es|ing)$",
    ),
    "where somebody lives or how often they move": (
        "address(es)?_(change|histor|stabil|tenure|move|qualit|count)",
        "chang(es?|ed|ing)_(of_|in_|the_|their_)*address", "addresses",
        "(new|previous|former|old|earlier|past|last)_(home_|postal_)?address", "relocat",
        "mov(e|es|ed|ing)_(house|home|flat|away|address)", "(house|home|flat)_(move|change)", "hous(e|es)_moved",
        "residen", "(times|often|recently)_(they_|someone_|a_member_)?moved$", "post_?code", "postal_code",
        "zip(_?code)?$", "neighbou?rhood", "district", "geo_?locat", "gps$", "latitude", "longitude", "suburb",
        "slums?$", "villages?$", "rural", "house_price", "property_value", "home_town", "tenan(t|cy)",
    ),
    "the exercise of a right, or being looked up, which is never evidence": (
        "consent", "withdraw", "opt(ed|s|ing)?_?(out|in)$", "disput", "contest(ed|ing|s)?$", "complain", "objection",
        "appeal(s|ed)?$", "enquir", "inquir", "look_?(ed_)?ups?$", "lookups?", "explanations$",
        "explanation_(request|ask|sought|demand|claim|want|given|receiv|view|read|open|download|count|number)",
        "(request|ask|seek|sought|demand|claim|want)(s|ed|ing)?_((for|of|to|see|an?|the|their|more)_)*explanation",
        "erasure", "right_to_", "(access|deletion|correction|review)_request", "searched_for", "grievance", "ombuds",
        "lawsuit", "litigat", "petition",
    ),
}  # fmt: skip
"""Beginnings of words by what is wrong with them, as patterns: ``_`` is any separator or none, ``$`` ends a word."""

FORBIDDEN_TOPICS: Final = tuple(topic for topics in TOPICS.values() for topic in topics)

_THINGS = "account|contract|obligation|debt|loan|arrear|delay|relationship|verification|membership|record"
_HARMLESS: Final = re.compile(
    r"good faith|dispute it if it is wrong|consenting members|plain language|(?<![a-z])transparen(?:t|tly|cy)(?![a-z])"
    r"|(?<![a-z])(?:espous(?:e|ed|es|ing)|realms?|repetitions?|regenerat(?:e|ed|es|ing|ion)|abet(?:s|ted|ting)?)(?![a-z])"
    r"|generation of (?:income|cash)|(?:income|cash)[ _]generation(?![a-z])"
    r"|(?:cash|savings)[ _]withdraw(?:als?|n)(?![a-z])"
    r"|withdraw(?:als?|n|ing|s)?[ _](?:of[ _])?(?:cash|savings)(?![a-z])"
    r"|financial(?:ly)? health(?:y(?![a-z]))?|health(?:y|ier) (?:balance|account|reserve|finances)"
    rf"|(?:{_THINGS})s?[ _]ages?(?![a-z])"
    rf"|ages?[ _]of[ _](?:the[ _]|an?[ _]|all[ _]|oldest[ _]|newest[ _]|running[ _])*(?:{_THINGS})s?(?![a-z])"
    r"(?![ _'’]*(?:holder|applicant|owner|taker|user|member|customer|person|partner))"
)
_BEFORE: Final = (
    "(?:un|non|anti|pre|multi|inter|intra|trans|cis|step|grand|god|co|ir|bi|homo|hetero|a|ex|sub|mis|re|self|micro|e)?"
)
_DIGITS: Final = (str.maketrans("013457", "oieast"), str.maketrans("013457", "oleast"))
_LETTERS: Final = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


def strange_signs(text: str) -> list[str]:
    """Name the signs of a text that cannot be seen, or that are letters other than Latin ones.

    Examples
    --------
    >>> strange_signs("Gombović & Puri")
    []
    >>> strange_signs("r\\u0435ligion")
    ['CYRILLIC SMALL LETTER IE']
    """
    return [unicodedata.name(sign, f"U+{ord(sign):04X}") for sign in dict.fromkeys(text) if _strange(sign)]


def _strange(sign: str) -> bool:
    kind = unicodedata.category(sign)
    if kind[0] in "LN":
        return not unicodedata.normalize("NFD", sign.lower().translate(_LETTERS))[0].isascii()
    return kind[0] in "CM" or kind in ("So", "Zl", "Zp")


@lru_cache(maxsize=4096)
def topics_in(text: str) -> tuple[tuple[str, str], ...]:
    """Find forbidden topics in a text: what it says, and what is wrong with it.

    Examples
    --------
    >>> topics_in("Hours of videoGames")[0]
    ('videogam', "what somebody buys or gives, which is nobody's business")
    >>> topics_in("Age of the oldest contract")
    ()
    """
    found = (
        (match.group().strip(" _"), wrong)
        for said in dict.fromkeys(_readings(text))
        for wrong, pattern in _PATTERNS.items()
        for match in pattern.finditer(said)
    )
    return tuple(dict.fromkeys(found))


def _readings(text: str) -> Iterator[str]:
    """The text in plain small letters: as it stands, camel case parted, parted words joined, digits as letters."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    for version in dict.fromkeys((text, parted)):
        plain = unicodedata.normalize("NFD", version.lower().translate(_LETTERS))
        plain = "".join(sign for sign in plain if sign.isascii() or sign.isspace())
        plain = re.sub(r"(?<![a-z])(?:[a-z][^a-z0-9]){2,}[a-z](?![a-z])", _letters_only, plain)
        plain = _HARMLESS.sub(" ", plain)
        yield plain
        yield re.sub(r"(?<=[a-z])[-_.'’]+(?=[a-z])", "", plain)
        for digits in _DIGITS:
            yield re.sub(r"[a-z0-9]*(?:[a-z][0-9]|[0-9][a-z])[a-z0-9]*", partial(_as_letters, digits), plain)


def _as_letters(digits: dict[int, int], word: re.Match[str]) -> str:
    return word.group().translate(digits)


def _letters_only(spelled: re.Match[str]) -> str:
    return re.sub(r"[^a-z]", "", spelled.group())


def _pattern(topics: tuple[str, ...]) -> re.Pattern[str]:
    any_of = "|".join(topic.replace("_", r"[\W_]*").replace("$", "(?![a-z])") for topic in topics)
    return re.compile(rf"(?<![a-z]){_BEFORE}(?:{any_of})")


_PATTERNS: Final = {wrong: _pattern(topics) for wrong, topics in TOPICS.items()}
