"""A card on disk: a page for people, Markdown for a registry, JSON for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benne.experiments.model_card.card import ModelCard
from benne.experiments.report.document_page import document_markdown, document_page
from benne.features.quality.documents import as_bytes, write_whole

__all__ = ["DOCUMENT", "MARKDOWN", "PAGE", "card_markdown", "card_page", "write_card"]

PAGE: Final = "card.html"
MARKDOWN: Final = "card.md"
DOCUMENT: Final = "card.json"
_TITLE: Final = "Model card"
_LEAD: Final = "What the model is, what it may be used for, how it does and where it ends."


def card_page(card: ModelCard) -> str:
    """The card as one HTML file."""
    return document_page(card.as_document(), title=_TITLE, lead=_LEAD)


def card_markdown(card: ModelCard) -> str:
    """The card in Markdown."""
    return document_markdown(card.as_document(), title=_TITLE)


def write_card(card: ModelCard, folder: str | Path) -> list[Path]:
    """Write ``card.html``, ``card.md`` and ``card.json``; earlier ones in the folder are replaced.

    Returns
    -------
    list of Path
        The same card gives the same bytes.
    """
    target = Path(folder)
    return [
        write_whole(card_page(card).encode(), target / PAGE),
        write_whole(card_markdown(card).encode(), target / MARKDOWN),
        write_whole(as_bytes(card.as_document()), target / DOCUMENT),
    ]
