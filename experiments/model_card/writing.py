"""A card on disk: a page for people, Markdown for a registry, JSON for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benne.experiments.model_card.card import ModelCard
from benne.experiments.report.document_page import document_markdown
from benne.experiments.report.model_document import write_document
from benne.features.quality.documents import write_whole

__all__ = ["DOCUMENT", "MARKDOWN", "TITLE", "card_markdown", "write_card"]

MARKDOWN: Final = "card.md"
DOCUMENT: Final = "card.json"
TITLE: Final = "Model card"
_LEAD: Final = "What the model is, what it may be used for, how it does and where it ends."


def card_markdown(card: ModelCard) -> str:
    """The card in Markdown."""
    return document_markdown(card.as_document(), title=TITLE)


def write_card(card: ModelCard, folder: str | Path) -> list[Path]:
    """Write ``card.html``, ``card.md`` and ``card.json``; earlier ones in the folder are replaced.

    Returns
    -------
    list of Path
        The same card gives the same bytes.
    """
    page, document = write_document(card.as_document(), folder, title=TITLE, lead=_LEAD)
    return [page, write_whole(card_markdown(card).encode(), Path(folder) / MARKDOWN), document]
