"""The door of the registry: what a specification must say, may not touch, and may not promise.

Each check yields complaints in words; :class:`benne.features.specification.Registry` refuses a
specification by name with all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from benne.features.categories import (
    ABILITY,
    BEHAVIOUR,
    CATEGORIES,
    CATEGORY_LABELS,
    CREDIT_HISTORY,
    PERSONAL_INFORMATION,
    SOCIAL,
)
from benne.features.equivalence import canonical
from benne.features.forbidden_rows import forbidden_rows, lineage
from benne.features.forbidden_topics import strange_signs, topics_in
from benne.features.kernel.expressions import Distinct, Largest, Latest, Smallest, Total, Variation
from benne.features.kernel.layout import columns_of
from benne.features.possible_values import column_kind, nodes, possible
from benne.features.set_apart import set_apart
from benne.features.spending import More, effect_of_spending
from benne.features.well_formed import malformed

if TYPE_CHECKING:
    from benne.features.specification import FeatureSpec

__all__ = ["EASE_OF_GAMING", "JARGON", "JURISDICTIONS", "VAGUE_REASONS", "complaints"]

JURISDICTIONS: Final = ("cn", "eu", "us", "default")
"""The jurisdiction profiles there are."""

EASE_OF_GAMING: Final = ("low", "medium", "high")

VAGUE_REASONS: Final = (
    "score", "internal polic", "insufficient", "standards", "algorithm", "model", "risk class", "rating class",
    "creditworth", "criteria", "not qualif", "various", "other reasons", "general$", "profile",
)  # fmt: skip
"""What no reason may rest on (consent-and-rights X2), besides the bare names of categories: beginnings, or whole words
where ``$`` ends them."""

JARGON: Final = (
    "utili[sz]ation", "delinquen", "dpd", "woe", "ratio(s|n)?$", "variance", "deviation", "percentile",
    "charge-?backs?$", "kpi", "lgd", "ead$", "pd$", "exposure", "ledger", "features?$", "nulls?$", "nan$", "revolv",
    "collinear", "propensity", "tradeline", "minor units?",
)  # fmt: skip
"""Words that a member need not know: beginnings, or whole words where ``$`` ends them."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_REQUIRED_TEXTS = (
    "unit", "reason_group", "label", "adverse_reason", "favourable_reason", "rationale", "source", "owner",
)  # fmt: skip
_REASONS = ("adverse_reason", "favourable_reason")
_SAID_TO_MEMBERS = ("label", *_REASONS, "actionable", "null_means", "unit")
_WORDS = {"label": 2, "adverse_reason": 3, "favourable_reason": 3, "rationale": 4, "source": 3, "actionable": 3}
_FOUND = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)|\bwww\.|https?://")
_BUY_MORE = re.compile(
    r"\b(buy|purchase|spend|shop|borrow|consume)\b|\border (more|again|often)|\buse .{0,20}\bmore often"
    r"|\bmore (purchases|orders|spending)"
    r"|\b(open|take)\b.{0,20}\b(loan|credit|contract|account|card)"
)
_OF_CATEGORIES = {
    "adverse_items": (CREDIT_HISTORY,), "incomes": (ABILITY,), "verifications": (PERSONAL_INFORMATION,),
    "interactions": (SOCIAL,), "payments.counterparty_id": (SOCIAL,), "balances": (BEHAVIOUR, ABILITY),
    **dict.fromkeys(("obligation_events", "account_status", "dues", "repayments"),
                    (CREDIT_HISTORY, BEHAVIOUR, ABILITY)),
}  # fmt: skip
"""With which categories members give or withhold what is read; with whom one deals is social."""
_MORE: Final[dict[More, str]] = {"amounts": "spending more", "counts": "more payments"}
_FAULT = re.compile(r"\b(late|delays?|overdue|fail(ed|ures?)|unpaid|not settled|lapsed|below zero|defaults?)\b")
_SINCE = re.compile(r"\b(since|without)\b")


def complaints(spec: FeatureSpec, taken: Mapping[str, FeatureSpec]) -> Iterator[str]:
    """Say everything that keeps a specification out of a registry that holds others."""
    unfit = [*_unfit(spec), *malformed(spec.expression)]
    yield from unfit
    if not unfit:
        for check in (_forbidden, _vague, _plain, _advice, _range, _nothing, _direction, _window, _columns, _places):
            yield from check(spec)
        yield from _repeated(spec, taken)


def _unfit(spec: FeatureSpec) -> Iterator[str]:
    """What must be right before anything else can be looked at."""
    if not _NAME.fullmatch(spec.name):
        yield "its name must be lower case words joined by underscores. Rename it."
    if spec.category not in CATEGORIES:
        yield f"its category must be one of {', '.join(CATEGORIES)}, got {spec.category!r}."
    for text in _REQUIRED_TEXTS:
        if not isinstance(getattr(spec, text), str) or len(getattr(spec, text).strip()) < 2:
            yield f"its {_words(text)} is missing. Write it."
    if spec.null_means is not None and not spec.null_means.strip():
        yield "it must say what null means, or None where it is never null."
    if spec.actionable is not None and not spec.actionable.strip():
        yield "it must say what a member can do, or None where nothing."
    if spec.direction not in (-1, 0, 1):
        yield f"its direction must be -1, 0 or 1 on the odds of bad, got {spec.direction!r}."
    if spec.gaming not in EASE_OF_GAMING:
        yield f"its ease of gaming must be one of {', '.join(EASE_OF_GAMING)}, got {spec.gaming!r}."
    if not (math.isfinite(spec.minimum) and math.isfinite(spec.maximum)):
        yield f"its range must be of finite numbers, got [{spec.minimum}, {spec.maximum}]."
    elif not spec.minimum < spec.maximum:
        yield f"its range must have minimum < maximum, got [{spec.minimum}, {spec.maximum}]."


def _forbidden(spec: FeatureSpec) -> Iterator[str]:
    for name, text in _texts(spec).items():
        for sign in strange_signs(text):
            yield f"its {_words(name)} holds {sign}, which hides what it says. Write it in plain Latin letters."
        for found, wrong in topics_in(text):
            yield f"its {_words(name)} touches the forbidden topic {found!r}: {wrong}. Drop it."
    yield from forbidden_rows(spec.expression)
    yield from set_apart(spec.expression)


def _vague(spec: FeatureSpec) -> Iterator[str]:
    for text in _REASONS:
        reason = getattr(spec, text).lower()
        bare = reason.strip(" .") in {label.lower() for label in CATEGORY_LABELS.values()}
        if bare or any(_says(reason, vague) for vague in VAGUE_REASONS):
            yield f"its {_words(text)} must say what it is about, got {getattr(spec, text)!r}. Be specific."
    if spec.adverse_reason.lower() == spec.favourable_reason.lower():
        yield "its adverse and its favourable reason must differ. Say what each kind of value means."
    if not _FOUND.search(spec.source):
        yield "its source must be one that can be looked up, with a year or a web address. Complete it."


def _plain(spec: FeatureSpec) -> Iterator[str]:
    for text, said in _texts(spec).items():
        if len(said.split()) < _WORDS.get(text, 1):
            yield f"its {_words(text)} must be at least {_WORDS[text]} words, got {said!r}. Say more."
        if text not in _SAID_TO_MEMBERS:
            continue
        for jargon in JARGON:
            if _says(said, jargon) and not _money(text, said):
                yield f"its {_words(text)} must be plain for members, got {said!r}. Say it in everyday words."
        if text in _WORDS and (not said[0].isupper() or said.endswith(".") or "_" in said):
            yield f"its {_words(text)} must begin with a capital, without full stop or underscore, got {said!r}."


def _advice(spec: FeatureSpec) -> Iterator[str]:
    for text in ("actionable", *_REASONS):
        if _BUY_MORE.search((getattr(spec, text) or "").lower()) and not _less(getattr(spec, text)):
            yield f"its {_words(text)} must not ask a member to buy or borrow, got {getattr(spec, text)!r}."
    for more, said in _MORE.items():
        effect = effect_of_spending(spec.expression, more, never_negative=spec.minimum >= 0)
        if any(sign * spec.direction < 0 for sign in effect):
            yield f"by its direction, {said} on the platform could lower the risk. Take 0, or another measure."


def _range(spec: FeatureSpec) -> Iterator[str]:
    ends = possible(spec.expression)
    if spec.minimum < ends.low:
        yield f"its minimum must be one it can reach: it is never below {ends.low:g}, got {spec.minimum:g}."
    if spec.maximum > ends.high:
        yield f"its maximum must be one it can reach: it is never above {ends.high:g}, got {spec.maximum:g}."
    if not ends.nullable and not spec.minimum <= 0 <= spec.maximum:
        yield f"its range must hold 0, what a member without any rows has, got [{spec.minimum:g}, {spec.maximum:g}]."


