"""A card as a model registry shows it: in the few thousand characters of a version's description.

A part comes whole or not at all, and what there is no room for is named. First come the shortest forms of what a
reader must not miss, then longer ones while there is room, and last what is good to have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benne.experiments.model_card.card import ModelCard
from benne.experiments.model_card.description_parts import IF_ROOM, NEEDED, forms_of, title_of
from benne.experiments.model_card.tracked import CARD_FOLDER
from benne.experiments.model_card.writing import TITLE
from benne.experiments.report.document_page import plain_markdown

__all__ = ["LONGEST", "describe_card"]

LONGEST: Final = 5_000
"""Characters that every store of MLflow's takes for a description."""

_ON_THE_PAGE: Final = ("approvals", "uses", "data", "features", "contract", "price", "performance", "fairness",
                       "gaming", "limits", *IF_ROOM)  # fmt: skip
"""Order on the page: decisions first, then as on the card."""

_POINTER: Final = (
    f"The whole card: `{CARD_FOLDER}/card.html` among the run's artifacts, as trained; with later audits and decisions "
    "on the model's page in the console."
)
_OF_A_LIST: Final = 4
"""A list of notes, or of what is missing, takes a quarter of the room at most."""


def describe_card(card: ModelCard, longest: int = LONGEST) -> str:
    """The card in Markdown of at most so many characters.

    Parameters
    ----------
    card : ModelCard
    longest : int

    Returns
    -------
    str
        What is missing is what the card itself says is missing. What there was no room for is named, and where the
        whole card is. The same card gives the same text.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from benne.experiments.model_card import Section
    >>> limits = Section({"limits": [{"limit": "thin files", "share of test rows": "18 %", "means": "less is known"}]})
    >>> made = datetime(2026, 11, 30, tzinfo=UTC)
    >>> card = ModelCard(
    ...     model_id="benne/1", config_hash="1" * 64, made_at=made, by="ada", sections={"limits": limits}
    ... )
    >>> text = describe_card(card)
    >>> "| thin files | 18 % | less is known |" in text, "> - Data" in text, text.endswith("in the console.")
    (True, True, True)
    """
    forms = {key: forms_of(card, key) for key in (*NEEDED, *IF_ROOM)}
    there = {key: own for key, own in forms.items() if own}
    room = longest - len(_pointer(list(there))) - 1
    head = _head(card, room)
    chosen = _chosen(there, room - len(head))
    without = [key for key in _ON_THE_PAGE if key in there and key not in chosen]
    return "\n".join([head, *(chosen[key] for key in _ON_THE_PAGE if key in chosen), _pointer(without)])


def _chosen(forms: Mapping[str, Sequence[str]], room: int) -> dict[str, str]:
    """Of each part the form that fits: first the shortest of what is needed, then longer ones, then the rest."""
    chosen: dict[str, str] = {}
    needed = [key for key in NEEDED if key in forms]
    tries = [(key, forms[key][-1:]) for key in needed] + [(key, forms[key]) for key in needed]
    for key, own in tries + [(key, forms[key]) for key in IF_ROOM if key in forms]:
        taken = len(chosen[key]) + 1 if key in chosen else 0
        fits = next((form for form in own if len(form) + 1 <= room + taken), None)
        if fits is not None:
            chosen[key] = fits
            room += taken - len(fits) - 1
    return chosen


def _pointer(without: Sequence[str]) -> str:
    """Where the rest is; never left out."""
    return f"Only there: {'; '.join(map(title_of, without))}.\n\n{_POINTER}" if without else _POINTER


def _head(card: ModelCard, room: int) -> str:
    """Which model, what must be read first, and what the card itself lacks; of long lists the lines that fit."""
    told = {line for section in card.sections.values() for line in section.text}
    notes = [f"> {plain_markdown(note)}" for note in card.notes if note not in told]
    missing = [f"> - {plain_markdown(what)}" for what in card.missing]
    lines = [f"# {TITLE}", "", f"{card.model_id}, made {card.made_at:%Y-%m-%d} by {plain_markdown(card.by)}.", ""]
    if notes:
        lines += [*_within(notes, room // _OF_A_LIST), ""]
    if missing:
        lines += ["> Missing:", ">", *_within(missing, room // _OF_A_LIST), ""]
    return "\n".join(lines)


def _within(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as fit, and how many more there are."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*kept, f"> and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept
