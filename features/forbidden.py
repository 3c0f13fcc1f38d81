"""What no feature may touch, by word or by the rows it reads: consent-and-rights C6, F1, G1, and what follows from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from benne.features.events.tables import TABLES
from benne.features.kernel.derived import DERIVED
from benne.features.kernel.expressions import Expression, Rows

__all__ = ["FORBIDDEN_ROWS", "FORBIDDEN_TOPICS", "TOPICS", "forbidden_rows", "lineage", "strange_signs", "topics_in"]

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "refused even with consent": (
        "religio", "faith", "belief", "worship", "prayer", "church", "mosque", "temples?$", "synagogue", "christian",
        "catholic", "muslim", "islam", "jew(s|ish)?$", "hindu", "buddh", "atheis", "halal", "kosher", "ramadan",
        "genetic", "genom", "genes?$", "dna$", "fingerprint", "biometric", "facial", "face_(id|recog|scan|match)",
        "iris_scan", "retina", "voice_?print", "blood", "disease", "illness", "sickness", "medical", "medicin",
        "medicat", "diagnos", "health", "disabil", "disabled", "handicap", "hospital", "pharmac", "doctors?$",
        "patients?$", "therap", "prescription", "vaccin", "diabet", "cancer$", "hiv$", "mental(ly)?_", "politic",
        "voters?$", "voting", "election", "activis", "ideolog", "(political|party)_(party|member)",
        "(trade|labou?r)_?union", "union_(member|due|fee)", "sexual", "gay$", "lesbian", "lgbt", "queer", "ethnic",
        "races?$", "racial", "racis", "castes?$", "trib(e|es|al)$", "indigenous", "colou?r_of_(the_)?skin",
        "skin_(colou?r|tone)",
    ),
    "a protected attribute, or what stands in for one": (
        "gender", "sex(es)?$", "wom[ae]n", "females?$", "males?$", "feminin", "masculin", "pronoun", "marital",
        "married", "marriage", "divorc", "widow", "wedding", "spous", "husband", "wi(fe|ves)$", "fianc", "child", "kids?$",
        "bab(y|ies)", "infant", "toddler", "mothers?$", "fathers?$", "parent", "siblings?$", "daughter", "famil",
        "household", "dependan?ents?$", "dependants?$", "maternity", "paternity", "pregnan", "nationalit",
        "national_origin", "citizen", "immigra", "emigra", "migrants?$", "refugee", "asylum", "foreign(er|_born)",
        "public_assistance", "welfare", "food_stamp", "birth", "dob$", "age_(years|group|band|bracket|class|range)",
        "(member|customer|person|user|applicant|borrower)(_?s)?_age$", "ages?_of_(the_|a_)?(member|customer|person|user)",
        "age_in_", "years?_old", "how_old", "elderly", "seniors?$", "teenage", "youths?$", "retire(d|e|ment)",
        "generation", "students?$", "school", "educati", "universit", "college", "diploma", "first_names?$",
        "given_names?$", "surname", "last_names?$", "maiden_name", "mother_tongue", "native_speaker", "language",
        "accents?$", "photo", "selfie", "dress(es)?$", "phone_(model|brand)", "device", "handset", "iphone", "android",
        "operating_system", "browser", "e_?mail_(domain|provider|host)",
    ),
    "what somebody buys or gives, which is nobody's business": (
        "napp(y|ies)", "diaper", "video_?gam", "games?$", "gam(er|ers|ing)$", "esport", "playstation", "gambl",
        "casino", "lotter", "bet(s|ting)?$", "charit", "donat", "donors?$", "philanthrop", "alms$", "tithe", "zakat",
        "fundrais", "merchant", "shop", "alcohol", "wines?$", "beers?$", "tobacco", "cigar", "grocer",
        "basket", "brands?$", "purchase_categor", "products?_(bought|kind|categor)", "books?_(title|bought)",
    ),
    "where somebody lives or how often they move": (
        "address(es)?_(change|histor|stabil|tenure|move|qualit|count)", "chang(es?|ed|ing)_(of_|in_|the_|their_)*address",
        "addresses", "(new|previous|former|old|earlier|past|last)_(home_|postal_)?address", "relocat",
        "mov(e|es|ed|ing)_(house|home|flat|away|address)", "(house|home|flat)_(move|change)", "hous(e|es)_moved",
        "residen", "post_?code", "postal_code", "zip(_?code)?$", "neighbou?rhood", "district", "geo_?locat", "gps$",
        "latitude", "longitude",
    ),
    "the exercise of a right, or being looked up, which is never evidence": (
        "consent", "withdraw", "opt(ed|s|ing)?_?(out|in)$", "disput", "contest(ed|ing|s)?$", "complain", "objection",
        "appeal(s|ed)?$", "enquir", "inquir", "look_?(ed_)?ups?$", "lookups?", "explanation", "erasure",
        "right_to_", "(access|deletion|correction|review)_request", "searched_for",
    ),
}  # fmt: skip
"""Beginnings of words by what is wrong with them, as patterns: ``_`` is any separator or none, ``$`` ends a word."""

FORBIDDEN_TOPICS: Final = tuple(topic for topics in TOPICS.values() for topic in topics)

FORBIDDEN_ROWS: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("adverse_items", {"event": "disputed"}, "exercising a right is no evidence"),
    ("adverse_items", {"event": "upheld"}, "it only tells of a dispute, and exercising a right is no evidence"),
    ("adverse_items", {"event": "removed"}, "it only tells of a dispute, and exercising a right is no evidence"),
    ("verifications", {"field": "address", "event": "changed"}, "changes of address are no evidence"),
)
"""Rows of a table that must be left out, and why."""

_SINGLED_OUT: Final[tuple[tuple[str, dict[str, tuple[str, ...]], str], ...]] = (
    ("verifications", {"field": ("address",)}, "where somebody lives, and since when, is no evidence"),
    ("interactions", {"direction": ("given",), "kind": ("report", "block")}, "exercising a right is no evidence"),
)  # rows of which a feature may not be made alone

_ALIKE: Final = (("incomes", "kind", ("salary", "pension", "benefit")),)  # ECOA 15 U.S.C. 1691(a)(2); age

_HARMLESS: Final = re.compile(
    r"good faith|dispute it if it is wrong|consenting members|financial health|credit union|shopping around"
    r"|families of curves|generation of (?:income|cash)|in the first place"
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
    return kind[0] in "CM" or kind in ("Zl", "Zp")


def topics_in(text: str) -> Iterator[tuple[str, str]]:
    """Find forbidden topics in a text: what it says, and what is wrong with it.

    Examples
    --------
    >>> list(topics_in("Hours of videoGames"))[0]
    ('videogames', "what somebody buys or gives, which is nobody's business")
    >>> list(topics_in("Age of the oldest contract"))
    []
    """
    for said in _readings(text):
        for wrong, pattern in _PATTERNS.items():
            for found in pattern.finditer(said):
                yield found.group().strip(" _"), wrong


def lineage(expression: Expression) -> frozenset[tuple[str, str]]:
    """Every (table, column) that can bear on a value, through conditions and derived streams too."""
    found = set(expression.reads())
    for rows in expression.selections():
        if rows.stream in DERIVED:
            found |= {(table, column) for table, columns in DERIVED[rows.stream].reads.items() for column in columns}
        else:
            found |= {(rows.stream, condition.column) for condition in rows.conditions}
    return frozenset(found)


def forbidden_rows(rows: Rows) -> Iterator[str]:
    """Say of rows of a stream what is wrong with choosing them."""
    for table, values, why in FORBIDDEN_ROWS:
        if rows.stream == table and all(rows.may_hold(column, value) for column, value in values.items()):
            yield f"it reads {table} whose {_joined(values)}: {why}. Leave them out."
    for table, sets, why in _SINGLED_OUT:
        if rows.stream == table and all(set(_held(rows, column)) <= set(values) for column, values in sets.items()):
            yield f"it reads only {table} whose {_joined({c: ' or '.join(v) for c, v in sets.items()})}: {why}. Drop it."
    for table, column, values in _ALIKE:
        if rows.stream == table and len({rows.may_hold(column, value) for value in values}) > 1:
            yield f"it sets {table} apart by {column}: {', '.join(values)} must count alike. Take them together."
    for condition in rows.conditions:
        if _is_id(rows.stream, condition.column) and not condition.only_known:
            yield f"it picks out {condition.column} of {rows.stream}: with whom, or where, is no evidence. Drop it."


def _readings(text: str) -> Iterator[str]:
    """The text in plain small letters: as it stands, camel case parted, spelled-out words joined, digits as letters."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    for version in dict.fromkeys((text, parted)):
        plain = unicodedata.normalize("NFD", version.lower().translate(_LETTERS))
        plain = "".join(sign for sign in plain if sign.isascii() or sign.isspace())
        plain = re.sub(r"(?<![a-z])(?:[a-z][^a-z0-9]){2,}[a-z](?![a-z])", _letters_only, plain)
        plain = _HARMLESS.sub(" ", plain)
        yield plain
        for digits in _DIGITS:
            read = re.sub(r"[a-z0-9]*(?:[a-z][0-9]|[0-9][a-z])[a-z0-9]*", lambda w: w.group().translate(digits), plain)  # noqa: B023
            if read != plain:
                yield read


def _letters_only(spelled: re.Match[str]) -> str:
    return re.sub(r"[^a-z]", "", spelled.group())


def _pattern(topics: tuple[str, ...]) -> re.Pattern[str]:
    any_of = "|".join(topic.replace("_", r"[\W_]*").replace("$", "(?![a-z])") for topic in topics)
    return re.compile(rf"(?<![a-z]){_BEFORE}(?:{any_of})")


_PATTERNS: Final = {wrong: _pattern(topics) for wrong, topics in TOPICS.items()}


def _held(rows: Rows, column: str) -> list[str]:
    """The categories that rows of an event table may hold."""
    return [value for value in TABLES[rows.stream].column(column).values if rows.may_hold(column, value)]


def _is_id(stream: str, column: str) -> bool:
    table = stream if stream in TABLES else DERIVED[stream].tables[0]
    return any(c.name == column and c.kind == "id" for c in TABLES[table].all_columns)


def _joined(values: dict[str, str]) -> str:
    return " and ".join(f"{column} is {value}" for column, value in values.items())
