"""The card of a model: what it says, and what it does not say yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from benne.errors import GovernanceError
from benne.experiments.measure import Measure
from benne.experiments.report.model_document import AboutDocument, document_of, section
from benne.scoring.governance.documents import FORMAT

__all__ = [
    "CARD",
    "SECTIONS",
    "Approval",
    "ModelCard",
    "Section",
    "card_from_document",
    "with_approvals",
    "with_documents",
]

CARD: Final = "card"

SECTIONS: Final[Mapping[str, str]] = {
    "uses": "Intended and banned uses",
    "data": "Data",
    "labels": "Labels, and what the score had to do with them",
    "features": "Features",
    "contract": "The weights",
    "price": "What the weights cost",
    "performance": "How well it does",
    "bands": "By band",
    "patterns": "By pattern of consent",
    "calibration": "Calibration",
    "fairness": "Fairness, by group",
    "gaming": "Resistance to gaming",
    "categories": "What each category is worth",
    "limits": "Limits",
    "reproduction": "Versions and seeds",
    "approvals": "Approvals",
}
"""Key and title of every section, in the order of the page."""

_ASKED_FOR: Final = frozenset({"categories", "approvals"})
"""What a card may be without: the one is asked for or not, the other is what validation gives."""

_OF_VALIDATION: Final = frozenset({"fairness", "gaming"})
"""What a card says only once somebody has tried it; each has gates of its own."""

_OF_DOCUMENTS: Final = ("fairness", "gaming", "categories")
_LONGEST_TABLE: Final = 60
_COMPLETE: Final = "documentation.card_complete"


@dataclass(frozen=True)
class Section:
    """One part of a card.

    Parameters
    ----------
    tables : mapping of str to list of dict
        Rows by the table's name, ready for JSON.
    text : tuple of str
        Sentences above them.
    lacking : tuple of str
        What belongs here and is not known.
    """

    tables: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    text: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What somebody decided about a model.

    Parameters
    ----------
    what : str
        ``validation`` or ``promotion``.
    verdict : str
        Such as ``passed``, ``failed``, ``champion``.
    by, author : str
        Who decided, and who had trained it.
    at : datetime
    gates_version, gates_hash : str
        Against which declared gates; '' for what was not held against any.
    """

    what: str
    verdict: str
    by: str
    author: str
    at: datetime
    gates_version: str = ""
    gates_hash: str = ""

    def as_dict(self) -> dict[str, Any]:
        """One line of the card."""
        return {
            "what": self.what, "verdict": self.verdict, "by": self.by, "author": self.author,
            "at": self.at.isoformat(), "gates_version": self.gates_version, "gates_hash": self.gates_hash,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model is, what it may be used for, how it does, and where it ends.

    No member's row or value is in it, and no figure rests on fewer than ten rows.

    Parameters
    ----------
    model_id, config_hash : str
        Of the saved model: :func:`benne.scoring.decisions.served_model.identity_of`.
    made_at : datetime
    by : str
        Who trained the model.
    sections : mapping of str to Section
        By the keys of :data:`SECTIONS`; absent: not known.
    measures : mapping of str to dict
        Figures by their full name, as :meth:`benne.experiments.measure.Measure.as_dict` gives them.
    notes : tuple of str
        What must be read before anything else.
    """

    model_id: str
    config_hash: str
    made_at: datetime
    by: str
    sections: Mapping[str, Section] = field(repr=False)
    measures: Mapping[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """What the card does not say and should: sections that are absent, and what is lacking in those there are."""
        return self._missing(_ASKED_FOR)

    @property
    def card_complete(self) -> Measure:
        """How many entries are missing of those that a training can fill; a gate asks for 0.

        Fairness and gaming are not among them: they are found out by validation, under gates of their own.
        """
        later = _ASKED_FOR | _OF_VALIDATION
        missing = self._missing(later)
        return Measure(value=float(len(missing)), n=len(SECTIONS) - len(later), note="; ".join(missing))

    def as_document(self) -> dict[str, Any]:
        """The card as JSON, in the shape of every document about a model."""
        ordered = [key for key in SECTIONS if key in self.sections]
        about = AboutDocument(model_id=self.model_id, config_hash=self.config_hash, made_at=self.made_at, by=self.by)
        return document_of(CARD, about, {
            "measures": dict(self.measures) | {_COMPLETE: self.card_complete.as_dict()},
            "tables": {name: rows for key in ordered for name, rows in self.sections[key].tables.items()},
            "notes": list(self.notes),
            "missing": self.missing,
            "sections": [_section_as_dict(key, self.sections[key]) for key in ordered],
        })  # fmt: skip

    def _missing(self, excused: frozenset[str]) -> list[str]:
        found = []
        for key, title in SECTIONS.items():
            if key in self.sections:
                found += [f"{title}: {what}" for what in self.sections[key].lacking]
            elif key not in excused:
                found.append(title)
        return found


def card_from_document(document: Mapping[str, Any]) -> ModelCard:
    """Read a card again.

    Raises
    ------
    GovernanceError
        If it is no card, or one of another format.
    """
    if document.get("kind") != CARD or document.get("format") != FORMAT:
        raise GovernanceError(
            f"A model card must be a document of kind {CARD!r} and format {FORMAT}, got another. Name its card.json."
        )
    tables = document["tables"]
    return ModelCard(
        model_id=document["model"]["model_id"],
        config_hash=document["model"]["config_hash"],
        made_at=datetime.fromisoformat(document["made_at"]),
        by=document["by"],
        sections={
            one["key"]: Section({name: tables[name] for name in one["tables"]}, tuple(one["text"]),
                                tuple(one["lacking"]))
            for one in document["sections"]
        },
        measures={name: figure for name, figure in document["measures"].items() if name != _COMPLETE},
        notes=tuple(document["notes"]),
    )  # fmt: skip


def with_documents(card: ModelCard, documents: Sequence[Mapping[str, Any]]) -> ModelCard:
    """The card with what other reports found about the same model.

    Parameters
    ----------
    card : ModelCard
    documents : sequence of mapping
        Of kind ``fairness``, ``gaming`` or ``categories``, in the shape of a document about a model.

    Raises
    ------
    GovernanceError
        If a document is of another kind or another model.
    """
    sections, measures, notes = dict(card.sections), dict(card.measures), list(card.notes)
    for document in documents:
        kind = str(document.get("kind"))
        _check_fits(card, kind, document.get("model", {}))
        figures = document.get("measures", {})
        said = sections[kind].text if kind in sections else ()
        notes = [note for note in notes if note not in said]  # of the document whose place this one takes
        sections[kind] = _section_of(kind, document)
        measures |= figures
        notes += [note for note in document.get("notes", ()) if note not in notes]
    return replace(card, sections=sections, measures=measures, notes=tuple(notes))


def with_approvals(card: ModelCard, approvals: Sequence[Approval]) -> ModelCard:
    """The card with what was decided about the model, in the order given; none takes the section away."""
    sections = {key: one for key, one in card.sections.items() if key != "approvals"}
    if approvals:
        sections["approvals"] = Section({"approvals": [one.as_dict() for one in approvals]})
    return replace(card, sections=sections)


def _check_fits(card: ModelCard, kind: str, model: Mapping[str, Any]) -> None:
    if kind not in _OF_DOCUMENTS:
        raise GovernanceError(f"A card takes documents of kind {', '.join(_OF_DOCUMENTS)}, got {kind!r}. Leave it out.")
    if model.get("config_hash") != card.config_hash:
        raise GovernanceError(
            f"The document of kind {kind} must be about the card's own model, got one about another. Make it again "
            "for this model."
        )


def _section_of(kind: str, document: Mapping[str, Any]) -> Section:
    """Its figures, and its tables where a person would still read them."""
    figures = [{"figure": name} | dict(one) for name, one in document.get("measures", {}).items()]
    tables = {f"{kind}.{name}": list(rows) for name, rows in document.get("tables", {}).items()
              if 0 < len(rows) <= _LONGEST_TABLE}  # fmt: skip
    return Section({f"{kind}.figures": figures} | tables, tuple(document.get("notes", ())))


def _section_as_dict(key: str, own: Section) -> dict[str, Any]:
    return section(key, SECTIONS[key], own.text, *own.tables) | {"lacking": list(own.lacking)}