def _nothing(spec: FeatureSpec) -> Iterator[str]:
    nullable = possible(spec.expression).nullable
    if nullable and spec.never_null:
        yield "it must say what null means: its expression can be null."
    if not nullable and not spec.never_null:
        yield "it must have None for what null means: its expression is never null."


def _direction(spec: FeatureSpec) -> Iterator[str]:
    label = spec.label.lower()
    if spec.direction == -1 and _FAULT.search(label) and not _SINCE.search(label):
        yield f"its direction says that more lowers the risk, but its label names a fault: {spec.label!r}. Correct one."
    if spec.direction == 1 and re.search(r"\bon time\b|\bsav(ed|ings)\b|\breserves?\b|\bverified\b", label):
        yield f"its direction says that more raises the risk, but its label names a merit: {spec.label!r}. Correct one."


def _window(spec: FeatureSpec) -> Iterator[str]:
    named = re.search(r"_(\d+)d$", spec.name)
    ends = {rows.far_days for rows in spec.expression.selections()}
    if named and int(named.group(1)) not in ends:
        yield f"its name says {named.group(1)} days, but no window of its expression reaches so far. Rename it."


def _columns(spec: FeatureSpec) -> Iterator[str]:
    for node in nodes(spec.expression):
        rows, column = getattr(node, "rows", None), getattr(node, "column", None)
        if rows is None or column is None:
            continue
        if column not in columns_of(rows.stream):
            yield f"it must read a column of {rows.stream}, got {column!r}. Correct it."
            continue
        kind = column_kind(rows.stream, column)
        if isinstance(node, Total | Largest | Smallest | Latest | Variation) and kind in ("id", "category", "time"):
            yield f"it must not take {column} of {rows.stream}, a column of {kind} values, for a number. Use Distinct."
        if isinstance(node, Distinct) and kind not in ("id", "category"):
            yield f"it must count different ids or categories, got {column} of {rows.stream}. Use another aggregate."


def _places(spec: FeatureSpec) -> Iterator[str]:
    strange = [place for place in spec.jurisdictions_off if place not in JURISDICTIONS]
    if isinstance(spec.jurisdictions_off, str) or strange:
        yield f"its jurisdictions must be among {', '.join(JURISDICTIONS)}, got {spec.jurisdictions_off!r}."
    if len(set(spec.jurisdictions_off)) < len(spec.jurisdictions_off):
        yield f"its jurisdictions must be named once each, got {spec.jurisdictions_off!r}."
    if spec.category == SOCIAL and "eu" not in spec.jurisdictions_off:
        yield "its jurisdictions must leave out eu, where credit may not rest on social data (CCD2 18(3))."
    read = {said for table, column in lineage(spec.expression) for said in (table, f"{table}.{column}")}
    for one, categories in _OF_CATEGORIES.items():
        if one in read and spec.category not in categories:
            yield f"it reads {one}, so that its category must be {' or '.join(categories)}, got {spec.category!r}."


def _repeated(spec: FeatureSpec, taken: Mapping[str, FeatureSpec]) -> Iterator[str]:
    if spec.name in taken:
        yield "the name is already registered. Choose another, or remove the first."
    for other in taken.values():
        if other.label.casefold() == spec.label.casefold() and other.name != spec.name:
            yield f"its label is that of {other.name!r}. Say what differs."
        if other.reason_group == spec.reason_group and other.category != spec.category:
            yield f"its reason group is one of {other.category}, by {other.name!r}. Name another."
    form = canonical(spec.expression)
    for other in taken.values():
        if canonical(other.expression) == form:
            yield f"it computes the same as {other.name!r}. Drop one, or say what differs."


def _texts(spec: FeatureSpec) -> dict[str, str]:
    """Every text of a specification, and what its expression reads."""
    said = {field.name: getattr(spec, field.name) for field in fields(spec)}
    read = " ".join(f"{table}.{column}" for table, column in sorted(lineage(spec.expression)))
    return {name: text for name, text in said.items() if isinstance(text, str)} | {"lineage": read}


def _words(name: str) -> str:
    return name.replace("_", " ")


def _says(text: str, beginning: str) -> bool:
    return bool(re.search(rf"(?<![a-z]){beginning.replace('$', '(?![a-z])')}", text.lower()))


def _money(text: str, said: str) -> bool:
    return text == "unit" and said == "minor units"


def _less(text: str) -> bool:
    return bool(re.search(r"\b(less|within|not|fewer)\b", text.lower()))
