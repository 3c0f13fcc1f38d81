"""From the fields of a notice to its paragraphs, by versioned templates of the catalogue. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from benne.explain.texts import Texts
from benne.scoring.notices.fields_of import OWN_CODE

__all__ = ["paragraphs", "template_hash", "template_version", "title"]

Content = Mapping[str, Any]
_Places = Callable[[Content, Texts], list[dict[str, object]]]
_AREA: Final = "notices"
_WORDS: Final = ("action", "basis", "kind", "part", "purpose", "reliance")


def _once(content: Content, texts: Texts) -> list[dict[str, object]]:
    return [{}]


def _given(*fields: str) -> _Places:
    """Once where all of the fields hold something; each is a place of its own name."""

    def places(content: Content, _: Texts) -> list[dict[str, object]]:
        return [{name: content[name] for name in fields}] if all(content.get(name) for name in fields) else []

    return places


def _as(place: str, name: str) -> _Places:
    return lambda content, _: [{place: content[name]}] if content.get(name) else []


def _day(name: str, place: str = "day") -> _Places:
    return lambda content, texts: [{place: texts.day(_moment(content[name]))}] if content.get(name) else []


def _when(name: str, value: object) -> _Places:
    return lambda content, _: [{}] if content.get(name) == value else []


def _lines(name: str) -> _Places:
    return lambda content, _: [{"rank": one["rank"], "text": one["text"]} for one in content[name]]


def _any(name: str) -> _Places:
    return lambda content, _: [{}] if content.get(name) else []


def _action(content: Content, texts: Texts) -> list[dict[str, object]]:
    said = texts.say(f"{_AREA}.action.{content['action_taken']}")
    return [
        {"decision_maker": content["decision_maker"], "day": texts.day(_moment(content["action_at"])), "action": said}
    ]


def _score(content: Content, texts: Texts) -> list[dict[str, object]]:
    least, most = content["score_range"]
    day = texts.day(_moment(content["score_date"]))
    return [
        {"score": round(content["score"]), "day": day, "least": least, "most": most, "provider": content["provider"]}
    ]


def _no_reason(content: Content, _: Texts) -> list[dict[str, object]]:
    return [] if content["reasons"] else [{"decision_maker": content["decision_maker"]}]


def _theirs(content: Content, _: Texts) -> list[dict[str, object]]:
    return [{"decision_maker": content["decision_maker"]}] if content.get("method") == OWN_CODE else []


def _sources(content: Content, texts: Texts) -> list[dict[str, object]]:
    joined = ("、" if texts.language == "zh" else ", ").join(content["sources"])
    return [{"sources": joined}] if joined else []


def _disclosed(content: Content, texts: Texts) -> list[dict[str, object]]:
    day = texts.day(_moment(content["disclosed_at"]))
    return [{"day": day, "authority": content["authority"], "scope": content["scope"]}]


def _basis(content: Content, texts: Texts) -> list[dict[str, object]]:
    return [{"basis": texts.say(f"{_AREA}.basis.{content['legal_basis']}"), "reference": content["reference"]}]


def _extension(content: Content, texts: Texts) -> list[dict[str, object]]:
    return [{"before": texts.day(_moment(content["due_before"])), "day": texts.day(_moment(content["due_at"]))}]


def _item(content: Content, texts: Texts) -> list[dict[str, object]]:
    day = texts.day(_moment(content["listed_from"]))
    return [{"day": day, "item": content["item"], "source": content["source"]}]


def _processing(content: Content, texts: Texts) -> list[dict[str, object]]:
    purpose, reliance = (texts.say(f"{_AREA}.{name}.{content[name]}") for name in ("purpose", "reliance"))
    return [{"decision_maker": content["decision_maker"], "purpose": purpose, "reliance": reliance}]


def _outcome_corrected(content: Content, texts: Texts) -> list[dict[str, object]]:
    if content["outcome"] != "corrected":
        return []
    return [{"day": texts.day(_moment(content["corrected_by"]))}]


def _corrected(content: Content, _: Texts) -> list[dict[str, object]]:
    done = content["corrected"]
    return [{"count": sum(one["new_decision"] is not None for one in done), "told": len(done)}]


def _do_not_use(content: Content, _: Texts) -> list[dict[str, object]]:
    return [{"member": content["member"], "decisions": ", ".join(content["decisions"])}]


def _ask_again(content: Content, _: Texts) -> list[dict[str, object]]:
    return [] if content["new_decision"] else [{}]


_WHY: Final[tuple[tuple[str, _Places], ...]] = (
    ("because", lambda c, t: [] if c.get("method") == OWN_CODE else _any("reasons")(c, t)),
    ("because_of_theirs", _theirs),
    ("reason", _lines("reasons")),
    ("method_everybody", lambda c, t: _when("method", "everybody")(c, t) if c["reasons"] else []),
    ("method_just_above", lambda c, t: _when("method", "just_above")(c, t) if c["reasons"] else []),
    ("no_reason", _no_reason),
)
_HOW: Final[tuple[tuple[str, _Places], ...]] = (
    ("automated", _any("automated_processing")),
    ("logic", _any("automated_processing")),
)
_WAYS: Final[tuple[tuple[str, _Places], ...]] = (
    ("human", _any("human_review")),
    ("refuse_automated", _any("refuse_automated")),
    ("dispute", _as("route", "dispute_route")),
    ("review", _as("route", "review_route")),
    ("complaint", _as("route", "complaint_route")),
)
_DISCLOSED_SCORE: Final[tuple[tuple[str, _Places], ...]] = (
    ("score", _score),
    ("factors", _any("key_factors")),
    ("factor", _lines("key_factors")),
    ("sources", _sources),
)
_COUNTERFACTUALS: Final = (
    "counterfactual",
    lambda c, _: [{"text": text} for text in c["counterfactuals"]],
)

_PARAGRAPHS: Final[dict[str, tuple[tuple[str, _Places], ...]]] = {
    "adverse_action": (
        ("action", _action),
        ("action_maker", _given("decision_maker", "provider")),
        *_WHY,
        *_DISCLOSED_SCORE,
        *_HOW,
        _COUNTERFACTUALS,
        ("free_report", _any("free_report")),
        ("ask_reasons", _as("days", "reasons_asked_within_days")),
        ("equal_credit", _any("equal_credit")),
        *_WAYS,
    ),
    "reasons_given": (*_WHY, *_HOW, _COUNTERFACTUALS, *_WAYS),
    "score_disclosure": (*_DISCLOSED_SCORE, *_HOW, *_WAYS),
    "prior_notice": (("item", _item), ("item_contest", _once), ("item_end", _once), *_WAYS),
    "automated_processing": (
        ("processing", _processing), *_HOW, ("consent_end", _once), *_WAYS,
    ),
    "dispute_answer": (
        ("outcome_corrected", _outcome_corrected),
        ("outcome_not_corrected", _when("outcome", "not_corrected")),
        ("answer", _given("text")),
        ("add_statement", _when("outcome", "not_corrected")),
        *_WAYS,
    ),
    "dispute_extension": (("extension", _extension), ("answer", _given("text")), *_WAYS),
    "review_answer": (
        ("upheld", _when("outcome", "upheld")),
        ("overturned", _when("outcome", "overturned")),
        ("answer", _given("text")),
        ("instead_benefit_granted", _when("instead", "benefit_granted")),
        ("instead_decided_anew", _when("instead", "decided_anew")),
        ("instead_not_to_be_used", _when("instead", "not_to_be_used")),
        ("new_decision", _as("decision", "new_decision")),
        *_WAYS,
    ),
    "correction_done": (("corrected_anew", _corrected), *_WAYS),
    "explanation_withheld": (
        ("withheld", _given("part")), ("withheld_why", _given("text")), ("withheld_review", _once), *_WAYS,
    ),
    "disclosure_compelled": (("disclosed", _disclosed), ("disclosed_basis", _basis), *_WAYS),
    "correction_notice": (
        ("do_not_use", _do_not_use), ("use_instead", _as("decision", "new_decision")), ("ask_again", _ask_again),
    ),
    "review_overturned": (
        ("review_to_recipient", lambda c, _: [{"member": c["member"], "decision": c["decision_id"]}]),
        ("use_instead", _as("decision", "new_decision")),
    ),
}  # fmt: skip
"""For each kind, texts of the catalogue in their order, each with what goes into its places: as often as is given."""


def title(kind: str, texts: Texts) -> str:
    """What a notice of a kind is headed with."""
    return texts.say(f"{_AREA}.title.{kind}")


def paragraphs(kind: str, content: Content, texts: Texts) -> list[str]:
    """A notice in words.

    Raises
    ------
    KeyError
        If a field is missing; :data:`benne.scoring.notices.kinds.FIELDS` says which there are.
    """
    return [texts.say(f"{_AREA}.says.{key}", **one) for key, of in _PARAGRAPHS[kind] for one in of(content, texts)]


def template_version(texts: Texts) -> str:
    """Of the letters in the catalogue."""
    return texts.say(f"{_AREA}.version")


def template_hash(kind: str, texts: Texts) -> str:
    """SHA-256 of the texts that a notice of a kind is put together from, in their order, and of words put into them."""
    words = sorted(key for key in texts.messages if key.startswith(tuple(f"{_AREA}.{each}." for each in _WORDS)))
    keys = [f"{_AREA}.title.{kind}", *(f"{_AREA}.says.{key}" for key, _ in _PARAGRAPHS[kind]), *words]
    return hashlib.sha256("\n".join(f"{key}\t{texts.messages[key]}" for key in keys).encode()).hexdigest()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
